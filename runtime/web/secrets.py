"""Secrets for requests to other programs, in the settings of the workspace: for its administrators alone."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from runtime import keyring
from runtime.context import Context
from runtime.web.audit import administrator
from runtime.web.edge import confirmed, record_id, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("secrets", __name__)
HOME = "/workspace/secrets/"


@bp.get("/workspace/secrets/")
def index() -> Any:
    with work() as ctx:
        administrator(ctx)
        return _page(ctx)


def _page(ctx: Context, errors: Any = None, renewed: str = "") -> Any:
    frame(ctx)
    page = render_template(
        "runtime/secrets.html", secrets=keyring.all_of(ctx), errors=errors or {}, renewed=renewed,
        sent=request.form if errors and not renewed else {},
    )  # fmt: skip
    return make_response(page, 422 if errors else 200)


@bp.post("/workspace/secrets/")
def add() -> Any:
    try:
        with work() as ctx:
            administrator(ctx)
            confirmed()
            keyring.add(ctx, *(request.form.get(name, "") for name in ("name", "servers", "value")))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, err.errors)
    tell(say("The secret was added. Apps use it once it is chosen under their “Who is who”."), "good")
    return redirect(HOME, 303)


@bp.post("/workspace/secrets/<id>")
def renew(id: str) -> Any:
    try:
        with work() as ctx:
            administrator(ctx)
            confirmed()
            keyring.renew(ctx, record_id(id), request.form.get("value", ""))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, err.errors, id)
    tell(say("The secret was changed."), "good")
    return redirect(HOME, 303)


@bp.post("/workspace/secrets/<id>/remove")
def remove(id: str) -> Any:
    with work() as ctx:
        administrator(ctx)
        confirmed()
        keyring.remove(ctx, record_id(id))
    return redirect(HOME, 303)
