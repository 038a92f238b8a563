"""To the sign-in provider and back: to sign in, to link an account, or to confirm who somebody is."""

import hmac
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, session

from runtime import accounts, invitations, second_factor, sso, tickets
from runtime.web.edge import engine, language, local_url, refusal_page, tell, words
from runtime.web.session import signed_in
from schemas.errors import Denied, NotFound
from schemas.messages import say

bp = Blueprint("sso", __name__)
PURPOSES = ("enter", "link", "confirm")


@bp.get("/sso/begin")
def begin() -> Any:
    """By a link, not a form: the policy of our pages lets no form lead elsewhere."""
    purpose = request.args.get("for", "enter")
    if purpose not in PURPOSES or (purpose != "enter") != bool(g.signed_in):
        return redirect("/")
    try:
        with engine().connect() as conn:
            found = sso.provider(conn, request.args.get("team", ""))
        url, kept = sso.begin(found, again=purpose == "confirm")
    except (NotFound, Denied) as err:
        told = err.reason if isinstance(err, Denied) else say("No workspace of that name has a sign-in of its own.")
        return _refused(told)
    session["sso"] = {**kept, "key": found.key, "for": purpose, "next": local_url(request.args.get("next", "/"))}
    return redirect(url)


def _refused(sentence: Any) -> Any:
    return refusal_page(words(say("Sign-in did not work")), words(sentence), 422)


@bp.get("/sso/back")
def back() -> Any:
    """Only for the browser that was sent away, and only once."""
    kept = session.pop("sso", None)
    state = request.args.get("state", "")
    if not kept or not hmac.compare_digest(str(kept.get("state", "")).encode(), state.encode("utf-8", "replace")):
        return _refused(say("This sign-in was not begun here, or took too long. Try again."))
    if "code" not in request.args:
        return _refused(say("The provider did not let you in."))
    try:
        with engine().connect() as conn:
            found = sso.provider(conn, kept["key"])
        again = kept["for"] == "confirm"
        who = sso.finish(found, request.args["code"], kept["verifier"], kept["nonce"], again)
        return {"enter": _enter, "link": _link, "confirm": _confirm}[kept["for"]](found, who, kept["next"])
    except Denied as err:
        return _refused(err.reason)
    except NotFound:
        return _refused(sso.UNUSABLE)


def _enter(found: Any, who: Any, destination: str) -> Any:
    with engine().begin() as conn:
        account = sso.account_of(conn, found, who, language())
        if accounts.disabled(conn, account):
            raise Denied(say("This account is closed."))
    if workspace := sso.joins(found, who):
        invitations.join_directly(engine(), account, workspace)
    with engine().begin() as conn:
        if second_factor.wanted(conn, account):
            ticket = tickets.give(conn, "second", account, alone=True)
            return make_response(
                render_template("runtime/second_step.html", ticket=ticket, next=destination, problem="")
            )
        token = accounts.entered(conn, account, request.remote_addr or "", request.user_agent.string)
        fresh = accounts.resume(conn, token)
        if fresh and found.workspace and found.workspace in accounts.workspaces_of(conn, account):
            accounts.enter_workspace(conn, fresh, found.workspace)
    return signed_in(token, destination)


def _link(found: Any, who: Any, destination: str) -> Any:
    with engine().begin() as conn:
        sso.link(conn, found, who, g.signed_in.account_id)
    tell(say("Linked with {name}.", name=found.title))
    return redirect("/account/security", 303)


def _confirm(found: Any, who: Any, destination: str) -> Any:
    with engine().begin() as conn:
        if sso.account_of(conn, found, who, language()) != g.signed_in.account_id:
            raise Denied(say("This sign-in belongs to another account."))
        accounts.note_confirmed(conn, g.signed_in)
    return redirect(destination, 303)
