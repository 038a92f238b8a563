"""What the deletion of records means for those that link to them: what goes along, what is in the way, what is cleared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, cast, select

from runtime.access import door
from runtime.context import Context
from runtime.tables import LiveTable
from schemas.errors import InvalidInput
from schemas.fields.link import Link
from schemas.messages import say

Going = dict[LiveTable, list[UUID]]
"""The records that go into the trash, or return from it, by table; those that pull others along first."""


def pointing(live: LiveTable, rule: str) -> Iterator[tuple[LiveTable, str, Link]]:
    """The links to a table with a rule for when its records are deleted."""
    for other in live.family.values():
        for path in other.table.paths:
            link = other.table.field(path)
            if isinstance(link, Link) and link.table == live.id and link.on_delete == rule:
                yield other, path, link


def _points(other: LiveTable, path: str, ids: Iterable[UUID]) -> ColumnElement[bool]:
    """Whether a record (or a row of it) points at one of these."""
    rows, _, column = path.partition(".")
    t = other.children[rows] if column else other.sql
    link = t.c[column or path]
    hit = link.overlap(cast(list(ids), ARRAY(Uuid()))) if isinstance(link.type, ARRAY) else link.in_(list(ids))
    return other.sql.c.id.in_(select(t.c._record_id).where(hit)) if column else hit


# -- into the trash --------------------------------------------------------------------------------


def along(ctx: Context, live: LiveTable, ids: Sequence[UUID]) -> Going:
    """These records and all that go with them. Raises InvalidInput where the actor may not delete one of those."""
    going: Going = {live: list(ids)}
    waiting = [(live, list(ids))]
    while waiting:
        place, some = waiting.pop(0)
        for other, path, link in pointing(place, "trash"):
            found = _with(ctx, other, path, link, some, going)
            _require_delete(ctx, other, found)
            if found:
                going.setdefault(other, []).extend(found)
                waiting.append((other, found))
    return going


def _with(ctx: Context, other: LiveTable, path: str, link: Link, ids: Sequence[UUID], going: Going) -> list[UUID]:
    """The live records that go with these: of several links, those of which no target is left."""
    t = other.sql
    query = select(t.c.id, t.c[path]).where(_points(other, path, ids), t.c._deleted_at.is_(None))
    rows = [
        (id, held)
        for id, held in ctx.conn.execute(query.order_by(t.c.id).with_for_update())
        if id not in going.get(other, ())
    ]
    if not link.several:
        return [id for id, _ in rows]
    target = other.sibling(link.table)
    gone = set(going[target])
    left = {id for _, held in rows for id in held} - gone
    alive = set(
        ctx.conn.scalars(select(target.sql.c.id).where(target.sql.c.id.in_(left), target.sql.c._deleted_at.is_(None)))
    )
    return [id for id, held in rows if not alive & set(held)]


def _require_delete(ctx: Context, other: LiveTable, ids: Sequence[UUID]) -> None:
    gate = door(ctx, other)
    if not ids or gate.free:
        return
    t = other.sql
    allowed = select(t.c.id).where(t.c.id.in_(ids), gate.rows("delete"))
    if len(list(ctx.conn.scalars(allowed))) < len(ids):
        raise _refused(
            ctx, other, say("Records of '{table}' that you may not delete belong to this.", table=other.table.title)
        )


def refuse_needed(ctx: Context, going: Going) -> None:
    """Raises InvalidInput when a record that stays needs one that goes."""
    for live, ids in going.items():
        for other, path, _ in pointing(live, "restrict"):
            t = other.sql
            stays = t.c.id.not_in(going[other]) if other in going else t.c.id.is_not(None)
            needs = select(t.c.id).where(_points(other, path, ids), t.c._deleted_at.is_(None), stays).limit(1)
            if ids and ctx.conn.scalar(needs):
                message = say("Records of '{table}' still point here. Remove those first.", table=other.table.title)
                raise _refused(ctx, other, message)


def _refused(ctx: Context, other: LiveTable, message: Any) -> InvalidInput:
    """The table is named only to those who may read it."""
    return InvalidInput({"": [message if door(ctx, other).may("read") else say("Other records still need this one.")]})


def cleared(ctx: Context, going: Going) -> Iterator[tuple[LiveTable, str, list[UUID], set[UUID]]]:
    """(table, link, records, gone) for each link that is to be emptied of what goes."""
    for live, ids in going.items():
        for other, path, _ in pointing(live, "clear"):
            t = other.sql
            query = select(t.c.id).where(_points(other, path, ids), t.c._deleted_at.is_(None))
            found = list(ctx.conn.scalars(query.order_by(t.c.id).with_for_update()))
            staying = [id for id in found if id not in going.get(other, ())]
            if staying:
                yield other, path, staying, set(ids)


def without(values: Mapping[str, Any], path: str, gone: set[UUID]) -> dict[str, Any]:
    """A record's values with a link emptied of what goes."""
    first, _, column = path.partition(".")
    if not column:
        return {**values, first: _rest(values.get(first), gone)}
    return {**values, first: [{**row, column: _rest(row.get(column), gone)} for row in values.get(first) or ()] or None}


def instead(values: Mapping[str, Any], path: str, old: UUID, new: UUID) -> dict[str, Any]:
    """A record's values with one id in the place of another; in a list it is there once."""
    first, _, column = path.partition(".")
    if not column:
        return {**values, first: _swapped(values.get(first), old, new)}
    rows = [{**row, column: _swapped(row.get(column), old, new)} for row in values.get(first) or ()]
    return {**values, first: rows or None}


def _swapped(value: Any, old: UUID, new: UUID) -> Any:
    if isinstance(value, list):
        return list(dict.fromkeys(new if id == old else id for id in value))
    return new if value == old else value


def _rest(value: Any, gone: set[UUID]) -> Any:
    if isinstance(value, list):
        return [id for id in value if id not in gone] or None
    return None if value in gone else value


# -- out of the trash ------------------------------------------------------------------------------


def back(ctx: Context, live: LiveTable, at: Mapping[UUID, datetime]) -> Going:
    """These records and all that went into the trash with them, `at` the same moment.

    Raises InvalidInput for one whose own owner stays in the trash.
    """
    going: Going = {live: list(at)}
    waiting = [(live, dict(at))]
    while waiting:
        place, some = waiting.pop(0)
        for other, path, _ in pointing(place, "trash"):
            t = other.sql
            query = select(t.c.id, t.c._deleted_at).where(
                _points(other, path, some), t.c._deleted_at.in_(set(some.values()))
            )
            found = {r[0]: r[1] for r in ctx.conn.execute(query.with_for_update()) if r[0] not in going.get(other, ())}
            if found:
                going.setdefault(other, []).extend(found)
                waiting.append((other, found))
    _require_owners(ctx, live, list(at), going)
    return going


def _require_owners(ctx: Context, live: LiveTable, ids: Sequence[UUID], going: Going) -> None:
    for link in live.table.fields:
        if not isinstance(link, Link) or link.on_delete != "trash":
            continue
        held = [v if isinstance(v, list) else [v] for v in ctx.conn.scalars(
            select(live.sql.c[link.id]).where(live.sql.c.id.in_(ids), live.sql.c[link.id].is_not(None)))]  # fmt: skip
        target = live.sibling(link.table)
        asked = {id for one in held for id in one}
        t = target.sql
        there = set(ctx.conn.scalars(select(t.c.id).where(t.c.id.in_(asked), t.c._deleted_at.is_(None)))) | set(
            going.get(target, ())
        )
        if any(not there & set(one) for one in held):
            raise InvalidInput({"": [say("What this belongs to is in the trash. Restore that first.")]})
