"""The settings of a workspace, for its administrators: its name, and how its people sign in."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from runtime import account_mail, sso, workspaces
from runtime.context import Context
from runtime.web.audit import administrator
from runtime.web.edge import confirmed, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("workspace", __name__)


@bp.get("/workspace/")
def show() -> Any:
    with work() as ctx:
        administrator(ctx)
        return _page(ctx)


def _page(ctx: Context, errors: Any = None) -> Any:
    frame(ctx)
    page = render_template(
        "runtime/workspace.html", place=ctx.workspace, provider=sso.configured(ctx), errors=errors or {},
        sent=request.form if errors else {}, back=account_mail.address_of("/sso/back"),
    )  # fmt: skip
    return make_response(page, 422 if errors else 200)


@bp.post("/workspace/")
def change() -> Any:
    return _changed(lambda ctx, sent: workspaces.describe(ctx, sent.get("title", ""), "second_factor" in sent))


@bp.post("/workspace/sso")
def change_sso() -> Any:
    return _changed(
        lambda ctx, sent: sso.configure(
            ctx, *(sent.get(name, "") for name in ("title", "issuer", "client", "secret", "domains"))
        )
    )


def _changed(change: Any) -> Any:
    try:
        with work() as ctx:
            administrator(ctx)
            confirmed()
            change(ctx, request.form)
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, err.errors)
    tell(say("Saved."))
    return redirect("/workspace/", 303)
