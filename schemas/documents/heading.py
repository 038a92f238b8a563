from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.documents.base import ALIGNED, DocumentBlock, Json, block_types
from schemas.options import option
from schemas.parsers import Label, Whole, Words
from schemas.text import Text


@block_types.register
@dataclass(frozen=True, kw_only=True)
class Heading(DocumentBlock):
    """A heading, with formulas in braces."""

    type = "heading"
    title_word = "Title line"
    icon = "field-text"

    text: Text = option(Label(required=True), "Text", Text(), help="Formulas in braces are filled in: {no}.")
    level: int = option(Whole(1, 3), "Level", 1, help="1 is the largest.")
    align: str = option(Words(*ALIGNED), "Alignment", "left", section="style")

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        return {"text": {"zh": "标题", "en": "Heading"}}

    def texts(self) -> Iterator[tuple[str, Text]]:
        yield "text", self.text
