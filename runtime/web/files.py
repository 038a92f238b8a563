"""Files of records: added, shown, downloaded one by one or together."""

import tempfile
import zipfile
from collections import Counter
from contextlib import closing
from typing import IO, Any
from uuid import UUID

from flask import Blueprint, current_app, jsonify, request, send_file

from runtime import files, inserted
from runtime.context import Context
from runtime.files import Kept
from runtime.storage import Storage
from runtime.tables import LiveTable, live
from runtime.web.edge import enter, record_id, work
from schemas.errors import InvalidInput, NotFound
from schemas.fields.file import viewed_as
from schemas.fields.rich_text import RichText
from schemas.markup import picture_address
from schemas.messages import say

bp = Blueprint("files", __name__)
ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""What people upload is nobody's page: it can run nothing, reach nothing and send nothing."""
PDF_ALONE = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
"""The same for a PDF, which browsers show in a room of their own but not under `sandbox`."""
IN_MEMORY = 8_000_000


def storage() -> Storage:
    return current_app.extensions["storage"]  # type: ignore[no-any-return]


@bp.post("/a/<app>/upload/<table>/<field>")
def upload(app: str, table: str, field: str) -> Any:
    """Keep one file for a field; the form then sends its id. With `last` it is the actor's last signature again."""
    body = request.files.get("file")
    if body is None and "last" not in request.form:
        raise InvalidInput({field: [say("Choose a file.")]})
    with work() as ctx:
        source = live(ctx, enter(ctx, app), table)
        name, stream = (body.filename or "", body.stream) if body else _last_signature(ctx, source, field)
        with closing(stream):
            kept = files.upload(ctx, storage(), source, field, name, stream)
        if isinstance(source.table.field(field), RichText):
            return jsonify({"id": str(kept.id), "text": kept.name, "url": picture_address(kept.id), "size": kept.size})
        url = f"/files/{app}/{table}/new/{field}/{kept.id}"
        small = f"{url}?size=small" if files.file_field(source, field).pictures else ""
        view = f"{url}?view=1" if viewed_as(kept.name) else ""
        return jsonify(
            {"id": str(kept.id), "text": kept.name, "url": url, "view": view, "thumbnail": small, "size": kept.size}
        )


def _last_signature(ctx: Context, source: LiveTable, field: str) -> tuple[str, IO[bytes]]:
    """The name and bytes of what the actor last signed with. Raises NotFound."""
    before = files.last_signature(ctx, source, field)
    return before.name, files.content(ctx, storage(), before.id)


@bp.get("/files/<app>/<table>/<record>/<field>/<id>")
def download(app: str, table: str, record: str, field: str, id: str) -> Any:
    """The bytes: as a download, or with `view=1` shown where that is harmless; with `size=small` the thumbnail.

    The record is an id, `new` for one's own upload that no record has yet, or `-` for the one that has the file.
    """
    with work() as ctx:
        source = live(ctx, enter(ctx, app), table)
        file_id = record_id(id)
        kept = _file(ctx, source, record, field, file_id)
        if request.args.get("size") == "small":
            if not files.file_field(source, field).pictures:
                raise NotFound
            return shown_small(ctx, kept)
        return sent(ctx, kept, bool(request.args.get("view")))


@bp.get("/pictures/<id>")
def picture(id: str) -> Any:
    """A picture inside a formatted text, by the one address that such a text gives it."""
    with work() as ctx:
        return sent(ctx, inserted.open_picture(ctx, record_id(id)), view=True)


def shown_small(ctx: Context, kept: Kept) -> Any:
    """The thumbnail of a picture that somebody was just allowed to see."""
    return _shown(files.thumbnail(ctx, storage(), kept.id), "image/webp", kept, f"{kept.digest}-small")


def sent(ctx: Context, kept: Kept, view: bool) -> Any:
    """The bytes of a file that somebody was just allowed to see: to look at where that is harmless, or as a download."""
    stream = files.content(ctx, storage(), kept.id)
    if view and (media := viewed_as(kept.name)):
        return _shown(stream, media, kept, kept.digest)
    response = send_file(stream, mimetype="application/octet-stream", as_attachment=True, download_name=kept.name)
    response.headers["Content-Security-Policy"] = ALONE
    return response


def _shown(stream: IO[bytes], media: str, kept: Kept, etag: str) -> Any:
    """Bytes that never change, for the eyes of one who was just allowed to see them."""
    charset = _charset(stream) if media == "text/plain" else ""
    response = send_file(stream, mimetype=media, download_name=kept.name, etag=etag, conditional=True)
    if charset:
        response.headers["Content-Type"] = f"{media}; charset={charset}"
    response.headers["Content-Security-Policy"] = PDF_ALONE if media == "application/pdf" else ALONE
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _charset(stream: IO[bytes]) -> str:
    """UTF-8 where the beginning is that, else what Chinese systems write."""
    head = stream.read(65_536)
    stream.seek(0)
    try:
        head[: len(head) - 4 if len(head) == 65_536 else None].decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _file(ctx: Context, source: LiveTable, record: str, field: str, id: UUID) -> Kept:
    if record == "new":
        return files.own_upload(ctx, id)
    return files.open_file(ctx, source, None if record == "-" else record_id(record), field, id)


@bp.get("/files/<app>/<table>/<record>/<field>/all.zip")
def download_all(app: str, table: str, record: str, field: str) -> Any:
    """All files of a record's field in one archive."""
    with work() as ctx:
        source = live(ctx, enter(ctx, app), table)
        files.file_field(source, field)
        ids = files.of_field(ctx, source, record_id(record), field)
        known = files.listed(ctx, ids)
        if not known:
            raise NotFound
        packed = _packed(ctx, [known[id] for id in dict.fromkeys(ids) if id in known])
    return send_file(packed, mimetype="application/zip", as_attachment=True, download_name=f"{field}.zip")


def _packed(ctx: Context, chosen: list[Kept]) -> IO[bytes]:
    """The files under their own names; one that comes twice is numbered. They are packed already, or nearly so."""
    out: Any = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (the answer closes it)
    seen: Counter[str] = Counter()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for kept in chosen:
            seen[kept.name] += 1
            with files.content(ctx, storage(), kept.id) as source:
                archive.writestr(_numbered(kept.name, seen[kept.name]), source.read())
    out.seek(0)
    return out  # type: ignore[no-any-return]


def _numbered(name: str, number: int) -> str:
    if number == 1:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem} ({number}).{ending}" if dot else f"{name} ({number})"
