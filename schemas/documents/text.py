from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.documents.base import ALIGNED, DocumentBlock, Json, block_types
from schemas.options import option
from schemas.parsers import Flag, Prose, Words
from schemas.text import Text


@block_types.register
@dataclass(frozen=True, kw_only=True)
class TextBlock(DocumentBlock):
    """Lines of text, with formulas in braces; a placeholder of formatted text keeps its format."""

    type = "text"
    title_word = "Paragraph"
    icon = "align-left"

    text: Text = option(
        Prose(required=True), "Text", Text(), help="Formulas in braces are filled in, with a format: {total|#,##0.00}, {total|capitals}."
    )  # fmt: skip
    align: str = option(Words(*ALIGNED), "Alignment", "left", section="style")
    size: str = option(Words("small", "normal", "large"), "Size", "normal", section="style")
    bold: bool = option(Flag(), "Bold", False, section="style")
    framed: bool = option(Flag(), "In a frame", False, section="style")

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        return {"text": {"zh": "在这里写文字，花括号里填公式。", "en": "Write text here, with formulas in braces."}}

    def texts(self) -> Iterator[tuple[str, Text]]:
        yield "text", self.text
