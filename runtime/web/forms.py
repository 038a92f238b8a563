"""Filling in and changing records; live values; pickers of linked records; uploads."""

from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, jsonify, make_response, render_template, request, send_file

from runtime import files, filling, query
from runtime.access import door
from runtime.context import Context
from runtime.filling import Filling
from runtime.render import Names
from runtime.storage import file_key
from runtime.submit import Sent, submit
from runtime.tables import LiveTable, live
from runtime.web.edge import (
    answers_of_request,
    enter,
    go,
    is_fragment,
    local_url,
    record_id,
    tell,
    touched_of_request,
    work,
    worked,
)
from runtime.web.frame import frame
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.fields.file import File
from schemas.fields.link import Link
from schemas.filling import parse
from schemas.form import Form
from schemas.formula.types import BOOLEAN
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.text import Text

bp = Blueprint("forms", __name__)


def find_form(ctx: Context, app: str, form: str) -> tuple[LiveTable, Form]:
    inst = enter(ctx, app)
    found = inst.app.all_forms.get(form)
    if found is None:
        raise NotFound
    return live(ctx, inst, found.table), found


def start(ctx: Context, app: str, form: str, record: str | None) -> Filling:
    table, found = find_form(ctx, app, form)
    if record is None:
        return filling.blank(ctx, table, found, request.args.to_dict())
    return filling.of_record(ctx, table, found, record_id(record))


@bp.get("/a/<app>/f/<form>/new")
@bp.get("/a/<app>/f/<form>/<record>")
def show(app: str, form: str, record: str | None = None) -> Any:
    with work() as ctx:
        return page(ctx, start(ctx, app, form, record))


def page(ctx: Context, current: Filling, status: int = 200) -> Any:
    """The form as a page; inside the drawer or after a refusal, its fragment."""
    inst = current.live.inst
    base = f"/a/{inst.slug}/f/{current.form.id}"
    values = {
        "bound": current.bound(ctx), "filling": current, "inst": inst, "form": current.form,
        "title": current.form.title or current.live.table.title or Text.of(current.form.id),
        "url": f"{base}/{current.record or 'new'}", "live_url": f"{base}/live" + (f"?record={current.record}" if current.record else ""),
        "back": local_url(request.args.get("back", ""), f"/a/{inst.slug}/"), "conflict": _conflict(ctx, current),
    }  # fmt: skip
    if request.method == "POST" and is_fragment():
        return make_response(render_template("runtime/_form.html", **values), status)
    if is_fragment():
        return make_response(render_template("runtime/_form_drawer.html", **values), status)
    frame(ctx, inst, f"{base}/new" if current.record is None else "")
    return make_response(render_template("runtime/form.html", **values), status)


def _conflict(ctx: Context, current: Filling) -> list[tuple[Any, str]]:
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

    def story(ctx: Context) -> tuple[UUID, LiveTable, Form]:
        table, found = find_form(ctx, app, form)
        id = record_id(record) if record else None
        sent = Sent(
            found,
            answers,
            id,
            read_whole(seen),
            request.form.get("_once", "")[:80],
        )
        return submit(ctx, table, sent), table, found

    try:
        id, table, found = worked(story)
    except (InvalidInput, Conflict) as err:
        with work() as ctx:
            again = filling.refused(ctx, start(ctx, app, form, record), answers, err)
            return page(ctx, again, 422 if isinstance(err, InvalidInput) else 409)
    return _sent(app, id, table, found, record is None)


def _sent(app: str, id: UUID, table: LiveTable, form: Form, new: bool) -> Any:
    tell(form.after_submit.message or say("Saved."), "good")
    if new and request.form.get("_again"):
        return go(f"/a/{app}/f/{form.id}/new")
    return go(local_url(request.form.get("_back", ""), f"/a/{app}/t/{table.id}/{id}"))


@bp.post("/a/<app>/f/<form>/live")
def live_values(app: str, form: str) -> Any:
    """The form as it stands with what has been typed so far; nothing is saved."""
    with work() as ctx:
        begun = start(ctx, app, form, request.args.get("record"))
        return page(ctx, filling.as_sent(ctx, begun, answers_of_request(), touched_of_request()))


# -- pickers ---------------------------------------------------------------------------------------


@bp.get("/a/<app>/pick/<table>/<path>")
def pick(app: str, table: str, path: str) -> Any:
    """Records that a link may point at, as JSON `[{id, text, note}]`, by the link's own condition."""
    with work() as ctx:
        source = live(ctx, enter(ctx, app), table)
        field = source.table.field(path)
        gate = door(ctx, source)
        if not isinstance(field, Link) or "write" not in (gate.best(path, "create"), gate.best(path, "update")):
            raise NotFound
        target = source.sibling(field.table)
        other = door(ctx, target)
        if not other.may("read"):
            return jsonify([])
        text = request.args.get("q", "").replace("\x00", "")[:100]
        found = query.suggest(other, text, _picks(ctx, source, field, target))
        return jsonify([{"id": str(id), "text": title or "–", "note": ""} for id, title in found])


def _picks(ctx: Context, source: LiveTable, field: Link, target: LiveTable) -> list[Any]:
    """The link's `pick`, with the values of the form that is being filled in for `this`."""
    if field.pick is None:
        return []
    analysis = source.analysis
    expression = analysis.expression(field.pick, analysis.pick_scope(field, source.table), BOOLEAN)
    given = {k[5:]: v for k, v in request.args.items() if k.startswith("with.") and k[5:] in source.table.by_id}
    typed, _ = parse(source.table, given, ctx.zone)
    return [query.pickable(source, target, expression, ctx, typed)]


# -- files -----------------------------------------------------------------------------------------


@bp.post("/a/<app>/upload/<table>/<field>")
def upload(app: str, table: str, field: str) -> Any:
    body = request.files.get("file")
    if body is None:
        raise InvalidInput({field: [say("Choose a file.")]})
    with work() as ctx:
        source = live(ctx, enter(ctx, app), table)
        found = source.table.field(field)
        if not isinstance(found, File):
            raise NotFound
        kept = files.upload(ctx, current_app.extensions["storage"], source, found, body.filename or "", body.stream)
        url = f"/files/{app}/{table}/new/{field}/{kept.id}"
        return jsonify({"id": str(kept.id), "text": kept.name, "url": url, "size": kept.size})


@bp.get("/files/<app>/<table>/<record>/<field>/<id>")
def download(app: str, table: str, record: str, field: str, id: str) -> Any:
    """The bytes, always as a download: what people upload is never shown as a page of ours."""
    with work() as ctx:
        source = live(ctx, enter(ctx, app), table)
        file_id = record_id(id)
        kept = _file(ctx, source, record, field, file_id)
        try:
            stream = current_app.extensions["storage"].open(file_key(ctx.workspace.id, file_id))
        except FileNotFoundError:
            raise NotFound from None
    response = send_file(stream, mimetype="application/octet-stream", as_attachment=True, download_name=kept.name)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _file(ctx: Context, source: LiveTable, record: str, field: str, id: UUID) -> files.Kept:
    if record == "new":
        return files.own_upload(ctx, id)
    return files.open_file(ctx, source, record_id(record), field, id)
