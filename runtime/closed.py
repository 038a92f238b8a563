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
    asked: dict[int, tuple[Field, list[tuple[Errors, str, UUID]]]] = {}
    for errors, given, before in many:
        for path, found, value in _pointers(live, given, before):
            asked.setdefault(id(found), (found, []))[1].append((errors, path, value))
    for found, pointers in asked.values():
        known = _known(ctx, found, {value for _, _, value in pointers})
        for errors, path, value in pointers:
            if value not in known:
                errors.setdefault(path, []).append(NOT_OFFERED)


def _pointers(
    live: LiveTable, given: Mapping[str, Any], before: Mapping[str, Any]
) -> Iterator[tuple[str, Field, UUID]]:
    alone, inner = live.people
    for found in alone:
        yield from _new(found, found.id, given, before)
    for rows, columns in inner:
        for number, row, old in _rows(rows.id, given, before):
            for column in columns:
                yield from _new(column, f"{rows.id}[{number}].{column.id}", row, old)


def _new(
    found: Field, path: str, given: Mapping[str, Any], before: Mapping[str, Any]
) -> Iterator[tuple[str, Field, UUID]]:
    old, new = (value if isinstance(value, list) else [value] for value in (before.get(found.id), given.get(found.id)))
    yield from ((path, found, id) for id in new if isinstance(id, UUID) and id not in old)


def _known(ctx: Context, found: Field, ids: set[UUID]) -> set[UUID]:
    directory = Directory.of(ctx)
    if found.type.startswith("member"):
        return directory.known(ids)
    return ids & {unit.id for unit in directory.offered_units()}
