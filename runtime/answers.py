"""What formulas ask of the world: values beyond a link, facts of people. Read in batches and kept for the transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime import audit
from runtime.context import Context
from runtime.people import Directory
from runtime.sources import points_at, system_source
from runtime.tables import LiveTable
from schemas.fields import Field
from schemas.fields.link import Link
from schemas.fields.links import Links
from schemas.fields.lookup import Lookup
from schemas.fields.rows import Rows
from schemas.filling import Answering, Values
from schemas.formula import Need, Type, World
from schemas.formula.functions.people import ADDRESS
from schemas.formula.types import array_of, link_to
from schemas.table import SYSTEM_FIELDS


def answering(
    ctx: Context, live: LiveTable, record: UUID | None = None, extra: Mapping[str, Type] | None = None
) -> Answering:
    """The world for formulas about a record of this table; `record` is what `this` stands for, `extra` further names."""

    me = ctx.actor.id if ctx.actor.kind == "member" else None
    nothing_asked = World(now=ctx.now, zone=ctx.zone, me=me, answers={})

    def world(values: Values, needs: frozenset[Need], rows: Rows | None) -> World:
        if not needs:
            return nothing_asked
        found = {need: _answer(ctx, live, values, need, rows, record, extra or {}) for need in needs}
        return World(now=ctx.now, zone=ctx.zone, me=me, answers=found)

    return world


def preload(ctx: Context, live: LiveTable, many: Sequence[Values], needs: Iterable[Need]) -> None:
    """Read at once what these needs will ask about many records, first hop only (deeper ones follow as asked)."""
    for need in needs:
        found = live.table.by_id.get(need.path[0]) if need.kind == "path" else None
        if isinstance(found, Link):
            target = live.sibling(found.table)
            ids = {v for values in many for v in _ids(values.get(found.id))}
            if isinstance(found, Links):
                ids = _there(ctx, target, ids)
            if len(need.path) > 1:
                _column(ctx, target, need.path[1], ids)


def _ids(value: Any) -> list[UUID]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, UUID)]


def forget(ctx: Context, live: LiveTable) -> None:
    """After a write to a table: what was read of it no longer holds, nor what is worked out when it is read."""
    for key in [k for k in ctx.memo if isinstance(k, tuple) and len(k) == 3 and k[0] == "column"]:
        if key[1] == live or key[2] not in key[1].sql.c:
            del ctx.memo[key]


def _answer(
    ctx: Context, live: LiveTable, values: Values, need: Need, rows: Rows | None, record: UUID | None,
    extra: Mapping[str, Type],
) -> Any:  # fmt: skip
    if need == ADDRESS:
        return audit.address() or None
    if need.kind == "me":
        me = ctx.actor.id if ctx.actor.kind == "member" else None
        return me if not need.path else _facts(ctx, "member", me, need.path)
    if (kind := extra.get(need.path[0])) is not None:
        return _of(ctx, live, kind, values.get(need.path[0]), need.path[1:])
    return _read(ctx, live, values, need.path, rows, record)


def _read(
    ctx: Context, live: LiveTable, values: Values, path: Sequence[str], rows: Rows | None, record: UUID | None
) -> Any:
    """The value of a path of this record; through lists the list of what each gives."""
    first, *rest = path
    column = rows.column(first) if rows else None
    found: Field | None = column or live.table.by_id.get(first)
    if found is None and first == "this":
        return _read(ctx, live, values, rest, None, record) if rest else record
    if found is None and (side := live.analysis.reverses(live.table).get(first)) is not None:
        there = live.sibling(side[0].id)
        return _each(ctx, there, _sources(ctx, there, side[1], record), rest)
    if isinstance(found, Lookup):
        return _flat(_read(ctx, live, values, (*found.steps, *rest), rows, record))
    if isinstance(found, Rows):
        return _in_rows(ctx, live, values, found, rest, record)
    kind = live.analysis.type_of(live.table, found, rows if column else None) if found else SYSTEM_FIELDS.get(first)
    return _of(ctx, live, kind, values.get(first), rest)


def _in_rows(
    ctx: Context, live: LiveTable, values: Values, rows: Rows, rest: Sequence[str], record: UUID | None
) -> Any:
    """A column of a subform, and what lies beyond it, row by row."""
    lines = values.get(rows.id) or ()
    inner = rows.column(rest[0])
    if isinstance(inner, Link) and len(rest) > 1:
        _column(ctx, live.sibling(inner.table), rest[1], {id for row in lines for id in _ids(row.get(inner.id))})
    return [_read(ctx, live, {**values, **row}, rest, rows, record) for row in lines]


def _flat(value: Any) -> Any:
    """What a lookup through several lists gives, as one list without blanks."""
    if not isinstance(value, list):
        return value
    flat = [v for item in value for v in (_flat(item) or () if isinstance(item, list) else (item,)) if v is not None]
    return flat or None


def _of(ctx: Context, live: LiveTable, kind: Type | None, value: Any, rest: Sequence[str]) -> Any:
    if kind is None:
        return value
    if rest and kind.parts is not None:
        return _of(ctx, live, kind.parts.get(rest[0]), value.get(rest[0]), rest[1:]) if value else None
    if kind.kind == "array" and kind.of is not None:
        if kind.of.kind == "link":
            there = live.sibling(kind.of.target or "")
            alive = _there(ctx, there, set(_ids(value)))
            return _each(ctx, there, [id for id in _ids(value) if id in alive], rest)
        return [_of(ctx, live, kind.of, item, rest) for item in value or ()] if rest else value
    return _follow(ctx, live, kind.kind, kind.target, value, rest) if rest else value


def _each(ctx: Context, there: LiveTable, ids: Sequence[UUID], rest: Sequence[str]) -> list[Any]:
    """What each of these records gives for a path, read at once."""
    if rest:
        _column(ctx, there, rest[0], set(ids))
    return [_follow(ctx, there, "link", there.id, id, rest) for id in ids] if rest else list(ids)


def _there(ctx: Context, live: LiveTable, ids: set[UUID]) -> set[UUID]:
    """Those of these records that are not in the trash."""
    kept: dict[UUID, bool] = ctx.memo.setdefault(("column", live, "id there"), {})
    missing = ids - set(kept)
    if missing:
        t = live.sql
        found = set(ctx.conn.scalars(select(t.c.id).where(t.c.id.in_(missing), t.c._deleted_at.is_(None))))
        kept.update({id: id in found for id in missing})
    return {id for id in ids if kept[id]}


def _sources(ctx: Context, live: LiveTable, link: str, record: UUID | None) -> list[UUID]:
    """The live records whose link points at a record, the oldest first."""
    if record is None:
        return []
    kept: dict[UUID, list[UUID]] = ctx.memo.setdefault(("column", live, f"<{link}"), {})
    if record not in kept:
        t = live.sql
        query = select(t.c.id).where(points_at(t.c[link], record), t.c._deleted_at.is_(None)).order_by(t.c.id)
        kept[record] = list(ctx.conn.scalars(query))
    return kept[record]


def _follow(ctx: Context, live: LiveTable, kind: str, target: str | None, value: Any, rest: Sequence[str]) -> Any:
    if value is None or not rest:
        return value
    if kind != "link":
        return _facts(ctx, kind, value, tuple(rest))
    there = live.sibling(target or "")
    name = rest[0]
    reached = _column(ctx, there, name, {value}).get(value)
    found = there.table.by_id.get(name)
    side = there.analysis.reverses(there.table).get(name)
    unnamed = array_of(link_to(side[0].id)) if side else SYSTEM_FIELDS.get(name)
    inner = there.analysis.type_of(there.table, found) if found else unnamed
    return _of(ctx, there, inner, reached, rest[1:])


def _facts(ctx: Context, kind: str, value: Any, path: tuple[str, ...]) -> Any:
    """A fact of a member or department, and facts of that."""
    return Directory.of(ctx).follow(kind, value, path)


def _column(ctx: Context, live: LiveTable, name: str, ids: set[UUID]) -> dict[UUID, Any]:
    """The values of one field for these records, deleted ones included; kept until the table is written."""
    kept: dict[UUID, Any] = ctx.memo.setdefault(("column", live, name), {})
    missing = ids - set(kept)
    if missing:
        value = system_source(ctx, live).column(name)
        kept.update(dict.fromkeys(missing))
        kept.update(
            {row[0]: row[1] for row in ctx.conn.execute(select(live.sql.c.id, value).where(live.sql.c.id.in_(missing)))}
        )
    return kept
