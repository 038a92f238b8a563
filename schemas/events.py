"""Events of a form: another program is asked while it is filled in or sent, and fields are filled from the answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.formula import Formula, Type
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Id, Label, Many, Object, Reference, Words
from schemas.request import Request
from schemas.text import Text

ANSWER = "answer"
"""The name by which the formulas of an event know what came back."""
MOST_EVENTS = 100


@dataclass(frozen=True, kw_only=True)
class Event:
    """When what is named is edited by hand, a button beside it pressed, or the form sent, another program is asked.

    Set off by columns of one subform, the event is about their row. Set off by fields of the record, what it fills into
    columns are lists, one value for each new row.
    """

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text(), help="What the button says, and problems.")
    on: str = option(Words("edit", "press", "send"), "Asked when", "edit")
    fields: tuple[str, ...] = option(
        Many(Reference("field or column"), most=40), "These are edited", (),
        help="Any of these fields, or of these columns of one subform. A button stands beside the first of them.",
    )  # fmt: skip
    when: Formula | None = option(FormulaSource("boolean", "request", allow_none=True), "Only when")
    request: Request = option(Object(Request), "Request", Request())
    fill: dict[str, Formula] = option(
        Dictionary(FormulaSource("any", "event answer"), keys="event field"), "Fill in", None,
        help="A field or column, and its value from the answer: answer.body.price. A list fills a column, a row for each.",
    )  # fmt: skip
    must: bool = option(Flag(), "The form is not sent when the other side refuses", True)

    def problems(self) -> Iterator[tuple[str, Message]]:
        if len({self.row_of(path) for path in self.fields}) > 1:
            yield "fields", say("name fields of the record, or columns of one subform")
        if self.on == "press" and self.rows:
            yield "fields", say("a button stands beside a field of the record")

    @staticmethod
    def row_of(path: str) -> str:
        """The subform that a path is a column of; empty for a field of the record."""
        return path.partition(".")[0] if "." in path else ""

    @property
    def rows(self) -> str:
        """The subform whose rows the event is about; empty where it is about the record."""
        return self.row_of(self.fields[0]) if self.fields and self.on != "send" else ""

    @property
    def beside(self) -> str:
        """The field that the event's button stands beside; empty for one that has none."""
        return self.fields[0] if self.on == "press" and self.fields else ""

    def given(self, form: str) -> dict[str, Type]:
        """The further name that what is filled in may use."""
        return {ANSWER: self.request.answer(f"{form}.{self.id}")}
