"""Filling in and changing records; live values; pickers of linked records."""

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, g, jsonify, make_response, render_template, request, send_file, url_for

from runtime import events, filling, limits, listing, offers, pictures, prefill, query, quick_fill, ranges, sent, unsent
from runtime.access import door, may_use_form
from runtime.context import Context, Opened
from runtime.definitions import Installed
from runtime.filling import Filling
from runtime.people import Directory
from runtime.prefill import Prefill
from runtime.render import Names
from runtime.submit import Sent, submit
from runtime.tables import LiveTable, live
from runtime.web.edge import (
    answers_of_request,
    engine,
    enter,
    go,
    is_fragment,
    local_url,
    names_of_request,
    record_id,
    tell,
    touched_of_request,
    work,
    worked,
)
from runtime.web.frame import frame
from runtime.web.links import share_url
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.fields.choice import Choice
from schemas.fields.link import Link
from schemas.fields.member import People
from schemas.fields.rows import Rows
from schemas.filling import Values, parse
from schemas.form import Form
from schemas.formula.types import BOOLEAN
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.text import Sentence, Text

bp = Blueprint("forms", __name__)
COVERS = ("jpg", "jpeg", "png", "webp", "gif")
COVER_AGE = 30 * 24 * 3600
"""Seconds for which a browser keeps it: another picture has another address."""


def find_form(ctx: Context, app: str, form: str, action: str = "create") -> tuple[LiveTable, Form]:
    inst = enter(ctx, app)
    found = inst.app.all_forms.get(form)
    if found is None or not may_use_form(ctx, inst, form, (action,)):
        raise NotFound
    return live(ctx, inst, found.table), found


def start(ctx: Context, app: str, form: str, record: str | None) -> Filling:
    """The form as it begins: with the record that is changed, or what the address gives for a new one."""
    table, found = find_form(ctx, app, form, "update" if record else "create")
    if record is not None:
        return filling.of_record(ctx, table, found, record_id(record))
    again, copy = request.args.get("_again", ""), request.args.get("_copy", "")
    return filling.blank(
        ctx, table, found, request.args.to_dict() if request.method == "GET" else {},
        source=record_id(again or copy) if again or copy else None,
        only=found.after_submit.keep if again else None, given_by=prefilled(app, form),
    )  # fmt: skip


def prefilled(app: str, form: str) -> Prefill:
    """The signed link that the form was opened by. Raises InvalidInput when it is not as we signed it."""
    return prefill.read(
        str(current_app.secret_key), app, form, request.form.get("_with") or request.args.get("_with", "")
    )


@bp.get("/a/<app>/f/<form>/new")
@bp.get("/a/<app>/f/<form>/<record>")
def show(app: str, form: str, record: str | None = None) -> Any:
    with work() as ctx:
        return page(ctx, start(ctx, app, form, record))


def page(ctx: Context, current: Filling, status: int = 200, read: Sequence[Sentence] | None = None) -> Any:
    """The form as a page; inside the drawer or after a refusal, its fragment. `read` is what has been filled in from a text."""
    inst = current.live.inst
    base, about = f"/a/{inst.slug}/f/{current.form.id}", f"?record={current.record}" if current.record else ""
    kept = (
        unsent.read(ctx, inst, current.form.id, current.record)
        if request.method == "GET" and not g.get("viewing")
        else None
    )
    values = {
        "bound": current.bound(ctx), "filling": current, "inst": inst, "form": current.form,
        "title": current.form.title or current.live.table.title or Text.of(current.form.id),
        "url": f"{base}/{current.record or 'new'}", "live_url": f"{base}/live{about}",
        "draft": kept, "draft_url": f"{base}/draft{about}",
        "share_url": share_url(ctx, inst, "fill", current.form.id) if current.record is None else "",
        "back": local_url(request.args.get("back", ""), f"/a/{inst.slug}/"), "conflict": conflict(ctx, current),
        "cover_url": cover_url(f"{base}/cover", current.form),
        "quick_fill": quick_fill.offered(ctx, current), "read": read, "longest_text": quick_fill.LONGEST,
    }  # fmt: skip
    if request.method == "POST" and is_fragment():
        return make_response(render_template("runtime/_form.html", **values), status)
    if is_fragment():
        return make_response(render_template("runtime/_form_drawer.html", **values), status)
    frame(ctx, inst, f"{base}/new" if current.record is None else "")
    return make_response(render_template("runtime/form.html", **values), status)


def cover_url(base: str, form: Form) -> str:
    """Where a browser finds the picture at the top; another picture has another address."""
    return f"{base}?v={hashlib.sha256(form.cover.data).hexdigest()[:12]}" if form.cover else ""


@bp.get("/a/<app>/f/<form>/cover")
def cover(app: str, form: str) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        found = inst.app.all_forms.get(form)
        if found is None or not may_use_form(ctx, inst, form, ("create", "update")):
            raise NotFound
        return covered(found)


def covered(form: Form) -> Any:
    """The picture at the top of a form that somebody was just allowed to see."""
    if form.cover is None:
        raise NotFound
    try:
        media = pictures.examine(form.cover.data, COVERS).media_type
    except pictures.BadPicture:
        raise NotFound from None
    response = send_file(io.BytesIO(form.cover.data), mimetype=media, max_age=COVER_AGE)
    response.cache_control.private = True
    response.cache_control.public = False
    return response


def conflict(ctx: Context, current: Filling) -> list[tuple[Any, str]]:
    """For a stale change: each disputed field's label with the value that is there now."""
    if not current.theirs:
        return []
    names = Names(ctx, current.live)
    fields = [current.live.table.by_id[id] for id in current.theirs]
    names.note(fields, current.theirs)
    reader = names.reader()
    return [(f.label or Text.of(f.id), f.show(current.theirs[f.id], reader)) for f in fields]


@bp.post("/a/<app>/f/<form>/new")
@bp.post("/a/<app>/f/<form>/<record>")
def send(app: str, form: str, record: str | None = None) -> Any:
    answers = answers_of_request()
    seen = request.form.get("_version", "")
    link = prefilled(app, form)

    brought: Values | None = None

    def story(ctx: Context) -> Any:
        table, found = find_form(ctx, app, form, "update" if record else "create")
        if brought is None and found.asks_at_sending:
            raise events.AskFirst
        id = record_id(record) if record else None
        given = Sent(
            found, answers, id, read_whole(seen),
            request.form.get("_once", "")[:80], {id: link.values[id] for id in link.locked if id in link.values}, brought or {},
        )  # fmt: skip
        done = submit(ctx, table, given)
        return _after(ctx, table, found, done, record is None)

    try:
        try:
            said, url = worked(story)
        except events.AskFirst:
            brought = events.at_sending(work, lambda ctx: filling.as_sent(ctx, start(ctx, app, form, record), answers))
            said, url = worked(story)
    except (InvalidInput, Conflict) as err:
        with work() as ctx:
            again = filling.refused(ctx, start(ctx, app, form, record), answers, err)
            return page(ctx, again, 422 if isinstance(err, InvalidInput) else 409)
    tell(said, "good")
    return go(url)


def _after(ctx: Context, table: LiveTable, form: Form, id: UUID, new: bool) -> tuple[Any, str]:
    """What to say, and where to go: to another one where that was asked for, else where the form or the page says."""
    said, url = sent.message(ctx, table, form, id), sent.address(ctx, table, form, id)
    if new and request.form.get("_again"):
        return said, f"/a/{table.inst.slug}/f/{form.id}/new" + (f"?_again={id}" if form.after_submit.keep else "")
    return said, local_url(request.form.get("_back", ""), url) if form.after_submit.go == "record" else url


# -- drafts and links ------------------------------------------------------------------------------


def _unsent(ctx: Context, app: str, form: str) -> tuple[Installed, UUID | None]:
    """The app and the record of a draft, for one who may fill in the form."""
    record = request.args.get("record")
    table, _ = find_form(ctx, app, form, "update" if record else "create")
    gate = door(ctx, table)
    gate.require("update" if record else "create")
    return table.inst, record_id(record) if record else None


@bp.get("/a/<app>/f/<form>/draft")
def draft(app: str, form: str) -> Any:
    """What this person has kept of this form, as JSON `{answers, at}`."""
    with work() as ctx:
        inst, record = _unsent(ctx, app, form)
        kept = unsent.read(ctx, inst, form, record)
        if kept is None:
            raise NotFound
        return jsonify({"answers": kept.answers, "at": int(kept.at.timestamp() * 1000)})


@bp.put("/a/<app>/f/<form>/draft")
def keep_draft(app: str, form: str) -> Any:
    with work() as ctx:
        inst, record = _unsent(ctx, app, form)
        unsent.keep(ctx, inst, form, record, request.get_data(as_text=True))
        return jsonify({"at": int(ctx.now.timestamp() * 1000)})


@bp.delete("/a/<app>/f/<form>/draft")
def drop_draft(app: str, form: str) -> Any:
    with work() as ctx:
        inst, record = _unsent(ctx, app, form)
        unsent.drop(ctx, inst, form, record)
        return "", 204


@bp.post("/a/<app>/f/<form>/link")
def link(app: str, form: str) -> Any:
    """An address of this form with the answers sent; with `_lock`, nobody who opens it can change them."""
    with work() as ctx:
        current = filling.as_sent(ctx, start(ctx, app, form, None), answers_of_request())
        open_ones = {
            id: v
            for id, v in (current.raw or {}).items()
            if v not in ("", [], "[]") and id not in (current.errors or {})
        }
        given = {id: v for id, v in open_ones.items() if current.live.table.by_id[id].type != "file"}
        if not given:
            raise InvalidInput({"": [say("Fill in what the link is to bring along.")]})
        locked = given if request.form.get("_lock") else ()
        token = prefill.signed(str(current_app.secret_key), app, form, given, locked)
        return jsonify({"url": url_for("forms.show", app=app, form=form, _with=token, _external=True)})


@bp.post("/a/<app>/f/<form>/live")
def live_values(app: str, form: str) -> Any:
    """The form as it stands with what has been typed so far; nothing is saved."""
    if "_quick" in request.form:
        return quickly_filled(app, form)
    return live_answered(
        work, lambda ctx: as_typed(ctx, start(ctx, app, form, request.args.get("record"))), page,
        lambda ctx: f"events:{ctx.workspace.id}:{ctx.actor.id}",
    )  # fmt: skip


def quickly_filled(app: str, form: str) -> Any:
    """The form filled in from the text and the picture that were sent. No transaction waits for the model."""

    def typed(ctx: Context) -> Filling:
        return as_typed(ctx, start(ctx, app, form, request.args.get("record")))

    picture = request.files["_picture"].read() if "_picture" in request.files else b""
    with work() as ctx:
        asked, key = quick_fill.question(ctx, typed(ctx), request.form["_quick"], picture), f"quick:{ctx.workspace.id}:{ctx.actor.id}"
    limits.count(engine(), key, quick_fill.MOST_ASKED)
    said = quick_fill.ask(asked)
    with work() as ctx:
        current, read = quick_fill.filled(ctx, typed(ctx), said, touched_of_request())
        return page(ctx, current, read=read)


def as_typed(ctx: Context, begun: Filling) -> Filling:
    """The form with what the browser says has been typed so far."""
    touched = touched_of_request()
    just = names_of_request("_changed") if "_changed" in request.form else touched
    typed = names_of_request("_typed") if "_typed" in request.form else None
    return filling.as_sent(ctx, begun, answers_of_request(), touched, just, typed)


def live_answered(
    opened: Opened, typed: Callable[[Context], Filling], drawn: Callable[[Context, Filling], Any],
    counted: Callable[[Context], str],
) -> Any:  # fmt: skip
    """The form as it stands; with `_event`, filled from what other programs answer. No transaction waits for them."""
    with opened() as ctx:
        current = typed(ctx)
        wanted = events.named(current, sorted(names_of_request("_event"))) if "_event" in request.form else []
        asked, zone, key = events.questions(ctx, current, wanted), ctx.zone, counted(ctx)
        if not asked:
            return drawn(ctx, current)
    limits.count(engine(), key, events.MOST_ASKED)
    replies = [events.ask(question, zone, current.form.id) for question in asked]
    with opened() as ctx:
        return drawn(ctx, events.filled(ctx, typed(ctx), replies))


# -- pickers ---------------------------------------------------------------------------------------


@bp.get("/a/<app>/pick/<table>/<path>")
def pick(app: str, table: str, path: str) -> Any:
    """Records that a link may point at, as JSON `[{id, text, note}]`, by the link's own condition."""
    with work() as ctx:
        source = live(ctx, enter(ctx, app), table)
        field = source.table.field(path)
        gate = door(ctx, source)
        if request.args.get("filter"):
            return jsonify(_filter_values(ctx, source, path))
        if not (gate.writable(path, "create") or gate.writable(path)):
            raise NotFound
        if isinstance(field, People):
            return jsonify(_people(ctx, source, field, path))
        text = request.args.get("q", "").replace("\x00", "")[:100]
        if isinstance(field, Choice) and field.source:
            offered = offers.offered(ctx, source, field, typed(ctx, source), text, _typed_line(ctx, source, path))
            return jsonify([{"id": one, "text": one} for one in offered])
        if not isinstance(field, Link):
            raise NotFound
        target = source.sibling(field.table)
        other = door(ctx, target)
        if not other.may("read"):
            return jsonify([])
        found = query.suggest(
            other, text, picks(ctx, source, field, target, path), 50 if request.args.get("several") else 20
        )
        notes = listing.notes(other, [id for id, _ in found], field.show_columns)
        return jsonify([{"id": str(id), "text": title or "–", "note": notes.get(id, "")} for id, title in found])


def _filter_values(ctx: Context, source: LiveTable, path: str) -> list[dict[str, str]]:
    """The records by which a list may be filtered: any that its reader may see of the table that a field points at."""
    field, gate = source.table.by_id.get(path), door(ctx, source)
    kind = source.analysis.type_of(source.table, field) if field else None
    target = (kind.of or kind).target if kind else None
    if not target or not gate.may("read") or not gate.readable(path):
        raise NotFound
    other = door(ctx, source.sibling(target))
    found = query.suggest(other, request.args.get("q", "").replace("\x00", "")[:100]) if other.may("read") else []
    return [{"id": str(id), "text": title or "–", "note": ""} for id, title in found]


def _people(ctx: Context, source: LiveTable, field: People, path: str) -> list[dict[str, str]]:
    """The members or departments that may be chosen, for the values of the form that is being filled in."""
    rows = source.table.by_id.get(path.partition(".")[0]) if "." in path else None
    allowed = ranges.candidates(ctx, source, field, typed(ctx, source), rows if isinstance(rows, Rows) else None)
    return ranges.offered(Directory.of(ctx), field.picks, request.args.get("q", "")[:100].strip(), allowed)


def picks(ctx: Context, source: LiveTable, field: Link, target: LiveTable, path: str) -> list[Any]:
    """The link's `pick`, with the values of the form that is being filled in for `this`."""
    if field.pick is None:
        return []
    analysis = source.analysis
    rows, row = _typed_line(ctx, source, path) or (None, None)
    expression = analysis.expression(field.pick, analysis.pick_scope(field, source.table, rows), BOOLEAN)
    return [query.pickable(source, target, expression, ctx, typed(ctx, source), rows, row)]


def typed(ctx: Context, source: LiveTable) -> Values:
    """The values of the form that a picker stands in, as far as it sends them along."""
    given = {k[5:]: v for k, v in request.args.items() if k.startswith("with.") and k[5:] in source.table.by_id}
    return parse(source.table, given, ctx.zone)[0]


def _typed_line(ctx: Context, source: LiveTable, path: str) -> offers.Line | None:
    """The values of the row that a picker stands in, which it sends along with a point before their columns."""
    rows = source.table.by_id.get(path.partition(".")[0]) if "." in path else None
    if not isinstance(rows, Rows):
        return None
    given = {k[6:]: v for k, v in request.args.items() if k.startswith("with..") and rows.column(k[6:])}
    lines = parse(source.table, {rows.id: [given]}, ctx.zone)[0][rows.id]
    return rows, lines[0] if lines else {}
