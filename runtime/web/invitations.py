"""Inviting people, for the workspace's administrators."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from runtime import account_mail, departments, invitations
from runtime.context import Context
from runtime.settings import Settings
from runtime.web.audit import administrator
from runtime.web.edge import confirmed, record_id, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("invitations", __name__)


@bp.get("/members/invitations/")
def index() -> Any:
    with work() as ctx:
        administrator(ctx)
        return _page(ctx)


def _page(ctx: Context, status: int = 200, **values: Any) -> Any:
    frame(ctx)
    more = {"link": "", "errors": {}, "sent": {}, "chosen": [], **values}
    page = render_template(
        "runtime/invitations.html", invitations=invitations.listed(ctx), tree=departments.tree(ctx),
        roles=invitations.roles_offered(ctx), lasts=invitations.LASTS, mails=bool(Settings.read().smtp), **more,
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/members/invitations/")
def invite() -> Any:
    """The link is shown this once; what is kept of it opens nothing."""
    try:
        with work() as ctx:
            administrator(ctx)
            confirmed()
            made = invitations.invite(ctx, request.form, request.form.getlist("roles"))
            if made:
                return _page(ctx, link=account_mail.address_of(f"/invite/{made[0]}"))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, 422, errors=err.errors, sent=request.form, chosen=request.form.getlist("roles"))
    tell(say("The invitations are on their way."))
    return redirect("/members/invitations/", 303)


@bp.post("/members/invitations/<id>/withdraw")
def withdraw(id: str) -> Any:
    with work() as ctx:
        administrator(ctx)
        invitations.withdraw(ctx, record_id(id))
    tell(say("The invitation is withdrawn."))
    return redirect("/members/invitations/", 303)
