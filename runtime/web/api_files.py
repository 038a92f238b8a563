"""The API's door to files: up for a field, down from a record."""

import io
from contextlib import closing
from typing import IO, Any

from flask import Response, request, send_file

from runtime import api, files
from runtime.api_writing import record_id
from runtime.context import Context
from runtime.files import Kept
from runtime.web.api_edge import BASE, Json, answer, blueprint, worked
from runtime.web.files import ALONE, storage
from schemas.errors import InvalidInput
from schemas.messages import say

bp = blueprint("files")
TABLE = f"{BASE}/apps/<app>/tables/<table>"


@bp.post(f"{TABLE}/files/<field>")
def upload(app: str, table: str, field: str) -> Response:
    """Keep a file for a field; a record then takes it by its id."""
    name, stream = _sent(field)

    def story(ctx: Context) -> Json:
        kept = files.upload(ctx, storage(), api.table_of(ctx, app, table), field, name, stream)
        return {"id": str(kept.id), "name": kept.name, "size": kept.size, "media_type": kept.media_type}

    with closing(stream):
        return answer(worked(story), 201)


def _sent(field: str) -> tuple[str, IO[bytes]]:
    """The file of a form (`file`), or the body itself with its name in the address."""
    if (part := request.files.get("file")) is not None:
        return part.filename or "", part.stream
    if not request.args.get("name") or not request.get_data():
        raise InvalidInput({field: [say("Send the file as the part 'file' of a form, or as the body with ?name=.")]})
    return request.args["name"], io.BytesIO(request.get_data())


@bp.get(f"{TABLE}/records/<record>/files/<field>/<file>")
def download(app: str, table: str, record: str, field: str, file: str) -> Any:
    """The bytes of a record's file."""

    def story(ctx: Context) -> tuple[Kept, IO[bytes]]:
        kept = files.open_file(ctx, api.table_of(ctx, app, table), record_id(record), field, record_id(file))
        return kept, files.content(ctx, storage(), kept.id)

    kept, stream = worked(story)
    made = send_file(stream, mimetype="application/octet-stream", as_attachment=True, download_name=kept.name)
    made.headers["Content-Security-Policy"] = ALONE
    return made
