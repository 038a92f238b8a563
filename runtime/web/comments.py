"""Comments on a record: a tab of its page."""

from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request, send_file

from runtime import comments, files, membership
from runtime.comments import Said
from runtime.context import Context
from runtime.tables import LiveTable
from runtime.web.edge import record_id, table, words, work, worked
from runtime.web.files import ALONE, storage
from schemas.errors import InvalidInput
from schemas.messages import Message, say

bp = Blueprint("comments", __name__)


def _fragment(ctx: Context, source: LiveTable, record: UUID, status: int = 200, **more: Any) -> Any:
    values = {
        "threads": comments.listed(ctx, source, record), "url": f"/a/{source.inst.slug}/t/{source.id}/{record}/comments",
        "is_admin": bool(getattr(ctx.actor, "admin", False)), "problems": (), "told": "", "typed": "", **more,
    }  # fmt: skip
    return make_response(render_template("runtime/_comments.html", **values), status)


@bp.get("/a/<app>/t/<table_id>/<record>/comments")
def show(app: str, table_id: str, record: str) -> Any:
    with work() as ctx:
        return _fragment(ctx, table(ctx, app, table_id), record_id(record))


@bp.post("/a/<app>/t/<table_id>/<record>/comments")
def add(app: str, table_id: str, record: str) -> Any:
    """A new comment, or an answer to one. The answer says whom of those mentioned it does not reach."""
    sent = [(f.filename or "", f.stream) for f in request.files.getlist("file") if f.filename]
    parent = request.form.get("parent", "")
    try:
        with work() as ctx:
            source, id = table(ctx, app, table_id), record_id(record)
            mentions = membership.members_here(ctx, request.form.getlist("mention"))
            said = Said(request.form.get("body", ""), record_id(parent) if parent else None, mentions, sent)
            deaf = comments.add(ctx, storage(), source, id, said)
            return _fragment(ctx, source, id, told=_unheard(deaf))
    except InvalidInput as err:
        return _refused(app, table_id, record, err)


def _unheard(names: list[str]) -> Message | None:
    if not names:
        return None
    return say("{names} may not see this record, and are told nothing.", names=", ".join(names))


def _refused(app: str, table_id: str, record: str, err: InvalidInput) -> Any:
    with work() as ctx:
        problems = [words(m) for messages in err.errors.values() for m in messages]
        typed = request.form.get("body", "")
        return _fragment(ctx, table(ctx, app, table_id), record_id(record), 422, problems=problems, typed=typed)


@bp.post("/a/<app>/t/<table_id>/<record>/comments/<comment>")
def change(app: str, table_id: str, record: str, comment: str) -> Any:
    """Write one's own comment anew, or with `remove` take it away."""

    def story(ctx: Context) -> Any:
        source, id = table(ctx, app, table_id), record_id(record)
        if request.form.get("without"):
            comments.remove(ctx, source, id, record_id(comment))
        else:
            comments.change(ctx, source, id, record_id(comment), request.form.get("body", ""))
        return _fragment(ctx, source, id)

    try:
        return worked(story)
    except InvalidInput as err:
        return _refused(app, table_id, record, err)


@bp.get("/a/<app>/t/<table_id>/<record>/comments/files/<file>")
def download(app: str, table_id: str, record: str, file: str) -> Any:
    with work() as ctx:
        kept = comments.open_file(ctx, table(ctx, app, table_id), record_id(record), record_id(file))
        stream = files.content(ctx, storage(), kept.id)
    response = send_file(stream, mimetype="application/octet-stream", as_attachment=True, download_name=kept.name)
    response.headers["Content-Security-Policy"] = ALONE
    return response
