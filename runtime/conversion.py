"""Fields that change their type: the values of a table read as the new type, batch by batch.

A value that cannot be read is left blank; the old column is kept, and when the type is changed back its values
return wherever nobody has written something else since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Column, MetaData, Table, Uuid, bindparam, func, literal_column, select, update

from runtime import models, ordering, query
from runtime.access import door
from runtime.actors import System
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.tables import LiveTable, column_kind, family, sql_type
from schemas.app import App
from schemas.converting import Conversion, conversions, converted, names_in, refusal
from schemas.errors import BadValue, DefinitionError, Problem
from schemas.fields import Field, Reader, field_types
from schemas.importing import fold_key
from schemas.options import load
from schemas.text import Sentence

BATCH = 1_000
SAMPLES = 5
MOST_LOOKED_AT = 15_000
"""Different values that a rehearsal tries, the most frequent first: it is done while somebody waits."""


@dataclass
class Outcome:
    """How the values of one field fare: how many there are, how many carry over, examples of the others."""

    change: Conversion
    filled: int = 0
    kept: int = 0
    lost: dict[str, tuple[int, Sentence]] = field(default_factory=dict)
    unseen: int = 0
    """Values that a rehearsal has not looked at."""

    def lose(self, text: str, why: Sentence, times: int = 1) -> None:
        if text in self.lost or len(self.lost) < SAMPLES:
            self.lost[text] = (self.lost.get(text, (0, why))[0] + times, why)


@dataclass(frozen=True)
class Batch:
    """Fields of one SQL table that are converted together: where from, where to, what was there before."""

    live: LiveTable
    source: Table
    changes: tuple[Conversion, ...]
    targets: Mapping[str, str] = field(default_factory=dict)
    retired: Mapping[str, tuple[str, Field]] = field(default_factory=dict)

    @property
    def key(self) -> Column[Any]:
        return self.source.c["_id" if "_id" in self.source.c else "id"]

    def old(self, change: Conversion) -> Column[Any]:
        return self.source.c[change.path.rpartition(".")[2]]


def checked(before: App | None, after: App) -> list[Conversion]:
    """The conversions that a new revision needs. Raises DefinitionError for those that make no sense."""
    found = list(conversions(before, after))
    refused = [Problem(f"{c.table}.{c.path}", why) for c in found if (why := refusal(c))]
    if refused:
        raise DefinitionError(refused)
    return found


def batches(ctx: Context, inst: Installed, changes: Iterable[Conversion], targets: Mapping[str, str]) -> list[Batch]:
    """The work by SQL table. `inst` is what is published now; `targets` names the new columns by path."""

    def place(change: Conversion) -> tuple[str, str]:
        return change.table, change.path.rpartition(".")[0]

    made = []
    for (table, rows), several in groupby(sorted(changes, key=place), key=place):
        live = family(ctx, inst)[table]
        listed = tuple(several)
        retired = {c.path: kept for c in listed if (kept := _retired(ctx, inst, c))}
        made.append(Batch(live, live.children[rows] if rows else live.sql, listed, targets, retired))
    return made


def _retired(ctx: Context, inst: Installed, change: Conversion) -> tuple[str, Field] | None:
    """The column that held this field's values when it last was of the type that it becomes again."""
    s = models.storage
    rows = ctx.conn.execute(
        select(s.c.name, s.c.definition)
        .where(s.c.installation_id == inst.id, s.c.path == f"{change.table}.{change.path}", s.c.retired_at.is_not(None))
        .where(s.c.definition["type"].as_string() == change.new.type)
        .order_by(s.c.number.desc())
        .limit(1)
    )
    for row in rows:
        try:
            return row.name, load(
                field_types.get(change.new.type) or Field, {k: v for k, v in row.definition.items() if k != "type"}
            )
        except DefinitionError:
            return None
    return None


# -- one batch -------------------------------------------------------------------------------------


def rows_after(ctx: Context, batch: Batch, last: UUID | None, limit: int = BATCH) -> list[Any]:
    """The next rows in the order of their ids: id, then the old values, then the retired ones."""
    rows = _reading(batch).order_by(batch.key).limit(limit)
    return list(ctx.conn.execute(rows if last is None else rows.where(batch.key > last)))


def rows_of(ctx: Context, batch: Batch, ids: Sequence[UUID]) -> list[Any]:
    return list(ctx.conn.execute(_reading(batch).where(batch.key.in_(ids))))


def _reading(batch: Batch) -> Any:
    columns = [batch.old(c).label(f"o{n}") for n, c in enumerate(batch.changes)]
    for n, change in enumerate(batch.changes):
        if change.path in batch.retired:
            name, _ = batch.retired[change.path]
            columns.append(literal_column(name, _type_of(change)).label(f"r{n}"))
    return select(batch.key.label("id"), *columns).select_from(batch.source)


def _type_of(change: Conversion) -> Any:
    return sql_type(column_kind(change.new.storage, change.new.scale))


def convert(
    ctx: Context, batch: Batch, rows: Sequence[Any], outcomes: Mapping[str, Outcome], times: Sequence[int] = ()
) -> list[dict[str, Any]]:
    """The new values of rows: `_id`, and `v0`, `v1` ... for the batch's changes. Each counts as often as `times` says."""
    system = ctx.acting_as(System())
    made: list[dict[str, Any]] = [{"_id": row.id} for row in rows]
    for n, change in enumerate(batch.changes):
        values = [getattr(row, f"o{n}") for row in rows]
        old_values = [getattr(row, f"r{n}", None) for row in rows]
        reader = Reader(
            ctx.workspace.language, ctx.zone, _names(system, batch.live, change.old, [*values, *old_values])
        )
        found = _found(system, batch.live, change, values, reader)
        one = partial(_one, change, batch.retired.get(change.path), reader, found, outcomes[change.path])
        for item, value, kept, count in zip(made, values, old_values, times or [1] * len(rows), strict=True):
            item[f"v{n}"] = one(value, kept, count)
    return made


def _one(
    change: Conversion, retired: tuple[str, Field] | None, reader: Reader, found: Mapping[str, Any], outcome: Outcome, value: Any,
    kept: Any, times: int,
) -> Any:  # fmt: skip
    """The new value: the retired one where it still holds, else the present one converted, else nothing."""
    counted = times if value is not None else 0
    outcome.filled += counted
    if retired is not None and kept is not None and _unchanged(change, value, kept, retired[1], reader):
        outcome.kept += counted
        return kept
    try:
        made = converted(change.old, change.new, value, reader, found)
        outcome.kept += counted
        return made
    except BadValue as err:
        outcome.lose(change.old.show(value, reader)[:60], err.message, times)
        return None


def _unchanged(change: Conversion, value: Any, kept: Any, earlier: Field, reader: Reader) -> bool:
    """Whether the value is what the earlier conversion made of the kept one."""
    try:
        return bool(converted(earlier, change.old, kept, reader) == value)
    except BadValue:
        return value is None


def _names(ctx: Context, live: LiveTable, old: Field, values: Iterable[Any]) -> dict[UUID, str]:
    ids = {i for v in values for i in (v if isinstance(v, list) else [v]) if isinstance(i, UUID)}
    if not ids:
        return {}
    target = getattr(old, "table", "")
    if target and target in live.family:
        return query.titles(ctx, live.sibling(target), ids)
    return Directory.of(ctx).names(ids)


def _found(ctx: Context, live: LiveTable, change: Conversion, values: Sequence[Any], reader: Reader) -> dict[str, Any]:
    """Folded name -> id, where the new type finds its values by name and the old one held text."""
    from runtime import importing

    new = change.new
    if new.type.rstrip("s") not in ("member", "department", "link") or hasattr(change.old, "table"):
        return {}
    shown = [change.old.show(v, reader) for v in values if v is not None]
    texts = {text for whole in shown for text in (whole, *names_in(whole))}
    if new.type.startswith("link"):
        target: str = getattr(new, "table", "")
        return _by_title(ctx, live.family[target], texts) if target in live.family else {}
    return importing.people_by_name(ctx, new.type.rstrip("s"))


def _by_title(ctx: Context, target: LiveTable, texts: set[str]) -> dict[str, Any]:
    gate = door(ctx, target)
    title = query.title_sql(gate)
    rows = select(target.sql.c.id, title).where(
        gate.rows(), ordering.folded_text(title).in_({fold_key(t) for t in texts})
    )
    found: dict[str, Any] = {}
    for id, text in ctx.conn.execute(rows):
        key = fold_key(text)
        found[key] = None if key in found else str(id)
    return found


def store(ctx: Context, batch: Batch, made: Sequence[Mapping[str, Any]]) -> None:
    if not made:
        return
    key = batch.key.name
    columns = [
        Column(batch.targets[f"{c.table}.{c.path}"], _type_of(c), key=f"v{n}") for n, c in enumerate(batch.changes)
    ]
    target = Table(batch.source.name, MetaData(), Column(key, Uuid, key="_key"), *columns)
    values = {f"v{n}": bindparam(f"v{n}", type_=target.c[f"v{n}"].type) for n, _ in enumerate(batch.changes)}
    ctx.conn.execute(update(target).where(target.c["_key"] == bindparam("_id")).values(values), made)


# -- all of it -------------------------------------------------------------------------------------


def rehearse(ctx: Context, inst: Installed, changes: Sequence[Conversion]) -> list[Outcome]:
    """What a change of types would do to the values there are, each different one tried once; nothing is written."""
    return [
        _tried(ctx, replace(batch, changes=(change,)), Outcome(change))
        for batch in batches(ctx, inst, changes, {})
        for change in batch.changes
    ]


def _tried(ctx: Context, batch: Batch, outcome: Outcome) -> Outcome:
    """The batch's one change on its different values with how often each is there."""
    (change,) = batch.changes
    inner = _reading(batch).where(batch.old(change).is_not(None)).subquery()
    parts = [c for c in inner.c if c.key != "id"]
    found = select(func.count().label("id"), *parts).group_by(*parts).order_by(func.count().desc(), *parts)
    rows = list(ctx.conn.execute(found.limit(MOST_LOOKED_AT)))
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        convert(ctx, batch, some, {change.path: outcome}, [row.id for row in some])
    if len(rows) == MOST_LOOKED_AT:
        filled = ctx.conn.scalar(select(func.count()).select_from(inner)) or 0
        outcome.unseen = filled - outcome.filled
    return outcome


def convert_all(ctx: Context, batch: Batch) -> None:
    """Fill the new columns for every row, in the transaction at hand."""
    outcomes = {c.path: Outcome(c) for c in batch.changes}
    last = None
    while rows := rows_after(ctx, batch, last):
        store(ctx, batch, convert(ctx, batch, rows, outcomes))
        last = rows[-1].id


def rows_in(ctx: Context, batch: Batch) -> int:
    return ctx.conn.scalar(select(func.count()).select_from(batch.source)) or 0
