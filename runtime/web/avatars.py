"""The pictures of members, and one's own."""

from contextlib import closing
from typing import Any

from flask import Blueprint, request, send_file

from runtime import avatars
from runtime.web.edge import go, local_url, record_id, tell, work
from runtime.web.files import ALONE, storage
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

bp = Blueprint("avatars", __name__)


@bp.get("/people/<id>/avatar")
def show(id: str) -> Any:
    with work() as ctx:
        body, digest = avatars.shown(ctx, storage(), record_id(id))
    response = send_file(body, mimetype="image/webp", etag=digest, conditional=True)
    response.headers["Content-Security-Policy"] = ALONE
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


@bp.post("/people/me/avatar")
def set_own() -> Any:
    """One's own picture; without a file it goes."""
    with work() as ctx:
        if ctx.actor.id is None:
            raise NotFound
        body = request.files.get("avatar")
        if body is not None and body.filename:
            with closing(body.stream):
                avatars.put(ctx, storage(), ctx.actor.id, body.stream)
        elif request.form.get("without"):
            avatars.remove(ctx, storage(), ctx.actor.id)
        else:
            raise InvalidInput({"avatar": [say("Choose a file.")]})
    tell(say("Saved."))
    return go(local_url(request.form.get("next", ""), "/"))
