"""Public links in an app: made by those who may share, listed, changed, switched off, removed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, make_response, render_template, request

from runtime import filling, sharing
from runtime.access import door, may_share
from runtime.actors import administers
from runtime.context import Context
from runtime.definitions import Installed
from runtime.filling import Filling
from runtime.people import Directory
from runtime.public_links import Kept, table_of
from runtime.sharing import About, Wish
from runtime.tables import LiveTable, live
from runtime.web.edge import absolute, answers_of_request, enter, go, record_id, tell, work
from runtime.web.frame import frame
from schemas import public_link
from schemas.access import WRITES
from schemas.errors import InvalidInput, NotFound
from schemas.filling import parse
from schemas.form import Form
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.public_link import ASKED, FIXED, Settings
from schemas.text import Text

bp = Blueprint("links", __name__)
KINDS = {
    "fill": say("Fill in a form"), "lookup": say("Look up records"), "record": say("See a record"),
    "view": say("See a view"), "dashboard": say("See a dashboard"),
}  # fmt: skip
USES = {
    "": say("left out"), "ask": say("asked"), "prefill": say("asked; the address may bring an answer"),
    "locked": say("shown, with a fixed answer"), "set": say("not shown, with a fixed answer"), "show": say("shown as calculated"),
}  # fmt: skip


@bp.get("/a/<app>/links/")
def index(app: str) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        found = sharing.listed(ctx, inst)
        if not found and not sharing.oversees(ctx, inst) and not sharing.may_share_anything(ctx, inst):
            raise NotFound
        frame(ctx, inst)
        names = Directory.of(ctx).names({one.made_by for one in found})
        abouts = {one.id: _about_words(inst, About(one.kind, one.target, one.record)) for one in found}
        return render_template(
            "runtime/links.html", inst=inst, links=found, names=names, kinds=KINDS, abouts=abouts, now=ctx.now,
            offers=_offers(ctx, inst),
        )  # fmt: skip


def _offers(ctx: Context, inst: Installed) -> list[tuple[Any, str]]:
    """What the actor may make links for: what it is, and where that is done."""
    app = inst.app
    targets = [
        *(("fill", id) for id in app.all_forms), *(("view", id) for id in app.all_views),
        *(("lookup", id) for id in app.all_views), *(("dashboard", d.id) for d in app.dashboards),
    ]  # fmt: skip
    return [
        (say("{kind}: {name}", kind=KINDS[kind], name=_about_words(inst, About(kind, id))), new_url(inst, kind, id))
        for kind, id in targets
        if may_share(ctx, inst, kind, id)
    ]


def new_url(inst: Installed, kind: str, target: str) -> str:
    return f"/a/{inst.slug}/links/new?kind={kind}&target={target}"


def share_url(ctx: Context, inst: Installed, kind: str, target: str) -> str:
    """Where the actor makes a public link to something; empty where they may not."""
    return new_url(inst, kind, target) if may_share(ctx, inst, kind, target) else ""


def _about_words(inst: Installed, about: About) -> Text:
    app = inst.app
    known: Any
    if about.kind == "dashboard":
        known = app.dashboard(about.target)
    elif about.kind == "record":
        known = app.table(about.target)
    else:
        known = (app.all_forms if about.kind == "fill" else app.all_views).get(about.target)
    table = app.table(known.table) if known and about.kind in ("fill", "view", "lookup") else None
    return (known.title if known else Text()) or (table.title if table else Text()) or Text.of(about.target)


# -- making and changing -----------------------------------------------------------------------------


@bp.get("/a/<app>/links/new")
def new(app: str) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        about = _about_asked()
        sharing.require(ctx, inst, about)
        return _page(ctx, inst, about)


def _about_asked() -> About:
    record = request.args.get("record", "")
    return About(request.args.get("kind", ""), request.args.get("target", ""), record_id(record) if record else None)


@bp.post("/a/<app>/links/new")
def make(app: str) -> Any:
    about = _about_asked()
    try:
        with work() as ctx:
            inst = enter(ctx, app)
            id = sharing.make(ctx, inst, about, _wish(ctx, inst, about))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, enter(ctx, app), about, errors=err.errors)
    tell(say("The link is made."))
    return go(f"/a/{app}/links/{id}")


@bp.get("/a/<app>/links/<id>")
def show(app: str, id: str) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        kept = sharing.one(ctx, inst, record_id(id))
        return _page(ctx, inst, About(kept.kind, kept.target, kept.record), kept)


@bp.post("/a/<app>/links/<id>")
def change(app: str, id: str) -> Any:
    try:
        with work() as ctx:
            inst = enter(ctx, app)
            kept = sharing.one(ctx, inst, record_id(id))
            sharing.change(ctx, inst, kept.id, _wish(ctx, inst, About(kept.kind, kept.target, kept.record)))
    except InvalidInput as err:
        with work() as ctx:
            inst = enter(ctx, app)
            kept = sharing.one(ctx, inst, record_id(id))
            return _page(ctx, inst, About(kept.kind, kept.target, kept.record), kept, err.errors)
    tell(say("Saved."))
    return go(f"/a/{app}/links/{id}")


@bp.post("/a/<app>/links/<id>/switch")
def switch(app: str, id: str) -> Any:
    with work() as ctx:
        sharing.switch(ctx, enter(ctx, app), record_id(id), request.form.get("on") == "1")
    return go(f"/a/{app}/links/")


@bp.post("/a/<app>/links/<id>/remove")
def remove(app: str, id: str) -> Any:
    with work() as ctx:
        sharing.remove(ctx, enter(ctx, app), record_id(id))
    tell(say("The link opens nothing any more."))
    return go(f"/a/{app}/links/")


# -- the page ----------------------------------------------------------------------------------------


def _page(
    ctx: Context, inst: Installed, about: About, kept: Kept | None = None, errors: Mapping[str, Any] | None = None
) -> Any:
    """Everything about a link; after a refusal with what was sent."""
    frame(ctx, inst)
    id = table_of(inst, about.kind, about.target)
    table = live(ctx, inst, id) if id else None
    settings = _sent_settings(table, about) if errors else (kept.settings if kept else _first(table, inst, about))
    token = sharing.token(ctx, kept) if kept else ""
    page = render_template(
        "runtime/link.html", inst=inst, about=about, kept=kept, settings=settings, errors=errors or {}, kinds=KINDS, uses=USES,
        about_words=_about_words(inst, about), url=absolute(f"/p/{token}/") if token else "", sent=request.form if errors else None,
        fields=_fields(ctx, inst, about, table, settings), columns=_columns(ctx, table), keys=_keys(ctx, table, about),
        admin=administers(ctx.actor), now=ctx.now, action=request.full_path.rstrip("?"), clock=lambda at: _clock(ctx, at),
        may_change=may_share(ctx, inst, about.kind, about.target, about.record),
    )  # fmt: skip
    return make_response(page, 422 if errors else 200)


def _first(table: LiveTable | None, inst: Installed, about: About) -> Settings:
    """How a new link begins."""
    if table is None:
        return Settings()
    if about.kind == "fill":
        form = inst.app.all_forms[about.target]
        uses = {id: use for id in form.placed if (use := public_link.first_use(table.table.by_id[id]))}
        return Settings(uses=uses, values={})
    view = inst.app.all_views.get(about.target) if about.kind in ("view", "lookup") else None
    shown = [id for id in (view.columns if view and view.columns else ()) if id in public_link.showable(table.table)]
    return Settings(columns=tuple(shown))


def _fields(
    ctx: Context, inst: Installed, about: About, table: LiveTable | None, settings: Settings
) -> list[dict[str, Any]]:
    """The fields of a form that a visitor may be given, each with what it can be and the input for the link's own answer."""
    if table is None or about.kind != "fill":
        return []
    form = replace(inst.app.all_forms[about.target], rules=(), readonly=())
    bound = {f.field.id: f for f in _own_answers(ctx, table, form, settings)}
    gate = door(ctx, table)
    made = []
    for id in form.placed:
        found = table.table.by_id[id]
        uses = public_link.uses_for(found)
        open_to_maker = gate.readable(id) if found.computed else gate.best(id, "create") in WRITES
        if uses and open_to_maker:
            own = bound.get(id) if "set" in uses else None
            made.append({"field": found, "uses": ("", *uses), "use": settings.use(id), "own": own})
    return made


def _own_answers(ctx: Context, table: LiveTable, form: Form, settings: Settings) -> Any:
    values, _ = parse(table.table, dict(settings.own), ctx.zone)
    current = Filling(table, form, values, filling.rights_to_create(ctx, table), raw=settings.own)
    return current.bound(ctx)


def _columns(ctx: Context, table: LiveTable | None) -> list[Any]:
    if table is None:
        return []
    gate = door(ctx, table)
    return [table.table.by_id[id] for id in public_link.showable(table.table) if gate.readable(id)]


def _keys(ctx: Context, table: LiveTable | None, about: About) -> list[Any]:
    if table is None or about.kind != "lookup":
        return []
    gate = door(ctx, table)
    return [table.table.by_id[id] for id in public_link.knowable(table.table) if gate.readable(id)]


def _clock(ctx: Context, at: datetime | None) -> str:
    """A moment as an input of the workspace's clock takes it."""
    return at.astimezone(ctx.zone).strftime("%Y-%m-%dT%H:%M") if at else ""


def _moment(ctx: Context, name: str) -> datetime | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ctx.zone).astimezone(UTC)
    except ValueError:
        raise InvalidInput({name.removeprefix("_"): [say("Enter a date and a time.")]}) from None


def _wish(ctx: Context, inst: Installed, about: About) -> Wish:
    sent = request.form
    id = table_of(inst, about.kind, about.target)
    settings = _sent_settings(live(ctx, inst, id) if id else None, about)
    most = sent.get("_most", "").strip()
    count = read_whole(most) if most else None
    if most and count is None:
        raise InvalidInput({"most": [say("Enter a whole number.")]})
    password = "" if sent.get("_open") else (sent.get("_password") or None)
    return Wish(
        sent.get("_name", ""), settings.dump(), password, _moment(ctx, "_opens_at"), _moment(ctx, "_ends_at"), count
    )


def _sent_settings(table: LiveTable | None, about: About) -> Settings:
    sent, lines = request.form, request.form.get("_sites", "").split()
    uses, values = _sent_uses(table) if about.kind == "fill" else ({}, {})
    return Settings(
        uses=uses, values=values, columns=_known(table, sent.getlist("_columns")), keys=_known(table, sent.getlist("_keys")),
        once=sent.get("_once_by", "")[:40], captcha="_captcha" in sent, again="_again" in sent, edit="_edit" in sent,
        intro=sent.get("_intro", "").strip()[:2_000], thanks=sent.get("_thanks", "").strip()[:2_000],
        onward=sent.get("_onward", "").strip()[:500],
        sites=tuple(lines[: public_link.MOST_SITES]), word=sent.get("_word", "").strip()[:40],
    )  # fmt: skip


def _known(table: LiveTable | None, ids: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for id in ids if table is not None and id in table.table.by_id))


def _sent_uses(table: LiveTable | None) -> tuple[dict[str, str], dict[str, Any]]:
    """What each field is to be, and the link's own answers for those that can have one."""
    if table is None:
        return {}, {}
    asked = {id: request.form.get(f"_use.{id}", "") for id in table.table.by_id}
    uses = {id: use for id, use in asked.items() if use in public_link.USES}
    answers = answers_of_request()
    values = {id: answers[id] for id, use in uses.items() if use in ASKED | FIXED and id in answers}
    return uses, {id: v for id, v in values.items() if v not in ("", [], None) and "set" in _uses(table, id)}


def _uses(table: LiveTable, id: str) -> tuple[str, ...]:
    return public_link.uses_for(table.table.by_id[id])
