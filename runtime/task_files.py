"""Files that belong to a decision: attachments and signatures, seen by whoever may see the run."""

import mimetypes
from collections.abc import Collection
from typing import IO, Any
from uuid import UUID

from sqlalchemy import insert, select, update

from runtime import models
from runtime.context import Context
from runtime.files import LOST, Kept, listed, safe_name
from runtime.ids import new_id
from runtime.running import Running
from runtime.storage import Storage, TooLarge, file_key
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

FIELD = "_task"
"""Stands where files of records name their field."""
MOST_MEGABYTES = 50
MOST_FILES = 20


def upload(ctx: Context, storage: Storage, run: Running, name: str, body: IO[bytes]) -> Kept:
    """Keep a file until a decision takes it. Raises InvalidInput for what is empty or too large."""
    id = new_id()
    key = file_key(ctx.workspace.id, id)
    try:
        stored = storage.put(key, body, most=MOST_MEGABYTES * 1_000_000)
    except TooLarge:
        raise InvalidInput({"files": [say("The file is larger than {n} MB.", n=MOST_MEGABYTES)]}) from None
    if not stored.size:
        storage.delete(key)
        raise InvalidInput({"files": [say("The file is empty.")]})
    name = safe_name(name)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    line = {**_place(run), "id": id, "name": name, "size": stored.size, "media_type": media_type, "digest": stored.digest,
            "uploaded_by": ctx.actor.id, "uploaded_at": ctx.now}  # fmt: skip
    ctx.conn.execute(insert(models.file).values(line))
    return Kept(id, name, stored.size, media_type, stored.digest)


def _place(run: Running) -> dict[str, Any]:
    return {"installation_id": run.inst.id, "table_id": run.live.id, "field": FIELD}


def attach(ctx: Context, run: Running, ids: Collection[UUID]) -> None:
    """The decision takes these uploads. Raises InvalidInput for one that is not the actor's to give."""
    if not ids:
        return
    f = models.file
    own = (f.c.field == FIELD, f.c.record_id.is_(None), f.c.uploaded_by == ctx.actor.id)
    found = set(ctx.conn.scalars(select(f.c.id).where(f.c.id.in_(list(ids)), *own).with_for_update()))
    if found != set(ids) or len(ids) > MOST_FILES:
        raise InvalidInput({"files": [LOST]})
    ctx.conn.execute(update(f).where(f.c.id.in_(list(ids))).values(record_id=run.record))


def of_run(ctx: Context, run: Running, ids: Collection[str]) -> dict[str, Kept]:
    """The files that the log of a run names."""
    return {str(id): kept for id, kept in listed(ctx, [UUID(id) for id in ids]).items()}


def one(ctx: Context, run: Running, id: UUID) -> Kept:
    """A file of a run's log, or one's own fresh upload. Raises NotFound."""
    f = models.file
    query = select(f.c.record_id, f.c.uploaded_by).where(f.c.id == id, f.c.field == FIELD, f.c.table_id == run.live.id)
    row = ctx.conn.execute(query).one_or_none()
    mine = row is not None and row.record_id is None and row.uploaded_by == ctx.actor.id
    if row is None or not (mine or row.record_id == run.record):
        raise NotFound
    return listed(ctx, [id])[id]
