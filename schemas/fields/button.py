from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.fields.base import Reader, field_types
from schemas.fields.choice import ChoiceOption
from schemas.fields.formula import FormulaField
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Label, Literal, Many, Object, Reference, Whole, Words
from schemas.text import Text

PLACES = ("form", "record", "list")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Button(FormulaField):
    """Starts a flow for the record, or opens a form with values from it; in a subform, with those of its row.

    Its own value is whether it is offered.
    """

    type = "button"
    title = "Button"
    about = "A button on the record that opens a form with values filled in, starts a flow, or opens an address."
    icon = "field-button"
    place = 80
    names_itself = True

    action: str = option(Words("flow", "form"), "When it is pressed", "flow")
    flow: str | None = option(Reference("flow", allow_none=True), "Flow that starts")
    form: str | None = option(Reference("form", allow_none=True), "Form that opens")
    set: dict[str, Any] = option(
        Dictionary(Literal(allow_none=True), keys="opened field"), "Values to set", None,
        help="A field of the form that opens, or of the record before the flow starts: a value, or a formula such as =amount.",
    )  # fmt: skip
    lock: tuple[str, ...] = option(Many(Reference("field")), "Values that cannot be changed there", ())
    formula: Formula = option(FormulaSource("boolean"), "Offered when", Formula.of("TRUE"), section="rules")
    show_in: tuple[str, ...] = option(Many(Words(*PLACES)), "Shown in", ("form", "record", "list"), section="style")
    tone: str = option(Words("plain", "primary", "danger"), "Look", "plain", section="style")
    confirm: Text = option(Label(), "Ask before", Text(), help="A question that is to be confirmed first.")
    decimals: int | None = option(Whole(0, 10, allow_none=True), "Decimals", section="hidden")
    percent: bool = option(Flag(), "Shown as a percentage", False, section="hidden")
    unit: Text = option(Label(), "Unit", Text(), section="hidden")
    options: tuple[ChoiceOption, ...] = option(
        Many(Object(ChoiceOption), unique="id"), "Names of results", (), section="hidden"
    )

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if not getattr(self, self.action):
            yield self.action, say("name the {thing}", thing=self.action)
        for id in self.lock:
            if id not in (self.set or {}):
                yield "lock", say("'{id}' is given no value", id=id)

    def show(self, value: Any, reader: Reader) -> str:
        return (self.label.in_language(reader.language) or self.id) if value is True else ""
