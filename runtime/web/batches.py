"""Acting on many records of a list: which, what to change, and what became of them."""

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Blueprint, make_response, render_template, request

from runtime import batches, definitions, listing, notices, query
from runtime.access import door, may_see_view
from runtime.batches import Outcome
from runtime.context import Context
from runtime.listing import Wishes
from runtime.render import Binder, Names
from runtime.tables import LiveTable, live
from runtime.web.edge import answers_of_request, enter, go, is_fragment, local_url, record_id, table, tell, work, worked
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.text import Sentence

bp = Blueprint("batches", __name__)
SHOWN = 200


@bp.post("/a/<app>/t/<table_id>/batch")
def ask(app: str, table_id: str) -> Any:
    """What is to be changed in the chosen records; nothing is changed yet."""
    with work() as ctx:
        return _asking(ctx, table(ctx, app, table_id))


def _asking(ctx: Context, source: LiveTable, err: InvalidInput | None = None, status: int = 200) -> Any:
    gate = door(ctx, source)
    batches.require(gate, "change")
    ids = _chosen()
    fields = batches.changeable(gate)
    found = next((f for f in fields if f.id == request.form.get("field")), None)
    bound = None
    if found is not None:
        problems = err.errors.get(found.id, ()) if err else ()
        raw = request.form.get(found.id)
        binder = Binder(ctx, source, Names(ctx, source).reader())
        bound = binder.bind(found, None, raw=raw, errors=problems)
    view = request.form.get("view", "")
    values = {
        "inst": source.inst, "live": source, "ids": ids, "fields": fields, "field": found, "f": bound,
        "view": view, "list": request.form.get("list", ""), "whole": bool(request.form.get("whole")),
        "total": _total(ctx, source, view), "back": local_url(request.form.get("_back", ""), f"/a/{source.inst.slug}/"),
        "url": f"/a/{source.inst.slug}/t/{source.id}/batch", "general": err.errors.get("", ()) if err else (),
    }  # fmt: skip
    if is_fragment():
        return make_response(render_template("runtime/_batch.html", **values), status)
    frame(ctx, source.inst)
    return make_response(render_template("runtime/batch.html", **values), status)


def _chosen() -> list[UUID]:
    return [record_id(i) for i in dict.fromkeys(request.form.getlist("ids"))][: batches.MOST]


def listed(ctx: Context, source: LiveTable, view: str) -> Any:
    """The door and listing of the list that the records were chosen in; None where there is none."""
    found = source.inst.app.all_views.get(view)
    if found is None or found.table != source.id or not may_see_view(ctx, source.inst, view):
        return None
    wishes = Wishes.read(dict(parse_qsl(request.form.get("list", ""))))
    return listing.asked_of(door(ctx, source), found, wishes)


def _total(ctx: Context, source: LiveTable, view: str) -> int:
    asked = listed(ctx, source, view)
    return query.total(door(ctx, source), asked)[0] if asked else 0


@bp.post("/a/<app>/t/<table_id>/batch/<action>")
def act(app: str, table_id: str, action: str) -> Any:
    """Few are done at once, and it is told what became of them; many are left to a job."""
    if action not in batches.ACTIONS:
        raise NotFound
    answers = {k: v for k, v in answers_of_request().items() if k == request.form.get("field")}

    def story(ctx: Context) -> tuple[str, Outcome | None, list[UUID]]:
        source = table(ctx, app, table_id)
        ids = _ids(ctx, source, action)
        if len(ids) > batches.AT_ONCE:
            return f"/a/{app}/batch/{batches.begin(ctx, source, action, ids, answers)}", None, ids
        return "", batches.act(ctx, source, action, ids, answers), ids

    try:
        url, outcome, _ = worked(story)
    except InvalidInput as err:
        if action != "change":
            raise
        with work() as ctx:
            return _asking(ctx, table(ctx, app, table_id), err, 422)
    if outcome is None:
        return go(url)
    if not outcome.refused:
        tell(say("{n} done.", n=outcome.done), "good")
        return go(local_url(request.form.get("_back", ""), f"/a/{app}/"))
    return _told(app, table_id, outcome)


def _ids(ctx: Context, source: LiveTable, action: str) -> list[UUID]:
    """Those chosen one by one, or everything that the list shows and that may be acted on."""
    if request.form.get("whole") and (asked := listed(ctx, source, request.form.get("view", ""))):
        batches.require(door(ctx, source), action)
        found = query.ids(door(ctx, source), asked, batches.ACTIONS[action], limit=batches.MOST + 1)
    else:
        found = _chosen()
    if not found:
        raise InvalidInput({"": [say("Choose at least one record.")]})
    return found


def _told(app: str, table_id: str, outcome: Outcome) -> Any:
    with work() as ctx:
        source = table(ctx, app, table_id)
        back = local_url(request.form.get("_back", ""), f"/a/{app}/")
        values = {
            "inst": source.inst, "live": source, "state": "done", "total": outcome.done + len(outcome.refused), "back": back,
            "done": outcome.done, "refused": len(outcome.refused), "lines": _lines(ctx, source, outcome.refused), "url": "",
        }  # fmt: skip
        frame(ctx, source.inst)
        name = "runtime/_batch_result.html" if is_fragment() else "runtime/batch_result.html"
        return make_response(render_template(name, **values))


def _lines(ctx: Context, source: LiveTable, refused: list[tuple[UUID, Sentence]]) -> list[tuple[str, str, Sentence]]:
    """(title, address, why) of the records that were refused; those that may not be seen have neither."""
    shown = refused[:SHOWN]
    titles = query.titles(ctx, source, [id for id, _ in shown])
    base = f"/a/{source.inst.slug}/t/{source.id}"
    return [(titles.get(id, ""), f"{base}/{id}" if id in titles else "", why) for id, why in shown]


@bp.get("/a/<app>/batch/<batch>")
def show(app: str, batch: str) -> Any:
    """How far a job is, and what became of the records."""
    with work() as ctx:
        inst = enter(ctx, app)
        run = batches.run_of(ctx, record_id(batch))
        if run.installation_id != inst.id:
            raise NotFound
        source = live(ctx, definitions.by_id(ctx, run.installation_id), run.table_id)
        refused = [(UUID(id), notices.read(why)) for id, why in run.report or []]
        values = {
            "inst": inst, "live": source, "state": run.state, "total": len(run.records), "done": run.done, "refused": run.refused,
            "lines": _lines(ctx, source, refused), "url": request.path, "back": f"/a/{app}/",
        }  # fmt: skip
        if is_fragment():
            return render_template("runtime/_batch_result.html", **values)
        frame(ctx, inst)
        return render_template("runtime/batch_result.html", **values)


@bp.post("/a/<app>/batch/<batch>")
def stop(app: str, batch: str) -> Any:
    """End it: what has been done stays."""

    def story(ctx: Context) -> None:
        enter(ctx, app)
        batches.cancel(ctx, record_id(batch))

    worked(story)
    return go(f"/a/{app}/batch/{batch}")
