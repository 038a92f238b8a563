"""The designer of views: the views of a table, the options of one, and how it looks with the records that are there."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request

from builder import changes, drafts, panel, views
from builder.drafts import Draft
from builder.near import Surroundings
from builder.parts import Json, Parts, of_table
from builder.places import errors_at, told
from builder.web import edits
from builder.web.apps import designer
from runtime import definitions
from runtime.context import Context
from runtime.listing import Wishes
from runtime.web.edge import go, work
from runtime.web.frame import frame
from runtime.web.views import drawn
from schemas.errors import DefinitionError, NotFound
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import load
from schemas.views import view_types

bp = Blueprint("build_views", __name__)
ELSEWHERE = {"table"}
"""What is not changed on the panel: another table would have other fields."""


@bp.get("/build/<app>/view/<view>/")
def show(app: str, view: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return page(ctx, drafts.open_draft(ctx, app), view)


def page(
    ctx: Context, draft: Draft, view: str, *, errors: Any = None, typed: Json | None = None, status: int = 200
) -> Any:
    """The designer as a page, or its fragment after an edit. `typed` is what was sent and refused."""
    found, parts = views.the_view(draft.parts, view), draft.parts
    around = Surroundings(parts, draft.app, found["table"])
    problems = [told(parts, p) for p in draft.problems]
    values = {**found, **{k: v for k, v in (typed or {}).items() if v is not None}}
    wrong = errors if errors is not None else errors_at(problems, "views", view)
    sections = panel.inputs(view_types[found.get("type", "grid")], values, around.near(edits.modes_sent()), wrong)
    shown = {
        "view_id": view, "view": found, "table_id": found["table"], "table": parts[f"tables/{found['table']}"],
        "views": of_table(parts, "views", found["table"]), "kinds": list(view_types), "kind_of": view_types,
        "sections": [(t, kept) for t, items in sections if (kept := [i for i in items if i.name not in ELSEWHERE])],
        "here": f"/build/{draft.slug}/view/{view}/", "chosen": "", "tab": "view",
    }  # fmt: skip
    return edits.drawn(ctx, draft, around, problems, "view_studio", shown, status)


@bp.get("/build/<app>/view/<view>/preview")
def preview(app: str, view: str) -> Any:
    """The view as it will be, with the records and fields that are published."""
    with work() as ctx:
        designer(ctx)
        found = views.the_view(drafts.open_draft(ctx, app).parts, view)
        inst = definitions.installed(ctx, app)
        table = inst.app.table(found["table"])
        if table is None:
            return render_template("builder/_view_unseen.html", problems=[])
        try:
            made = load(view_types[found.get("type", "grid")], {k: v for k, v in found.items() if k != "type"})
        except DefinitionError as err:
            return render_template("builder/_view_unseen.html", problems=[p.message for p in err.problems])
        problems = [p.message for p in made.linked(inst.app, table)]
        if problems:
            return render_template("builder/_view_unseen.html", problems=problems)
        frame(ctx)
        return drawn(ctx, inst, made, Wishes.read(request.args), f"/build/{app}/view/{view}/preview")


# -- edits -----------------------------------------------------------------------------------------


def making(app: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]]) -> Any:
    return edits.making(app, message, edit, answered)


def answered(ctx: Context, draft: Draft, view: str) -> Any:
    url = f"/build/{draft.slug}/view/{view}/"
    return edits.leading_to(url, lambda: page(ctx, draft, view))


@bp.post("/build/<app>/views/add")
def add(app: str) -> Any:
    """A new view of a table (`table`) of some kind (`type`)."""
    table, type = request.form.get("table", ""), request.form.get("type", "")
    kind = view_types.get(type)
    title = edits.in_both(say(kind.title_word)) if kind else ""
    return making(app, say("New view"), lambda parts: views.add(parts, table, type, title))


@bp.post("/build/<app>/view/<view>/copy")
def copy(app: str, view: str) -> Any:
    return making(app, say("View copied"), lambda parts: views.copy(parts, view))


@bp.post("/build/<app>/view/<view>/remove")
def remove(app: str, view: str) -> Any:
    return making(app, say("View removed"), lambda parts: views.remove(parts, view))


@bp.post("/build/<app>/view/<view>/order")
def order(app: str, view: str) -> Any:
    """The views of the table in another order: `key` was put at `position`."""
    key, position = request.form.get("key", ""), read_whole(request.form.get("position", "")) or 0
    return making(app, say("Views moved"), lambda parts: (views.move(parts, key, position), view))


@bp.post("/build/<app>/view/<view>/undo")
@bp.post("/build/<app>/view/<view>/redo")
def step(app: str, view: str) -> Any:
    """Undo or redo, and stay on this view if it is still there."""

    def answer(ctx: Context, draft: Draft) -> Any:
        return answered(ctx, draft, view) if f"views/{view}" in draft.parts else go(f"/build/{app}/")

    return edits.stepping(app, answer)


@bp.post("/build/<app>/view/<view>/options")
def set_options(app: str, view: str) -> Any:
    """What was put into the panel."""
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        found = views.the_view(draft.parts, view)
        around = Surroundings(draft.parts, draft.app, found["table"])
        made, errors = panel.read(view_types[found.get("type", "grid")], edits.sent(), found, around.near())
        if errors:
            return page(ctx, draft, view, errors=errors, typed=made, status=422)

    def changed(parts: Parts) -> tuple[Parts, str]:
        views.the_view(parts, view)
        return changes.change_object(parts, "views", view, made), view

    return making(app, say("Options changed"), changed)


@bp.get("/build/<app>/views/<table>")
def first(app: str, table: str) -> Any:
    """The designer with the first view of a table; one that has none yet gets a list."""
    with work() as ctx:
        designer(ctx)
        parts = drafts.open_draft(ctx, app).parts
        if f"tables/{table}" not in parts:
            raise NotFound
        own = of_table(parts, "views", table)
    if own:
        return go(f"/build/{app}/view/{own[0]['id']}/")
    return go(f"/build/{app}/")
