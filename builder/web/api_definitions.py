"""The API's door to definitions: what is published, the draft, and publishing it."""

from flask import Response

from builder import api_drafts
from runtime.context import Context
from runtime.scopes import require_besides
from runtime.web.api_edge import BASE, Json, answer, blueprint, body, once, worked_for
from schemas.api import Publish, Redraft, read_body
from schemas.scope import CHANGE, DEFINITIONS, PUBLISH

bp = blueprint("definitions")
APP = f"{BASE}/apps/<app>"


@bp.get(f"{APP}/definition")
def show(app: str) -> Response:
    """The published definition."""
    return answer(worked_for(DEFINITIONS, lambda ctx: api_drafts.published(ctx, app)))


@bp.get(f"{APP}/draft")
def draft(app: str) -> Response:
    """The draft, what it would change, and its problems."""
    return answer(worked_for(CHANGE, lambda ctx: api_drafts.draft(ctx, app)))


@bp.patch(f"{APP}/draft")
def change(app: str) -> Response:
    """Change the draft; nothing is published."""
    sent = read_body(Redraft, body())

    def story(ctx: Context) -> tuple[Json, int]:
        require_besides(ctx, CHANGE)
        return api_drafts.change(ctx, app, sent), 200

    return once(story)


@bp.post(f"{APP}/publish")
def publish(app: str) -> Response:
    """Make the draft what everybody works with."""
    sent = read_body(Publish, body())

    def story(ctx: Context) -> tuple[Json, int]:
        require_besides(ctx, PUBLISH)
        return api_drafts.publish(ctx, app, sent.note), 200

    return once(story)
