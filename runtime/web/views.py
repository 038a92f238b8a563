"""Views of tables, of every kind."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request

from runtime import documents, flows, listing, own_views, records, spans
from runtime.access import form_for, may_see_view, views_for
from runtime.actors import Member
from runtime.context import Context
from runtime.definitions import Installed
from runtime.listing import Wishes
from runtime.own_views import OwnView
from runtime.tables import LiveTable, live
from runtime.web.edge import enter, is_fragment, json_of_request, record_id, work, worked
from runtime.web.frame import frame
from runtime.web.links import share_url
from schemas import filling, stretches
from schemas.conditions import Condition, to_formula
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.views import View
from schemas.views.base import TimeView
from schemas.views.calendar import SPANS, Calendar
from schemas.views.gallery import Gallery
from schemas.views.gantt import SCALES, Gantt
from schemas.views.kanban import Kanban

bp = Blueprint("views", __name__)


def find_view(ctx: Context, inst: Installed, id: str) -> View:
    found = inst.app.all_views.get(id)
    if found is None or not may_see_view(ctx, inst, id):
        raise NotFound
    return found


@bp.get("/a/<app>/v/<view>/")
def show(app: str, view: str) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        chosen = find_view(ctx, inst, view)
        if not is_fragment():
            frame(ctx, inst, f"/a/{inst.slug}/v/{view}/")
        return drawn(ctx, inst, chosen, Wishes.read(request.args))


def drawn(ctx: Context, inst: Installed, view: View, wishes: Wishes, base: str = "") -> Any:
    """A view as a page; what a list draws again is its records alone. `base` is its address, where it is not its own."""
    values = _tabs(ctx, inst, view, wishes, base)
    draw = DRAWN.get(type(view), _grid)
    return (_grid if wishes.trash else draw)(ctx, inst, view, wishes, values)


def _grid(ctx: Context, inst: Installed, view: View, wishes: Wishes, about: dict[str, Any]) -> Any:
    columns = own_views.columns_of(ctx, inst, view.id, about["own"])
    shown = listing.show(ctx, inst, view, wishes, columns.get("shown", ()))
    values = {**about, "shown": shown, "widths": columns.get("widths", {}), "all_columns": _all_columns(shown),
              "print_templates": documents.templates(ctx, shown.live) if shown.gate.may("print") else []}  # fmt: skip
    if is_fragment() and request.headers.get("HX-Target", "").endswith("records"):
        return make_response(render_template("runtime/_records.html", **values))
    return render_template("runtime/view.html", **values)


def _board(ctx: Context, inst: Installed, view: Kanban, wishes: Wishes, about: dict[str, Any]) -> Any:
    shown = listing.board(ctx, inst, view, wishes)
    gate = shown.gate
    movable = (
        not about["preview"]
        and gate.may("update")
        and view.group in gate.live.table.by_id
        and gate.best(view.group, "update") == "write"
    )
    adds = movable and about["new_url"] and not view.group.startswith("flow.")
    return render_template("runtime/board.html", shown=shown, lanes=shown.lanes, movable=movable, adds=adds, **about)


def _gallery(ctx: Context, inst: Installed, view: Gallery, wishes: Wishes, about: dict[str, Any]) -> Any:
    shown = listing.show(ctx, inst, view, wishes, [*view.card, *([view.cover] if view.cover else [])])
    cards = listing.gallery(ctx, shown, view)
    return render_template("runtime/gallery.html", shown=shown, cards=cards, **about)


def _calendar(ctx: Context, inst: Installed, view: Calendar, wishes: Wishes, about: dict[str, Any]) -> Any:
    chosen, day = wishes.span if wishes.span in SPANS else view.span, _day_asked(ctx, wishes)
    shown = spans.span(ctx, inst, view, wishes, stretches.shown_by(chosen, day))
    return render_template(
        "runtime/calendar.html", shown=shown, span=chosen, spans=SPANS, day=day, today=spans.day_of(ctx.now, ctx),
        previous=stretches.moved(chosen, day, -1), next=stretches.moved(chosen, day, 1),
        **about,
    )  # fmt: skip


def _gantt(ctx: Context, inst: Installed, view: Gantt, wishes: Wishes, about: dict[str, Any]) -> Any:
    scale, day = wishes.span if wishes.span in SCALES else view.scale, _day_asked(ctx, wishes)
    line = stretches.line(scale, day)
    shown = spans.span(ctx, inst, view, wishes, line, view.progress or "")
    today = spans.day_of(ctx.now, ctx)
    return render_template(
        "runtime/gantt.html", shown=shown, scale=scale, scales=SCALES, line=line, ticks=stretches.ticks(scale, line),
        today=today, today_at=line.place(today, today),
        previous=stretches.along(scale, day, -1), next=stretches.along(scale, day, 1),
        **about,
    )  # fmt: skip


def _day_asked(ctx: Context, wishes: Wishes) -> date:
    """The day that the address names, or today for one beyond what calendars reach."""
    try:
        day = date.fromisoformat(wishes.day)
    except ValueError:
        return spans.day_of(ctx.now, ctx)
    return day if 1800 <= day.year <= 2999 else spans.day_of(ctx.now, ctx)


DRAWN: dict[type[View], Callable[..., Any]] = {
    Kanban: _board, Gallery: _gallery, Calendar: _calendar, Gantt: _gantt
}  # fmt: skip


def _tabs(ctx: Context, inst: Installed, view: View, wishes: Wishes, base: str = "") -> dict[str, Any]:
    """What every view needs. With an address of another's it is a preview: to look at, not to change anything by."""
    form = None if base else form_for(ctx, inst, view.table, "create", view.form or "")
    views = views_for(ctx, inst, view.table)
    owned = [] if base else own_views.listed(ctx, inst, views)
    own = next((one for one in owned if str(one.id) == wishes.own and one.view == view.id), None)
    return {
        "inst": inst, "view": view, "views": views, "wishes": wishes, "owned": owned, "own": own,
        "may_keep": not base and isinstance(ctx.actor, Member), "may_share_view": not base and own_views.may_share(ctx, inst),
        "as_kept": own is not None and {n: v for n, v in request.args.items() if n in own_views.KEPT} == own.wishes,
        "base": base or f"/a/{inst.slug}/v/{view.id}/", "preview": bool(base), "table": inst.app.table(view.table),
        "share_url": "" if base else share_url(ctx, inst, "view", view.id),
        "new_url": f"/a/{inst.slug}/f/{form.id}/new" if form else "",
    }  # fmt: skip


def own_asked(ctx: Context, inst: Installed, view: str, wishes: Wishes) -> OwnView | None:
    """The view of one's own that an address names; nothing for one that is no longer there."""
    try:
        return own_views.one_of(ctx, inst, view, UUID(wishes.own)) if wishes.own else None
    except (NotFound, ValueError):
        return None


def _all_columns(shown: listing.Shown) -> list[tuple[str, Any, bool]]:
    """Every column that could be shown, those that are first."""
    present = [c.path for c in shown.columns]
    others = [p for p in listing.names_of(shown.live) if p not in present and shown.gate.visible(p) and _flat(shown, p)]
    order = {f.id: n for n, f in enumerate(shown.live.table.fields)}
    others.sort(key=lambda p: order.get(p, 999))
    return [(p, listing.label_of(shown.live, p), p in present) for p in (*present, *others)]


def _flat(shown: listing.Shown, path: str) -> bool:
    return path not in shown.live.table.by_id or shown.live.table.by_id[path].storage != "child"


@bp.get("/a/<app>/v/<view>/filter")
def filter(app: str, view: str) -> Any:
    """The rows of the filter panel as a formula in the list's address."""
    with work() as ctx:
        inst = enter(ctx, app)
        chosen = find_view(ctx, inst, view)
        shown = listing.show(ctx, inst, chosen, Wishes())
        fields, operators, values = (request.args.getlist(n) for n in ("field", "operator", "value"))
        rows = [
            Condition(f, o, tuple(v.split("\x1f")) if v else ())
            for f, o, v in zip(fields, operators, values, strict=False)
        ]
        allowed = {f["id"] for f in shown.filter_fields}
        formula = to_formula(
            [r for r in rows if r.field in allowed],
            listing.kinds_of(shown.live),
            "OR" if request.args.get("joined") == "OR" else "AND",
            listing.writers_of(shown.live),
        )
        wishes = Wishes.read(
            {k: v for k, v in request.args.items() if k in ("q", "sort", "size", "day", "span", "own")}
        )
        return redirect(wishes.url(shown.base, filter=formula), 303)


@bp.post("/a/<app>/v/<view>/columns")
def columns(app: str, view: str) -> Any:
    """Keep which columns this member sees, in which order and how wide."""
    wish = json_of_request(say("The columns could not be read."))
    with work() as ctx:
        inst = enter(ctx, app)
        find_view(ctx, inst, view)
        hidden = set(_names(wish.get("hidden")))
        shown = [c for c in _names(wish.get("order")) if c not in hidden]
        own = own_asked(ctx, inst, view, Wishes.read(request.args))
        own_views.keep_columns(ctx, inst, view, own, {"shown": shown, "widths": _widths(wish.get("widths"))})
        return "", 204


def _names(given: Any) -> list[str]:
    return [str(name)[:80] for name in given[:200]] if isinstance(given, list) else []


def _widths(given: Any) -> dict[str, int]:
    if not isinstance(given, dict):
        return {}
    return {str(k)[:80]: int(max(64, min(640, v))) for k, v in list(given.items())[:200] if isinstance(v, int | float)}


@bp.post("/a/<app>/v/<view>/move")
def move(app: str, view: str) -> Any:
    """A card dragged to another lane takes that lane's answer; a record dragged in time changes its dates."""
    wish = json_of_request(say("The move could not be read."))

    def story(ctx: Context) -> None:
        inst = enter(ctx, app)
        chosen = find_view(ctx, inst, view)
        table, id = live(ctx, inst, chosen.table), record_id(str(wish.get("key", "")))
        changes = _moved(ctx, table, chosen, id, wish)
        if changes:
            flows.record_saved(ctx, table, id, "changed", changes)

    worked(story)
    return "", 204


def _moved(ctx: Context, table: LiveTable, view: View, id: UUID, wish: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(view, TimeView):
        return spans.move(ctx, table, view, id, _days_of(wish), str(wish.get("edge") or ""))
    if not isinstance(view, Kanban):
        raise NotFound
    values, errors = filling.parse(table.table, {view.group: str(wish.get("to") or "")}, ctx.zone)
    if errors:
        raise InvalidInput(errors)
    if not values:
        raise NotFound
    return records.change(ctx, table, id, values)


def _days_of(wish: Mapping[str, Any]) -> int:
    """By how many days: said as such, or as the days of a calendar from and to which something was dragged."""
    days = wish.get("days")
    if isinstance(days, int):
        return days
    try:
        return (date.fromisoformat(str(wish.get("to"))) - date.fromisoformat(str(wish.get("from")))).days
    except ValueError:
        raise InvalidInput({"": [say("The move could not be read.")]}) from None
