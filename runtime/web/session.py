"""Signing in and out, and the language of the interface."""

from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session

from runtime import accounts
from runtime.web.edge import COOKIE, engine, local_url, tell, words
from schemas.errors import Denied, InvalidInput
from schemas.messages import say
from schemas.text import LANGUAGES

bp = Blueprint("session", __name__)
YEAR = 365 * 24 * 3600


@bp.get("/sign-in")
def form() -> Any:
    if g.signed_in:
        return redirect("/")
    return render_template("runtime/sign_in.html", next=local_url(request.args.get("next", "/")), email="", problem="")


@bp.post("/sign-in")
def enter() -> Any:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    destination = local_url(request.form.get("next", "/"))
    with engine().begin() as conn:
        try:
            token = accounts.sign_in(conn, email, password, request.remote_addr or "", request.user_agent.string)
        except Denied as err:
            conn.commit()
            page = render_template("runtime/sign_in.html", next=destination, email=email, problem=words(err.reason))
            return make_response(page, 422)
    session.clear()
    response = redirect(destination, 303)
    keep(response, COOKIE, token, int(accounts.SESSION_LASTS.total_seconds()))
    return response


@bp.post("/sign-out")
def leave() -> Any:
    with engine().begin() as conn:
        accounts.sign_out(conn, request.cookies.get(COOKIE, ""))
    session.clear()
    response = redirect("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response


@bp.get("/password")
def password() -> Any:
    return render_template("runtime/password.html", errors={})


@bp.post("/password")
def change_password() -> Any:
    """A new password ends every session of the account, this one too."""
    try:
        with engine().begin() as conn:
            sent = request.form
            accounts.change_password(conn, g.signed_in.account_id, sent.get("old", ""), sent.get("new", ""))
    except InvalidInput as err:
        return make_response(render_template("runtime/password.html", errors=err.errors), 422)
    session.clear()
    tell(say("The password is changed. Sign in with the new one."))
    return redirect("/sign-in", 303)


@bp.post("/language")
def language() -> Any:
    chosen = request.form.get("language", "")
    response = redirect(local_url(request.form.get("next", "/")), 303)
    if chosen in LANGUAGES:
        if g.signed_in:
            with engine().begin() as conn:
                accounts.set_language(conn, g.signed_in.account_id, chosen)
        keep(response, "language", chosen, YEAR)
    return response


def keep(response: Any, name: str, value: str, seconds: int) -> Response:
    secure = request.is_secure
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Lax", secure=secure)
    return response  # type: ignore[no-any-return]
