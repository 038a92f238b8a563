"""An app drawn from its definition alone, to be clicked through before it is installed: nothing here can be changed."""

from calendar import Calendar as Weeks
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any
from uuid import UUID

from markupsafe import Markup

from builder.specimen import Entry, Specimen
from runtime import cells
from runtime.render import BoundBlock, BoundField, BoundRow, Picked, lay_out
from runtime.reports import Figures, Slice, figure_text
from schemas.app import App
from schemas.dashboard import Dashboard
from schemas.errors import NotFound
from schemas.fields import Field, Reader
from schemas.fields.button import Button
from schemas.fields.choice import Choice
from schemas.fields.rows import Rows
from schemas.form import Form
from schemas.formula import ErrorValue, FormulaError
from schemas.formula.types import BOOLEAN
from schemas.measures import Aggregate, check_measure
from schemas.messages import say
from schemas.table import SYSTEM_LABELS, Table
from schemas.text import Sentence, Text
from schemas.views import View
from schemas.widgets import Widget
from schemas.widgets.base import Grouped, Measured

ROWS = 20
CARDS = 6
LANES = 12


@dataclass(frozen=True)
class Place:
    """Something that can be looked at: its kind and id as in an address, its name and icon."""

    kind: str
    id: str
    title: Text
    icon: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


def places(app: App) -> list[tuple[Sentence, list[Place]]]:
    """What an app shows, in groups: its lists, forms, dashboards and flows."""
    views = [Place("view", v.id, v.title or Text.of(v.id), v.icon) for v in app.all_views.values()]
    forms = [Place("form", f.id, f.title or Text.of(f.id), f.icon) for f in app.all_forms.values()]
    boards = [Place("dashboard", d.id, d.title or Text.of(d.id), d.icon) for d in app.dashboards]
    groups = [(say("Views"), views), (say("Forms"), forms), (say("Dashboards"), boards)]
    return [(title, found) for title, found in groups if found]


def drawn(specimen: Specimen, key: str) -> dict[str, Any]:
    """What the template of one place needs. Raises NotFound."""
    kind, _, id = key.partition(":")
    app = specimen.app
    if kind == "view" and id in app.all_views:
        return _view(specimen, app.all_views[id])
    if kind == "form" and id in app.all_forms:
        return _form(specimen, app.all_forms[id])
    board = app.dashboard(id) if kind == "dashboard" else None
    if board is None:
        raise NotFound
    return _board(specimen, board)


# -- forms -----------------------------------------------------------------------------------------


def _form(specimen: Specimen, form: Form) -> dict[str, Any]:
    table = _table(specimen.app, form.table)
    entries = specimen.entries(table)
    reader = specimen.reader([table])
    values = entries[0].values if entries else {}

    def bound(id: str) -> BoundField | None:
        field = table.by_id.get(id)
        return _bound(field, values.get(id), reader) if field and not isinstance(field, Button) else None

    blocks: Sequence[BoundBlock] = lay_out(form, bound)
    return {"kind": "form", "title": form.title or Text.of(form.id), "blocks": blocks}


def _bound(field: Field, value: Any, reader: Reader, name: str = "") -> BoundField:
    name = name or field.id
    if isinstance(field, Rows):
        rows = [
            BoundRow([_bound(c, row.get(c.id), reader, f"{name}[{n}].{c.id}") for c in field.fields])
            for n, row in enumerate(value or [{}])
        ]
        blank = BoundRow([BoundField(c, f"{name}[].{c.id}") for c in field.fields])
        return BoundField(field, name, columns=list(field.fields), rows=rows, blank_row=blank)
    ids = value if isinstance(value, list) else [value]
    picked = [Picked(str(id), reader.names[id]) for id in ids if isinstance(id, UUID) and id in reader.names]
    shown = field.show(value, reader) if value not in (None, []) and not isinstance(value, ErrorValue) else ""
    if field.type == "serial":
        shown = field.show(field.example(), reader)
    return BoundField(
        field, name, value=value, shown=shown, required=field.required, readonly=field.computed, picked=picked
    )


# -- views -----------------------------------------------------------------------------------------


def _view(specimen: Specimen, view: View) -> dict[str, Any]:
    table = _table(specimen.app, view.table)
    entries = _filtered(specimen, table, view.filter)
    cards = _Cards(specimen, table, getattr(view, "card", ()))
    about = {"kind": view.type, "view": view, "title": view.title or Text.of(view.id), "table": table}
    if view.type == "kanban":
        return {**about, "lanes": list(_lanes(view, table, entries, cards))}
    if view.type == "gallery":
        return {**about, "cards": [cards.one(e) for e in entries[:ROWS]]}
    if view.type == "calendar":
        return {**about, **_month(specimen, view, entries, cards)}
    if view.type == "gantt":
        return {**about, **_bars(specimen, view, entries, cards)}
    columns = [c for c in view.columns if "." not in c] or [f.id for f in table.fields if not isinstance(f, Rows)][:8]
    return {**about, **grid(specimen, table, columns, entries[:ROWS]), "count": len(entries)}


def _filtered(specimen: Specimen, table: Table, filter: Any) -> list[Entry]:
    """The records that a condition keeps; all of them where it needs more than a record to say."""
    entries = specimen.entries(table)
    if filter is None:
        return entries
    try:
        expression = specimen.app.analysis.expression(filter, specimen.app.analysis.reading_scope(table), BOOLEAN)
    except FormulaError:
        return entries
    return [e for e in entries if specimen.holds(expression, e.values) is True] or entries


def grid(specimen: Specimen, table: Table, columns: Sequence[str], entries: Sequence[Entry]) -> dict[str, Any]:
    """A list: its heads, and its rows with every cell drawn."""
    reader = specimen.reader([table])
    found = [(c, table.by_id.get(c)) for c in columns]
    heads = [(label_of(table, c), _numeric(specimen, table, f)) for c, f in found]
    draws = [(c, _drawer(specimen, table, f, reader)) for c, f in found]
    rows = [[Markup(draw(e.values.get(c))) for c, draw in draws] for e in entries]  # noqa: S704  every drawer escapes
    return {"heads": heads, "rows": rows}


def label_of(table: Table, path: str) -> Sentence:
    field = table.by_id.get(path)
    if field is None:
        return SYSTEM_LABELS.get(path) or Text.of(path)
    return field.label or Text.of(field.id)


def _numeric(specimen: Specimen, table: Table, field: Field | None) -> bool:
    return field is not None and cells.numeric(field, specimen.app.analysis.type_of(table, field))


def _drawer(specimen: Specimen, table: Table, field: Field | None, reader: Reader) -> cells.Draw:
    if field is None or isinstance(field, Button):
        return lambda value: ""
    if isinstance(field, Rows):
        return lambda value: str(len(value or ()))
    draw = cells.drawer(field, specimen.app.analysis.type_of(table, field), reader, lambda target, id: "")

    def safely(value: Any) -> str:
        """A value that came of no answer from the world is shown as nothing."""
        return "" if value is None or isinstance(value, ErrorValue) else draw(value)

    return safely


class _Cards:
    """Records as cards with some of their fields."""

    def __init__(self, specimen: Specimen, table: Table, facts: Sequence[str]) -> None:
        self.specimen, self.table = specimen, table
        reader = specimen.reader([table])
        fields = [(f, table.by_id[f]) for f in facts if f in table.by_id]
        self.draws = [(label_of(table, c), c, _drawer(specimen, table, f, reader)) for c, f in fields]

    def one(self, entry: Entry) -> dict[str, Any]:
        facts = [(label, Markup(draw(entry.values.get(c)))) for label, c, draw in self.draws]  # noqa: S704
        return {"title": self.specimen.title(self.table, entry), "facts": [f for f in facts if f[1]]}


def _lanes(view: Any, table: Table, entries: Sequence[Entry], cards: _Cards) -> Iterator[dict[str, Any]]:
    field = table.by_id.get(view.group)
    options = [(o.id, o.label or Text.of(o.id), o.color) for o in getattr(field, "options", ())]
    reader = cards.specimen.reader([table])
    if not options and field is not None:
        seen = dict.fromkeys(v for e in entries if (v := e.values.get(view.group)) and not isinstance(v, list))
        options = [(v, Text.of(field.show(v, reader)), "gray") for v in seen]
    for id, label, tone in options[:LANES]:
        inside = [e for e in entries if e.values.get(view.group) == id]
        yield {"label": label, "tone": tone, "count": len(inside), "cards": [cards.one(e) for e in inside[:CARDS]]}


def _day(specimen: Specimen, value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(specimen.zone).date()
    return value if isinstance(value, date) else None


def _spans(specimen: Specimen, view: Any, entries: Sequence[Entry]) -> list[tuple[Entry, date, date]]:
    """The records that have a place in time."""
    found = []
    for entry in entries:
        first = _day(specimen, entry.values.get(view.start))
        last = _day(specimen, entry.values.get(view.end)) if view.end else None
        if first is not None:
            found.append((entry, first, max(first, last or first)))
    return found


def _tone(view: Any, table: Table, entry: Entry) -> str:
    field = table.by_id.get(view.color or "")
    option = field.named(entry.values.get(field.id) or "") if isinstance(field, Choice) else None
    return option.color if option else "teal"


def _month(specimen: Specimen, view: Any, entries: Sequence[Entry], cards: _Cards) -> dict[str, Any]:
    """The month in which most of the records are, nearest to today where several have as many."""
    spans = _spans(specimen, view, entries)
    today = specimen.now.astimezone(specimen.zone).date()
    months = [(first.year, first.month) for _, first, _ in spans] or [(today.year, today.month)]
    year, month = max(sorted(set(months)), key=lambda m: (months.count(m), m == (today.year, today.month)))
    days = [
        (
            day,
            [{**cards.one(e), "tone": _tone(view, cards.table, e)} for e, first, last in spans if first <= day <= last],
        )
        for day in Weeks().itermonthdates(year, month)
    ]
    return {"month": date(year, month, 1), "days": days}


def _bars(specimen: Specimen, view: Any, entries: Sequence[Entry], cards: _Cards) -> dict[str, Any]:
    spans = sorted(_spans(specimen, view, entries), key=lambda s: s[1])[-ROWS:]
    start = min((s[1] for s in spans), default=specimen.now.date())
    length = max(((s[2] - start).days + 1 for s in spans), default=1)
    bars = [
        {**cards.one(e), "tone": _tone(view, cards.table, e), "at": (first - start).days,
         "long": max(1, (last - first).days + 1), "first": first, "last": last}
        for e, first, last in spans
    ]  # fmt: skip
    return {"bars": bars, "length": length}


# -- dashboards ------------------------------------------------------------------------------------


def _board(specimen: Specimen, board: Dashboard) -> dict[str, Any]:
    tiles = [{**_tile(specimen, w), "at": ",".join(map(str, at)), "widget": w} for w, at in board.places()]
    return {"kind": "dashboard", "title": board.title or Text.of(board.id), "tiles": tiles}


def _tile(specimen: Specimen, widget: Widget) -> dict[str, Any]:
    table = specimen.app.table(widget.table)
    about: dict[str, Any] = {"title": widget.title or Text.of(widget.id)}
    if table is None:
        return about
    entries = _filtered(specimen, table, widget.filter)
    if isinstance(widget, Grouped):
        return {**about, "figures": _grouped(specimen, table, widget, entries)}
    if isinstance(widget, Measured):
        return {**about, "text": figure_text(_measured(specimen, table, widget, entries), widget, specimen.language)}
    columns = getattr(widget, "columns", ())
    return {**about, **grid(specimen, table, columns, entries[:CARDS])}


def _grouped(specimen: Specimen, table: Table, widget: Grouped, entries: Sequence[Entry]) -> Figures:
    """The measure for each group, as a chart reads it; a second group is left out of the drawing."""
    name = widget.group[0].field
    groups: dict[Any, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_key(specimen, entry.values.get(name), widget.group[0].by), []).append(entry)
    slices = _slices(specimen, table, name, groups)
    values = [_measured(specimen, table, widget, groups[key]) for key, _ in slices][: widget.limit]
    return Figures(categories=[s for _, s in slices][: widget.limit], series=[(None, values)])


def _key(specimen: Specimen, value: Any, by: str | None) -> Any:
    day = _day(specimen, value)
    if day is not None:
        return {"year": f"{day.year}", "quarter": f"{day.year} Q{(day.month + 2) // 3}", "day": f"{day}"}.get(
            by or "day", f"{day:%Y-%m}"
        )
    return None if isinstance(value, list | dict | ErrorValue) else value


def _slices(specimen: Specimen, table: Table, name: str, groups: Mapping[Any, Any]) -> list[tuple[Any, Slice]]:
    field = table.by_id.get(name)
    options = {o.id: o for o in getattr(field, "options", ())}
    if options:
        return [(id, Slice(id, o.label or Text.of(id), o.color)) for id, o in options.items() if id in groups]
    reader = specimen.reader([table])
    named = [(k, reader.names.get(k) or str(k)) for k in groups if k is not None]
    return [(k, Slice(str(k), Text.of(text))) for k, text in sorted(named, key=lambda pair: pair[1])]


def _measured(specimen: Specimen, table: Table, widget: Measured, entries: Sequence[Entry]) -> Decimal | None:
    try:
        measure = check_measure(widget.measure, specimen.app.analysis, table)
    except FormulaError:
        return None
    figures = {f"m{n}": _aggregated(specimen, a, entries) for n, a in enumerate(measure.aggregates)}
    found = specimen.holds(measure.total, figures)
    return found if isinstance(found, Decimal) else None


def _aggregated(specimen: Specimen, aggregate: Aggregate, entries: Sequence[Entry]) -> Any:
    where, value = aggregate.where, aggregate.value
    counted = [e for e in entries if where is None or specimen.holds(where, e.values) is True]
    if value is None:
        return Decimal(len(counted))
    found = [v for e in counted if (v := specimen.holds(value, e.values)) is not None]
    numbers = [v for v in found if isinstance(v, Decimal)]
    if aggregate.name.startswith("COUNT"):
        return Decimal(len(found))
    if not numbers:
        return None if not aggregate.name.startswith("SUM") else Decimal(0)
    total = sum(numbers, Decimal(0))
    return {
        "SUM": total, "SUMIF": total, "AVERAGE": total / len(numbers), "AVERAGEIF": total / len(numbers),
        "MIN": min(numbers), "MAX": max(numbers), "MEDIAN": median(numbers),
    }[aggregate.name]  # fmt: skip


def _table(app: App, id: str) -> Table:
    found = app.table(id)
    if found is None:
        raise NotFound
    return found
