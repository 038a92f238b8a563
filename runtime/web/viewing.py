"""An administrator begins and ends to look at an app as somebody else."""

from typing import Any

from flask import Blueprint, render_template, request, session

from runtime import audit, definitions, viewing
from runtime.web.edge import VIEW, go, work
from runtime.web.frame import frame
from schemas.errors import NotFound
from schemas.text import Text

bp = Blueprint("viewing", __name__)


@bp.get("/a/<app>/view-as")
def choose(app: str) -> Any:
    with work() as ctx:
        if not getattr(ctx.actor, "admin", False):
            raise NotFound
        inst = definitions.installed(ctx, app)
        frame(ctx, inst)
        roles = [(role.id, role.title or Text.of(role.id)) for role in inst.app.roles]
        return render_template("runtime/view_as.html", inst=inst, roles=roles)


@bp.post("/a/<app>/view-as")
def begin(app: str) -> Any:
    """Only a full administrator; it is noted who looked as whom."""
    with work() as ctx:
        if not getattr(ctx.actor, "admin", False):
            raise NotFound
        wish = viewing.wish(ctx, app, request.form.get("member", ""), request.form.get("role", ""))
        audit.note(
            ctx, "rights.viewed_as", viewing.name_of(ctx, wish), wish.get("member"), app=app, role=wish.get("role")
        )
    session[VIEW] = wish
    return go(f"/a/{app}/")


@bp.post("/view-as/stop")
def stop() -> Any:
    wish = session.pop(VIEW, None) or {}
    return go(f"/a/{wish['app']}/" if wish.get("app") else "/")
