"""Signing in, with a second step where there is one, and out; and the language of the interface."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session

from runtime import accounts, audit, sso
from runtime.accounts import SecondStep
from runtime.web.edge import cookie_name, engine, local_url, tell, words
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.messages import say
from schemas.text import LANGUAGES

bp = Blueprint("session", __name__)
YEAR = 365 * 24 * 3600
DEVICE = "mortise_device"


@bp.get("/sign-in")
def form() -> Any:
    if g.signed_in:
        return redirect("/")
    return _form(local_url(request.args.get("next", "/")))


def _form(destination: str, email: str = "", problem: str = "") -> Any:
    with engine().connect() as conn:
        ways = sso.ways(conn)
    page = render_template(
        "runtime/sign_in.html", next=destination, email=email, problem=problem, ways=ways, open=sso.may_sign_up()
    )
    return make_response(page, 422 if problem else 200)


@bp.post("/sign-in")
def enter() -> Any:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    destination = local_url(request.form.get("next", "/"))
    with engine().begin() as conn:
        device = request.cookies.get(DEVICE, "")
        try:
            token = accounts.sign_in(
                conn, email, password, request.remote_addr or "", request.user_agent.string, device
            )
        except Denied as err:
            conn.commit()
            return _form(destination, email, words(err.reason))
        except SecondStep as step:
            conn.commit()
            return render_template("runtime/second_step.html", ticket=step.token, next=destination, problem="")
    return signed_in(token, destination)


@bp.post("/sign-in/second")
def second() -> Any:
    """The code of an authenticator app, or one for recovery."""
    ticket, destination = request.form.get("ticket", ""), local_url(request.form.get("next", "/"))
    with engine().begin() as conn:
        try:
            _, token = accounts.second_step(
                conn, ticket, request.form.get("code", ""), request.remote_addr or "", request.user_agent.string
            )
        except Denied as err:
            conn.commit()
            page = render_template(
                "runtime/second_step.html", ticket=ticket, next=destination, problem=words(err.reason)
            )
            return make_response(page, 422)
        except NotFound:
            tell(say("That took too long. Sign in again."), "error")
            return redirect("/sign-in", 303)
    return signed_in(token, destination)


def signed_in(token: str, destination: str) -> Response:
    """Into a session that is new in every respect; the one before ends, and this browser is known from now on."""
    with engine().begin() as conn:
        if before := request.cookies.get(cookie_name()):
            accounts.sign_out(conn, before)
        found = accounts.resume(conn, token)
    session.clear()
    response = redirect(destination, 303)
    keep(response, cookie_name(), token, int(accounts.SESSION_ENDS.total_seconds()))
    if found:
        keep_device(response, found.account_id)
    return response  # type: ignore[return-value]


def keep_device(response: Any, account: UUID) -> None:
    if not accounts.device_of(account, request.cookies.get(DEVICE, "")):
        keep(response, DEVICE, accounts.device_mark(account), YEAR)


@bp.post("/sign-out")
def leave() -> Any:
    with engine().begin() as conn:
        accounts.sign_out(conn, request.cookies.get(cookie_name(), ""))
        if g.signed_in:
            audit.note_account(conn, g.signed_in.account_id, "sign_in.ended", name=g.signed_in.name)
    return forgotten(redirect("/sign-in", 303))


def forgotten(response: Any) -> Any:
    """This browser shows nothing more, not even by Back."""
    session.clear()
    response.delete_cookie(cookie_name(), secure=request.is_secure, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
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
    except (InvalidInput, Denied) as err:
        errors = err.errors if isinstance(err, InvalidInput) else {"old": [err.reason]}
        return make_response(render_template("runtime/password.html", errors=errors), 422)
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
