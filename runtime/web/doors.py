"""What mails and links lead to: a new password, another address, an invitation, a workspace of one's own.

Pages with a token in their address send no referrer, and change nothing when they are only looked at.
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session

from runtime import account_mail, accounts, audit, invitations, limits, passwords, sso, tickets
from runtime.web.edge import engine, go, language, tell
from runtime.web.session import signed_in
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

bp = Blueprint("doors", __name__)


def _page(name: str, status: int = 200, **values: Any) -> Response:
    response = make_response(
        render_template(f"runtime/{name}.html", **{"errors": {}, "sent": {}, "ways": [], **values}), status
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _stale() -> Response:
    """Used up, withdrawn, too old or never given: all are told the same."""
    title, text = (
        say("This link is no longer good"),
        say("It was used already, withdrawn, or is too old. Ask for a new one."),
    )
    return _page("closed_door", 410, title=title, text=text)


@bp.errorhandler(NotFound)
def stale(err: NotFound) -> Response:
    return _stale()


def _sent(email: str) -> Response:
    return _page("mail_sent", email=email)


# -- a new password --------------------------------------------------------------------------------


@bp.get("/forgot")
def forgot() -> Any:
    return _page("forgot", email=request.args.get("email", "")[:320])


@bp.post("/forgot")
def ask_reset() -> Any:
    """The answer is the same whether there is such an account or not, and takes as long: a job looks it up."""
    email = request.form.get("email", "")
    try:
        with engine().begin() as conn:
            known = account_mail.ask(conn, "reset", email, language(), request.remote_addr or "")
    except InvalidInput as err:
        return _page("forgot", 422, email=email, errors=err.errors)
    return _sent(known)


@bp.get("/reset/<token>")
def reset(token: str) -> Any:
    with engine().connect() as conn:
        tickets.look(conn, "reset", token)
    return _page("reset", token=token)


@bp.post("/reset/<token>")
def set_password(token: str) -> Any:
    """The new password ends every session, and the owner signs in with it: a second step stays what it was."""
    try:
        with engine().begin() as conn:
            found = tickets.use(conn, "reset", token)
            if found.account_id is None:
                raise NotFound
            known = accounts.account(conn, found.account_id)
            passwords.require_good(request.form.get("new", ""), known.name, known.email, field="new")
            accounts.set_password(conn, known.id, request.form.get("new", ""))
            accounts.note_verified(conn, known.id)
            limits.forget(conn, f"account:{known.email}")
            audit.note_account(conn, known.id, "account.password_reset", name=known.name)
    except InvalidInput as err:
        return _page("reset", 422, token=token, errors=err.errors)
    session.clear()
    tell(say("The password is changed. Sign in with the new one."))
    return redirect("/sign-in", 303)


@bp.get("/email/<token>")
def email(token: str) -> Any:
    with engine().connect() as conn:
        found = tickets.look(conn, "email", token)
    return _page("confirm_email", token=token, email=found.data["email"])


@bp.post("/email/<token>")
def change_email(token: str) -> Any:
    with engine().begin() as conn:
        new = account_mail.change_email(conn, token, language())
    tell(say("You now sign in as {email}.", email=new))
    return redirect("/account/security" if g.signed_in else "/sign-in", 303)


# -- invitations and workspaces of one's own ---------------------------------------------------------


@bp.get("/invite/<token>")
def invitation(token: str) -> Any:
    with engine().connect() as conn:
        offer = invitations.offered(conn, token)
        inside = g.signed_in is not None and offer.workspace.id in accounts.workspaces_of(conn, g.signed_in.account_id)
        ways = sso.ways(conn)
    return _page("invitation", offer=offer, token=token, email=offer.email or "", inside=inside, ways=ways)


@bp.post("/invite/<token>")
def accept(token: str) -> Any:
    """With the account that is signed in; else with one that is made now, or proved by a mail."""
    with engine().connect() as conn:
        offer = invitations.offered(conn, token)
    if g.signed_in:
        place = invitations.accept(engine(), offer.id, g.signed_in.account_id)
        return _entered(place.id, say("You are now a member of {name}.", name=place.title))
    try:
        if offer.email is None:
            with engine().begin() as conn:
                email = request.form.get("email", "")
                asked = {"invitation": str(offer.id)}
                return _sent(account_mail.ask(conn, "join", email, language(), request.remote_addr or "", **asked))
        # The link came by mail: it proves the address.
        return _new_member(offer.id, offer.email, lambda: None)
    except InvalidInput as err:
        sent = request.form
        return _page(
            "invitation",
            422,
            offer=offer,
            token=token,
            email=offer.email or "",
            inside=False,
            errors=err.errors,
            sent=sent,
        )


@bp.get("/sign-up")
def sign_up() -> Any:
    _require_open()
    return _page("sign_up", email="")


@bp.post("/sign-up")
def ask_sign_up() -> Any:
    _require_open()
    email = request.form.get("email", "")
    try:
        with engine().begin() as conn:
            known = account_mail.ask(conn, "sign_up", email, language(), request.remote_addr or "")
    except InvalidInput as err:
        return _page("sign_up", 422, email=email, errors=err.errors)
    return _sent(known)


def _require_open() -> None:
    if not sso.may_sign_up():
        raise NotFound


@bp.get("/welcome/<token>")
def welcome(token: str) -> Any:
    return _welcome(token)


def _welcome(token: str, errors: Any = None) -> Any:
    kind, found = _proof(token)
    with engine().connect() as conn:
        known = accounts.find_account(conn, found.data["email"]) is not None
    return _page(
        "welcome", 422 if errors else 200, token=token, email=found.data["email"], known=known, founding=kind == "sign_up",
        errors=errors or {}, sent=request.form,
    )  # fmt: skip


def _proof(token: str) -> tuple[str, tickets.Ticket]:
    with engine().connect() as conn:
        for kind in ("join", "sign_up"):
            try:
                return kind, tickets.look(conn, kind, token)
            except NotFound:
                continue
    raise NotFound


@bp.post("/welcome/<token>")
def settle(token: str) -> Any:
    """Name and password for a new account, or the password of the one there is; then into the workspace."""
    kind, found = _proof(token)

    def use_up() -> None:
        with engine().begin() as conn:
            tickets.use(conn, kind, token)

    try:
        if kind == "join":
            return _new_member(UUID(found.data["invitation"]), found.data["email"], use_up)
        return _founder(found.data["email"], use_up)
    except InvalidInput as err:
        return _welcome(token, err.errors)


def _new_member(invitation: UUID, email: str, use_up: Any) -> Any:
    account, token = _account_of(email)
    place = invitations.accept(engine(), invitation, account)
    use_up()
    return _let_in(account, token, place.id)


def _founder(email: str, use_up: Any) -> Any:
    if not request.form.get("title", "").strip():
        raise InvalidInput({"title": [say("Give the workspace a name of at most {n} characters.", n=60)]})
    account, token = _account_of(email)
    use_up()
    place = invitations.found_workspace(engine(), account, request.form.get("title", ""), language())
    return _let_in(account, token, place.id)


def _account_of(email: str) -> tuple[UUID, str]:
    """The account of a proven address: a new one, or the one there is, whose password is asked. With a session's token.

    Raises InvalidInput, SecondStep is asked for on the page of signing in.
    """
    sent, address = request.form, request.remote_addr or ""
    with engine().begin() as conn:
        known = accounts.find_account(conn, email)
        if known is None:
            name = " ".join(sent.get("name", "").split())
            if not 0 < len(name) <= accounts.LONGEST_NAME:
                raise InvalidInput({"name": [say("Give a name of at most {n} characters.", n=accounts.LONGEST_NAME)]})
            made = accounts.add_account(conn, email, name, sent.get("password", ""), language(), verified=True)
            return made, accounts.entered(conn, made, address, request.user_agent.string)
    # Who has an account signs in to it first; the invitation then waits for a press of a button.
    raise InvalidInput({"password": [say("You have an account already. Sign in first, then follow the link again.")]})


def _let_in(account: UUID, token: str, workspace: UUID) -> Any:
    with engine().begin() as conn:
        found = accounts.resume(conn, token)
        if found:
            accounts.enter_workspace(conn, found, workspace)
    return signed_in(token, "/")


def _entered(workspace: UUID, sentence: Any) -> Any:
    with engine().begin() as conn:
        accounts.enter_workspace(conn, g.signed_in, workspace)
    tell(sentence)
    return go("/")
