"""What formulas ask of the world: values beyond a link, facts of people. Read in batches and kept for the transaction."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime.context import Context
from runtime.people import Directory
from runtime.sources import system_source
from runtime.tables import LiveTable
from schemas.fields import Field
from schemas.fields.rows import Rows
from schemas.filling import Answering, Values
from schemas.formula import Need, Type, World
from schemas.table import SYSTEM_FIELDS


def answering(ctx: Context, live: LiveTable, record: UUID | None = None) -> Answering:
    """The world for formulas about a record of this table; `record` is what `this` stands for."""

    me = ctx.actor.id if ctx.actor.kind == "member" else None
    nothing_asked = World(now=ctx.now, zone=ctx.zone, me=me, answers={})

    def world(values: Values, needs: frozenset[Need], rows: Rows | None) -> World:
        if not needs:
            return nothing_asked
        found = {need: _answer(ctx, live, values, need, rows, record) for need in needs}
        return World(now=ctx.now, zone=ctx.zone, me=me, answers=found)

    return world


def preload(ctx: Context, live: LiveTable, many: Sequence[Values], needs: Iterable[Need]) -> None:
    """Read at once what these needs will ask about many records, first hop only (deeper ones follow as asked)."""
    for need in needs:
        if (
            need.kind == "path"
            and len(need.path) == 2
            and (found := live.table.by_id.get(need.path[0]))
            and found.type == "link"
        ):
            ids = {v for values in many if isinstance(v := values.get(found.id), UUID)}
            _column(ctx, live.sibling(found.table), need.path[1], ids)  # type: ignore[attr-defined]


def forget(ctx: Context, live: LiveTable) -> None:
    """After a write to a table: what was read of it no longer holds."""
    for key in [k for k in ctx.memo if isinstance(k, tuple) and len(k) == 3 and k[0] == "column" and k[1] == live]:
        del ctx.memo[key]


def _answer(ctx: Context, live: LiveTable, values: Values, need: Need, rows: Rows | None, record: UUID | None) -> Any:
    if need.kind == "me":
        me = ctx.actor.id if ctx.actor.kind == "member" else None
        return me if not need.path else _facts(ctx, "member", me, need.path)
    first, *rest = need.path
    if first == "this":
        return _follow(ctx, live, "link", live.id, record, rest)
    column = rows.column(first) if rows else None
    found: Field | None = column or live.table.by_id.get(first)
    if isinstance(found, Rows):
        inner = found.column(rest[0])
        kind = live.analysis.type_of(live.table, inner, found) if inner else None
        return [_of(ctx, live, kind, row.get(rest[0]), rest[1:]) for row in values.get(first) or ()]
    kind = live.analysis.type_of(live.table, found, rows if column else None) if found else SYSTEM_FIELDS.get(first)
    return _of(ctx, live, kind, values.get(first), rest)


def _of(ctx: Context, live: LiveTable, kind: Type | None, value: Any, rest: Sequence[str]) -> Any:
    if not rest or kind is None:
        return value
    if kind.parts is not None:
        return value.get(rest[0]) if value else None
    if kind.kind == "array":
        return [_of(ctx, live, kind.of, item, rest) for item in value or ()]
    return _follow(ctx, live, kind.kind, kind.target, value, rest)


def _follow(ctx: Context, live: LiveTable, kind: str, target: str | None, value: Any, rest: Sequence[str]) -> Any:
    if value is None or not rest:
        return value
    if kind != "link":
        return _facts(ctx, kind, value, tuple(rest))
    there = live.sibling(target or "")
    name = rest[0]
    reached = _column(ctx, there, name, {value}).get(value)
    found = there.table.by_id.get(name)
    inner = there.analysis.type_of(there.table, found) if found else SYSTEM_FIELDS.get(name)
    return _of(ctx, there, inner, reached, rest[1:])


def _facts(ctx: Context, kind: str, value: Any, path: tuple[str, ...]) -> Any:
    """A fact of a member or department, and facts of that."""
    directory = Directory.of(ctx)
    for name in path:
        if isinstance(value, list):
            return [_facts(ctx, "department", item, (name,)) for item in value]
        value = directory.fact(value, name) if kind == "member" else directory.department_fact(value, name)
        kind = "member" if name == "head" else "department"
    return value


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
