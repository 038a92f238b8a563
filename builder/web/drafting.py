"""Forms drafted by the workspace's language model: described in words, put into the draft, looked at before publishing."""

from typing import Any

from flask import Blueprint, make_response, render_template, request

from builder import drafting, drafts
from builder.parts import Parts
from builder.web.apps import designer, edited
from runtime import ai, egress, limits
from runtime.outgoing import Refused
from runtime.web.edge import engine, go, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("drafting", __name__)
MOST_ASKED = 30
"""Questions of one designer in a quarter of an hour."""


@bp.get("/build/<app>/drafting/")
def ask(app: str) -> Any:
    return _page(app)


def _page(app: str, errors: Any = None) -> Any:
    with work() as ctx:
        designer(ctx)
        drafts.open_draft(ctx, app)
        found = ai.endpoint(ctx)
        frame(ctx)
        page = render_template(
            "builder/drafting.html", app=app, endpoint=found, errors=errors or {}, sent=request.form, longest=drafting.LONGEST,
        )  # fmt: skip
        return make_response(page, 422 if errors else 200)


@bp.post("/build/<app>/drafting/")
def draft(app: str) -> Any:
    """Ask the model, while no transaction is open, and put what it proposes into the draft as one edit."""
    try:
        proposal = _proposed(app)
        edited(app, say("Drafted from a description"), lambda parts: drafting.added(parts, proposal))
    except InvalidInput as err:
        return _page(app, err.errors)
    tell(say("It is in the draft. Look at what would change, and publish it or undo it."), "good")
    return go(f"/build/{app}/publish")


def _proposed(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        found, parts = ai.endpoint(ctx), Parts(drafts.open_draft(ctx, app).parts)
        key = f"drafting:{ctx.workspace.id}:{ctx.actor.id}"
    if found is None:
        raise InvalidInput({"description": [ai.OFF]})
    asked = drafting.messages(parts, request.form.get("description", ""))
    limits.count(engine(), key, MOST_ASKED)
    try:
        return drafting.drafted(parts, asked, lambda messages: ai.complete(found, messages, as_json=True), ai.json_in)
    except (Refused, egress.Unreachable) as err:
        raise InvalidInput({"description": [say("It did not answer: {problem}", problem=err.reason)]}) from err
