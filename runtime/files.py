"""Files of records: kept beside the database, listed in it, reached only through a record's field."""

import io
import mimetypes
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from runtime import models, pictures
from runtime.access import Door, door
from runtime.actors import System
from runtime.context import Context
from runtime.ids import new_id
from runtime.jobs import enqueue
from runtime.people import Directory
from runtime.query import fetch
from runtime.storage import Storage, Stored, TooLarge, file_key
from runtime.tables import LiveTable
from schemas import markup
from schemas.errors import InvalidInput, NotFound
from schemas.fields import Field
from schemas.fields.file import File
from schemas.fields.rich_text import RichText
from schemas.fields.rows import Rows
from schemas.fields.signature import Signature
from schemas.messages import Message, say

ORPHANS_KEPT = timedelta(days=2)
LONGEST_NAME = 180
MOST_BESIDE = 20_000_000
RELEASED = "released:"
"""The place of files that belonged to what has been deleted for good."""
LOST = say("The file could not be found. Please upload it again.")


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


# -- adding ----------------------------------------------------------------------------------------


def upload(ctx: Context, storage: Storage, live: LiveTable, path: str, name: str, body: IO[bytes]) -> Kept:
    """Keep an uploaded file for a field (`items.photo` in a subform) until a record takes it.

    Raises NotFound without the right to fill the field in, InvalidInput for a file that it does not take.
    """
    field = _taking(live, path)
    _require_writable(door(ctx, live), path)
    name = safe_name(name)
    if reason := field.refusal(name):
        raise _refused(path, reason)
    id = new_id()
    if field.pictures:
        body, name = _picture(ctx, storage, field, path, id, name, body)
    stored = _put(storage, file_key(ctx.workspace.id, id), field, path, body)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    ctx.conn.execute(
        insert(models.file).values(
            id=id, name=name, size=stored.size, media_type=media_type, digest=stored.digest, installation_id=live.inst.id,
            table_id=live.id, field=path, uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    return Kept(id, name, stored.size, media_type, stored.digest)


def last_signature(ctx: Context, live: LiveTable, path: str) -> Kept:
    """What the actor last signed with in this field. Raises NotFound where they have not, or it may not be used again."""
    field, f = live.table.field(path), models.file
    if not isinstance(field, Signature) or not field.reuse or ctx.actor.id is None:
        raise NotFound
    here = (f.c.installation_id == live.inst.id, f.c.table_id == live.id, f.c.field == path, f.c.record_id.is_not(None))
    query = select(f.c.id, f.c.name, f.c.size, f.c.media_type, f.c.digest).where(*here, f.c.uploaded_by == ctx.actor.id)
    row = ctx.conn.execute(query.order_by(f.c.uploaded_at.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFound
    return Kept(*row)


def file_field(live: LiveTable, path: str) -> File:
    """Raises NotFound for a field that keeps no files."""
    field = live.table.field(path)
    if not isinstance(field, File):
        raise NotFound
    return field


def _taking(live: LiveTable, path: str) -> File:
    """What a file added here must be. Raises NotFound for a field that takes none."""
    field = live.table.field(path)
    return field.inserted if isinstance(field, RichText) and field.pictures else file_field(live, path)


def _require_writable(gate: Door, path: str) -> None:
    actions = [a for a in ("create", "update") if gate.may(a)]
    whole = path.partition(".")[0]
    if not any(gate.writable(path, a) and gate.writable(whole, a) for a in actions):
        raise NotFound


def _picture(
    ctx: Context, storage: Storage, field: File, path: str, id: UUID, name: str, body: IO[bytes]
) -> tuple[IO[bytes], str]:
    """The picture as it will be kept, its thumbnail put beside it."""
    most = field.max_megabytes * 1_000_000
    content = body.read(most + 1)
    if len(content) > most:
        raise _refused(path, say("The file is larger than {n} MB.", n=field.max_megabytes))
    if not content:
        raise _refused(path, say("The file is empty."))
    try:
        found = pictures.examine(content, field.accepted, getattr(field, "keep_place", False))
    except pictures.BadPicture as err:
        raise _refused(path, err.reason) from None
    lines = [line for mark in getattr(field, "watermark", ()) if (line := _mark(ctx, mark, found))]
    found = pictures.redrawn(found, getattr(field, "longest_side", None), lines)
    storage.put(file_key(ctx.workspace.id, thumbnail_id(id)), io.BytesIO(found.thumbnail))
    return io.BytesIO(found.body), found.named(name)


def _mark(ctx: Context, mark: str, picture: pictures.Picture) -> str:
    """A line to write into a picture."""
    if mark == "time":
        return ctx.now.astimezone(ctx.zone).strftime("%Y-%m-%d %H:%M")
    if mark == "place":
        return picture.position
    return Directory.of(ctx).names({ctx.actor.id}).get(ctx.actor.id, "") if ctx.actor.id else ""


def thumbnail_id(file: UUID) -> UUID:
    """Under which a picture's thumbnail is kept: it follows from the picture's own id."""
    return uuid5(file, "thumbnail")


def _put(storage: Storage, key: str, field: File, path: str, body: IO[bytes]) -> Stored:
    try:
        stored = storage.put(key, body, most=field.max_megabytes * 1_000_000)
    except TooLarge:
        raise _refused(path, say("The file is larger than {n} MB.", n=field.max_megabytes)) from None
    if not stored.size:
        storage.delete(key)
        raise _refused(path, say("The file is empty."))
    return stored


def _refused(path: str, reason: Message) -> InvalidInput:
    return InvalidInput({path: [reason]})


# -- belonging -------------------------------------------------------------------------------------


def listed(ctx: Context, ids: Iterable[UUID]) -> dict[UUID, Kept]:
    f = models.file
    query = select(f.c.id, f.c.name, f.c.size, f.c.media_type, f.c.digest).where(f.c.id.in_(list(ids)))
    return {row.id: Kept(*row) for row in ctx.conn.execute(query)}


def attach(ctx: Context, live: LiveTable, record: UUID, values: Mapping[str, Any]) -> None:
    """Give the record the files that its fields name. Raises InvalidInput for a file that is not the actor's to give."""
    f = models.file
    for place, path, ids in _named(live.table.fields, values):
        mine = select(f.c.id, f.c.record_id, f.c.field, f.c.uploaded_by).where(f.c.id.in_(ids)).with_for_update()
        found = {row.id: row for row in ctx.conn.execute(mine)}
        if not all(id in found and _may_give(ctx, live, found[id], record) for id in ids):
            raise InvalidInput({place: [LOST]})
        owner = {"record_id": record, "installation_id": live.inst.id, "table_id": live.id, "field": path}
        ctx.conn.execute(update(f).where(f.c.id.in_(ids)).values(owner))


def _named(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[tuple[str, str, list[UUID]]]:
    """Every field with files: its place (`items[0].photo`), its path (`items.photo`) and the files it names."""
    for field in fields:
        value = values.get(field.id)
        if isinstance(field, File) and value:
            yield field.id, field.id, value
        elif isinstance(field, Rows):
            for number, row in enumerate(value or ()):
                for place, path, ids in _named(field.fields, row):
                    yield f"{field.id}[{number}].{place}", f"{field.id}.{path}", ids


def _may_give(ctx: Context, live: LiveTable, row: Any, record: UUID) -> bool:
    """A fresh upload of the actor's own, or a file that the record has already, in a field that the actor may read."""
    if row.record_id is None:
        return bool(row.uploaded_by == ctx.actor.id)
    return bool(row.record_id == record and live.table.field(row.field) and door(ctx, live).readable(row.field))


def keep(ctx: Context, storage: Storage, live: LiveTable, record: UUID, place: str, name: str, body: IO[bytes]) -> UUID:
    """Keep a file that belongs to a record beside its fields, under a `place` of its own. Raises InvalidInput."""
    id, name = new_id(), safe_name(name)
    try:
        stored = storage.put(file_key(ctx.workspace.id, id), body, most=MOST_BESIDE)
    except TooLarge:
        raise _refused("file", say("The file is larger than {n} MB.", n=MOST_BESIDE // 1_000_000)) from None
    if not stored.size:
        storage.delete(file_key(ctx.workspace.id, id))
        raise _refused("file", say("The file is empty."))
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    ctx.conn.execute(
        insert(models.file).values(
            id=id, name=name, size=stored.size, media_type=media_type, digest=stored.digest, installation_id=live.inst.id,
            table_id=live.id, record_id=record, field=place, uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    return id


def let_go(ctx: Context, place: str) -> None:
    """The files of a place belong to nothing any more: the job that removes orphans takes them away."""
    f = models.file
    ctx.conn.execute(update(f).where(f.c.field == place).values(record_id=None))


def release(ctx: Context, installation: UUID, table: str | None = None, field: str | None = None) -> None:
    """The files of an app, of one of its tables or of a field (`items.photo` as part of `items`) are nobody's any more.

    No one can open them from here on; a job takes the bytes away after this transaction.
    """
    f = models.file
    where = [f.c.installation_id == installation]
    if table is not None:
        where.append(f.c.table_id == table)
    if field is not None:
        where.append(or_(f.c.field == field, f.c.field.startswith(f"{field}.", autoescape=True)))
    nobody = {"installation_id": None, "table_id": None, "record_id": None, "uploaded_by": None, "field": RELEASED}
    if ctx.conn.execute(update(f).where(*where).values(nobody)).rowcount:
        enqueue(ctx.acting_as(System()), "remove_released_files", {})


# -- reading ---------------------------------------------------------------------------------------


def open_file(ctx: Context, live: LiveTable, record: UUID | None, path: str, id: UUID) -> Kept:
    """A file of a record's field, for one who may read that field of that record; without one, of the record that has it.

    Raises NotFound.
    """
    if not isinstance(live.table.field(path), RichText):
        file_field(live, path)
    found = listed(ctx, [id]).get(id)
    owner = record or _owner(ctx, live, path, id)
    if found is None or owner is None or id not in of_field(ctx, live, owner, path):
        raise NotFound
    return found


def _owner(ctx: Context, live: LiveTable, path: str, id: UUID) -> UUID | None:
    f = models.file
    query = select(f.c.record_id).where(f.c.id == id, f.c.installation_id == live.inst.id)
    return ctx.conn.scalar(query.where(f.c.table_id == live.id, f.c.field == path))


def of_field(ctx: Context, live: LiveTable, record: UUID, path: str) -> list[UUID]:
    """The files that a record's field names or shows, in a subform those of all its rows. Raises NotFound."""
    shown = fetch(door(ctx, live), record)
    whole, _, column = path.partition(".")
    if not column:
        return _ids(shown.values.get(whole))
    return [id for row in shown.values.get(whole) or () for id in _ids(row.get(column))]


def _ids(value: Any) -> list[UUID]:
    return markup.pictures(value) if isinstance(value, str) else list(value or ())


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


def content(ctx: Context, storage: Storage, id: UUID) -> IO[bytes]:
    """The bytes of a file. Raises NotFound when they have gone."""
    try:
        return storage.open(file_key(ctx.workspace.id, id))
    except FileNotFoundError:
        pass
    shared = ctx.conn.scalar(select(models.file.c.same_as).where(models.file.c.id == id))
    if shared is None:
        raise NotFound
    return content(ctx, storage, shared)


def thumbnail(ctx: Context, storage: Storage, id: UUID) -> IO[bytes]:
    """The small picture of a picture; made again when it has gone. Raises NotFound for what is no picture."""
    key = file_key(ctx.workspace.id, thumbnail_id(id))
    try:
        return storage.open(key)
    except FileNotFoundError:
        pass
    with content(ctx, storage, id) as whole:
        try:
            small = pictures.thumbnail_of(whole.read())
        except pictures.BadPicture:
            raise NotFound from None
    storage.put(key, io.BytesIO(small))
    return io.BytesIO(small)


# -- keeping in order ------------------------------------------------------------------------------


def remove_orphans(ctx: Context, storage: Storage) -> int:
    """The job: throw away uploads that no record took within two days, and bytes that nothing names."""
    gone = _remove(ctx, storage, models.file.c.uploaded_at < ctx.now - ORPHANS_KEPT)
    return gone + remove_released(ctx, storage) + _remove_unnamed(ctx, storage, ctx.now - ORPHANS_KEPT)


def remove_released(ctx: Context, storage: Storage) -> int:
    """Throw away what `release` has let go of, but for bytes that another file still shares; gives how many."""
    total = 0
    while gone := _remove(ctx, storage, models.file.c.field == RELEASED):
        total += gone
    return total


def _remove(ctx: Context, storage: Storage, which: ColumnElement[bool]) -> int:
    f = models.file
    other = f.alias()
    shared = select(other.c.id).where(other.c.same_as == f.c.id).exists()
    ids = list(ctx.conn.scalars(delete(f).where(f.c.record_id.is_(None), which, ~shared).returning(f.c.id)))
    for id in ids:
        storage.delete(file_key(ctx.workspace.id, id))
        storage.delete(file_key(ctx.workspace.id, thumbnail_id(id)))
    return len(ids)


def _remove_unnamed(ctx: Context, storage: Storage, before: datetime) -> int:
    """Bytes of uploads that broke off before they were listed. Young ones may belong to an upload that is under way."""
    known = set(ctx.conn.scalars(select(models.file.c.id)))
    named = {file_key(ctx.workspace.id, id) for file in known for id in (file, thumbnail_id(file))}
    strays = [
        key
        for key in storage.all_keys(ctx.workspace.id)
        if key not in named and (since := storage.put_at(key)) is not None and since < before
    ]
    for key in strays:
        storage.delete(key)
    return len(strays)
