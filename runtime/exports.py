"""Large lists exported by a job: into one file that waits two days for whoever asked for it."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from runtime import definitions, exporting, files, listing, models, notices, query
from runtime.access import Door, door, may_see_view
from runtime.context import Context, Opened
from runtime.definitions import Installed
from runtime.exporting import Cell, Sheet
from runtime.files import safe_name
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.listing import Shown, Wishes
from runtime.models_batch import batch_run
from runtime.query import Listing
from runtime.settings import Settings
from runtime.storage import file_key, storage_of
from runtime.tables import live
from schemas.errors import InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.text import Text
from schemas.views import View

ACTION = "export"
FIELD = "_export"
"""Stands where files of records name their field."""
AT_ONCE = 5_000
"""As many are written while somebody waits for them."""
MOST = 1_000_000
"""An Excel sheet holds hardly more."""
BLANK = Cell(None, "", "")


def is_large(shown: Shown) -> bool:
    """Whether a list is left to a job."""
    return query.total(shown.gate, shown.listing)[0] > AT_ONCE


def begin(ctx: Context, shown: Shown, kind: str, asked: Mapping[str, str], back: str) -> UUID:
    """Leave the list as it is shown now to a job. Raises Denied without the right to export, InvalidInput."""
    shown.gate.require(ACTION)
    total, _ = query.total(shown.gate, shown.listing, exact=True)
    if total > MOST:
        raise InvalidInput({"": [say("More than {n} records. Narrow the list with a filter.", n=f"{MOST:,}")]})
    id, source = new_id(), shown.live
    answers = {"view": shown.view.id, "kind": kind, "columns": list(shown.listing.columns), "asked": dict(asked),
               "total": total, "back": back}  # fmt: skip
    ctx.conn.execute(
        insert(batch_run).values(
            id=id, installation_id=source.inst.id, table_id=source.id, member_id=ctx.actor.id, action=ACTION,
            answers=answers, records=[], started_at=ctx.now,
        )
    )  # fmt: skip
    enqueue(ctx, "export_records", {"run": str(id), "language": ctx.language})
    return id


def run_of(ctx: Context, inst: Installed, id: UUID) -> Any:
    """The actor's own run. Raises NotFound."""
    b = batch_run
    asked = select(b).where(b.c.id == id, b.c.member_id == ctx.actor.id, b.c.action == ACTION)
    row = ctx.conn.execute(asked.where(b.c.installation_id == inst.id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def lately(ctx: Context, inst: Installed) -> list[Any]:
    """The actor's own runs whose files are kept, or will be, newest first."""
    b = batch_run
    asked = select(b).where(b.c.member_id == ctx.actor.id, b.c.action == ACTION, b.c.installation_id == inst.id)
    rows = ctx.conn.execute(asked.where(b.c.started_at > ctx.now - files.ORPHANS_KEPT).order_by(b.c.started_at.desc()))
    return list(rows)


def cancel(ctx: Context, inst: Installed, id: UUID) -> None:
    """The job ends before its next records. Raises NotFound."""
    run_of(ctx, inst, id)
    ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(cancel=True))


def file_of(ctx: Context, run: Any) -> Any:
    """The file of a run that is done. Raises NotFound."""
    return files.own_upload(ctx, run.id)


# -- the job -----------------------------------------------------------------------------------------


def give_up(ctx: Context, error: Exception, run: str, language: str) -> None:
    """The run says that it could not go on."""
    _set(ctx, UUID(run), state="failed", ended_at=ctx.now)


@dataclass
class Writing:
    """The file that a job is writing."""

    out: IO[bytes]
    columns: Sequence[str]
    sheet: Sheet | None = None
    after: str = ""
    count: int = 0


@job("export_records", chunked=True, failed=give_up)
def export_records(opened: Opened, run: str, language: str) -> None:
    """The job: some records in a transaction, by the rights of that moment; begins anew when it was interrupted.

    Rights that end meanwhile end the export: half a list would be taken for a whole one.
    """
    id = UUID(run)
    with opened() as ctx:
        row = _row(ctx, id)
        if row is None or row.state not in ("waiting", "running"):
            return
        _set(ctx, id, state="running", done=0)
    with tempfile.TemporaryFile() as out:
        writing = Writing(out, row.answers["columns"])
        while writing.after or writing.sheet is None:
            with opened() as ctx:
                if _row(ctx, id).cancel:
                    _set(ctx, id, state="cancelled", ended_at=ctx.now)
                    return
                _write_some(replace(ctx, language=language), row, writing)
        with opened() as ctx:
            _keep(replace(ctx, language=language), row, writing)


def _row(ctx: Context, id: UUID) -> Any:
    return ctx.conn.execute(select(batch_run).where(batch_run.c.id == id)).one_or_none()


def _set(ctx: Context, id: UUID, **values: Any) -> None:
    ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(**values))


def _write_some(ctx: Context, row: Any, writing: Writing) -> None:
    gate, view = _place(ctx, row)
    shown = set(gate.shown(writing.columns))
    asked = _listing(gate, view, row.answers["asked"], [c for c in writing.columns if c in shown])
    if writing.sheet is None:
        writing.columns = asked.columns
        writing.sheet = exporting.SHEETS[row.answers["kind"]][0](ctx, gate, writing.columns, writing.out)
    found, writing.after = exporting.some_rows(gate, replace(asked, after=writing.after))
    places = [asked.columns.index(c) if c in shown else None for c in writing.columns]
    for cells in found:
        writing.sheet.add([BLANK if place is None else cells[place] for place in places])
    writing.count += len(found)
    _set(ctx, row.id, done=writing.count)


def _place(ctx: Context, row: Any) -> tuple[Door, View]:
    """Raises NotFound for a view that is gone or no longer open to whoever asked."""
    inst = definitions.by_id(ctx, row.installation_id)
    view = inst.app.all_views.get(row.answers["view"])
    if view is None or not may_see_view(ctx, inst, view.id):
        raise NotFound
    gate = door(ctx, live(ctx, inst, view.table))
    gate.require("read")
    return gate, view


def _listing(gate: Door, view: View, asked: Mapping[str, str], columns: Sequence[str]) -> Listing:
    """Raises InvalidInput for a filter that no longer holds."""
    found, problem = listing.listing_of(gate, view, Wishes.read(asked), columns)
    if problem is not None:
        raise InvalidInput({"filter": [problem]})
    return replace(found, size=exporting.CHUNK, after="", before="")


def _keep(ctx: Context, row: Any, writing: Writing) -> None:
    """The file goes where one's own uploads are that no record has taken: it is cleared away after two days."""
    gate, view = _place(ctx, row)
    gate.require(ACTION)
    assert writing.sheet is not None
    exporting.note(gate, writing.count)
    title = (view.title or gate.live.table.title or Text.of(view.id)).in_language(ctx.language)
    stored = storage_of(Settings.read()).put(file_key(ctx.workspace.id, row.id), writing.sheet.finished())
    ctx.conn.execute(delete(models.file).where(models.file.c.id == row.id))
    ctx.conn.execute(
        insert(models.file).values(
            id=row.id, name=safe_name(f"{title}.{row.answers['kind']}"), size=stored.size, digest=stored.digest,
            media_type=exporting.SHEETS[row.answers["kind"]][1], installation_id=gate.live.inst.id,
            table_id=gate.live.id, field=FIELD, uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    _set(ctx, row.id, state="done", done=writing.count, ended_at=ctx.now)
    _tell(ctx, gate, view, row, say("The export of {view} is ready: {n} records", view=view.title or view.id, n=writing.count))


def _tell(ctx: Context, gate: Door, view: View, row: Any, sentence: Message) -> None:
    """Whoever asked has perhaps gone on to something else meanwhile."""
    if ctx.actor.id is not None:
        about = {"installation_id": gate.live.inst.id, "path": f"/a/{gate.live.inst.slug}/exports/{row.id}"}
        notices.tell(ctx, [ctx.actor.id], "file", sentence, about)
        notices.send_mail(ctx, [ctx.actor.id], "file", sentence, about)
