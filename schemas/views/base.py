"""What every view is: a saved way to look at the records of a table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from schemas.errors import Problem
from schemas.fields import Field
from schemas.fields.choice import Choice
from schemas.formula import Formula, Type
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Icon, Id, Label, Many, Reference, Whole, refuse
from schemas.registry import Registry
from schemas.strangers import strangers
from schemas.table import SYSTEM_FIELDS, Table
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.app import App

FLOW_STATE = "flow.state"


class SortKey(Reference):
    """A column to sort by; a leading `-` turns it round."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise refuse(say("expected the id of a {thing}", thing=self.to))
        sign = "-" if value.startswith("-") else ""
        return sign + str(super()._deserialize(value.removeprefix("-"), attr, data, **kwargs))


@dataclass(frozen=True, kw_only=True)
class View:
    """Which records of a table are looked at, in which order, and how.

    A kind of view names itself in `type`, for people in `title_word` and `symbol`, and says in `linked` what is
    wrong with its references. Whatever its kind, a view can be shown and exported as a list of its `columns`.
    """

    type: ClassVar[str]
    title_word: ClassVar[str]
    symbol: ClassVar[str] = "grid"

    id: str = option(Id(required=True), "Id", section="advanced")
    table: str = option(Reference("table", required=True), "Table", "")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Icon(), "Icon", "table")
    columns: tuple[str, ...] = option(Many(Reference("column"), most=200), "Columns", ())
    filter: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only records where")
    sort: tuple[str, ...] = option(Many(SortKey("sort column"), most=5), "Sort", ())
    form: str | None = option(Reference("form", allow_none=True), "Form for adding")
    page_size: int = option(Whole(10, 200), "Records per page", 50)

    @property
    def placed(self) -> tuple[str, ...]:
        """The fields by which records are placed and told apart, besides the columns of a list."""
        return ()

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        """What is wrong with references to fields; paths are relative to the view."""
        yield from strangers("columns", "field", self.columns, names_of(table))
        sortable = [f.id for f in table.fields if f.sortable] + [*SYSTEM_FIELDS, FLOW_STATE]
        yield from strangers("sort", "field", [s.removeprefix("-") for s in self.sort], sortable)
        if self.form:
            yield from strangers(
                "form", "form", [self.form], [f.id for f in app.all_forms.values() if f.table == table.id]
            )


@dataclass(frozen=True, kw_only=True)
class CardView(View):
    """A view that shows a record as a card with some of its fields."""

    card: tuple[str, ...] = option(Many(Reference("column"), most=8), "On a card", ())

    @property
    def placed(self) -> tuple[str, ...]:
        return self.card

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        yield from strangers("card", "field", self.card, names_of(table))


@dataclass(frozen=True, kw_only=True)
class TimeView(CardView):
    """A view that places records in time: from `start` to `end`, or on the day of `start`."""

    start: str = option(Reference("moment field", required=True), "Begins", "", help="A date, or a date with a time.")
    end: str | None = option(Reference("moment field", allow_none=True), "Ends")
    color: str | None = option(Reference("choice field", allow_none=True), "Coloured by", help="A choice field.")

    @property
    def placed(self) -> tuple[str, ...]:
        return tuple(name for name in (*self.card, self.start, self.end, self.color) if name)

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        for name in ("start", "end"):
            expected = say("choose a date, or a date with a time")
            yield from of_kind(app, table, name, getattr(self, name), is_moment, expected)
        if self.color:
            yield from strangers("color", "field", [self.color], [f.id for f in table.fields if isinstance(f, Choice)])


def is_moment(kind: Type, field: Field | None) -> bool:
    """Whether a field says when something is."""
    return kind.kind in ("date", "datetime")


def of_kind(
    app: "App", table: Table, path: str, name: str | None, fits: Callable[[Type, Field | None], bool], expected: Message
) -> Iterator[Problem]:
    """What is wrong with naming this field, when only some kinds of fields will do."""
    if not name:
        return
    unknown = list(strangers(path, "field", [name], names_of(table)))
    yield from unknown
    if unknown or name == FLOW_STATE:
        yield from () if unknown else (Problem(path, expected),)
        return
    field = table.by_id.get(name)
    kind = app.analysis.type_of(table, field) if field else SYSTEM_FIELDS[name]
    if not fits(kind, field):
        yield Problem(path, expected)


def names_of(table: Table) -> list[str]:
    """Everything of a record that a view may show."""
    return [*table.by_id, *SYSTEM_FIELDS, FLOW_STATE]


view_types: Registry[View] = Registry("kind of view")
