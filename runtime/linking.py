"""Links as people write them: only to what they may choose, and never at the cost of what they do not see."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from runtime import query
from runtime.access import door
from runtime.actors import Member, PublicLink, System
from runtime.context import Context
from runtime.query import Record
from runtime.tables import LiveTable
from schemas.fields.link import Link
from schemas.fields.links import Links
from schemas.fields.rows import Rows
from schemas.filling import Errors, Values
from schemas.formula import Formula, names
from schemas.formula.types import BOOLEAN
from schemas.messages import say

STRANGE = say("This record cannot be chosen here.")
UNPICKED = say("This record is not among those that may be chosen here. Choose one from the list.")


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
    """For each (before, after): the links newly set to what their reader may not see, or what their `pick` leaves out.

    A flow sees everything, but a `pick` binds it as well. The system itself (sample data, whose records point at one
    another before they are there) is bound by neither.
    """
    sides = list(drafts)
    found: list[Errors] = [{} for _ in sides]
    for path, link in _links(live):
        new = [list(_fresh(path, before, after)) for before, after in sides]
        ids = {id for one in new for _, id in one}
        known = _choosable(ctx, live.sibling(link.table), ids) if _chooses(ctx) else ids
        for errors, ends in zip(found, new, strict=True):
            errors |= {place: [STRANGE] for place, id in ends if id not in known}
        if link.pick is not None and known and ctx.actor.kind != "system":
            _refuse_unpicked(
                ctx, live, path, link, link.pick, known, zip(found, new, (s[1] for s in sides), strict=True)
            )
    return found


def _refuse_unpicked(
    ctx: Context, live: LiveTable, path: str, link: Link, pick: Formula, known: set[UUID],
    drafts: Iterable[tuple[Errors, Sequence[tuple[str, UUID]], Mapping[str, Any]]],
) -> None:  # fmt: skip
    """Drafts, and rows of them, that the condition cannot tell apart are asked about together: an import asks once."""
    rows = live.table.by_id.get(path.partition(".")[0]) if "." in path else None
    rows = rows if isinstance(rows, Rows) else None
    read = sorted({p[1] for p in names(pick.tree) if p[0] == "this" and len(p) > 1})
    whole = any(p == ("this",) for p in names(pick.tree))
    alike: dict[str, list[tuple[Errors, str, UUID, Mapping[str, Any], Mapping[str, Any]]]] = {}
    for errors, ends, values in drafts:
        for place, id in ((place, id) for place, id in ends if id in known):
            line = _line_at(place, values) if rows else {}
            told = [line.get(name) if rows and rows.column(name) else values.get(name) for name in read]
            alike.setdefault(str(values.get("id")) if whole else repr(told), []).append(
                (errors, place, id, values, line)
            )
    for some in alike.values():
        _, _, _, values, line = some[0]
        fitting = _picked(ctx, live, link, pick, values, {id for _, _, id, _, _ in some}, rows, line)
        for errors, place, id, _, _ in some:
            if id not in fitting:
                errors[place] = [UNPICKED]


def _line_at(place: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row of a place such as `items[2].product`."""
    rows, _, rest = place.partition("[")
    line: Mapping[str, Any] = values[rows][int(rest.partition("]")[0])]
    return line


def _links(live: LiveTable) -> Iterator[tuple[str, Link]]:
    for path in live.table.paths:
        field = live.table.field(path)
        if isinstance(field, Link) and not field.computed:
            yield path, field


def _fresh(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, UUID]]:
    """(place, target) for each target that was not there before."""
    first, _, column = path.partition(".")
    if not column:
        known = _ids(before.get(first))
        yield from ((first, id) for id in _ids(after.get(first)) if id not in known)
        return
    known = [id for line in before.get(first) or () for id in _ids(line.get(column))]
    for number, line in enumerate(after.get(first) or ()):
        yield from ((f"{first}[{number}].{column}", id) for id in _ids(line.get(column)) if id not in known)


def _ids(value: Any) -> list[UUID]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, UUID)]


def _chooses(ctx: Context) -> bool:
    """Whether it is somebody who points only at what they are shown: a person, with an account or by a public link."""
    return isinstance(ctx.actor, Member | PublicLink)


def _choosable(ctx: Context, target: LiveTable, ids: set[UUID]) -> set[UUID]:
    gate = door(ctx, target)
    return query.known(gate, ids) if ids and gate.may("read") else set()


def _picked(
    ctx: Context, live: LiveTable, link: Link, pick: Formula, values: Mapping[str, Any], ids: set[UUID],
    rows: Rows | None, line: Mapping[str, Any],
) -> set[UUID]:  # fmt: skip
    """Those that the condition holds for. A flow need not be allowed to read where it points."""
    seer = ctx if _chooses(ctx) else ctx.acting_as(System())
    target = live.sibling(link.table)
    expression = live.analysis.expression(pick, live.analysis.pick_scope(link, live.table, rows), BOOLEAN)
    return query.known(door(seer, target), ids, [query.pickable(live, target, expression, seer, values, rows, line)])
