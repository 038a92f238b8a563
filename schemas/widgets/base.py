"""What every widget of a dashboard is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from schemas.errors import Problem
from schemas.formula import Formula, FormulaError
from schemas.formula.types import BOOLEAN
from schemas.measures import check_measure
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Id, Label, Many, Object, Reference, Whole, Words
from schemas.registry import Registry
from schemas.table import SYSTEM_FIELDS, Table
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.app import App

PERIODS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True, kw_only=True)
class Group:
    """What the records are grouped by: a field; of a date, the period it falls into."""

    field: str = option(Reference("column", required=True), "Field", "")
    by: str | None = option(Words(*PERIODS, allow_none=True), "Period")


class GroupBy(Object):
    """A group as an object, or a field's id alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Group, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize({"field": value} if isinstance(value, str) else value, attr, data, **kwargs)


@dataclass(frozen=True, kw_only=True)
class Widget:
    """A figure or chart over the records of one table.

    A widget names its own kind, says what is wrong with its options (`linked`), and, in `runtime/reports.py`,
    what is asked of the database for it follows from `groups` and `measures`.
    """

    type: ClassVar[str]
    title_word: ClassVar[str]
    shape: ClassVar[tuple[int, int]] = (6, 4)

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    table: str = option(Reference("table", required=True), "Table", "")
    filter: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only records where")
    at: tuple[int, ...] = option(Many(Whole(0, 400)), "Place: x, y, width, height", (), section="style")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.at and (len(self.at) != 4 or self.at[0] + self.at[2] > 12 or not self.at[2] or not self.at[3]):
            yield "at", say("a place is x, y, width and height on twelve columns")

    @property
    def place(self) -> tuple[int, int, int, int] | None:
        return self.at if len(self.at) == 4 else None

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        """What is wrong with references and formulas; paths are relative to the widget."""
        yield from _condition(app, table, self.filter)


def _condition(app: "App", table: Table, formula: Formula | None) -> Iterator[Problem]:
    analysis = app.analysis
    scope = analysis.reading_scope(table)
    found = list(analysis.attempt("filter", formula, scope, BOOLEAN))
    yield from found
    if formula is not None and not found and (reason := analysis.expression(formula, scope, BOOLEAN).no_sql):
        yield Problem("filter", reason)


@dataclass(frozen=True, kw_only=True)
class Measured(Widget):
    """A widget with one measure."""

    measure: Formula = option(FormulaSource("number", "measure", required=True), "Measure", None)
    decimals: int | None = option(Whole(0, 6, allow_none=True), "Decimals", section="style")
    percent: bool = option(Flag(), "As a percentage", False, section="style")
    unit: Text = option(Label(), "Unit", Text(), section="style")

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        yield from measured("measure", self.measure, app, table)


def measured(path: str, measure: Formula, app: "App", table: Table, fixed: bool = False) -> Iterator[Problem]:
    """What is wrong with a measure, which may be a `fixed` number where that makes sense."""
    try:
        check_measure(measure, app.analysis, table, fixed)
    except FormulaError as err:
        yield Problem(path, say("at character {n}: {problem}", n=err.position + 1, problem=err.message))


@dataclass(frozen=True, kw_only=True)
class Grouped(Measured):
    """A widget that shows a measure for each group of records."""

    group: tuple[Group, ...] = option(Many(GroupBy(), most=2, required=True), "Group by", ())
    sort: str = option(Words("group", "value", "value_up"), "Order", "group")
    limit: int = option(Whole(1, 200), "At most", 50)

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if not self.group:
            yield "group", say("name a field to group by")

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        for n, group in enumerate(self.group):
            yield from grouping(app, table, group, f"group[{n}]")


def grouping(app: "App", table: Table, group: Group, path: str) -> Iterator[Problem]:
    """What is wrong with a group."""
    found = table.by_id.get(group.field)
    facet = table.facet(group.field)
    if found is None and facet is None and group.field not in SYSTEM_FIELDS and group.field != "flow.state":
        yield Problem(path, say("there is no field '{name}'", name=group.field))
        return
    kind = app.analysis.type_of(table, found).kind if found else getattr(SYSTEM_FIELDS.get(group.field), "kind", "text")
    if group.by and kind not in ("date", "datetime"):
        yield Problem(path, say("only dates fall into periods"))
    if kind in ("rows", "file", "any"):
        yield Problem(path, say("records cannot be grouped by this field"))


widget_types: Registry[Widget] = Registry("widget type")
