"""Pages for people outside, by a public link. No session, no cookie of ours but the link's own, nothing of anybody else."""

import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from flask import Blueprint, current_app, g, jsonify, make_response, redirect, render_template, request

from runtime import events, files, filling, limits, offers, proofs, public_answers, public_links, query
from runtime.access import door
from runtime.context import Context
from runtime.filling import Filling
from runtime.public_answers import Visit
from runtime.public_links import Closed, Kept, enter, of
from runtime.retry import attempt
from runtime.tables import LiveTable, live
from runtime.web import forms, public_pages
from runtime.web.dashboards import tile
from runtime.web.edge import (
    POLICY,
    answers_of_request,
    engine,
    is_fragment,
    language,
    record_id,
    words,
)
from runtime.web.files import sent as sent_file
from runtime.web.files import shown_small, storage
from runtime.web.frame import mark
from runtime.workspaces import find, opened
from schemas.errors import Conflict, Denied, InvalidInput, NotFound
from schemas.fields.choice import Choice
from schemas.fields.file import viewed_as
from schemas.fields.link import Link
from schemas.form import Form
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.public_link import DEVICE
from schemas.text import Text

bp = Blueprint("public", __name__)

MOST_ANSWERS, MOST_ANSWERS_BY_ALL = 30, 1_000
MOST_LOOKUPS, MOST_LOOKUPS_BY_ALL = 30, 1_000
MOST_PASSWORDS, MOST_PASSWORDS_BY_ALL = 10, 200
MOST_PICKS, MOST_UPLOADS = 300, 60
"""In a quarter of an hour, from one network; and by everybody together."""
LARGEST_UPLOAD = 20_000_000
PASS, MARK = "link_pass", "link_mark"
A_YEAR = 365 * 24 * 60 * 60
NO_PROOF = say("This page has not finished proving that it is open in a browser. Wait a moment and send again.")
STALE = say("This page is out of date. Load it again and send again.")


# -- coming in ---------------------------------------------------------------------------------------


@contextmanager
def link(token: str, locked: bool = True) -> Iterator[Context]:
    """One transaction of whoever has the link. Raises NotFound, Closed, and Locked before its password is given."""
    slug, _, secret = token.partition(".")
    with engine().connect() as conn:
        g.workspace = find(conn, slug=slug)
    with opened(engine(), g.workspace, language=language()) as ctx:
        entered = enter(ctx, secret, f"/p/{token}")
        kept = g.public_link = of(entered)
        if locked and kept.password is not None and not _has_pass(kept):
            raise Locked
        mark(entered, public_pages.inst_of(entered))
        yield entered


class Locked(Exception):
    """The link asks for a password first."""


def _has_pass(kept: Kept) -> bool:
    own = proofs.pass_of(_secret(), kept.id, kept.password or "")
    return hmac.compare_digest(request.cookies.get(PASS, "").encode("utf-8", "replace"), own.encode())


def _secret() -> str:
    return str(current_app.secret_key)


def ticket() -> str:
    """The page's ticket: the one that it was sent with while that is good, else a fresh one."""
    kept: Kept | None = g.get("public_link")
    if kept is None:
        return ""
    if "public_ticket" not in g:
        given = _given_ticket()
        good = proofs.is_ticket(_secret(), kept.id, given)
        g.public_ticket = given if good else proofs.ticket(_secret(), kept.id)
    return str(g.public_ticket)


def _given_ticket() -> str:
    return request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")


def _require_ticket(kept: Kept) -> None:
    """Raises Denied for what was not sent from a page of this link."""
    if not proofs.is_ticket(_secret(), kept.id, _given_ticket()):
        raise Denied(STALE)


def _require_proof(kept: Kept) -> None:
    """Raises InvalidInput where the page's work has not been done."""
    _require_ticket(kept)
    if kept.settings.captcha and not proofs.proves(_given_ticket(), request.form.get("_proof", "")):
        raise InvalidInput({"": [NO_PROOF]})


def _count(kept: Kept, what: str, most: int, by_all: int = 0) -> None:
    """Raises Denied for what comes too often, from one network or from everywhere."""
    limits.count(engine(), f"link:{what}:{kept.id}:{limits.network(request.remote_addr or '')}", most)
    if by_all:
        limits.count(engine(), f"link:{what}:{kept.id}", by_all)


# -- answers -----------------------------------------------------------------------------------------


def page(template: str, status: int = 200, **values: Any) -> Any:
    """A page of the link, kept by nobody on the way and found by no search; shown inside the sites that the link names."""
    kept: Kept | None = g.get("public_link")
    answer = make_response(render_template(f"public/{template}.html", link=kept, **values), status)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    if kept is not None and kept.settings.sites:
        answer.headers["Content-Security-Policy"] = _policy(kept.settings.sites)
        g.embedded = True
    if kept is not None and kept.settings.once == DEVICE and MARK not in request.cookies:
        _keep(answer, MARK, secrets.token_urlsafe(24))
    return answer


def _policy(sites: tuple[str, ...]) -> str:
    return POLICY.replace("frame-ancestors 'none'", f"frame-ancestors 'self' {' '.join(sites)}")


def _keep(answer: Any, name: str, value: str, age: int | None = A_YEAR) -> None:
    """A cookie of this link alone. Inside another site a browser only sends it when it is told that it may."""
    token = (request.view_args or {}).get("token", "")
    framed = bool(g.public_link.settings.sites) and request.is_secure
    answer.set_cookie(
        name, value, max_age=age, path=f"/p/{token}", httponly=True, secure=request.is_secure,
        samesite="None" if framed else "Lax", partitioned=framed,
    )  # fmt: skip


def told(reason: Message, status: int) -> Any:
    """A refusal in words: a sentence for scripts, a page for people."""
    return page("closed", status, reason=reason)


@bp.errorhandler(Closed)
def closed(err: Closed) -> Any:
    g.pop("public_link", None)
    return told(err.reason, 410)


@bp.errorhandler(NotFound)
def missing(err: NotFound) -> Any:
    g.pop("public_link", None)
    return told(say("There is nothing here."), 404)


@bp.errorhandler(Denied)
def refused(err: Denied) -> Any:
    return told(err.reason, 429 if err.reason.text.startswith("Too many") else 403)


@bp.errorhandler(InvalidInput)
def invalid(err: InvalidInput) -> Any:
    said = [message for messages in err.errors.values() for message in messages]
    return told(Message(" ".join(words(m) for m in said)), 422)


@bp.errorhandler(Locked)
def locked(err: Locked) -> Any:
    return page("locked", 401, errors=[])


@bp.post("/p/<token>/enter")
def unlock(token: str) -> Any:
    with link(token, locked=False) as ctx:
        kept = of(ctx)
    _require_ticket(kept)
    _count(kept, "password", MOST_PASSWORDS, MOST_PASSWORDS_BY_ALL)
    if not public_links.opens_with(kept, request.form.get("password", "")):
        return page("locked", 422, errors=[say("This is not the password.")])
    answer = make_response(redirect(f"/p/{token}/", 303))
    if kept.password is not None:
        _keep(answer, PASS, proofs.pass_of(_secret(), kept.id, kept.password), None)
    return answer


# -- showing -----------------------------------------------------------------------------------------


@bp.get("/p/<token>/")
def show(token: str) -> Any:
    with link(token) as ctx:
        if not is_fragment():
            public_links.note_visit(ctx)
        return SHOWN[of(ctx).kind](ctx)


def _form(ctx: Context) -> Any:
    if of(ctx).full:
        raise Closed(public_links.FULL)
    table, form = _table_and_form(ctx)
    given = request.args.to_dict()
    return form_page(ctx, public_answers.blank(ctx, table, form, given))


def _table_and_form(ctx: Context) -> tuple[LiveTable, Form]:
    inst = public_pages.inst_of(ctx)
    form = inst.app.all_forms[of(ctx).target]
    return live(ctx, inst, form.table), form


def form_page(ctx: Context, current: Filling, status: int = 200, key: str = "") -> Any:
    """The form; after something was typed or refused, its fragment."""
    base = ctx.actor.base + (f"/e/{key}" if key else "")  # type: ignore[attr-defined]
    values = {
        "bound": current.bound(ctx), "filling": current, "inst": current.live.inst, "form": current.form, "public": True,
        "title": current.form.title or current.live.table.title or Text.of(current.form.id),
        "url": f"{base}/", "live_url": f"{base}/live", "draft": None, "draft_url": "", "back": "",
        "conflict": forms.conflict(ctx, current), "changing": bool(key),
        "cover_url": forms.cover_url(f"{ctx.actor.base}/cover", current.form),  # type: ignore[attr-defined]
        "proof": "" if key or not of(ctx).settings.captcha else proofs.BITS,
    }  # fmt: skip
    if request.method == "POST" and is_fragment():
        return make_response(render_template("runtime/_form.html", **values), status)
    return page("form", status, **values)


@bp.get("/p/<token>/cover")
def cover(token: str) -> Any:
    with link(token) as ctx:
        if of(ctx).kind != "fill":
            raise NotFound
        return forms.covered(_table_and_form(ctx)[1])


def _lookup(ctx: Context, errors: dict[str, Any] | None = None, status: int = 200, found: Any = None) -> Any:
    fields = public_pages.key_fields(ctx)
    return page(
        "lookup", status, title=public_pages.title(ctx), keys=fields, sent=request.form, errors=errors or {},
        found=found, proof=proofs.BITS if of(ctx).settings.captcha else "",
    )  # fmt: skip


def _record(ctx: Context) -> Any:
    return page("record", title=public_pages.title(ctx), **public_pages.record(ctx, of(ctx).record))


def _view(ctx: Context) -> Any:
    return page("view", title=public_pages.title(ctx), **public_pages.listed(ctx, request.args))


def _dashboard(ctx: Context) -> Any:
    inst = public_pages.inst_of(ctx)
    board = inst.app.dashboard(of(ctx).target)
    assert board is not None
    tiles = [
        {"at": ",".join(map(str, place)), **public_pages.quiet(tile(ctx, inst, board, widget))}
        for widget, place in board.places()
    ]
    return page("dashboard", title=public_pages.title(ctx), tiles=tiles, inst=inst, board=board)


SHOWN: dict[str, Callable[[Context], Any]] = {
    "fill": _form, "lookup": _lookup, "record": _record, "view": _view, "dashboard": _dashboard
}  # fmt: skip


@bp.get("/p/<token>/record/<record>")
def one(token: str, record: str) -> Any:
    """A record of the view that the link shows."""
    with link(token) as ctx:
        if of(ctx).kind != "view":
            raise NotFound
        values = public_pages.record(ctx, record_id(record))
        if is_fragment():
            return make_response(render_template("public/_record_drawer.html", **values))
        return page("record", **{"title": values["record_title"], "back": f"/p/{token}/", **values})


@bp.post("/p/<token>/find")
def look_up(token: str) -> Any:
    """The records of which the visitor knows what the link asks. What they enter stands in no address."""
    with link(token) as ctx:
        kept = of(ctx)
        if kept.kind != "lookup":
            raise NotFound
        try:
            _require_proof(kept)
            _count(kept, "lookup", MOST_LOOKUPS, MOST_LOOKUPS_BY_ALL)
            public_links.note_visit(ctx)
            found = public_pages.look_up(ctx, request.form)
        except InvalidInput as err:
            return _lookup(ctx, err.errors, 422)
        g.public_ticket = proofs.ticket(_secret(), kept.id)
        return _lookup(ctx, found=found)


# -- filling in --------------------------------------------------------------------------------------


@bp.post("/p/<token>/live")
def live_values(token: str) -> Any:
    """The form as it stands with what has been typed so far; nothing is saved."""
    with link(token) as ctx:
        _only_filling(ctx)
    return forms.live_answered(
        lambda: link(token), lambda ctx: forms.as_typed(ctx, _begun(ctx)), form_page, _events_of_visitor
    )


def _events_of_visitor(ctx: Context) -> str:
    return f"link:event:{of(ctx).id}:{limits.network(request.remote_addr or '')}"


def _only_filling(ctx: Context) -> None:
    if of(ctx).kind != "fill":
        raise NotFound
    _require_ticket(of(ctx))


@bp.post("/p/<token>/")
def send(token: str) -> Any:
    """An answer. Everything that holds of a member's holds of it."""
    answers = {name: value for name, value in answers_of_request().items() if not name.startswith("_")}
    with link(token) as ctx:
        _only_filling(ctx)
        kept = of(ctx)
    visit = Visit(_given_ticket(), request.cookies.get(MARK, ""))

    brought: dict[str, Any] | None = None

    def story() -> Any:
        with link(token) as ctx:
            table, form = _table_and_form(ctx)
            if brought is None and form.asks_at_sending:
                raise events.AskFirst
            return public_answers.send(ctx, table, form, answers, visit, brought)

    try:
        _require_proof(kept)
        _count(kept, "answer", MOST_ANSWERS, MOST_ANSWERS_BY_ALL)
        try:
            id = attempt(story)
        except events.AskFirst:
            brought = events.at_sending(lambda: link(token), lambda ctx: filling.as_sent(ctx, _begun(ctx), answers))
            id = attempt(story)
    except InvalidInput as err:
        with link(token) as ctx:
            return form_page(ctx, filling.refused(ctx, _begun(ctx), answers, err), 422)
    where = f"e/{proofs.answer_key(_secret(), kept.id, id)}/thanks" if kept.settings.edit else "thanks"
    return _go(f"/p/{token}/{where}")


def _begun(ctx: Context) -> Filling:
    return public_answers.blank(ctx, *_table_and_form(ctx), {})


def _go(url: str) -> Any:
    if is_fragment():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = url
        return answer
    return redirect(url, 303)


@bp.get("/p/<token>/thanks")
def thanks(token: str) -> Any:
    with link(token) as ctx:
        if of(ctx).kind != "fill":
            raise NotFound
        return page("thanks", title=public_pages.title(ctx), private="")


@bp.get("/p/<token>/e/<key>/thanks")
def thanks_with_key(token: str, key: str) -> Any:
    with link(token) as ctx:
        _at(ctx, key)
        return page("thanks", title=public_pages.title(ctx), private=f"/p/{token}/e/{key}/")


def _at(ctx: Context, key: str) -> Context:
    return public_answers.of_key(ctx, proofs.answer_of(_secret(), of(ctx).id, key))


@bp.get("/p/<token>/e/<key>/")
def answer(token: str, key: str) -> Any:
    """An answer again, by the private address that its giver was shown."""
    with link(token) as ctx:
        at = _at(ctx, key)
        return form_page(at, public_answers.begun(at, *_table_and_form(at)), key=key)


@bp.post("/p/<token>/e/<key>/live")
def live_answer(token: str, key: str) -> Any:
    with link(token) as ctx:
        _require_ticket(of(ctx))
        _at(ctx, key)

    def typed(ctx: Context) -> Filling:
        at = _at(ctx, key)
        return forms.as_typed(at, public_answers.begun(at, *_table_and_form(at)))

    def drawn(ctx: Context, current: Filling) -> Any:
        return form_page(_at(ctx, key), current, key=key)

    return forms.live_answered(lambda: link(token), typed, drawn, _events_of_visitor)


@bp.post("/p/<token>/e/<key>/")
def change_answer(token: str, key: str) -> Any:
    answers = {name: value for name, value in answers_of_request().items() if not name.startswith("_")}
    with link(token) as ctx:
        kept = of(ctx)
        _require_ticket(kept)
        _at(ctx, key)
    _count(kept, "answer", MOST_ANSWERS, MOST_ANSWERS_BY_ALL)

    def story() -> None:
        with link(token) as ctx:
            at = _at(ctx, key)
            seen = read_whole(request.form.get("_version", ""))
            public_answers.change(at, *_table_and_form(at), answers, seen, request.form.get("_once", "")[:80])

    try:
        attempt(story)
    except (InvalidInput, Conflict) as err:
        with link(token) as ctx:
            at = _at(ctx, key)
            again = filling.refused(at, public_answers.begun(at, *_table_and_form(at)), answers, err)
            return form_page(at, again, 422 if isinstance(err, InvalidInput) else 409, key)
    return _go(f"/p/{token}/e/{key}/thanks")


# -- what a form needs -------------------------------------------------------------------------------


@bp.get("/p/<token>/pick/<path>")
def pick(token: str, path: str) -> Any:
    """What may be chosen for a field that the link asks for, as JSON `[{id, text, note}]`: titles, nothing else."""
    with link(token) as ctx:
        kept = of(ctx)
        if kept.kind != "fill":
            raise NotFound
        _count(kept, "pick", MOST_PICKS)
        table, _ = _table_and_form(ctx)
        field = table.table.by_id.get(path)
        if field is None or kept.settings.use(path) not in ("ask", "prefill") or not door(ctx, table).may("create"):
            raise NotFound
        text = request.args.get("q", "")[:100]
        if isinstance(field, Choice) and field.source:
            found = offers.offered(ctx, table, field, forms.typed(ctx, table), text)
            return jsonify([{"id": value, "text": value} for value in found])
        if not isinstance(field, Link):
            raise NotFound
        target = door(ctx, table.sibling(field.table))
        if not target.may("read"):
            return jsonify([])
        chosen = query.suggest(target, text, forms.picks(ctx, table, field, target.live, path))
        return jsonify([{"id": str(id), "text": title or "–", "note": ""} for id, title in chosen])


@bp.post("/p/<token>/upload/<path>")
def upload(token: str, path: str) -> Any:
    with link(token) as ctx:
        kept = of(ctx)
        _only_filling(ctx)
        _count(kept, "upload", MOST_UPLOADS)
        body = request.files.get("file")
        if body is None:
            raise InvalidInput({path: [say("Choose a file.")]})
        with closing(body.stream):
            if (request.content_length or 0) > LARGEST_UPLOAD:
                raise InvalidInput({path: [say("The file is larger than {n} MB.", n=LARGEST_UPLOAD // 1_000_000)]})
            table, _ = _table_and_form(ctx)
            made = files.upload(ctx, storage(), table, path, body.filename or "", body.stream)
            url = f"/p/{token}/file/new/{path}/{made.id}"
            small = f"{url}?size=small" if files.file_field(table, path).pictures else ""
            view = f"{url}?view=1" if viewed_as(made.name) else ""
            return jsonify(
                {"id": str(made.id), "text": made.name, "url": url, "view": view, "thumbnail": small, "size": made.size}
            )


@bp.get("/p/<token>/file/<record>/<path>/<id>")
def download(token: str, record: str, path: str, id: str) -> Any:
    """The bytes of a file of a record that the link shows, or of an upload by this link that no record has yet."""
    with link(token) as ctx:
        table = public_pages.table_of(ctx)
        file_id = record_id(id)
        if record == "new":
            kept = files.own_upload(ctx, file_id)
        else:
            kept = files.open_file(ctx, table, None if record == "-" else record_id(record), path, file_id)
        if request.args.get("size") == "small":
            if not files.file_field(table, path).pictures:
                raise NotFound
            return shown_small(ctx, kept)
        return sent_file(ctx, kept, bool(request.args.get("view")))
