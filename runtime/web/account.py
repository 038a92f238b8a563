"""My account: who I am, how I sign in, where I am signed in, and which workspaces I belong to."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask import Blueprint, g, make_response, redirect, render_template, request

from runtime import account_mail, accounts, audit, codes, invitations, membership, people, second_factor, sso
from runtime.context import Context
from runtime.devices import device
from runtime.web.edge import confirmed, engine, go, language, local_url, record_id, tell, words, work
from runtime.web.frame import frame
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.messages import say

bp = Blueprint("account", __name__)
ZONES = sorted(
    z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "posix/", "right/", "SystemV/"))
)


def _page(name: str, conn: Any, status: int = 200, **values: Any) -> Any:
    own = accounts.account(conn, g.signed_in.account_id)
    page = {"errors": {}, "sent": {}, "own": own, "tab": name, "local": _local(own.zone), **values}
    if g.signed_in.workspace_id:
        with work() as ctx:
            frame(ctx)
            page.setdefault("member", membership.one(ctx, ctx.actor.id) if ctx.actor.id else None)
    return make_response(render_template(f"runtime/account_{name}.html", **page), status)


def _local(zone: str | None) -> Any:
    """Moments on the clock that the person chose, for what is theirs and no workspace's."""
    clock = ZoneInfo(zone) if zone in ZONES else g.workspace.zone if "workspace" in g else ZoneInfo("UTC")
    return lambda at: at.astimezone(clock).strftime("%Y-%m-%d %H:%M")


# -- who I am --------------------------------------------------------------------------------------


@bp.get("/account/")
def profile() -> Any:
    with engine().connect() as conn:
        return _page("profile", conn, zones=ZONES)


@bp.post("/account/")
def describe() -> Any:
    sent = request.form
    try:
        with engine().begin() as conn:
            zone = sent.get("zone", "")
            accounts.describe(
                conn,
                g.signed_in.account_id,
                sent.get("name", ""),
                sent.get("language", ""),
                zone if zone in ZONES else "",
            )
        if g.signed_in.workspace_id:
            with work() as ctx:
                _describe_here(ctx)
    except InvalidInput as err:
        with engine().connect() as conn:
            return _page("profile", conn, 422, zones=ZONES, errors=err.errors, sent=sent)
    tell(say("Saved."))
    return redirect("/account/", 303)


def _describe_here(ctx: Context) -> None:
    """Name and phone in this workspace. Job title and department are its administrators' to say: rights may follow them."""
    if ctx.actor.id is not None:
        people.describe_self(ctx, request.form.get("name", ""), request.form.get("phone", ""))


# -- how I sign in ---------------------------------------------------------------------------------


@bp.get("/account/security")
def security() -> Any:
    with engine().connect() as conn:
        return _security(conn)


def _security(conn: Any, status: int = 200, **values: Any) -> Any:
    id = g.signed_in.account_id
    more = {
        "codes_left": second_factor.codes_left(conn, id), "demanded": second_factor.demanded(conn, id),
        "linked": sso.linked(conn, id), "ways": sso.ways(conn),
    }  # fmt: skip
    return _page("security", conn, status, **{**more, **values})


@bp.post("/account/email")
def email() -> Any:
    confirmed()
    try:
        with engine().begin() as conn:
            asked = request.form.get("email", "")
            id = g.signed_in.account_id
            new = account_mail.ask(conn, "email", asked, language(), request.remote_addr or "", account=str(id))
            audit.note_account(conn, id, "account.email_asked", new, name=g.signed_in.name)
    except InvalidInput as err:
        with engine().connect() as conn:
            return _security(conn, 422, errors=err.errors, sent=request.form)
    tell(say("We wrote to {email}. The address changes when the link in that mail is followed.", email=new))
    return redirect("/account/security", 303)


@bp.post("/account/two-step")
def begin_two_step() -> Any:
    """The secret, as a picture for the phone and as letters."""
    confirmed()
    with engine().begin() as conn:
        token, secret = second_factor.begin(conn, g.signed_in.account_id)
    return _two_step(token, secret)


def _two_step(token: str, secret: str, errors: Any = None) -> Any:
    uri = second_factor.address(secret, g.signed_in.email)
    picture = codes.code_svg(uri, label=words(say("Code for the authenticator app")))
    spaced = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    with engine().connect() as conn:
        return _page(
            "two_step", conn, 422 if errors else 200, token=token, picture=picture, secret=spaced, errors=errors or {}
        )


@bp.post("/account/two-step/on")
def turn_on() -> Any:
    confirmed()
    token, id = request.form.get("token", ""), g.signed_in.account_id
    try:
        with engine().begin() as conn:
            made = second_factor.turn_on(conn, id, token, request.form.get("code", ""))
    except NotFound:
        tell(say("This page is too old. Begin anew."), "error")
        return redirect("/account/security", 303)
    except InvalidInput as err:
        with engine().connect() as conn:
            secret = second_factor.begun(conn, id, token)
        return _two_step(token, secret, err.errors)
    with engine().connect() as conn:
        return _page("codes", conn, codes=made)


@bp.post("/account/two-step/off")
def turn_off() -> Any:
    confirmed()
    with engine().begin() as conn:
        second_factor.turn_off(conn, g.signed_in.account_id)
    tell(say("Two-step sign-in is off."))
    return redirect("/account/security", 303)


@bp.post("/account/codes")
def new_codes() -> Any:
    confirmed()
    with engine().begin() as conn:
        if not second_factor.wanted(conn, g.signed_in.account_id):
            raise NotFound
        made = second_factor.new_codes(conn, g.signed_in.account_id)
    with engine().connect() as conn:
        return _page("codes", conn, codes=made)


@bp.post("/account/unlink")
def unlink() -> Any:
    confirmed()
    with engine().begin() as conn:
        sso.unlink(conn, g.signed_in.account_id, request.form.get("issuer", ""))
    tell(say("Saved."))
    return redirect("/account/security", 303)


# -- it is me --------------------------------------------------------------------------------------


@bp.get("/account/confirm")
def confirm() -> Any:
    with engine().connect() as conn:
        return _confirm(conn)


def _confirm(conn: Any, problem: Any = None) -> Any:
    destination = local_url(request.values.get("next", "/account/"), "/account/")
    issuers = {issuer for issuer, _ in sso.linked(conn, g.signed_in.account_id)}
    ways = [way for way in sso.ways(conn) if way.issuer in issuers]
    return _page("confirm", conn, 422 if problem else 200, next=destination, problem=problem, ways=ways)


@bp.post("/account/confirm")
def prove() -> Any:
    sent = request.form
    with engine().begin() as conn:
        try:
            accounts.confirm(conn, g.signed_in, sent.get("password", ""), sent.get("code", ""))
        except Denied as err:
            conn.commit()
            with engine().connect() as other:
                return _confirm(other, err.reason)
    return go(local_url(sent.get("next", "/account/"), "/account/"))


# -- where I am signed in --------------------------------------------------------------------------


@bp.get("/account/sessions")
def sessions() -> Any:
    with engine().connect() as conn:
        found = [(one, device(one.agent)) for one in accounts.sessions(conn, g.signed_in)]
        return _page("sessions", conn, sessions=found)


@bp.post("/account/sessions/end")
def end_sessions() -> Any:
    """One of them, or all but this one."""
    with engine().begin() as conn:
        if id := request.form.get("session", ""):
            accounts.end_session(conn, g.signed_in, id)
        else:
            accounts.end_others(conn, g.signed_in)
    tell(say("Signed out there."))
    return redirect("/account/sessions", 303)


# -- where I belong --------------------------------------------------------------------------------


@bp.get("/account/workspaces")
def workspaces() -> Any:
    with engine().connect() as conn:
        return _page(
            "workspaces", conn, belongings=accounts.belongings(conn, g.signed_in.account_id), open=sso.may_sign_up()
        )


@bp.post("/account/workspaces/leave")
def leave() -> Any:
    confirmed()
    try:
        invitations.leave(engine(), g.signed_in.account_id, record_id(request.form.get("workspace", "")))
    except InvalidInput as err:
        with engine().connect() as conn:
            there = accounts.belongings(conn, g.signed_in.account_id)
            return _page("workspaces", conn, 422, belongings=there, open=sso.may_sign_up(), errors=err.errors)
    tell(say("You have left the workspace."))
    return redirect("/account/workspaces", 303)


@bp.post("/account/workspaces/new")
def found() -> Any:
    """A further workspace, where everybody may make one."""
    if not sso.may_sign_up():
        raise NotFound
    made = invitations.found_workspace(engine(), g.signed_in.account_id, request.form.get("title", ""), language())
    with engine().begin() as conn:
        accounts.enter_workspace(conn, g.signed_in, made.id)
    return go("/")


# -- the switcher ----------------------------------------------------------------------------------


@bp.get("/workspaces/menu")
def menu() -> Any:
    """What the switcher opens: the person's workspaces."""
    with engine().connect() as conn:
        there = accounts.belongings(conn, g.signed_in.account_id)
    return render_template("runtime/_workspaces_menu.html", belongings=there, next="/")


@bp.post("/workspaces/switch")
def switch() -> Any:
    """Go on in another workspace of one's own, at its workbench or where a link of it led."""
    id = record_id(request.form.get("workspace", ""))
    destination = local_url(request.form.get("next", "/"))
    with engine().begin() as conn:
        accounts.enter_workspace(conn, g.signed_in, id)
        title = next(b.title for b in accounts.belongings(conn, g.signed_in.account_id) if b.id == id)
    tell(say("You are in {name} now.", name=title))
    return go(destination)
