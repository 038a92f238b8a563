"""Choices whose options are the values of another table's field: what is offered, and whether an answer is among it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from runtime import query
from runtime.access import door
from runtime.context import Context
from runtime.tables import LiveTable
from schemas.fields.choice import Choice
from schemas.fields.rows import Rows
from schemas.filling import NOT_OFFERED, Values
from schemas.formula import Formula, names
from schemas.formula.types import BOOLEAN


def fed(live: LiveTable) -> list[tuple[Rows | None, Choice]]:
    """The choices that another table feeds, each with the subform that it is a column of."""
    alone = [(None, f) for f in live.table.fields if isinstance(f, Choice) and f.source]
    inner = [(r, c) for r in live.table.subforms for c in r.fields if isinstance(c, Choice) and c.source]
    return [*alone, *inner]


def depends(found: Choice, rows: Rows | None = None) -> list[str]:
    """The fields of the form that decide what is offered; columns of the answer's own row begin with a point."""
    if found.source is None or found.source.where is None:
        return []
    return read_of_form(found.source.where, rows)


def read_of_form(condition: Formula, rows: Rows | None) -> list[str]:
    """The fields of the form that a condition reads by `this`; columns of the row itself begin with a point."""
    read = sorted({path[1] for path in names(condition.tree) if path[0] == "this" and len(path) > 1})
    return [f".{name}" if rows and rows.column(name) else name for name in read]


Line = tuple[Rows, Mapping[str, Any]]
"""A subform and the values of one of its rows."""
Kept = dict[tuple[str, tuple[str, ...]], set[str]]


def offered(
    ctx: Context, live: LiveTable, found: Choice, values: Mapping[str, Any], text: str = "", line: Line | None = None
) -> list[str]:
    """What may be chosen in a record of these values, or in a row of it, by one who may read where it comes from."""
    return _among(ctx, live, found, values, None, text, line)


def _among(
    ctx: Context, live: LiveTable, found: Choice, values: Mapping[str, Any], among: Sequence[str] | None,
    text: str = "", line: Line | None = None,
) -> list[str]:  # fmt: skip
    assert found.source is not None
    there = live.sibling(found.source.table)
    gate = door(ctx, there)
    if not gate.may("read") or not gate.readable(found.source.field):
        return []
    where = _where(ctx, live, there, found, values, line)
    return query.values_of(gate, found.source.field, where, text, among, None if among is not None else 50)


def _where(
    ctx: Context, live: LiveTable, there: LiveTable, found: Choice, values: Mapping[str, Any], line: Line | None
) -> list[ColumnElement[bool]]:
    source = found.source
    if source is None or source.where is None:
        return []
    rows, row = line or (None, None)
    expression = live.analysis.expression(source.where, live.analysis.pick_scope(source, live.table, rows), BOOLEAN)
    return [query.pickable(live, there, expression, ctx, values, rows, row)]


def refuse(ctx: Context, live: LiveTable, drafts: Sequence[Any]) -> None:
    """Put an error beside every answer that is new in its draft and not among what is offered for it."""
    for rows, found in fed(live):
        given = [(draft, list(_answers(rows, found, draft.values, draft.before))) for draft in drafts]
        read = depends(found, rows)
        kept: Kept = {}
        known = set(_among(ctx, live, found, {}, _texts(p for _, part in given for p in part))) if not read else set()
        for draft, answers in given:
            for path, texts, line in answers:
                if not texts <= (
                    known if not read else _fitting(ctx, live, found, draft.values, texts, line, read, kept)
                ):
                    draft.errors.setdefault(path, []).append(NOT_OFFERED)


def _fitting(
    ctx: Context, live: LiveTable, found: Choice, values: Mapping[str, Any], texts: set[str], line: Line | None,
    read: Sequence[str], kept: Kept,
) -> set[str]:  # fmt: skip
    """Those of these texts that are offered; asked once for rows, and records of an import, that cannot be told apart."""
    row = line[1] if line else {}
    asked = [row.get(name[1:]) if name.startswith(".") else values.get(name) for name in read]
    key = repr(asked), tuple(sorted(texts))
    if key not in kept:
        kept[key] = set(_among(ctx, live, found, values, sorted(texts), line=line))
    return kept[key]


def _texts(answers: Any) -> list[str]:
    return sorted({text for _, texts, _ in answers for text in texts})


def _answers(
    rows: Rows | None, found: Choice, values: Values, before: Values
) -> Iterator[tuple[str, set[str], Line | None]]:
    """Where something was chosen that was not there before, and the row it stands in."""
    if rows is None:
        new = _chosen(values.get(found.id)) - _chosen(before.get(found.id))
        if new:
            yield found.id, new, None
        return
    old = {text for line in before.get(rows.id) or () for text in _chosen(line.get(found.id))}
    for number, row in enumerate(values.get(rows.id) or ()):
        if new := _chosen(row.get(found.id)) - old:
            yield f"{rows.id}[{number}].{found.id}", new, (rows, row)


def _chosen(value: Any) -> set[str]:
    return set(value) if isinstance(value, list) else set() if value is None else {value}
