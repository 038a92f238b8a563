from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from schemas.fields.base import Field, Reader, Storage, field_types, parse_uuid
from schemas.formula import Formula, Type
from schemas.formula.types import link_to
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, FormulaSource, Id, Label, Many, Object, Reference, Words
from schemas.text import Text

ON_DELETE = ("keep", "restrict", "clear", "trash")


@dataclass(frozen=True, kw_only=True)
class Reverse:
    """The other side of a link: the records that point here, shown on the target's page.

    With an `id` it is a name in the target's formulas: `COUNT(books)`, `SUM(books.price)`.
    """

    id: str | None = option(Id(allow_none=True), "Name in formulas")
    label: Text = option(Label(), "Label", Text())
    columns: tuple[str, ...] = option(Many(Reference("field")), "Columns", ())


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Link(Field):
    """A record of another table."""

    type = "link"
    title = "Link"
    about = (
        "Points at one record of a form, such as the machine of an inspection. Its values can be shown and calculated with."
    )
    group = "relation"
    icon = "link"
    place = 10
    may_be_key = True
    storage = Storage.UUID

    table: str = option(Reference("table", required=True), "Table", "")
    pick: Formula | None = option(
        FormulaSource("boolean", "pick", allow_none=True), "Which records may be chosen",
        help="A condition on the other table; `this` is the record being filled in, in a subform its row first: kind = this.kind.",
    )  # fmt: skip
    show_columns: tuple[str, ...] = option(Many(Reference("target field")), "Columns shown when choosing", ())
    fill: dict[str, str] = option(
        Dictionary(Reference("target field"), keys="own path"),
        "Fill from the chosen record",
        None,
        help="When a record is chosen, these fields take its values. Subforms are copied with their columns.",
    )
    reverse: Reverse | None = option(Object(Reverse, allow_none=True), "Shown on the other side")
    on_delete: str = option(
        Words(*ON_DELETE), "When the other record is deleted", "keep", section="advanced",
        help="keep: nothing; restrict: it cannot be deleted; clear: this link is emptied; trash: this record goes with it.",
    )  # fmt: skip

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.default is not None and not isinstance(self.default, Formula):
            yield "default", say("the default of a link is a formula, such as `=this.other`")

    def value_type(self) -> Type:
        return link_to(self.table)

    def parse(self, raw: Any) -> Any:
        return parse_uuid(raw, say("Choose a record."))

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else reader.names.get(value, "")

    def dump(self, value: Any) -> Any:
        return None if value is None else str(value)

    def example(self) -> Any:
        return UUID(int=1)
