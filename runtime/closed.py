"""What people may not write: closed columns of subforms, and members and departments that are not there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from runtime.context import Context
from runtime.people import Directory
from runtime.tables import LiveTable
from schemas.access import WRITES
from schemas.fields import Field
from schemas.filling import NOT_OFFERED, Errors, Values

Given = tuple[Errors, Mapping[str, Any], Mapping[str, Any]]
"""Where problems are put, what a person gives, and what was there before."""
Pointer = tuple[Errors, str, UUID]
"""Where problems are put, the path of a member or department, and which it is."""


def changed_columns(
    live: LiveTable, given: Mapping[str, Any], before: Mapping[str, Any], right: Callable[[str], str]
) -> Iterator[str]:
    """The columns (`items[2].cost`) that would change though they may not be written."""
    for rows in live.table.subforms:
        closed = [c for c in rows.fields if not c.computed and right(f"{rows.id}.{c.id}") not in WRITES]
        for number, row, old in _rows(rows.id, given, before) if closed else ():
            for column in closed:
                own = column.id in row and column.dump(row[column.id]) != column.dump(old.get(column.id))
                begun = not old and column.default is not None and right(f"{rows.id}.{column.id}") == "read"
                if own and not begun:
                    yield f"{rows.id}[{number}].{column.id}"


def _rows(id: str, given: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[tuple[int, Values, Values]]:
    """(number, row as given, the same row before) of a subform."""
    known = {str(row.get("_id")): row for row in before.get(id) or () if row.get("_id")}
    for number, row in enumerate(given.get(id) or ()):
        yield number, row, known.get(str(row.get("_id")), {})


def refuse_unknown_people(ctx: Context, live: LiveTable, many: Sequence[Given]) -> None:
    """A problem beside every member or department newly given that is not there."""
    alone, inner = live.people
    for found in alone:
        pointers = [(errors, found.id, value) for errors, given, before in many for value in _new(found, given, before)]
        _refuse_unknown(ctx, found, pointers)
    for rows, columns in inner:
        for found in columns:
            pointers = [
                (errors, f"{rows.id}[{number}].{found.id}", value)
                for errors, given, before in many
                for number, row, old in _rows(rows.id, given, before)
                for value in _new(found, row, old)
            ]
            _refuse_unknown(ctx, found, pointers)


def _refuse_unknown(ctx: Context, found: Field, pointers: Sequence[Pointer]) -> None:
    known = _known(ctx, found, {value for _, _, value in pointers}) if pointers else set()
    for errors, path, value in pointers:
        if value not in known:
            errors.setdefault(path, []).append(NOT_OFFERED)


def _new(found: Field, given: Mapping[str, Any], before: Mapping[str, Any]) -> Sequence[UUID]:
    """Whom the field names now and did not name before."""
    value, there = given.get(found.id), before.get(found.id)
    if value is None or value == there:
        return ()
    new, old = (one if isinstance(one, list) else [one] for one in (value, there))
    return [id for id in new if isinstance(id, UUID) and id not in old]


def _known(ctx: Context, found: Field, ids: set[UUID]) -> set[UUID]:
    directory = Directory.of(ctx)
    if found.type.startswith("member"):
        return directory.known(ids)
    return ids & {unit.id for unit in directory.offered_units()}
