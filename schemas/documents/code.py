from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.documents.base import ALIGNED, DocumentBlock, block_types
from schemas.errors import Problem
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Whole, Words
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.app import App


@block_types.register
@dataclass(frozen=True, kw_only=True)
class Code(DocumentBlock):
    """A QR code or bars: of the record's own address, or of what a formula gives."""

    type = "code"
    title_word = "QR code or bars"
    icon = "field-qr"

    content: str = option(Words("record", "formula"), "Holds", "record")
    formula: Formula | None = option(FormulaSource("any", allow_none=True), "Formula")
    code: str = option(Words("qr", "code128", "ean13"), "Shown as", "qr")
    height: int = option(Whole(8, 120), "Height (mm)", 25, section="style")
    align: str = option(Words(*ALIGNED), "Alignment", "left", section="style")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.content == "formula" and self.formula is None:
            yield "formula", say("say what the code holds")
        if self.content == "record" and self.code != "qr":
            yield "code", say("a record's address only fits into a QR code")

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        yield from app.analysis.attempt("formula", self.formula, app.analysis.printing_scope(table))
