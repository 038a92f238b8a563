"""Keeping what is looked at as a view of one's own."""

from typing import Any
from uuid import UUID

from flask import Blueprint, request

from runtime import own_views
from runtime.context import Context
from runtime.definitions import Installed
from runtime.own_views import OwnView
from runtime.web.edge import enter, go, record_id, tell, work
from runtime.web.views import find_view
from schemas.messages import say

bp = Blueprint("own_views", __name__)


def _sent() -> dict[str, str]:
    return {name: request.form.get(name, "").replace("\x00", "") for name in own_views.KEPT}


def _shared() -> bool:
    return request.form.get("shared") == "1"


def _like(ctx: Context, inst: Installed, view: str) -> OwnView | None:
    """The view of one's own from which another is made."""
    like = request.form.get("own", "")
    return own_views.one_of(ctx, inst, view, record_id(like)) if like else None


@bp.post("/a/<app>/v/<view>/own")
def make(app: str, view: str) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        find_view(ctx, inst, view)
        title = request.form.get("title", "")
        made = own_views.make(ctx, inst, view, title, _sent(), _shared(), _like(ctx, inst, view))
    tell(say("The view {name} is kept.", name=made.title))
    return go(made.url(inst.slug))


@bp.post("/a/<app>/v/<view>/own/<uuid:id>")
def change(app: str, view: str, id: UUID) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        find_view(ctx, inst, view)
        made = own_views.change(ctx, inst, view, id, request.form.get("title", ""), _sent(), _shared())
    tell(say("The view {name} is kept.", name=made.title))
    return go(made.url(inst.slug))


@bp.post("/a/<app>/v/<view>/own/<uuid:id>/remove")
def remove(app: str, view: str, id: UUID) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        find_view(ctx, inst, view)
        own_views.remove(ctx, inst, view, id)
    tell(say("The view is removed. Its records stay."))
    return go(f"/a/{inst.slug}/v/{view}/")
