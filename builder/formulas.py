"""A formula on trial: what is wrong with it and where, what it reads, and what it comes to for a record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from builder.names import RESULTS, Book
from runtime import query
from runtime.access import door
from runtime.answers import answering
from runtime.context import Context
from runtime.people import Directory
from runtime.tables import LiveTable
from schemas import filling
from schemas.dependencies import Circle
from schemas.errors import NotFound
from schemas.fields import Reader
from schemas.fields.formula import show_any
from schemas.fields.rows import Rows
from schemas.filling import Values
from schemas.formula import ErrorValue, Expression, Formula, FormulaError, Need, Type, World, evaluate
from schemas.formula.labels import plain
from schemas.formula.types import WORDS
from schemas.measures import check_measure
from schemas.messages import Message, say
from schemas.table import Table


@dataclass(frozen=True)
class Trial:
    """What the editor says of a formula. `at` is the character at fault, in what was typed.

    There is no `result` where one record does not tell: for figures over many, and what only a run of a flow knows.
    """

    error: Message | None = None
    at: int | None = None
    type: Message | None = None
    result: str | None = None
    failed: bool = False
    reads: list[str] = field(default_factory=list)
    volatile: bool = False
    no_sql: Message | None = None
    about: str = ""


def checked(book: Book, typed: str, result: str) -> tuple[Expression | None, Trial]:
    """The checked formula, or what is wrong with it."""
    assert book.scope is not None
    try:
        made = plain(typed, book)
    except FormulaError as err:
        return None, Trial(err.message, err.position)
    try:
        formula = Formula.of(made.source)
        if book.place.measure:
            return None, _measured(book, formula)
        expression = book.analysis.expression(formula, book.scope, RESULTS.get(result))
    except FormulaError as err:
        return None, Trial(err.message, made.origin(err.position))
    except Circle as err:
        return None, Trial(say("this calculation needs itself: {trail}", trail=" -> ".join(err.trail)), 0)
    return expression, Trial(
        type=WORDS[expression.type.kind], reads=sorted(reads(book, expression)), volatile=expression.volatile,
        no_sql=expression.no_sql,
    )  # fmt: skip


def _measured(book: Book, formula: Formula) -> Trial:
    """What a sound measure gives and reads. Raises FormulaError."""
    assert book.scope is not None
    measure = check_measure(formula, book.analysis, book.scope.table)
    inner = [part for one in measure.aggregates for part in (one.value, one.where) if part is not None]
    return Trial(
        type=WORDS[measure.total.type.kind], reads=sorted({name for part in inner for name in reads(book, part)})
    )


def reads(book: Book, expression: Expression) -> Iterator[str]:
    """The fields that a formula reads, by their labels."""
    for path in expression.paths | {need.path for need in expression.needs if need.kind == "path"}:
        labels = [book.label(path[:n]) or "" for n in range(1, len(path) + 1)]
        yield " › ".join(label for label in labels if label)


def tried(
    ctx: Context, live: LiveTable | None, book: Book, expression: Expression, record: UUID | None
) -> tuple[str, bool]:
    """What a checked formula comes to, for a record or for example values; and whether that is an error."""
    assert book.scope is not None
    table, rows = book.scope.table, book.scope.row
    values = _values(ctx, live, table, record)
    ask = answering(ctx, live, record) if live is not None else None
    values = _worked_out(book, table, values, ctx, ask)
    if rows is not None:
        values = {**values, **next(iter(values.get(rows.id) or [{}]))}
    needs = frozenset(n for n in expression.needs if live is not None and _may_ask(ctx, live, n, rows))
    try:
        world = ask(values, needs, rows) if ask else World(now=ctx.now, zone=ctx.zone)
    except (KeyError, NotFound):
        world = World(now=ctx.now, zone=ctx.zone)
    known = {**dict.fromkeys(expression.needs), **world.answers}
    outcome = evaluate(expression, values, World(now=ctx.now, zone=ctx.zone, me=ctx.actor.id, answers=known))
    return _shown(ctx, live, expression.type, outcome), isinstance(outcome, ErrorValue)


def _values(ctx: Context, live: LiveTable | None, table: Table, record: UUID | None) -> Values:
    if live is not None and record is not None:
        found = query.fetch(door(ctx, live), record)
        return {**found.system, **found.values}
    example: dict[str, Any] = {f.id: f.example() for f in table.fields if not f.computed}
    system = {"created_at": ctx.now, "updated_at": ctx.now, "created_by": ctx.actor.id, "updated_by": ctx.actor.id}
    return {**system, **example}


def _worked_out(book: Book, table: Table, values: Values, ctx: Context, ask: Any) -> Values:
    """The values with the calculations of the draft, as far as these are sound."""

    def alone(values: Values, needs: frozenset[Need], rows: Rows | None) -> World:
        return World(now=ctx.now, zone=ctx.zone, answers=dict.fromkeys(needs))

    try:
        return filling.calculate(book.analysis, table, values, ask or alone, volatile=True)
    except (FormulaError, Circle, KeyError, NotFound):
        return values


def _may_ask(ctx: Context, live: LiveTable, need: Need, rows: Rows | None) -> bool:
    """Whether this person may see what a formula asks beyond a link."""
    if need.kind != "path":
        return True
    at = live
    holder: Rows | None = rows
    for n, name in enumerate(need.path):
        found = (holder.column(name) if holder else None) or at.table.by_id.get(name)
        if found is None:
            return n > 0 or name == "this" or name in ("created_by", "updated_by")
        if not door(ctx, at).readable(f"{holder.id}.{name}" if holder and holder.column(name) else name):
            return False
        holder = found if isinstance(found, Rows) else None
        if found.type == "link":
            at = at.sibling(found.table)  # type: ignore[attr-defined]
    return True


def _shown(ctx: Context, live: LiveTable | None, kind: Type, outcome: Any) -> str:
    if isinstance(outcome, ErrorValue):
        return outcome.code
    if outcome is None or outcome == []:
        return ""
    names = dict(_names(ctx, live, kind, outcome))
    return show_any(outcome, Reader(ctx.language, ctx.zone, names))[:400]


def _names(ctx: Context, live: LiveTable | None, kind: Type, outcome: Any) -> Mapping[UUID, str]:
    inner = kind.of if kind.kind == "array" and kind.of else kind
    ids = {i for i in (outcome if isinstance(outcome, list) else [outcome]) if isinstance(i, UUID)}
    if not ids:
        return {}
    target = inner.target or ""
    if inner.kind == "link" and live is not None and target in live.family:
        return query.titles(ctx, live.sibling(target), ids)
    return Directory.of(ctx).names(ids)


def records(ctx: Context, live: LiveTable | None, text: str = "") -> list[tuple[str, str]]:
    """Records to try a formula on: the newest ones that this person may read."""
    if live is None or not door(ctx, live).may("read"):
        return []
    return [(str(id), title or "–") for id, title in query.suggest(door(ctx, live), text, limit=20)]
