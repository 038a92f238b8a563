"""Views of tables: grids and boards."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, send_file

from runtime import exporting, flows, listing, preferences, records
from runtime.access import form_for, may_see_view, views_for
from runtime.context import Context
from runtime.definitions import Installed
from runtime.listing import Wishes
from runtime.tables import live
from runtime.web.edge import enter, is_fragment, json_of_request, record_id, words, work, worked
from runtime.web.frame import frame
from schemas import filling
from schemas.conditions import Condition, to_formula
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.view import View

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
        wishes = Wishes.read(request.args)
        if chosen.type == "kanban" and not wishes.trash:
            return _board(ctx, inst, chosen, wishes)
        columns = preferences.read(ctx, f"columns:{inst.id}:{view}") or {}
        shown = listing.show(ctx, inst, chosen, wishes, columns.get("shown", ()))
        values = {
            **_tabs(ctx, inst, chosen, wishes),
            "shown": shown,
            "widths": columns.get("widths", {}),
            "all_columns": _all_columns(shown),
        }
        if is_fragment() and request.headers.get("HX-Target", "").endswith("records"):
            return make_response(render_template("runtime/_records.html", **values))
        frame(ctx, inst, f"/a/{inst.slug}/v/{view}/")
        return render_template("runtime/view.html", **values)


def _board(ctx: Context, inst: Installed, view: View, wishes: Wishes) -> Any:
    lanes, gate = listing.board(ctx, inst, view, wishes)
    frame(ctx, inst, f"/a/{inst.slug}/v/{view.id}/")
    values = _tabs(ctx, inst, view, wishes)
    movable = bool(
        gate.may("update") and view.group in gate.live.table.by_id and gate.best(view.group or "", "update") == "write"
    )
    return render_template("runtime/board.html", lanes=lanes, gate=gate, movable=movable, **values)


def _tabs(ctx: Context, inst: Installed, view: View, wishes: Wishes) -> dict[str, Any]:
    form = form_for(ctx, inst, view.table, "create", view.form or "")
    return {
        "inst": inst, "view": view, "views": views_for(ctx, inst, view.table), "wishes": wishes, "base": f"/a/{inst.slug}/v/{view.id}/",
        "table": inst.app.table(view.table), "new_url": f"/a/{inst.slug}/f/{form.id}/new" if form else "",
    }  # fmt: skip


def _all_columns(shown: listing.Shown) -> list[tuple[str, Any, bool]]:
    """Every column that could be shown, those that are first."""
    present = [c.path for c in shown.columns]
    others = [p for p in listing.names_of(shown.live) if p not in present and shown.gate.visible(p) and _flat(shown, p)]
    order = {f.id: n for n, f in enumerate(shown.live.table.fields)}
    others.sort(key=lambda p: order.get(p, 999))
    return [(p, listing.label_of(shown.live, p), p in present) for p in (*present, *others)]


def _flat(shown: listing.Shown, path: str) -> bool:
    return path not in shown.live.table.by_id or shown.live.table.by_id[path].storage != "child"


@bp.get("/a/<app>/export/<view>")
def export(app: str, view: str) -> Any:
    """What the list shows now, as a file: `?as=csv` or Excel."""
    with work() as ctx:
        inst = enter(ctx, app)
        chosen = find_view(ctx, inst, view)
        columns = preferences.read(ctx, f"columns:{inst.id}:{view}") or {}
        shown = listing.show(ctx, inst, chosen, Wishes.read(request.args), columns.get("shown", ()))
        kind = "csv" if request.args.get("as") == "csv" else "xlsx"
        body, media_type = exporting.of_view(ctx, shown.gate, shown.listing, kind)
        name = f"{words(chosen.title or inst.app.table(chosen.table).title) or view}.{kind}"  # type: ignore[union-attr]
        return send_file(body, mimetype=media_type, as_attachment=True, download_name=name)


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
        wishes = Wishes.read({k: v for k, v in request.args.items() if k in ("q", "sort", "size")})
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
        preferences.write(ctx, f"columns:{inst.id}:{view}", {"shown": shown, "widths": _widths(wish.get("widths"))})
        return "", 204


def _names(given: Any) -> list[str]:
    return [str(name)[:80] for name in given[:200]] if isinstance(given, list) else []


def _widths(given: Any) -> dict[str, int]:
    if not isinstance(given, dict):
        return {}
    return {str(k)[:80]: int(max(64, min(640, v))) for k, v in list(given.items())[:200] if isinstance(v, int | float)}


@bp.post("/a/<app>/v/<view>/move")
def move(app: str, view: str) -> Any:
    """A card dragged to another lane: its grouping field takes that lane's value."""
    wish = json_of_request(say("The move could not be read."))

    def story(ctx: Context) -> None:
        inst = enter(ctx, app)
        chosen = find_view(ctx, inst, view)
        table = live(ctx, inst, chosen.table)
        id = record_id(str(wish.get("key", "")))
        values, errors = filling.parse(table.table, {chosen.group or "": str(wish.get("to") or "")}, ctx.zone)
        if errors:
            raise InvalidInput(errors)  # type: ignore[arg-type]
        if not values:
            raise NotFound
        changes = records.change(ctx, table, id, values)
        flows.record_saved(ctx, table, id, "changed", set(changes))

    worked(story)
    return "", 204
