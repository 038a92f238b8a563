"""Robots of group chats, in the settings of the workspace: added, tried, removed by its administrators."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from runtime import robots
from runtime.context import Context
from runtime.robots import KINDS
from runtime.web.audit import administrator
from runtime.web.edge import confirmed, record_id, tell, words, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("robots", __name__)
HOME = "/workspace/robots/"


@bp.get("/workspace/robots/")
def index() -> Any:
    with work() as ctx:
        administrator(ctx)
        return _page(ctx)


def _page(ctx: Context, errors: Any = None) -> Any:
    frame(ctx)
    page = render_template(
        "runtime/robots.html", robots=robots.all_of(ctx), kinds=KINDS, errors=errors or {}, sent=request.form if errors else {}
    )
    return make_response(page, 422 if errors else 200)


@bp.post("/workspace/robots/")
def add() -> Any:
    try:
        with work() as ctx:
            administrator(ctx)
            confirmed()
            robots.add(ctx, *(request.form.get(name, "") for name in ("name", "kind", "address", "signing")))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, err.errors)
    tell(say("The robot was added. Send it a message to try it."), "good")
    return redirect(HOME, 303)


@bp.post("/workspace/robots/<id>/try")
def try_out(id: str) -> Any:
    with work() as ctx:
        administrator(ctx)
        problem = robots.try_out(ctx, record_id(id), words(say("A message from {name} to try this robot.", name=ctx.workspace.title)))
    if problem:
        tell(say("The message did not arrive: {problem}", problem=problem), "error")
    else:
        tell(say("The message has arrived."), "good")
    return redirect(HOME, 303)


@bp.post("/workspace/robots/<id>/remove")
def remove(id: str) -> Any:
    with work() as ctx:
        administrator(ctx)
        confirmed()
        robots.remove(ctx, record_id(id))
    return redirect(HOME, 303)
