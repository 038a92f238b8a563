"""A view: a saved way to look at a table."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Id, Label, Line, Many, Reference, Whole, Words, refuse
from schemas.text import Text


class SortKey(Reference):
    """A column to sort by; a leading `-` turns it round."""

    def _deserialize(self, value, attr, data, **kwargs):  # type: ignore[no-untyped-def]
        if not isinstance(value, str):
            raise refuse(say("expected the id of a {thing}", thing=self.to))
        sign = "-" if value.startswith("-") else ""
        return sign + super()._deserialize(value.removeprefix("-"), attr, data, **kwargs)


@dataclass(frozen=True, kw_only=True)
class View:
    """Columns, filter, sort and grouping of a table, as a grid or a board."""

    id: str = option(Id(required=True), "Id", section="advanced")
    table: str = option(Reference("table", required=True), "Table", "")
    type: str = option(Words("grid", "kanban"), "Kind", "grid")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Line(40), "Icon", "table")
    columns: tuple[str, ...] = option(Many(Reference("field"), most=200), "Columns", ())
    filter: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only records where")
    sort: tuple[str, ...] = option(Many(SortKey("field"), most=5), "Sort", ())
    group: str | None = option(Reference("field", allow_none=True), "Group by")
    card: tuple[str, ...] = option(Many(Reference("field"), most=8), "On a card", ())
    form: str | None = option(Reference("form", allow_none=True), "Form for adding")
    page_size: int = option(Whole(10, 200), "Records per page", 50)

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.type == "kanban" and not self.group:
            yield "group", say("a board needs a field to group by")
