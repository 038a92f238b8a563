"""What every door shares: who asks, one transaction, page or fragment, and the answer to each refusal."""

import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from babel.dates import format_skeleton
from flask import (
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import Babel, get_locale, get_translations, gettext
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.urls import iri_to_uri

from runtime import accounts, audit, definitions, people, second_factor, viewing, wording
from runtime.access import may_enter
from runtime.cells import tone_of
from runtime.codes import code_svg
from runtime.context import Context
from runtime.definitions import Installed
from runtime.described import described
from runtime.input_names import off_page
from runtime.listing import FilterFields
from runtime.retry import attempt, was_given_up
from runtime.settings import Settings
from runtime.tables import LiveTable, live
from runtime.workspaces import opened
from schemas.errors import BadValue, Conflict, DefinitionError, Denied, InvalidInput, NotFound
from schemas.messages import Message, fill
from schemas.source import read_json
from schemas.text import LANGUAGES, UNKEEPABLE, Text

Result = TypeVar("Result")

COOKIE = "mortise_session"
TRANSLATIONS = Path(__file__).parents[1] / "translations"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SAFE = ("GET", "HEAD", "OPTIONS")
VIEW = "view_as"
"""Where the session keeps as whom an administrator looks at apps."""
LOOKED_AT = {"home", "views", "records", "forms", "dashboards", "files", "printing", "viewing"}
LIVE = {"forms.live_values"}
LEAVING = {"viewing.stop", "session.leave", "session.language", "healthz", None}
OPEN_ENDPOINTS = {
    "session.form", "session.enter", "session.second", "session.language", "static", "healthz", "doors.forgot", "doors.ask_reset",
    "doors.reset", "doors.set_password", "doors.email", "doors.change_email", "doors.sign_up", "doors.ask_sign_up", "doors.invitation",
    "doors.accept", "doors.welcome", "doors.settle", "sso.begin", "sso.back", "replies.show", "replies.decide", "notices.calendar",
}  # fmt: skip
"""What answers somebody who has not signed in."""


def install(app: Flask) -> None:
    """Give an application the edge."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, locale_selector=language)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _translations().ugettext(text),
        lambda one, many, count: _translations().ungettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.filters["words"] = words
    app.jinja_env.filters["described"] = formatted
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["dated"] = dated
    app.jinja_env.filters["code_svg"] = code_svg
    app.jinja_env.filters["tone_of"] = tone_of
    app.jinja_env.filters["absolute"] = absolute
    app.jinja_env.globals["condition_fields"] = condition_fields
    app.jinja_env.globals["conditions_json"] = conditions_json
    app.jinja_env.globals["icon_sheet"] = icon_sheet
    app.jinja_env.globals["script_words"] = lambda: _script_words(_words_language())
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_guard)
    app.teardown_request(lambda _: wording.use(str))
    app.after_request(_headers)
    app.context_processor(lambda: {"csrf_token": csrf_token, "theme_of_request": theme_of_request})
    app.context_processor(_frame)
    for refusal, answer in ANSWERS.items():
        app.register_error_handler(refusal, answer)


# -- language --------------------------------------------------------------------------------------


def language() -> str:
    """The person's, else the browser's among ours, else Chinese; for a program what it asks for, else the workspace's."""
    if for_programs():
        asked = request.accept_languages.best_match(LANGUAGES)
        return asked or (g.workspace.language if "workspace" in g else LANGUAGES[0])
    signed_in = g.get("signed_in")
    chosen = (signed_in and signed_in.language) or request.cookies.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _translations() -> Any:
    """The request's catalogue, found once: a page asks it for hundreds of sentences."""
    if "translations" not in g:
        g.translations = get_translations()
    return g.translations


def _words_language() -> str:
    if "words_language" not in g:
        g.words_language = str(get_locale())
    return str(g.words_language)


def formatted(text: Any) -> Markup:
    """A definition's description in the reader's language, as markup that is safe."""
    return Markup(described(words(text)))  # noqa: S704


def words(text: Any) -> str:
    """A Message or Text in the reader's language; anything else as it is."""
    if isinstance(text, Message):
        said = _translations().ugettext(text.text) if text.text else ""
        return fill(said, {name: words(value) for name, value in text.values.items()})
    if isinstance(text, Text):
        return text.in_language(_words_language())
    return "" if text is None else str(text)


@cache
def _script_words(language: str) -> Markup:
    """The sentences of the scripts in the request's language: on every page, and always the same."""
    return Markup(render_template("_words.html"))


def icon_sheet() -> str:
    """The address of the icons, found once: a page draws dozens of them."""
    if "icon_sheet" not in g:
        g.icon_sheet = url_for("static", filename="icons.svg")
    return str(g.icon_sheet)


def absolute(path: str) -> str:
    """An address of ours as others reach it."""
    return Settings.read().public_url.rstrip("/") + path


def moment(at: datetime | None) -> str:
    """A moment on the workspace's clock."""
    zone = g.workspace.zone if "workspace" in g else UTC
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""


def dated(day: date, skeleton: str) -> str:
    """A day as the reader's language writes it; `skeleton` names the parts, as CLDR does: yMMMM, MMMd, EEE."""
    return format_skeleton(skeleton, datetime.combine(day, time()), locale=_words_language())


def condition_fields(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the script of the filter panel must know of each field."""
    told: dict[Any, str] = {}

    def once(message: Any) -> str:
        if message not in told:
            told[message] = words(message)
        return told[message]

    return [
        {
            "id": f["id"], "kind": f["kind"],
            "operators": [{"id": o.id, "text": once(o.words), "values": o.values} for o in f["operators"]],
            "options": [{"id": id, "text": words(label)} for id, label in f["options"]],
            "source": f.get("source", ""),
        }
        for f in fields
    ]  # fmt: skip


def conditions_json(fields: FilterFields) -> Markup:
    """The same as JSON, made once for each language."""
    language = _words_language()
    if language not in fields.drawn:
        fields.drawn[language] = htmlsafe_json_dumps(condition_fields(fields))
    return fields.drawn[language]


def theme_of_request() -> str:
    theme = request.cookies.get("theme", "auto")
    return theme if theme in ("auto", "light", "dark") else "auto"


# -- who asks --------------------------------------------------------------------------------------


def engine() -> Any:
    return current_app.extensions["engine"]


def _guard() -> Response | None:
    """Finds the session, and refuses what was not sent by our own pages."""
    g.signed_in = None
    if request.endpoint == "static":
        return None
    wording.use(words)
    audit.come_from(request.remote_addr or "", request.user_agent.string)
    if for_strangers():
        _public()
        return None  # a link is no session: whoever has one is nobody we know
    if for_programs() or (request.endpoint is None and request.path.startswith("/api/")):
        return None  # its doors ask for a token themselves; a session opens none of them
    if token := request.cookies.get(cookie_name()):
        with engine().begin() as conn:
            g.signed_in = accounts.resume(conn, token, request.remote_addr or "")
            if g.signed_in and g.signed_in.workspace:
                g.workspace = g.signed_in.workspace
    _refuse_unkeepable()
    if request.method not in SAFE:
        _refuse_strangers()
    if g.signed_in is None and request.endpoint not in OPEN_ENDPOINTS and request.endpoint is not None:
        return _ask_to_sign_in()
    if g.signed_in is not None and session.get(VIEW):
        _only_apps()
    return _elsewhere() or _second_factor_first()


def cookie_name() -> str:
    """Over TLS a name that browsers let no other host, path or plain page set."""
    return f"__Host-{COOKIE}" if request.is_secure else COOKIE


WITHOUT_FACTOR = ("account.", "session.", "doors.", "sso.")


def _second_factor_first() -> Response | None:
    """Where the workspace wants everybody to have a second factor, nothing of it is shown to one who has none."""
    signed_in = g.signed_in
    if signed_in is not None and "workspace" not in g and request.endpoint not in OPEN_ENDPOINTS | {None}:
        return None if (request.endpoint or "").startswith(WITHOUT_FACTOR) else go("/account/workspaces")
    if signed_in is None or "workspace" not in g or (request.endpoint or "").startswith(WITHOUT_FACTOR):
        return None
    if not g.workspace.second_factor or request.endpoint in OPEN_ENDPOINTS:
        return None
    with engine().begin() as conn:
        if second_factor.wanted(conn, signed_in.account_id):
            return None
    return go("/account/security")


def _elsewhere() -> Response | None:
    """A page or a link of another workspace says so, instead of showing this one's."""
    if g.signed_in is None or "workspace" not in g or request.endpoint == "account.switch":
        return None
    page = request.headers.get("X-Workspace", "")
    if request.method in SAFE and page and page != g.workspace.slug:
        response = make_response("", 204)
        response.headers["HX-Refresh"] = "true"
        return response
    meant = request.args.get("w", "")
    if request.method not in SAFE or not meant or meant == g.workspace.slug:
        return None
    with engine().begin() as conn:
        there = [b for b in accounts.belongings(conn, g.signed_in.account_id) if b.slug == meant]
    return _other_workspace(there) if there else None


def _other_workspace(there: list[Any]) -> Response:
    text = gettext("This link belongs to another workspace than the one you are in (%(here)s).", here=g.workspace.title)
    page = render_template("error.html", title=gettext("Another workspace"), message=text, status=None, elsewhere=there)
    return make_response(page, 409)


def confirmed() -> None:
    """Call before what is dangerous. Raises Unconfirmed where the person has not just proved who they are."""
    if g.signed_in is None or not g.signed_in.confirmed(datetime.now(UTC)):
        raise Unconfirmed


class Unconfirmed(Exception):
    """Who is signed in must first say again that it is them."""


def _unconfirmed(err: Unconfirmed) -> Response:
    """To the page that asks, and from there back to where the person was."""
    here = request.full_path.rstrip("?") if request.method in SAFE else urlsplit(request.referrer or "/account/").path
    return go(f"/account/confirm?{urlencode({'next': here})}")


def _only_apps() -> None:
    """Somebody who looks as somebody else is shown apps, and changes nothing. Raises Denied."""
    if request.endpoint in LEAVING:
        return
    room = (request.endpoint or "").partition(".")[0]
    if room not in LOOKED_AT or (request.method not in SAFE and request.endpoint not in LIVE):
        raise Denied(viewing.ONLY_LOOKING)


def for_strangers() -> bool:
    """Whether the door is one of a public link."""
    return bool(request and (request.endpoint or "").startswith("public."))


def _public() -> None:
    """What is sent to a public link must come from its own page; there the ticket of the page is asked for."""
    _refuse_unkeepable()
    if request.method not in SAFE:
        _refuse_other_sites()


def for_programs() -> bool:
    """Whether the door is one of the API: decided by its name, never by what an address looks like."""
    return bool(request and (request.endpoint or "").startswith("api_"))


def _ask_to_sign_in() -> Response:
    if request.method not in SAFE or "HX-Request" in request.headers:
        response = make_response(gettext("Please sign in again."), 401)
        response.headers["HX-Redirect"] = "/sign-in"
        return response
    return redirect(f"/sign-in?{urlencode({'next': request.full_path.rstrip('?')})}")  # type: ignore[return-value]


def _refuse_unkeepable() -> None:
    """No address, question or form gets further with a character in it that no database keeps."""
    if UNKEEPABLE.search(request.path):
        raise NotFound
    parts = request.args if request.method in SAFE else request.values
    for name, text in parts.items(multi=True):
        if UNKEEPABLE.search(name) or UNKEEPABLE.search(text):
            abort(
                400,
                description=gettext("A text holds a character that cannot be kept (NUL). Take it out and send again."),
            )


def _refuse_strangers() -> None:
    """An unsafe request must come from our own pages and carry the token of the session."""
    _refuse_other_sites()
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    own = str(session.get("csrf", ""))
    base, _, place = unmasked(sent).partition(":")
    if place and "workspace" in g and place != g.workspace.slug and request.endpoint != "account.switch":
        text = gettext(
            "This page is of another workspace than the one you are in now (%(here)s). Nothing was saved; go back to that "
            "workspace and send again.",
            here=g.workspace.title,
        )
        abort(409, description=text)
    if not own or not hmac.compare_digest(own.encode(), base.encode("utf-8", "replace")):
        abort(403, description=gettext("This page is out of date. Reload it and send again; what you typed is kept."))


def _refuse_other_sites() -> None:
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") or (
        origin and _host_of(origin) != request.host
    ):
        abort(403, description=gettext("This was not sent from Mortise itself."))


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def csrf_token() -> str:
    """The session's token, masked anew for every answer: a packed page's length must not spell it out (BREACH).

    A public link's page has a ticket of its own in its place.
    """
    if for_strangers():
        from runtime.web import public

        return public.ticket()
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    if "csrf_masked" not in g:
        place = f":{g.workspace.slug}" if "workspace" in g else ""
        g.csrf_masked = masked(f"{session['csrf']}{place}")
    return str(g.csrf_masked)


def masked(token: str) -> str:
    mask = secrets.token_bytes(len(token))
    return f"{mask.hex()}.{_crossed(token.encode(), mask).hex()}"


def unmasked(sent: str) -> str:
    """The token that was masked; what was not masked stays as it is."""
    mask, _, rest = sent.partition(".")
    try:
        return _crossed(bytes.fromhex(rest), bytes.fromhex(mask)).decode() if rest else sent
    except ValueError:
        return ""


def _crossed(text: bytes, mask: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(text, mask, strict=True))


@contextmanager
def work() -> Iterator[Context]:
    """One transaction for the signed-in member. Commits when the block ends, rolls back when it raises."""
    signed_in = g.signed_in
    if signed_in is None or signed_in.workspace is None:
        raise NotFound
    with opened(engine(), g.workspace, language=language()) as ctx:
        own = people.member_of(ctx, signed_in.account_id)
        actor = viewing.as_wished(ctx, own, session.get(VIEW))
        g.viewing = actor.name if actor.viewed_by else ""
        with viewing.only_looking(actor):
            yield ctx.acting_as(actor)


def worked(story: Callable[[Context], Result]) -> Result:
    """A whole story in one transaction, told again when it only lost against another one."""

    def once() -> Result:
        with work() as ctx:
            return story(ctx)

    return attempt(once)


def enter(ctx: Context, app: str) -> Installed:
    """The app of this slug, for one to whom it shows anything. Raises NotFound."""
    inst = definitions.installed(ctx, app)
    if not may_enter(ctx, inst):
        raise NotFound
    return inst


def table(ctx: Context, app: str, id: str) -> LiveTable:
    return live(ctx, enter(ctx, app), id)


def record_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


# -- answers ---------------------------------------------------------------------------------------


def is_fragment() -> bool:
    """htmx asks for a piece, except when it restores a page for Back."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def page_or_fragment(page: str, fragment: str, status: int = 200, **context: Any) -> Response:
    response = make_response(render_template(fragment if is_fragment() else page, **context), status)
    response.vary.add("HX-Request")
    return response


def go(url: str) -> Response:
    """Send the person on: by header where htmx asks, by redirect where a browser does."""
    if is_fragment():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = iri_to_uri(url)
        return response
    return redirect(url, 303)  # type: ignore[return-value]


MOST_TOLD = 5


def tell(sentence: Any, kind: str = "good") -> None:
    """Show a sentence on the next page, in the language of whoever is answered now.

    The cookie holds a few KB at most: of what nobody has been shown yet, only the newest are kept.
    """
    flash(words(sentence), kind)
    session["_flashes"] = session["_flashes"][-MOST_TOLD:]


def local_url(url: str, otherwise: str = "/") -> str:
    """A path of our own, never another site's address."""
    if not url.startswith("/") or any(ord(c) < 32 for c in url):
        return otherwise
    return otherwise if url.replace("\\", "/").startswith("//") else url


def answers_of_request() -> dict[str, Any]:
    """What a form sent, by field: text, a list where there are several, `None` for a part left blank."""
    answers: dict[str, Any] = {}
    for name in request.form:
        values = request.form.getlist(name)
        answers[off_page(name)] = values[0] if len(values) == 1 else [v for v in values if v != ""]
    return {**_carried(), **answers}


def _carried() -> dict[str, Any]:
    """What was filled in before a rule hid the field; it may come into sight again."""
    try:
        carried = read_json(request.form.get("_carried") or "{}", Message(""))
    except (ValueError, TypeError):
        return {}
    return carried if isinstance(carried, dict) else {}


def json_of_request(refusal: Message) -> dict[str, Any]:
    """The object that a script sent. Raises BadValue."""
    sent = read_json(request.get_data(), refusal)
    if not isinstance(sent, dict):
        raise BadValue(refusal)
    return sent


def touched_of_request() -> set[str]:
    return names_of_request("_touched")


def names_of_request(part: str) -> set[str]:
    """The names of fields in a part of the form that a script wrote as a JSON list."""
    try:
        return {off_page(str(n)) for n in read_json(request.form.get(part) or "[]", Message(""))}
    except (ValueError, TypeError):
        return set()


def _headers(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.endpoint == "static" and response.mimetype != "image/svg+xml":
        return response  # a style or script is no document: what follows says nothing of it
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if not g.get("embedded"):
        response.headers["X-Frame-Options"] = "DENY"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint != "static" and response.headers.get("Cache-Control", "no-cache") == "no-cache":
        response.headers["Cache-Control"] = "no-store"  # Flask's own word for a file lets a browser keep it
    return response


def refusal_page(title: str, text: str, status: int) -> Response:
    return make_response(render_template("error.html", title=title, message=text, status=status), status)


def _not_found(err: Exception) -> Response:
    """With the person's other workspaces, where it may be."""
    there = _others() if request.method in SAFE else []
    text = gettext("There is nothing here, or not for you.")
    if there:
        text = gettext(
            "There is nothing here in %(here)s. It may be in another of your workspaces.", here=g.workspace.title
        )
    page = render_template("error.html", title=gettext("Not found"), message=text, status=404, elsewhere=there)
    return make_response(page, 404)


def _others() -> list[Any]:
    if g.get("signed_in") is None or "workspace" not in g:
        return []
    with engine().begin() as conn:
        return [b for b in accounts.belongings(conn, g.signed_in.account_id) if b.id != g.workspace.id]


def _denied(err: Denied) -> Response:
    return refusal_page(gettext("Not allowed"), words(err.reason), 403)


def _invalid(err: InvalidInput) -> Response:
    text = " ".join(words(m) for messages in err.errors.values() for m in messages)
    return refusal_page(gettext("This cannot be done"), text, 422)


def _unreadable(err: BadValue) -> Response:
    return refusal_page(gettext("This cannot be done"), words(err.message), 422)


def _conflict(err: Conflict) -> Response:
    text = gettext("Somebody else has changed this since you opened it.")
    return refusal_page(gettext("This cannot be done"), text, 409)


def _definition(err: DefinitionError) -> Response:
    text = "; ".join(f"{p.path}: {words(p.message)}" for p in err.problems[:20])
    return refusal_page(gettext("The definition has problems"), text, 422)


def _http(err: HTTPException) -> Response:
    code = err.code or 500
    if code == 404:
        return _not_found(err)
    if was_given_up(getattr(err, "original_exception", None)):
        text = gettext(
            "This took too long and was given up. Ask for less: narrow it with a filter or a shorter period."
        )
        return refusal_page(gettext("This cannot be done"), text, 503)
    texts = {
        405: gettext("This page does not take that kind of request."),
        413: gettext("What you sent is too large."),
        415: gettext("This page does not take that kind of request."),
    }
    said = texts.get(code) or ("" if err.description == type(err).description else err.description)
    return refusal_page(gettext("This cannot be done"), said or gettext("The request could not be understood."), code)


ANSWERS: dict[Any, Any] = {
    NotFound: _not_found,
    Denied: _denied,
    InvalidInput: _invalid,
    BadValue: _unreadable,
    Conflict: _conflict,
    DefinitionError: _definition,
    HTTPException: _http,
    Unconfirmed: _unconfirmed,
}


# -- the frame -------------------------------------------------------------------------------------


class Me:
    """The person in the corner of every page."""

    def __init__(self) -> None:
        signed_in = g.get("signed_in")
        self.name = signed_in.name if signed_in else ""
        self.email = signed_in.email if signed_in else ""
        self.id = str(signed_in.account_id) if signed_in else ""
        self.language = language()
        self.tone = ""
        self.is_admin = bool(g.get("is_admin"))
        self.builds, self.manages = bool(g.get("builds")), bool(g.get("manages"))
        self.picture = str(g.get("avatar") or "")


def _frame() -> dict[str, Any]:
    signed_in = g.get("signed_in")
    frame = {
        "me": Me(),
        "navigation": g.get("navigation"),
        "app_title": g.get("app_title"),
        "counts": g.get("counts") or NO_COUNTS,
        "workspace": g.get("workspace"),
        "several_workspaces": bool(signed_in and signed_in.several),
        "viewing": g.get("viewing", ""),
        "public_page": for_strangers(),
        "watermark": g.get("watermark", ""),
    }
    return {**frame, "navigation_settings": g.get("navigation_settings")}


NO_COUNTS = {"tasks": 0, "notices": 0}
