from collections.abc import Iterator
from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.choice import ChoiceOption
from schemas.fields.formula import FormulaField
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Label, Many, Object, Whole, Words
from schemas.text import Text

NOTHING = Formula.of('""')


@field_types.register
@dataclass(frozen=True, kw_only=True)
class QrCode(FormulaField):
    """A QR code of the record's own address, or of what a formula gives: for labels, and to open records by phone."""

    type = "qr"
    title = "QR code"
    about = "Draws a QR code of a text or of the record's own address, to print and scan."
    icon = "field-qr"
    place = 70

    content: str = option(Words("record", "formula"), "Holds", "record")
    formula: Formula = option(FormulaSource("any"), "Formula", NOTHING)
    code: str = option(Words("qr", "code128"), "Shown as", "qr")
    decimals: int | None = option(Whole(0, 10, allow_none=True), "Decimals", section="hidden")
    unit: Text = option(Label(), "Unit", Text(), section="hidden")
    options: tuple[ChoiceOption, ...] = option(
        Many(Object(ChoiceOption), unique="id"), "Names of results", (), section="hidden"
    )

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.content == "formula" and self.formula is NOTHING:
            yield "formula", say("say what the code holds")
        if self.content == "record" and self.code != "qr":
            yield "code", say("a record's address only fits into a QR code")
