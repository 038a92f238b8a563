"""Figures for dashboards: what each widget asks of the database, in the viewer's own name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, cast, func, literal, select

from runtime import query
from runtime.access import Door, door
from runtime.context import Context
from runtime.definitions import Installed
from runtime.expressions import RowsSource, to_sql
from runtime.people import Directory
from runtime.query import Listing, Record
from runtime.sources import Clock
from runtime.tables import LiveTable, live
from schemas import stretches
from schemas.errors import NotFound
from schemas.fields.switch import Switch
from schemas.formula import Type
from schemas.measures import Aggregate, Measure, check_measure
from schemas.messages import say
from schemas.numbers import grouped, plain
from schemas.table import SYSTEM_FIELDS
from schemas.text import Sentence, Text
from schemas.widgets.base import Group, Grouped, Measured, Widget
from schemas.widgets.number import Number
from schemas.widgets.pivot import Pivot
from schemas.widgets.table import Table as TableWidget
from schemas.widgets.target import Target

NONE = "\u2400"
"""The sign for nothing stands for a blank in a drill-down's address."""
WHOLE = "\u2211"
"""The sign for a sum stands for all groups together, as below a column of a pivot table."""


@dataclass(frozen=True)
class Slice:
    """One group of records: its key as it stands in an address, its label, its colour."""

    key: str
    label: Sentence
    tone: str = ""


@dataclass(frozen=True)
class Figures:
    """What a widget shows: one value, or values by category and series, or records."""

    value: Decimal | None = None
    categories: Sequence[Slice] = ()
    series: Sequence[tuple[Slice | None, Sequence[Decimal | None]]] = ()
    records: Sequence[Record] = ()
    columns: Sequence[str] = ()
    hidden: bool = False
    left_out: int = field(default=0)
    goal: Decimal | None = None
    before: Decimal | None = None
    """The same figure of the earlier period."""
    totals: "Totals | None" = None


@dataclass(frozen=True)
class Totals:
    """Of a pivot table: what the measure comes to over each whole row, each whole column, and everything."""

    rows: Sequence[Decimal | None]
    columns: Sequence[Decimal | None]
    whole: Decimal | None


@dataclass(frozen=True)
class FigureSource(Clock):
    """The names of a measure's arithmetic: its aggregates."""

    aggregates: Sequence[ColumnElement[Any]]

    def column(self, name: str) -> ColumnElement[Any]:
        return self.aggregates[int(name[1:])]

    def rows(self, name: str) -> RowsSource:
        raise NotFound

    def linked(self, name: str) -> RowsSource:
        raise NotFound


def figures(ctx: Context, inst: Installed, widget: Widget) -> Figures:
    """The widget's figures over the rows and fields that the viewer may see; `hidden` where they may not."""
    table = live(ctx, inst, widget.table)
    gate = door(ctx, table)
    if not gate.may("read"):
        return Figures(hidden=True)
    try:
        if isinstance(widget, TableWidget):
            return _records(gate, widget)
        if isinstance(widget, Grouped):
            return _grouped(gate, widget)
        if isinstance(widget, Target):
            return _beside_goal(gate, widget)
        if isinstance(widget, Number) and (group := widget.compares) is not None:
            return _compared(gate, widget, group)
        assert isinstance(widget, Measured)
        return _single(gate, widget)
    except NotFound:
        return Figures(hidden=True)


def _records(gate: Door, widget: TableWidget) -> Figures:
    columns = gate.shown(widget.columns)
    listing = Listing(columns, [widget.filter] if widget.filter else [], list(widget.sort), size=widget.limit)
    return Figures(records=query.page(gate, listing).records, columns=columns)


def _single(gate: Door, widget: Measured) -> Figures:
    value = gate.ctx.conn.scalar(select(measure_sql(gate, _measure(gate, widget))).where(*_rows(gate, widget)))
    return Figures(value=value)


def _beside_goal(gate: Door, widget: Target) -> Figures:
    value, goal = (
        measure_sql(gate, check_measure(one, gate.live.analysis, gate.live.table, fixed=True))
        for one in (widget.measure, widget.goal)
    )
    # A goal may be a number alone, which the count makes one figure over all records too.
    found = gate.ctx.conn.execute(select(value, goal, func.count()).where(*_rows(gate, widget))).one()
    return Figures(value=found[0], goal=found[1])


def _compared(gate: Door, widget: Number, group: Group) -> Figures:
    """The figure of the running period, and of the earlier one."""
    period = group_sql(gate, group)
    now = stretches.beginning(group.by or "", gate.ctx.today)
    days = now, stretches.earlier(group.by or "", now, widget.against)
    asked = select(measure_sql(gate, _measure(gate, widget))).where(*_rows(gate, widget))
    value, before = (gate.ctx.conn.scalar(asked.where(period == day)) for day in days)
    return Figures(value=value, before=before)


def _grouped(gate: Door, widget: Grouped) -> Figures:
    keys = [group_sql(gate, g).label(f"_group_{n}") for n, g in enumerate(widget.group)]
    value = measure_sql(gate, _measure(gate, widget)).label("_value")
    asked = select(*keys, value).where(*_rows(gate, widget)).group_by(*keys)
    rows = [tuple(row) for row in gate.ctx.conn.execute(asked)]
    firsts = _slices(gate, widget.group[0], {row[0] for row in rows})
    seconds = _slices(gate, widget.group[1], {row[1] for row in rows}) if len(widget.group) > 1 else {None: None}
    cells = {(row[0], row[1] if len(row) > 2 else None): row[-1] for row in rows}
    order = _sorted(widget, list(firsts), cells, list(seconds))
    kept = order[: widget.limit]
    series = [(seconds[s], [cells.get((c, s)) for c in kept]) for s in seconds]
    totals = _totals(gate, widget, kept, list(seconds)) if isinstance(widget, Pivot) and widget.totals else None
    return Figures(categories=[firsts[c] for c in kept], series=series, left_out=len(order) - len(kept), totals=totals)


def _totals(gate: Door, widget: Pivot, rows: Sequence[Any], columns: Sequence[Any]) -> Totals:
    value = measure_sql(gate, _measure(gate, widget))
    sums: list[dict[Any, Any]] = []
    for group in widget.group:
        key = group_sql(gate, group)
        asked = select(key, value).where(*_rows(gate, widget)).group_by(key)
        sums.append({row[0]: row[1] for row in gate.ctx.conn.execute(asked)})
    whole = gate.ctx.conn.scalar(select(value).where(*_rows(gate, widget)))
    across = [sums[1].get(c) for c in columns] if len(sums) > 1 else []
    return Totals([sums[0].get(r) for r in rows], across, whole)


def _sorted(widget: Grouped, categories: list[Any], cells: dict[Any, Any], series: list[Any]) -> list[Any]:
    if widget.sort == "group":
        return categories
    totals = {c: sum((cells.get((c, s)) or 0) for s in series) for c in categories}
    return sorted(categories, key=lambda c: totals[c], reverse=widget.sort == "value")


def _rows(gate: Door, widget: Widget) -> list[ColumnElement[bool]]:
    return [gate.rows(), *([query.condition(gate, widget.filter)] if widget.filter else [])]


def _measure(gate: Door, widget: Measured) -> Measure:
    return check_measure(widget.measure, gate.live.analysis, gate.live.table)


def measure_sql(gate: Door, measure: Measure) -> ColumnElement[Any]:
    """A measure as SQL over the rows of a group; an error, such as a division by nothing, is NULL."""
    aggregates = [_aggregate(gate, a) for a in measure.aggregates]
    return to_sql(measure.total, FigureSource(gate.ctx, aggregates))


def _aggregate(gate: Door, aggregate: Aggregate) -> ColumnElement[Any]:
    source = gate.source()
    value = source.sql(aggregate.value) if aggregate.value else None
    made: Any
    functions: dict[str, Any] = {"SUM": func.sum, "AVERAGE": func.avg, "MIN": func.min, "MAX": func.max}
    if aggregate.name == "COUNT":
        made = func.count() if value is None else func.count(value)
    elif aggregate.name == "MEDIAN":
        made = func.percentile_cont(0.5).within_group(value)  # type: ignore[arg-type]
    else:
        made = functions[aggregate.name](value)
    if aggregate.where is not None:
        made = made.filter(source.sql(aggregate.where))
    return func.coalesce(made, 0) if aggregate.name == "SUM" else made


# -- groups ----------------------------------------------------------------------------------------


def group_sql(gate: Door, group: Group) -> ColumnElement[Any]:
    """What records are grouped by; a date by the first day of its period, on the workspace's clock."""
    found = gate.live.table.by_id.get(group.field)
    value = gate.source().column(f"{group.field}.text" if found is not None and found.facets else group.field)
    kind = kind_of(gate.live, group.field)
    if kind.kind == "datetime":
        value = func.timezone(gate.ctx.zone.key, value)
    if group.by:
        return cast(func.date_trunc(group.by, value), Date())
    return cast(value, Date()) if kind.kind == "datetime" else value


def kind_of(table: LiveTable, name: str) -> Type:
    if facet := table.table.facet(name):
        return facet.type
    found = table.table.by_id.get(name)
    if found is None:
        return SYSTEM_FIELDS.get(name, Type("text"))
    return table.analysis.type_of(table.table, found)


def _slices(gate: Door, group: Group, values: set[Any]) -> dict[Any, Slice]:
    """The groups that there are, in their own order, each with its label; blank last."""
    found = gate.live.table.by_id.get(group.field)
    kind = kind_of(gate.live, group.field)
    present = values - {None}
    if options := getattr(found, "options", ()):
        listed = {o.id: Slice(o.id, o.label or Text.of(o.id), o.color) for o in options if o.id in present}
    elif kind.kind in ("member", "department"):
        listed = _named(Directory.of(gate.ctx).names(present))
    elif kind.kind == "link":
        listed = _named(query.titles(gate.ctx, gate.live.sibling(kind.target or ""), present))
    elif isinstance(found, Switch):
        listed = {v: Slice("yes" if v else "no", found.yes if v else found.no) for v in (True, False) if v in present}
    else:
        listed = {}
    named = kind.kind in ("member", "department", "link")
    others = sorted((v for v in present if v not in listed), key=str if named else None)
    strangers = {v: Slice(_key(v), say("(not visible)") if named else _label(v, group)) for v in others}
    return {**listed, **strangers, **({None: Slice(NONE, say("(blank)"))} if None in values else {})}


def _named(names: dict[UUID, str]) -> dict[Any, Slice]:
    return {id: Slice(str(id), Text.of(name)) for id, name in sorted(names.items(), key=lambda pair: pair[1])}


def _key(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _label(value: Any, group: Group) -> Sentence:
    if isinstance(value, bool):
        return say("Yes") if value else say("No")
    if isinstance(value, date):
        return Text.of(_period(value, group.by))
    if isinstance(value, Decimal):
        return Text.of(plain(value))
    return Text.of(str(value))


def _period(day: date, by: str | None) -> str:
    if by == "month":
        return day.strftime("%Y-%m")
    if by == "quarter":
        return f"{day.year} Q{(day.month + 2) // 3}"
    if by == "year":
        return str(day.year)
    return f"{day.isocalendar().year}-W{day.isocalendar().week:02}" if by == "week" else day.isoformat()


# -- drilling through ------------------------------------------------------------------------------


def behind(gate: Door, widget: Widget, keys: Sequence[str], columns: Sequence[str], size: int = 100) -> list[Record]:
    """The records behind a widget, or behind one of its groups. Raises NotFound for a key that is none."""
    where: list[ColumnElement[bool]] = []
    if isinstance(widget, Grouped):
        where = [_is(gate, group, key) for group, key in zip(widget.group, keys, strict=False) if key != WHOLE]
    elif isinstance(widget, Number) and (group := widget.compares) is not None:
        where = [group_sql(gate, group) == stretches.beginning(group.by or "", gate.ctx.today)]
    listing = Listing(columns, [widget.filter] if widget.filter else [], size=size)
    return query.page(gate, listing, also=where).records


def _is(gate: Door, group: Group, key: str) -> ColumnElement[bool]:
    value = group_sql(gate, group)
    if key == NONE:
        return value.is_(None)
    kind = kind_of(gate.live, group.field)
    try:
        if group.by or kind.kind in ("date", "datetime"):
            return value == date.fromisoformat(key)
        if kind.kind in ("member", "department", "link"):
            return value == UUID(key)
        if kind.kind == "number":
            return value == Decimal(key)
    except (ValueError, ArithmeticError):
        raise NotFound from None
    if kind.kind == "boolean":
        return value.is_(key in ("yes", "True"))
    return value == literal(key)


def change_of(figures: Figures) -> Decimal | None:
    """How much a figure has grown since the earlier period, as a part of what it was; None where that says nothing."""
    if figures.value is None or not figures.before:
        return None
    return (Decimal(figures.value) - Decimal(figures.before)) / abs(Decimal(figures.before))


def share_of(figures: Figures) -> Decimal | None:
    """How much of its goal a figure has reached; None without a goal above nothing."""
    if figures.value is None or figures.goal is None or figures.goal <= 0:
        return None
    return Decimal(figures.value) / Decimal(figures.goal)


def figure_text(value: Decimal | None, widget: Measured, language: str) -> str:
    """A figure as people read it."""
    if value is None:
        return "–"
    number = Decimal(value)
    decimals = widget.decimals if widget.decimals is not None else (2 if widget.percent else None)
    text = grouped(
        number * 100
        if widget.percent
        else number.quantize(Decimal("0.01")).normalize()
        if decimals is None
        else number,
        decimals,
    )
    unit = widget.unit.in_language(language)
    return text + ("%" if widget.percent else "") + (f" {unit}" if unit else "")
