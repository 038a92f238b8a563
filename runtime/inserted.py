"""Pictures inside formatted texts: files that a text shows, taken over by the record that the text is written into."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from runtime import definitions, files, models
from runtime.access import may_enter
from runtime.context import Context
from runtime.files import Kept
from runtime.ids import new_id
from runtime.tables import LiveTable, live
from schemas import markup
from schemas.errors import NotFound
from schemas.fields import Field
from schemas.fields.rich_text import RichText
from schemas.fields.rows import Rows
from schemas.filling import Errors, Values
from schemas.messages import say

LOST = say("A picture in this text could not be found. Take it out, or insert it again.")


@dataclass(frozen=True)
class Taken:
    """A picture that a record takes over for a field: its own upload, or another record's under an id of its own."""

    field: str
    picture: UUID
    own: UUID


def open_picture(ctx: Context, id: UUID) -> Kept:
    """A picture in a text, for one who may read that field of its record, or has just uploaded it. Raises NotFound."""
    row = ctx.conn.execute(select(models.file).where(models.file.c.id == id)).one_or_none()
    if row is None or row.installation_id is None:
        raise NotFound
    if row.record_id is None:
        return files.own_upload(ctx, id)
    inst = definitions.by_id(ctx, row.installation_id)
    if not may_enter(ctx, inst):
        raise NotFound
    return files.open_file(ctx, live(ctx, inst, row.table_id), row.record_id, row.field, id)


def settle(ctx: Context, table: LiveTable, record: UUID, before: Values, values: Values) -> tuple[Values, list[Taken], Errors]:  # fmt: skip
    """The values with the pictures that the record will have, which it must take, and those that nobody can give it."""
    if not table.inserting:
        return values, [], {}
    known = {(path, id) for _, path, id in _shown(table.inserting, before)}
    wanted = {(path, id): place for place, path, id in _shown(table.inserting, values) if (path, id) not in known}
    if not wanted:
        return values, [], {}
    taken, errors = _judged(ctx, table, record, wanted)
    others = {(one.field, one.picture): one.own for one in taken if one.own != one.picture}
    return (_renamed(table.inserting, values, others) if others else values), taken, errors


def _shown(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[tuple[str, str, UUID]]:
    """Every picture in a text: its place (`items[0].note`), its path (`items.note`) and its file."""
    for field in fields:
        value = values.get(field.id)
        if isinstance(field, Rows):
            for number, row in enumerate(value or ()):
                for place, path, id in _shown(field.fields, row):
                    yield f"{field.id}[{number}].{place}", f"{field.id}.{path}", id
        elif isinstance(field, RichText) and isinstance(value, str):
            yield from ((field.id, field.id, id) for id in markup.pictures(value))


def _judged(
    ctx: Context, table: LiveTable, record: UUID, wanted: Mapping[tuple[str, UUID], str]
) -> tuple[list[Taken], Errors]:
    f = models.file
    rows = {row.id: row for row in ctx.conn.execute(select(f).where(f.c.id.in_({id for _, id in wanted})))}
    taken: dict[tuple[str, UUID], Taken] = {}
    errors: Errors = {}
    for (path, id), place in wanted.items():
        row = rows.get(id)
        if row is not None and (row.record_id, row.table_id, row.field) == (record, table.id, path):
            continue
        if row is not None and _may_give(ctx, id):
            free = row.record_id is None and not any(one.own == id for one in taken.values())
            taken[path, id] = Taken(path, id, id if free else new_id())
        elif ctx.actor.kind in PEOPLE:
            errors[place] = [LOST]
    return list(taken.values()), errors


PEOPLE = ("member", "token", "link")


def _may_give(ctx: Context, id: UUID) -> bool:
    try:
        return bool(open_picture(ctx, id))
    except NotFound:
        return False


def _renamed(
    fields: Iterable[Field], values: Mapping[str, Any], others: Mapping[tuple[str, UUID], UUID], under: str = ""
) -> Values:
    changed = dict(values)
    for field in fields:
        value, path = values.get(field.id), under + field.id
        if isinstance(field, Rows) and value:
            changed[field.id] = [_renamed(field.fields, row, others, f"{path}.") for row in value]
        elif isinstance(field, RichText) and isinstance(value, str):
            changed[field.id] = markup.renamed(value, {id: own for (where, id), own in others.items() if where == path})
    return changed


def take(ctx: Context, table: LiveTable, record: UUID, taken: Iterable[Taken]) -> None:
    """Make the pictures the record's: an upload belongs to it now, another record's is shared."""
    f = models.file
    for one in taken:
        owner = {"installation_id": table.inst.id, "table_id": table.id, "record_id": record, "field": one.field}
        if one.own == one.picture:
            ctx.conn.execute(update(f).where(f.c.id == one.picture).values(owner))
            continue
        row = ctx.conn.execute(select(f).where(f.c.id == one.picture)).one()._asdict()
        kept = {
            "id": one.own,
            "same_as": row["same_as"] or one.picture,
            "uploaded_by": ctx.actor.id,
            "uploaded_at": ctx.now,
        }
        ctx.conn.execute(insert(f).values({**row, **owner, **kept}))
