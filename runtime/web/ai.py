"""The language model, in the settings of the workspace: for its administrators alone. Off until they set one up."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from runtime import ai, egress
from runtime.context import Context
from runtime.outgoing import Refused
from runtime.web.audit import administrator
from runtime.web.edge import confirmed, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("ai", __name__)
HOME = "/workspace/ai/"


@bp.get("/workspace/ai/")
def index() -> Any:
    with work() as ctx:
        administrator(ctx)
        return _page(ctx)


def _page(ctx: Context, errors: Any = None) -> Any:
    frame(ctx)
    page = render_template("runtime/ai.html", endpoint=ai.endpoint(ctx), errors=errors or {}, sent=request.form)
    return make_response(page, 422 if errors else 200)


@bp.post("/workspace/ai/")
def save() -> Any:
    try:
        with work() as ctx:
            administrator(ctx)
            confirmed()
            ai.set_up(ctx, *(request.form.get(name, "") for name in ("address", "model", "key")))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, err.errors)
    tell(say("The language model is set up. Try it out."), "good")
    return redirect(HOME, 303)


@bp.post("/workspace/ai/try")
def try_out() -> Any:
    """Ask it something small. No transaction waits for the answer."""
    with work() as ctx:
        administrator(ctx)
        found = ai.endpoint(ctx)
    if found is None:
        tell(ai.OFF, "error")
        return redirect(HOME, 303)
    try:
        answer = ai.complete(found, [{"role": "user", "content": "Say hello in one short sentence."}], timeout=30)
        tell(say("It answered: {text}", text=answer[:300]), "good")
    except (Refused, egress.Unreachable) as err:
        tell(say("It did not answer: {problem}", problem=err.reason), "error")
    return redirect(HOME, 303)


@bp.post("/workspace/ai/remove")
def remove() -> Any:
    with work() as ctx:
        administrator(ctx)
        confirmed()
        ai.take_away(ctx)
    return redirect(HOME, 303)
