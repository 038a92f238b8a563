"""Files of records: kept beside the database, listed in it, reached only through a record's field."""

import mimetypes
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from runtime import models
from runtime.access import door
from runtime.context import Context
from runtime.ids import new_id
from runtime.query import fetch
from runtime.storage import Storage, Stored, TooLarge, file_key
from runtime.tables import LiveTable
from schemas.errors import InvalidInput, NotFound
from schemas.fields.file import File
from schemas.messages import say

ORPHANS_KEPT = timedelta(days=2)
LONGEST_NAME = 180


@dataclass(frozen=True)
class Kept:
    """A file as it is listed."""

    id: UUID
    name: str
    size: int
    media_type: str
    digest: str


def safe_name(name: str) -> str:
    """The file's own name without folders or control characters; Chinese stays."""
    base = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip(". ")
    stem, dot, ending = clean.rpartition(".")
    shortened = (
        f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}" if dot and len(ending) < 20 else clean[:LONGEST_NAME]
    )
    return shortened or "file"


def upload(ctx: Context, storage: Storage, live: LiveTable, field: File, name: str, body: IO[bytes]) -> Kept:
    """Keep an uploaded file until a record takes it. Raises InvalidInput when it is too large or of another kind."""
    gate = door(ctx, live)
    if not (gate.may("create") or gate.may("update")) or "write" not in (
        gate.best(field.id, "create"),
        gate.best(field.id, "update"),
    ):
        raise NotFound
    name = safe_name(name)
    _refuse_ending(field, name)
    id = new_id()
    stored = _put(storage, file_key(ctx.workspace.id, id), field, body)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    ctx.conn.execute(
        insert(models.file).values(
            id=id, name=name, size=stored.size, media_type=media_type, digest=stored.digest, installation_id=live.inst.id,
            table_id=live.id, field=field.id, uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    return Kept(id, name, stored.size, media_type, stored.digest)


def _put(storage: Storage, key: str, field: File, body: IO[bytes]) -> Stored:
    try:
        stored = storage.put(key, body, most=field.max_megabytes * 1_000_000)
    except TooLarge:
        raise InvalidInput({field.id: [say("The file is larger than {n} MB.", n=field.max_megabytes)]}) from None
    if not stored.size:
        storage.delete(key)
        raise InvalidInput({field.id: [say("The file is empty.")]})
    return stored


def _refuse_ending(field: File, name: str) -> None:
    ending = name.rpartition(".")[2].casefold()
    if field.endings and ending not in {e.lstrip(".").casefold() for e in field.endings}:
        raise InvalidInput(
            {field.id: [say("Only these files can be added here: {endings}.", endings=", ".join(field.endings))]}
        )


def listed(ctx: Context, ids: Iterable[UUID]) -> dict[UUID, Kept]:
    f = models.file
    query = select(f.c.id, f.c.name, f.c.size, f.c.media_type, f.c.digest).where(f.c.id.in_(list(ids)))
    return {row.id: Kept(*row) for row in ctx.conn.execute(query)}


def attach(ctx: Context, live: LiveTable, record: UUID, values: Mapping[str, Any]) -> None:
    """Give the record the files that its fields name. Raises InvalidInput for a file that is not the actor's to give."""
    f = models.file
    for field in live.table.fields:
        ids = values.get(field.id)
        if not isinstance(field, File) or not ids:
            continue
        mine = select(f.c.id, f.c.record_id, f.c.uploaded_by).where(f.c.id.in_(ids)).with_for_update()
        found = {row.id: row for row in ctx.conn.execute(mine)}
        for id in ids:
            row = found.get(id)
            if row is None or (row.record_id != record and (row.record_id or row.uploaded_by != ctx.actor.id)):
                raise InvalidInput({field.id: [say("The file could not be found. Please upload it again.")]})
        owner = {"record_id": record, "installation_id": live.inst.id, "table_id": live.id, "field": field.id}
        ctx.conn.execute(update(f).where(f.c.id.in_(ids)).values(owner))


def open_file(ctx: Context, live: LiveTable, record: UUID, field: str, id: UUID) -> Kept:
    """A file of a record's field, for one who may read that field of that record. Raises NotFound."""
    if not isinstance(live.table.by_id.get(field), File):
        raise NotFound
    shown = fetch(door(ctx, live), record)
    if id not in (shown.values.get(field) or ()):
        raise NotFound
    found = listed(ctx, [id]).get(id)
    if found is None:
        raise NotFound
    return found


def own_upload(ctx: Context, id: UUID) -> Kept:
    """A file that the actor has uploaded and no record has taken yet. Raises NotFound."""
    f = models.file
    query = select(f.c.id, f.c.name, f.c.size, f.c.media_type, f.c.digest)
    row = ctx.conn.execute(
        query.where(f.c.id == id, f.c.record_id.is_(None), f.c.uploaded_by == ctx.actor.id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return Kept(*row)


def remove_orphans(ctx: Context, storage: Storage) -> int:
    """The job: throw away uploads that no record took within two days."""
    f = models.file
    old = delete(f).where(f.c.record_id.is_(None), f.c.uploaded_at < ctx.now - ORPHANS_KEPT).returning(f.c.id)
    ids = list(ctx.conn.scalars(old))
    for id in ids:
        storage.delete(file_key(ctx.workspace.id, id))
    return len(ids)
