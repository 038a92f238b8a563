"""Dashboards: a grid of widgets, each drawn for the rows and fields that its viewer may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, render_template, request

from runtime import listing, reports
from runtime.access import door, may_see_dashboard
from runtime.context import Context
from runtime.definitions import Installed
from runtime.reports import Figures
from runtime.tables import live
from runtime.web.edge import enter, is_fragment, words, work
from runtime.web.frame import frame
from runtime.web.links import share_url
from schemas.dashboard import Dashboard
from schemas.errors import NotFound
from schemas.messages import say
from schemas.text import Text
from schemas.widgets.base import Grouped, Measured, Widget
from schemas.widgets.number import Number
from schemas.widgets.pivot import Pivot
from schemas.widgets.target import Target

bp = Blueprint("dashboards", __name__)


def find_board(ctx: Context, inst: Installed, id: str) -> Dashboard:
    board = inst.app.dashboard(id)
    if board is None or not may_see_dashboard(ctx, inst, id):
        raise NotFound
    return board


@bp.get("/a/<app>/d/<dashboard>/")
def show(app: str, dashboard: str) -> Any:
    with work() as ctx:
        inst = enter(ctx, app)
        board = find_board(ctx, inst, dashboard)
        frame(ctx, inst, f"/a/{app}/d/{dashboard}/")
        tiles = [
            {"at": ",".join(map(str, place)), **tile(ctx, inst, board, widget)} for widget, place in board.places()
        ]
        return render_template(
            "runtime/dashboard.html",
            inst=inst,
            board=board,
            tiles=tiles,
            title=board.title or Text.of(board.id),
            share_url=share_url(ctx, inst, "dashboard", dashboard),
        )


@bp.get("/a/<app>/d/<dashboard>/<widget>")
def one(app: str, dashboard: str, widget: str) -> Any:
    """One widget again, with figures of this moment."""
    with work() as ctx:
        inst = enter(ctx, app)
        board = find_board(ctx, inst, dashboard)
        found = find_widget(board, widget)
        return render_template("runtime/_widget.html", **tile(ctx, inst, board, found))


def find_widget(board: Dashboard, id: str) -> Widget:
    found = board.widget(id)
    if found is None:
        raise NotFound
    return found


def tile(ctx: Context, inst: Installed, board: Dashboard, widget: Widget) -> dict[str, Any]:
    """What the template of a widget needs."""
    figures = reports.figures(ctx, inst, widget)
    url = f"/a/{inst.slug}/d/{board.id}/{widget.id}"
    made: dict[str, Any] = {
        "widget": widget,
        "figures": figures,
        "url": url,
        "drill": f"{url}/records",
        "tile_title": widget.title or Text.of(widget.id),
    }
    if figures.hidden:
        return made
    if isinstance(widget, Pivot):
        return {**made, "pivot": pivot(widget, figures, ctx.language, url)}
    if isinstance(widget, Grouped):
        return {**made, "chart": chart(widget, figures, url), "rows": ranking(widget, figures, ctx.language, url)}
    if isinstance(widget, Measured):
        return {**made, "text": reports.figure_text(figures.value, widget, ctx.language), **beside(ctx, widget, figures)}
    table = live(ctx, inst, widget.table)
    reader = listing.reader_of(ctx, table, figures.records, figures.columns)
    heads = [(c, listing.label_of(table, c)) for c in figures.columns]
    return {
        **made,
        "heads": heads,
        "body": listing.draw_rows(door(ctx, table), figures.records, figures.columns, reader),
    }


def beside(ctx: Context, widget: Measured, figures: Figures) -> dict[str, Any]:
    """What stands beside a figure: its goal and how much of that is reached, or an earlier figure and the change since."""
    if isinstance(widget, Target):
        share = reports.share_of(figures)
        goal = reports.figure_text(figures.goal, widget, ctx.language)
        return {"goal": goal, "share": share, "reached": percent(share)}
    if isinstance(widget, Number) and widget.compares is not None:
        change = reports.change_of(figures)
        before = reports.figure_text(figures.before, widget, ctx.language)
        return {"before": before, "change": change, "changed": percent(change, sign=True), "against": AGAINST[widget.against]}
    return {}


AGAINST = {"previous": say("the period before"), "year": say("a year ago")}


def percent(part: Decimal | None, sign: bool = False) -> str:
    if part is None:
        return "–"
    return f"{part * 100:{'+' if sign else ''}.1f}%"


@dataclass(frozen=True)
class PivotLine:
    """A line of a pivot table: its label, and a figure with where it leads for every column, the totals last."""

    label: Any
    cells: Sequence[tuple[str, str]]


def pivot(widget: Pivot, figures: Figures, language: str, url: str) -> dict[str, Any]:
    """A pivot table as it is drawn: the labels of its columns, its lines, and the line of totals."""
    columns = [slice for slice, _ in figures.series] if len(widget.group) > 1 else []
    keys = [column.key for column in columns if column]

    def cell(value: Any, *path: str) -> tuple[str, str]:
        return reports.figure_text(value, widget, language), f"{url}/records?{urlencode([('key', key) for key in path])}"

    totals = figures.totals
    lines = []
    for n, category in enumerate(figures.categories):
        cells = [cell(values[n], category.key, *keys[i : i + 1]) for i, (_, values) in enumerate(figures.series)]
        across = [cell(totals.rows[n], category.key)] if totals and keys else []
        lines.append(PivotLine(category.label, [*cells, *across]))
    sums: list[tuple[str, str]] = []
    if totals:
        below = [cell(value, reports.WHOLE, key) for value, key in zip(totals.columns, keys, strict=True)]
        sums = [*below, cell(totals.whole, reports.WHOLE)]
    heads = [column.label for column in columns if column] or [widget.title or Text.of(widget.id)]
    return {"heads": heads, "lines": lines, "sums": sums, "across": bool(totals and keys), "left_out": figures.left_out}


def chart(widget: Grouped, figures: Figures, url: str) -> dict[str, Any]:
    """The figures as the chart script reads them."""
    series = [
        {
            "name": words(slice.label) if slice else words(widget.title),
            "values": [_number(v, widget) for v in values],
            **({"color": slice.tone} if slice and slice.tone else {}),
        }
        for slice, values in figures.series
    ]
    colored = widget.type in ("pie", "funnel") or len(series) == 1
    tones = [c.tone for c in figures.categories]
    return {
        "kind": widget.type, "categories": [words(c.label) for c in figures.categories], "series": series,
        "unit": words(widget.unit), "percent": widget.percent, "stacked": getattr(widget, "stacked", False),
        "horizontal": getattr(widget, "horizontal", False), "smooth": getattr(widget, "smooth", False),
        "area": getattr(widget, "area", False), "urls": [drill_url(url, c.key) for c in figures.categories],
        **({"colors": tones} if colored and all(tones) else {}),
    }  # fmt: skip


def ranking(widget: Grouped, figures: Figures, language: str, url: str) -> list[dict[str, Any]]:
    """The figures line by line: a ranking, and what a screen reader and a print have instead of a chart."""
    totals = [
        sum((Decimal(values[n] or 0) for _, values in figures.series), Decimal(0))
        for n in range(len(figures.categories))
    ]
    largest = max((abs(t) for t in totals), default=Decimal(0))
    return [
        {"place": n + 1, "label": c.label, "text": reports.figure_text(Decimal(t), widget, language), "url": drill_url(url, c.key),
         "share": int(abs(t) / largest * 100) if largest else 0}
        for n, (c, t) in enumerate(zip(figures.categories, totals, strict=True))
    ]  # fmt: skip


def drill_url(url: str, key: str) -> str:
    return f"{url}/records?{urlencode({'key': key})}"


def _number(value: Any, widget: Measured) -> float | None:
    if value is None:
        return None
    return round(float(value), 6 if widget.percent else 4)


@bp.get("/a/<app>/d/<dashboard>/<widget>/records")
def records(app: str, dashboard: str, widget: str) -> Any:
    """The records behind a figure, as the viewer may see them."""
    with work() as ctx:
        inst = enter(ctx, app)
        board = find_board(ctx, inst, dashboard)
        found = find_widget(board, widget)
        table = live(ctx, inst, found.table)
        gate = door(ctx, table)
        gate.require("read")
        columns = gate.shown(_columns(inst, found))
        rows = reports.behind(gate, found, request.args.getlist("key")[:2], columns)
        reader = listing.reader_of(ctx, table, rows, columns)
        values = {
            "inst": inst, "board": board, "title": found.title or table.table.title, "count": len(rows),
            "heads": [(c, listing.label_of(table, c), reports.kind_of(table, c).kind == "number") for c in columns],
            "body": listing.draw_rows(gate, rows, columns, reader), "back": f"/a/{app}/d/{dashboard}/",
        }  # fmt: skip
        if is_fragment():
            return make_response(render_template("runtime/_drill.html", **values))
        frame(ctx, inst, f"/a/{app}/d/{dashboard}/")
        return render_template("runtime/drill.html", **values)


def _columns(inst: Installed, widget: Widget) -> list[str]:
    views = inst.app.views_of(widget.table)
    wanted = list(views[0].columns) if views and views[0].columns else []
    table = inst.app.table(widget.table)
    assert table is not None
    named = [g.field for g in getattr(widget, "group", ())]
    return list(dict.fromkeys([*wanted, *named])) or [f.id for f in table.fields if f.storage != "child"][:8]
