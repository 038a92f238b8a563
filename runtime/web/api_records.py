"""The API's door to records: list, read, create, change, delete, restore, batch, update-or-add, history."""

from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from runtime import api, api_writing
from runtime.api import Wanted
from runtime.api_writing import record_id
from runtime.context import Context
from runtime.tables import LiveTable
from runtime.web.api_edge import BASE, Json, answer, blueprint, body, once, told, worked
from schemas.api import Batch, Upsert, Write, read_body
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.numbers import read_whole

bp = blueprint("records")
TABLE = f"{BASE}/apps/<app>/tables/<table>"


@bp.get(f"{TABLE}/records")
def index(app: str, table: str) -> Response:
    """List records."""
    wanted = Wanted.read(request.args)
    found = worked(lambda ctx: api.page(ctx, api.table_of(ctx, app, table), wanted))
    links = {}
    if found["next"]:
        again = {**request.args, "after": found["next"]}
        links = {"Link": f'<{request.path}?{urlencode(again)}>; rel="next"'}
    return answer(found, headers=links)


@bp.get(f"{TABLE}/records/<record>")
def show(app: str, table: str, record: str) -> Response:
    """Read a record."""
    found = worked(lambda ctx: api.read(ctx, api.table_of(ctx, app, table), record_id(record), request.args))
    etag = f'"{found["version"]}"'
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status=304, headers={"ETag": etag})
    return answer(found, headers={"ETag": etag})


@bp.post(f"{TABLE}/records")
def create(app: str, table: str) -> Response:
    """Add a record."""
    sent = read_body(Write, body())

    def story(ctx: Context) -> tuple[Json, int]:
        source = api.table_of(ctx, app, table)
        return written(ctx, source, api_writing.create(ctx, source, sent)), 201

    made = once(story)
    made.headers["Location"] = f"{request.path}/{made.get_json()['id']}"
    return made


@bp.patch(f"{TABLE}/records/<record>")
def change(app: str, table: str, record: str) -> Response:
    """Change the fields that are sent."""
    sent, match = read_body(Write, body()), _match()

    def story(ctx: Context) -> tuple[Json, int]:
        source = api.table_of(ctx, app, table)
        return written(ctx, source, api_writing.change(ctx, source, record_id(record), sent, match)), 200

    return once(story)


def _match() -> int | None:
    """The version of an If-Match header. Raises InvalidInput for what is none."""
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    version = read_whole(text.removeprefix("W/").strip('"'))
    if version is None:
        raise InvalidInput({"If-Match": [say('Send the version as "3".')]})
    return version


@bp.delete(f"{TABLE}/records/<record>")
def remove(app: str, table: str, record: str) -> Response:
    """Put a record into the trash."""

    def story(ctx: Context) -> tuple[Json, int]:
        return {"id": str(api_writing.remove(ctx, api.table_of(ctx, app, table), record_id(record)))}, 200

    return once(story)


@bp.post(f"{TABLE}/records/<record>/restore")
def restore(app: str, table: str, record: str) -> Response:
    """Take a record out of the trash."""

    def story(ctx: Context) -> tuple[Json, int]:
        source = api.table_of(ctx, app, table)
        return written(ctx, source, api_writing.restore(ctx, source, record_id(record))), 200

    return once(story)


@bp.post(f"{TABLE}/upsert")
def upsert(app: str, table: str) -> Response:
    """Change the record that a key finds, or add it."""
    sent = read_body(Upsert, body())

    def story(ctx: Context) -> tuple[Json, int]:
        source = api.table_of(ctx, app, table)
        id, new = api_writing.upsert(ctx, source, sent)
        return written(ctx, source, id), 201 if new else 200

    return once(story)


@bp.post(f"{TABLE}/batch")
def batch(app: str, table: str) -> Response:
    """Do up to 1,000 operations, each with its own result."""
    sent = read_body(Batch, body())

    def story(ctx: Context) -> tuple[Json, int]:
        source = api.table_of(ctx, app, table)
        results = api_writing.batch(ctx, source, sent.operations, sent.atomic, told)
        failed = sum(r["status"] >= 400 for r in results)
        return {"results": results, "done": len(results) - failed, "failed": failed}, 200

    return once(story)


def written(ctx: Context, source: LiveTable, id: Any) -> Json:
    """The record as it now is; where it may be written but not read, its id."""
    try:
        return api.read(ctx, source, id)
    except NotFound:
        return {"id": str(id)}


@bp.get(f"{TABLE}/records/<record>/history")
def history(app: str, table: str, record: str) -> Response:
    """Who changed what and when."""
    return answer(worked(lambda ctx: api.past(ctx, api.table_of(ctx, app, table), record_id(record))))
