"""What people may not write: closed columns of subforms, and things that are not there for them to point at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime.access import door
from runtime.context import Context
from runtime.people import Directory
from runtime.tables import LiveTable
from schemas.fields import Field
from schemas.fields.link import Link
from schemas.filling import NOT_OFFERED, Errors, Values

Given = tuple[Errors, Mapping[str, Any], Mapping[str, Any]]
"""Where problems are put, what a person gives, and what was there before."""


def changed_columns(
    live: LiveTable, given: Mapping[str, Any], before: Mapping[str, Any], right: Callable[[str], str]
) -> Iterator[str]:
    """The columns (`items[2].cost`) that would change though they may not be written."""
    for rows in live.table.subforms:
        closed = [c for c in rows.fields if not c.computed and right(f"{rows.id}.{c.id}") != "write"]
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


def refuse_strangers(ctx: Context, live: LiveTable, many: Sequence[Given]) -> None:
    """A problem beside every link, member or department newly given that is not there for the actor."""
    asked: dict[Field, list[tuple[Errors, str, UUID]]] = {}
    for errors, given, before in many:
        for path, found, value in _pointers(live, given, before):
            asked.setdefault(found, []).append((errors, path, value))
    for found, pointers in asked.items():
        known = _known(ctx, live, found, {value for _, _, value in pointers})
        for errors, path, value in pointers:
            if value not in known:
                errors.setdefault(path, []).append(NOT_OFFERED)


def _pointers(
    live: LiveTable, given: Mapping[str, Any], before: Mapping[str, Any]
) -> Iterator[tuple[str, Field, UUID]]:
    for found in live.table.fields:
        yield from _new(found, found.id, given, before)
    for rows in live.table.subforms:
        for number, row, old in _rows(rows.id, given, before):
            for column in rows.fields:
                yield from _new(column, f"{rows.id}[{number}].{column.id}", row, old)


def _new(
    found: Field, path: str, given: Mapping[str, Any], before: Mapping[str, Any]
) -> Iterator[tuple[str, Field, UUID]]:
    value = given.get(found.id)
    if found.type in ("link", "member", "department") and isinstance(value, UUID) and value != before.get(found.id):
        yield path, found, value


def _known(ctx: Context, live: LiveTable, found: Field, ids: set[UUID]) -> set[UUID]:
    if found.type == "member":
        return set(Directory.of(ctx).persons(ids))
    if not isinstance(found, Link):
        return ids & set(Directory.of(ctx).units)
    gate = door(ctx, live.sibling(found.table))
    if not gate.may("read"):
        return set()
    there = gate.live.sql
    return set(ctx.conn.scalars(select(there.c.id).where(there.c.id.in_(ids), gate.rows())))
