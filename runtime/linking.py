"""Links as people write them: only to what they may choose, and never at the cost of what they do not see."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from runtime import query
from runtime.access import door
from runtime.context import Context
from runtime.query import Record
from runtime.tables import LiveTable
from schemas.fields.link import Link
from schemas.fields.links import Links
from schemas.fields.rows import Rows
from schemas.filling import Errors, Values
from schemas.formula.types import BOOLEAN
from schemas.messages import say

STRANGE = say("This record cannot be chosen here.")


# -- what is not seen ------------------------------------------------------------------------------


def keep_unseen(live: LiveTable, present: Record, before: Mapping[str, Any], given: Mapping[str, Any]) -> Values:
    """The values given, where lists of links keep those that were not shown: hidden ones and ones in the trash."""
    kept = dict(given)
    for field in live.table.fields:
        if field.id not in given:
            continue
        if isinstance(field, Links):
            kept[field.id] = _with_unseen(given[field.id], present.values.get(field.id), before.get(field.id))
        elif isinstance(field, Rows) and given[field.id]:
            kept[field.id] = [_row(field, row, present, before) for row in given[field.id]]
    return kept


def _row(rows: Rows, row: Mapping[str, Any], present: Record, before: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(row)
    for column in (c for c in rows.fields if isinstance(c, Links) and c.id in row):
        shown, stored = (_same(side.get(rows.id), row).get(column.id) for side in (present.values, before))
        made[column.id] = _with_unseen(row[column.id], shown, stored)
    return made


def _same(lines: Any, row: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((line for line in lines or () if str(line.get("_id")) == str(row.get("_id"))), {})


def _with_unseen(given: Any, shown: Any, stored: Any) -> list[UUID] | None:
    unseen = [id for id in stored or () if id not in (shown or ())]
    return list(dict.fromkeys([*(given or ()), *unseen])) or None


def merged(
    original: Sequence[str] | None, mine: Sequence[UUID] | None, theirs: Sequence[UUID] | None
) -> list[UUID] | None:
    """A list of links that two have changed: both additions, both removals, in the order that is there now."""
    known = {UUID(id) for id in original or ()}
    kept = [id for id in theirs or () if id in (mine or ()) or id not in known]
    return [*kept, *(id for id in mine or () if id not in known and id not in kept)] or None


# -- what may be chosen ----------------------------------------------------------------------------


def strangers(
    ctx: Context, live: LiveTable, drafts: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> list[Errors]:
    """For each (before, after): the links that somebody has set to what they may not choose."""
    sides = list(drafts)
    found: list[Errors] = [{} for _ in sides]
    if ctx.actor.kind != "member":
        return found
    for path, link, row in _links(live):
        new = [list(_fresh(path, before, after)) for before, after in sides]
        known = _choosable(ctx, live.sibling(link.table), {id for one in new for _, id, _ in one})
        for errors, ends, (_, after) in zip(found, new, sides, strict=True):
            for place, id, line in ends:
                values = {**after, **line} if row else after
                if id not in known or not _picked(ctx, live, link, values, id):
                    errors[place] = [STRANGE]
    return found


def _links(live: LiveTable) -> Iterator[tuple[str, Link, bool]]:
    for path in live.table.paths:
        field = live.table.field(path)
        if isinstance(field, Link):
            yield path, field, "." in path


def _fresh(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, UUID, Mapping[str, Any]]]:
    """(place, target, row) for each target that was not there before."""
    first, _, column = path.partition(".")
    if not column:
        known = _ids(before.get(first))
        yield from ((first, id, {}) for id in _ids(after.get(first)) if id not in known)
        return
    known = [id for line in before.get(first) or () for id in _ids(line.get(column))]
    for number, line in enumerate(after.get(first) or ()):
        yield from ((f"{first}[{number}].{column}", id, line) for id in _ids(line.get(column)) if id not in known)


def _ids(value: Any) -> list[UUID]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, UUID)]


def _choosable(ctx: Context, target: LiveTable, ids: set[UUID]) -> set[UUID]:
    gate = door(ctx, target)
    return query.known(gate, ids) if ids and gate.may("read") else set()


def _picked(ctx: Context, live: LiveTable, link: Link, values: Mapping[str, Any], id: UUID) -> bool:
    if link.pick is None:
        return True
    target = live.sibling(link.table)
    expression = live.analysis.expression(link.pick, live.analysis.pick_scope(link, live.table), BOOLEAN)
    condition = query.pickable(live, target, expression, ctx, values)
    return bool(query.known(door(ctx, target), {id}, [condition]))
