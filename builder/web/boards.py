"""The designer of dashboards: widgets on a grid with the figures that are there, and the options of the chosen one."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request

from builder import boards, drafts, panel
from builder.drafts import Draft
from builder.near import Surroundings
from builder.panel import Input
from builder.parts import Json, Parts
from builder.places import told
from builder.web import edits
from builder.web.apps import designer
from runtime import definitions
from runtime.context import Context
from runtime.definitions import Installed
from runtime.web.dashboards import tile
from runtime.web.edge import go, work
from schemas.dashboard import Dashboard
from schemas.errors import DefinitionError, InvalidInput
from schemas.messages import Message, say
from schemas.options import load
from schemas.text import Text
from schemas.widgets import widget_types

bp = Blueprint("build_boards", __name__)
MAY_BE_DATES = ("date", "datetime", "formula", "lookup", "rollup")
"""Types of fields whose values may fall into periods."""
PLACED = {"at"}
"""What is set by dragging and not on the panel."""


@bp.get("/build/<app>/dashboard/<board>/")
def show(app: str, board: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return page(ctx, drafts.open_draft(ctx, app), board, request.args.get("widget", ""))


def page(
    ctx: Context,
    draft: Draft,
    board: str,
    chosen: str = "",
    *,
    errors: Any = None,
    typed: Json | None = None,
    status: int = 200,
) -> Any:
    """The designer as a page, or its fragment after an edit. `typed` is what was sent and refused."""
    parts, found = draft.parts, boards.the_board(draft.parts, board)
    widgets = {w["id"]: w for w in found.get("widgets") or ()}
    widget = widgets.get(chosen)
    around = Surroundings(parts, draft.app, widget["table"] if widget else _some_table(parts))
    problems = [told(parts, p) for p in draft.problems]
    wrong = _problems_by_widget(problems, board, list(widgets))
    places = boards.places_of(found)
    shown = {
        "board_id": board, "board": found, "chosen": chosen if widget else "", "widget": widget,
        "tiles": [_tile(ctx, draft, found, w, places[w["id"]], wrong.get(w["id"])) for w in widgets.values()],
        "kinds": list(widget_types), "kind": widget_types.get(widget["type"]) if widget else None,
        "tables": [(t, Text.of(parts[f"tables/{t}"].get("title") or t)) for t in parts["order/tables"]],
        "sections": _panel(around, widget, errors if errors is not None else wrong.get(chosen, {}), typed) if widget else [],
        "here": f"/build/{draft.slug}/dashboard/{board}/", "tab": "widget",
    }  # fmt: skip
    return edits.drawn(ctx, draft, around, problems, "board_studio", shown, status)


def _some_table(parts: Parts) -> str:
    return str(next(iter(parts["order/tables"]), ""))


def _panel(around: Surroundings, widget: Json, errors: Any, typed: Json | None) -> Any:
    values = {**_options(widget), **{k: v for k, v in (typed or {}).items() if v is not None}}
    found = panel.inputs(widget_types[widget["type"]], values, around.near(edits.modes_sent()), errors)
    undated = _undated(around.parts.get(f"tables/{widget['table']}") or {"fields": ()}, values.get("group") or ())
    return [(t, kept) for t, items in found if (kept := [_without(i, undated) for i in items if i.name not in PLACED])]


def _undated(table: Json, groups: Sequence[Json]) -> set[str]:
    """The inputs for the period of groups that are no dates."""
    plain = {f["id"] for f in table["fields"] if f["type"] not in MAY_BE_DATES} | {
        "created_by",
        "updated_by",
        "flow.state",
    }
    return {f"group.{n}.by" for n, group in enumerate(groups) if group.get("field") in plain and not group.get("by")}


def _without(input: Input, names: Collection[str]) -> Input:
    """An input without some of those in its items."""
    items = [replace(item, inputs=[i for i in item.inputs if i.name not in names]) for item in input.items]
    return replace(input, items=items)


def _options(widget: Json) -> Json:
    """A widget's options, a group that is a field's id alone as an object."""
    groups = widget.get("group")
    if not isinstance(groups, list):
        return widget
    return {**widget, "group": [{"field": g} if isinstance(g, str) else g for g in groups]}


def _problems_by_widget(problems: list[Any], board: str, ids: list[str]) -> dict[str, dict[str, list[Message]]]:
    """The draft's problems with widgets of this dashboard, by the widget and the name of the input."""
    found: dict[str, dict[str, list[Message]]] = {}
    for one in problems:
        head, _, rest = one.place.option.partition(".")
        number, _, name = rest.partition(".")
        if (one.place.kind, one.place.id, head) == ("dashboards", board, "widgets") and number.isdigit():
            found.setdefault(ids[int(number)], {}).setdefault(name, []).append(one.problem.message)
    return found


def _tile(ctx: Context, draft: Draft, board: Json, widget: Json, at: boards.At, wrong: Any) -> dict[str, Any]:
    """A widget with its figures, by what is published; one that cannot be drawn yet says why."""
    shown = {"id": widget["id"], "at": ",".join(map(str, at)), "name": Text.of(widget.get("title") or widget["id"])}
    inst = definitions.installed(ctx, draft.slug)
    try:
        made = load(widget_types[widget["type"]], {k: v for k, v in widget.items() if k != "type"})
    except DefinitionError as err:
        return {**shown, "problems": [p.message for p in err.problems]}
    table = inst.app.table(made.table)
    found = [p.message for p in made.linked(inst.app, table)] if table else [say("This form is not published yet.")]
    if found:
        return {**shown, "problems": found}
    return {**shown, "problems": [], "wrong": bool(wrong), "tile": _figures(ctx, inst, board, made)}


def _figures(ctx: Context, inst: Installed, board: Json, widget: Any) -> dict[str, Any]:
    return tile(ctx, inst, Dashboard(id=board["id"]), widget)


# -- edits -----------------------------------------------------------------------------------------


def making(app: str, board: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]]) -> Any:
    return edits.making(app, message, edit, lambda ctx, draft, chosen: answered(ctx, draft, board, chosen))


def answered(ctx: Context, draft: Draft, board: str, chosen: str) -> Any:
    url = f"/build/{draft.slug}/dashboard/{board}/" + (f"?{urlencode({'widget': chosen})}" if chosen else "")
    return edits.leading_to(url, lambda: page(ctx, draft, board, chosen))


@bp.post("/build/<app>/dashboards")
def create(app: str) -> Any:
    """A new dashboard."""
    title = request.form.get("title", "")
    return edits.making(
        app, say("New dashboard"), lambda parts: boards.add_board(parts, title),
        lambda ctx, draft, board: go(f"/build/{app}/dashboard/{board}/"),
    )  # fmt: skip


@bp.post("/build/<app>/dashboard/<board>/remove")
def remove_board(app: str, board: str) -> Any:
    return edits.making(
        app, say("Dashboard removed"), lambda parts: (boards.remove_board(parts, board), ""),
        lambda ctx, draft, _: go(f"/build/{app}/"),
    )  # fmt: skip


@bp.post("/build/<app>/dashboard/<board>/title")
def rename(app: str, board: str) -> Any:
    """The dashboard's name in each language."""
    title = {code: text for code in ("zh", "en") if (text := request.form.get(code, "").strip()[:80])}

    def named(parts: Parts) -> tuple[Parts, str]:
        if not title:
            raise InvalidInput({"title": [say("Give the dashboard a name.")]})
        made = {**boards.the_board(parts, board), "title": title}
        return Parts({**parts, f"dashboards/{board}": made}), ""

    return making(app, board, say("Renamed"), named)


@bp.post("/build/<app>/dashboard/<board>/add")
def add(app: str, board: str) -> Any:
    """A new widget (`type`) over a table (`table`)."""
    type, table = request.form.get("type", ""), request.form.get("table", "")
    kind = widget_types.get(type)
    title = edits.in_both(say(kind.title_word)) if kind else ""
    return making(app, board, say("New widget"), lambda parts: boards.add_widget(parts, board, type, table, title))


@bp.post("/build/<app>/dashboard/<board>/copy")
def copy(app: str, board: str) -> Any:
    widget = request.form.get("id", "")
    return making(app, board, say("Widget copied"), lambda parts: boards.copy_widget(parts, board, widget))


@bp.post("/build/<app>/dashboard/<board>/delete")
def delete(app: str, board: str) -> Any:
    widget = request.form.get("id", "")
    return making(app, board, say("Widget removed"), lambda parts: (boards.remove_widget(parts, board, widget), ""))


@bp.post("/build/<app>/dashboard/<board>/place")
def place(app: str, board: str) -> Any:
    """A widget dragged or stretched to `at`: x, y, width and height."""
    widget, numbers = request.form.get("id", ""), request.form.get("at", "").split(",")
    if len(numbers) != 4 or not all(n.removeprefix("-").isascii() and n.removeprefix("-").isdigit() for n in numbers):
        raise InvalidInput({"": [say("The move could not be read.")]})
    x, y, width, height = (max(-999, min(999, int(n[:6]))) for n in numbers)
    return making(
        app, board, say("Widget moved"),
        lambda parts: (boards.place_widget(parts, board, widget, (x, y, width, height)), widget),
    )  # fmt: skip


@bp.post("/build/<app>/dashboard/<board>/undo")
@bp.post("/build/<app>/dashboard/<board>/redo")
def step(app: str, board: str) -> Any:
    """Undo or redo, and stay on this dashboard if it is still there."""
    chosen = request.form.get("chosen", "")

    def answer(ctx: Context, draft: Draft) -> Any:
        there = f"dashboards/{board}" in draft.parts
        return answered(ctx, draft, board, chosen) if there else go(f"/build/{app}/")

    return edits.stepping(app, answer)


@bp.post("/build/<app>/dashboard/<board>/options")
def set_options(app: str, board: str) -> Any:
    """What was put into the panel of a widget (`path`)."""
    chosen = request.form.get("path", "")
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        widget = _options(boards.the_widget(draft.parts, board, chosen))
        around = Surroundings(draft.parts, draft.app, widget["table"])
        made, errors = panel.read(widget_types[widget["type"]], edits.sent(), widget, around.near())
        if errors:
            return page(ctx, draft, board, chosen, errors=errors, typed=made, status=422)
    return making(
        app, board, say("Options changed"),
        lambda parts: (boards.change_widget(parts, board, chosen, made), chosen),
    )  # fmt: skip
