"""Who changed what, when: one entry for each write of a record, field by field."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime import models, outbox
from runtime.bulk import insert_rows
from runtime.context import Context
from runtime.ids import new_id
from runtime.tables import LiveTable
from schemas.errors import BadValue
from schemas.fields import Field
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue

Changes = dict[str, list[Any]]
"""Field id -> [before, after], as JSON."""


@dataclass(frozen=True)
class Entry:
    """One write of a record."""

    version: int
    action: str
    changes: Mapping[str, list[Any]]
    actor_kind: str
    actor_id: UUID | None
    origin: str | None
    at: datetime
    revision: int | None = None
    """Of the app, under which it was written; unknown of what is older than that we keep it."""


def write(
    ctx: Context, live: LiveTable, action: str, entries: Iterable[tuple[UUID, int, Changes]], key: str | None = None
) -> None:
    """Write an entry for each (record, version, changes)."""
    written: list[tuple[UUID, int, Changes]] = []

    def rows() -> Iterator[dict[str, Any]]:
        for entry in entries:
            written.append(entry)
            yield _row(ctx, live, new_id(), action, *entry, key)

    insert_rows(ctx.conn, models.history, rows())
    outbox.note_records(ctx, live, action, written)


def beside(
    ctx: Context, live: LiveTable, action: str, record: UUID, version: int, changes: Changes, key: str | None = None
) -> dict[str, Any]:
    """The entry as the statements of a LiveTable take it, that write it beside the record."""
    outbox.note_records(ctx, live, action, [(record, version, changes)])
    return {f"_entry_{name}": v for name, v in _row(ctx, live, new_id(), action, record, version, changes, key).items()}


def _row(
    ctx: Context, live: LiveTable, id: UUID, action: str, record: UUID, version: int, changes: Changes, key: str | None
) -> dict[str, Any]:
    return {
        "id": id, "installation_id": live.inst.id, "table_id": live.id, "record_id": record, "version": version,
        "action": action, "changes": changes, "actor_kind": ctx.actor.kind, "actor_id": ctx.actor.id,
        "origin": ctx.origin or None, "key": key, "revision": live.inst.revision, "at": ctx.now,
    }  # fmt: skip


def of_record(ctx: Context, live: LiveTable, record: UUID, since: int = 0, limit: int = 200) -> list[Entry]:
    """The writes of a record after a version, newest first. What the reader may not see is the caller's to leave out."""
    h = models.history
    query = select(h.c.version, h.c.action, h.c.changes, h.c.actor_kind, h.c.actor_id, h.c.origin, h.c.at, h.c.revision)
    query = query.where(h.c.record_id == record, h.c.table_id == live.id, h.c.version > since)
    return [Entry(*row) for row in ctx.conn.execute(query.order_by(h.c.at.desc(), h.c.version.desc()).limit(limit))]


def read_value(live: LiveTable, field: Field, dumped: Any) -> Any:
    """A value of an entry as the field's own again; what its definition no longer understands as text."""
    if field.computed:
        return _computed(live, field, dumped)
    try:
        value = field.parse(dumped)
    except BadValue:
        return None
    if isinstance(field, Rows):
        return [{c.id: read_value(live, c, row.get(c.id)) for c in field.fields} for row in value or ()]
    return value


def _computed(live: LiveTable, field: Field, dumped: Any) -> Any:
    if isinstance(dumped, dict):
        return ErrorValue(str(dumped.get("error")))
    kind = live.analysis.type_of(live.table, field).kind if field.id in live.table.by_id else ""
    try:
        return Decimal(dumped) if kind == "number" and dumped is not None else dumped
    except ArithmeticError:
        return dumped


def dump_new(live: LiveTable, values: Mapping[str, Any]) -> Changes:
    """What a new record holds, as JSON."""
    changes: Changes = {}
    for id, dump, blank in live.dumps:
        value = values.get(id)
        if value is not None and (dumped := value if dump is None else dump(value)) != blank:
            changes[id] = [blank, dumped]
    return changes


def dump_changes(live: LiveTable, before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """The fields that differ, as JSON. Blank to blank is no change."""
    changes: Changes = {}
    for field in live.table.fields:
        old, new = field.dump(before.get(field.id)), field.dump(after.get(field.id))
        if old != new:
            changes[field.id] = [old, new]
    return changes
