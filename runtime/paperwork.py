"""What a flow does with print templates: it prints its record, and keeps the file in a field of it."""

import io
from dataclasses import replace
from uuid import UUID

from sqlalchemy import insert

from runtime import documents, files, machine, models
from runtime.context import Context
from runtime.documents import Made
from runtime.ids import new_id
from runtime.running import Running
from runtime.settings import Settings
from runtime.storage import Storage, TooLarge, file_key, storage_of
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.steps.document import DocumentStep


def document(ctx: Context, running: Running, step: object) -> None:
    """The record as a file in its field, in the workspace's language; one of the same name is replaced."""
    assert isinstance(step, DocumentStep)
    live, storage, record = running.live, storage_of(Settings.read()), running.its_record
    found = documents.printable(ctx, live, [record])
    if not found:
        raise NotFound
    spoken = replace(ctx, language=ctx.workspace.language)
    made = documents.make(spoken, storage, live, [record], documents.template(ctx, live, step.template))
    there = list(found[0].values.get(step.field) or ())
    named = {id for id, kept in files.listed(ctx, there).items() if kept.name == made.name}
    kept = [*(id for id in there if id not in named), keep(ctx, storage, running, step.field, made)]
    files.attach(ctx, live, record, {step.field: kept})
    machine.change(ctx, live, [record], {step.field: kept})


def keep(ctx: Context, storage: Storage, running: Running, path: str, made: Made) -> UUID:
    """The file as the flow's own upload, which the record then takes. Raises InvalidInput for one that is too large."""
    field, id = files.file_field(running.live, path), new_id()
    try:
        stored = storage.put(
            file_key(ctx.workspace.id, id), io.BytesIO(made.data), most=field.max_megabytes * 1_000_000
        )
    except TooLarge:
        raise InvalidInput({path: [say("The file is larger than {n} MB.", n=field.max_megabytes)]}) from None
    ctx.conn.execute(
        insert(models.file).values(
            id=id, name=made.name, size=stored.size, media_type=made.media_type, digest=stored.digest,
            installation_id=running.inst.id, table_id=running.live.id, field=path, uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    return id
