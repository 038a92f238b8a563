"""Many records printed by a job: into one file that waits two days for whoever asked for it."""

import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from runtime import definitions, documents, files, models
from runtime.access import door
from runtime.context import Context, Opened
from runtime.definitions import Installed
from runtime.documents import Made
from runtime.files import safe_name
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.models_batch import batch_run
from runtime.settings import Settings
from runtime.storage import Storage, file_key, storage_of
from runtime.tables import LiveTable, live
from schemas.document import Document
from schemas.errors import Denied, InvalidInput, NotFound

ACTION = "print"
FIELD = "_print"
"""Stands where files of records name their field."""
CHUNK = 25


def begin(ctx: Context, source: LiveTable, ids: Sequence[UUID], document: Document, back: str) -> UUID:
    """Leave it to a job. Raises Denied without the right to print."""
    door(ctx, source).require(ACTION)
    id = new_id()
    ctx.conn.execute(
        insert(batch_run).values(
            id=id, installation_id=source.inst.id, table_id=source.id, member_id=ctx.actor.id, action=ACTION,
            answers={"template": document.id, "back": back}, records=list(dict.fromkeys(ids)), started_at=ctx.now,
        )
    )  # fmt: skip
    enqueue(ctx, "print_records", {"run": str(id), "language": ctx.language})
    return id


def run_of(ctx: Context, inst: Installed, id: UUID) -> Any:
    """The actor's own run. Raises NotFound."""
    b = batch_run
    asked = select(b).where(b.c.id == id, b.c.member_id == ctx.actor.id, b.c.action == ACTION)
    row = ctx.conn.execute(asked.where(b.c.installation_id == inst.id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def cancel(ctx: Context, inst: Installed, id: UUID) -> None:
    """The job ends before its next records. Raises NotFound."""
    run_of(ctx, inst, id)
    ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(cancel=True))


def made_by(ctx: Context, storage: Storage, run: Any) -> Made:
    """The file of a run that is done. Raises NotFound."""
    kept = files.own_upload(ctx, run.id)
    with files.content(ctx, storage, run.id) as body:
        return Made(kept.name, kept.media_type, body.read())


def give_up(ctx: Context, error: Exception, run: str, language: str) -> None:
    """The run says that it could not go on."""
    _end(ctx, UUID(run), "failed")


@job("print_records", chunked=True, failed=give_up)
def print_records(opened: Opened, run: str, language: str) -> None:
    """The job: the sheets of some records in a transaction, by the rights of that moment; then the file. Begins anew
    when it was interrupted.
    """
    id, writer = UUID(run), None
    with opened() as ctx:
        row = _row(ctx, id)
        if row is None or row.state not in ("waiting", "running"):
            return
        ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(done=0, refused=0, state="running"))
    for start in range(0, len(row.records), CHUNK):
        with opened() as ctx:
            if _row(ctx, id).cancel:
                _end(ctx, id, "cancelled")
                return
            writer = _chunk(_spoken(ctx, language), row, row.records[start : start + CHUNK], writer)
    with opened() as ctx:
        _keep(_spoken(ctx, language), row, writer)


def _spoken(ctx: Context, language: str) -> Context:
    from dataclasses import replace

    return replace(ctx, language=language)


def _row(ctx: Context, id: UUID) -> Any:
    return ctx.conn.execute(select(batch_run).where(batch_run.c.id == id)).one_or_none()


def _chunk(ctx: Context, row: Any, ids: Sequence[UUID], writer: documents.Writer | None) -> documents.Writer | None:
    """Puts some more records on paper; a right that was taken away meanwhile leaves them out."""
    done = 0
    try:
        source = live(ctx, definitions.by_id(ctx, row.installation_id), row.table_id)
        document = documents.template(ctx, source, row.answers["template"])
        writer = writer or documents.Writer(storage_of(Settings.read()))
        done = writer.add(ctx, source, documents.printable(ctx, source, ids), document)
    except (NotFound, Denied, InvalidInput):
        pass
    b = batch_run
    counts = {"done": b.c.done + done, "refused": b.c.refused + len(ids) - done}
    ctx.conn.execute(update(b).where(b.c.id == row.id).values(counts))
    return writer


def _keep(ctx: Context, row: Any, writer: documents.Writer | None) -> None:
    """The file goes where one's own uploads are that no record has taken: it is cleared away after two days."""
    if writer is None or not writer.count:
        _end(ctx, row.id, "failed")
        return
    source = live(ctx, definitions.by_id(ctx, row.installation_id), row.table_id)
    made = writer.finished(ctx, source)
    stored = storage_of(Settings.read()).put(file_key(ctx.workspace.id, row.id), io.BytesIO(made.data))
    ctx.conn.execute(delete(models.file).where(models.file.c.id == row.id))
    ctx.conn.execute(
        insert(models.file).values(
            id=row.id, name=safe_name(made.name), size=stored.size, media_type=made.media_type, digest=stored.digest,
            installation_id=source.inst.id, table_id=source.id, field=FIELD, uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    _end(ctx, row.id, "done")


def _end(ctx: Context, id: UUID, state: str) -> None:
    ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(state=state, ended_at=ctx.now))
