"""Whole records with their subforms, for the writer: nothing masked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from runtime.bigrams import of_texts
from runtime.bulk import insert_rows
from runtime.context import Context
from runtime.ids import new_id
from runtime.tables import SYSTEM_COLUMNS, LiveTable
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue


def child_values(ctx: Context, live: LiveTable, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Everything stored of these records by id, subforms as lists of rows with their `_id`."""
    return with_rows(ctx, live, ctx.conn.execute(live.whole, {"ids": ids}), ids)


def with_rows(
    ctx: Context, live: LiveTable, stored: Iterable[Sequence[Any]], ids: Sequence[UUID]
) -> dict[UUID, dict[str, Any]]:
    """The same, where what `live.whole` asks has been read already."""
    names = (*SYSTEM_COLUMNS[1:], *(f.id for f in live.columns))
    found: dict[UUID, dict[str, Any]] = {}
    for state, errors, id, *held in stored:
        values = dict(zip(names, held, strict=True))
        values |= {path: ErrorValue(code) for path, code in (errors or {}).items()}
        found[id] = {**values, "flow.state": state}
    for rows in live.table.subforms:
        for id, lines in _lines(ctx, live, rows, ids).items():
            found[id][rows.id] = lines
    return found


def _lines(ctx: Context, live: LiveTable, rows: Rows, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    child = live.children[rows.id]
    query = select(child).where(child.c._record_id.in_(ids)).order_by(child.c._record_id, child.c._position)
    found: dict[UUID, list[dict[str, Any]]] = {}
    keys = [c.key for c in child.columns]
    for raw in ctx.conn.execute(query):
        row = dict(zip(keys, raw, strict=True))
        line = {"_id": row["_id"], **{c.id: row[c.id] for c in rows.fields if c.id in row}}
        line |= {path: ErrorValue(code) for path, code in (row["_errors"] or {}).items()}
        found.setdefault(row["_record_id"], []).append(line)
    return found


def replace_rows(
    ctx: Context, live: LiveTable, rows: Rows, by_record: Mapping[UUID, Sequence[Mapping[str, Any]]], new: bool = False
) -> None:
    """Write a subform's rows as they now are; a row that was there keeps its id."""
    child = live.children[rows.id]
    own: set[UUID] = set()
    if not new:
        own = set(ctx.conn.scalars(select(child.c._id).where(child.c._record_id.in_(by_record))))
        ctx.conn.execute(delete(child).where(child.c._record_id.in_(by_record)))
    made = []
    for record, lines in by_record.items():
        for position, line in enumerate(lines):
            made.append({"_record_id": record, "_position": position, **_line(child, rows, line, own)})
    insert_rows(ctx.conn, child, made)


def _line(child: Any, rows: Rows, line: Mapping[str, Any], own: set[UUID]) -> dict[str, Any]:
    given = line.get("_id")
    id = _known(given, own)
    stored: dict[str, Any] = {"_id": id or new_id()}
    errors = {}
    for column in rows.fields:
        if column.id in child.c:
            value = line.get(column.id)
            if isinstance(value, ErrorValue):
                errors[column.id], value = value.code, None
            stored[column.id] = value
    return {**stored, "_errors": errors or None}


def _known(given: Any, own: set[UUID]) -> UUID | None:
    """The row's own id, once; a stranger's id is not taken over."""
    try:
        id = given if isinstance(given, UUID) else UUID(str(given))
    except ValueError:
        return None
    if id in own:
        own.discard(id)
        return id
    return None


def keep_words(ctx: Context, live: LiveTable, many: Iterable[tuple[UUID, Mapping[str, Any]]]) -> None:
    """Write what search finds new records of these values by."""
    insert_rows(ctx.conn, live.words, ({"record_id": id, "bigrams": search_words(live, v)} for id, v in many))


def change_words(ctx: Context, live: LiveTable, by_record: Mapping[UUID, list[int]]) -> None:
    """Write what search finds records by now."""
    w = live.words.c
    if by_record:
        change = update(live.words).where(w.record_id == bindparam("_id"))
        ctx.conn.execute(
            change.values({w.bigrams: bindparam("_words", type_=w.bigrams.type)}),
            [{"_id": id, "_words": found} for id, found in by_record.items()],
        )


def search_words(live: LiveTable, values: Mapping[str, Any]) -> list[int]:
    """What search finds a record of these values by."""
    searched = live.analysis.plan(live.table).searched
    return of_texts([f.words(v) for f in searched if not isinstance(v := values.get(f.id), ErrorValue)])
