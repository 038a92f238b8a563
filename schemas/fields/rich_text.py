from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from schemas import markup
from schemas.fields.base import Field, Reader, field_types
from schemas.fields.image import FORMATS, Image
from schemas.formula import Type
from schemas.formula.types import HTML
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Flag, Whole
from schemas.text import Sentence

LONGEST = 50_000
MOST_MARKUP = 4
"""How many times longer than its text markup may be, with room for short ones."""


@field_types.register
@dataclass(frozen=True, kw_only=True)
class RichText(Field):
    """Text with headings, lists, emphasis, links and pictures. It is made safe when it is written and again when it is shown.

    A picture is a file of the record, shown to whoever may read the field; one from elsewhere becomes a link.
    """

    type = "rich_text"
    title = "Formatted text"
    icon = "field-rich_text"
    place = 30
    wide = True
    sortable = False

    longest: int = option(Whole(1, LONGEST), "Most characters", LONGEST, section="checks")
    lines: int = option(Whole(2, 40), "Lines shown", 6)
    pictures: bool = option(Flag(), "Pictures may be inserted", True, section="checks")
    max_pictures: int = option(Whole(1, 50), "Most pictures", 20, section="checks")
    max_megabytes: int = option(Whole(1, 50), "Largest picture (MB)", 20, section="checks")
    longest_side: int | None = option(
        Whole(200, 20_000, allow_none=True), "Make larger pictures smaller, to pixels on the longer side", 2_000
    )

    @property
    def grouping(self) -> str:
        return "own"

    def value_type(self) -> Type:
        return HTML

    def parse(self, raw: Any) -> Any:
        text = super().parse(raw)
        html = markup.formatted(text, self.pictures) if text else ""
        return html if markup.plain(html) else None

    def check(self, value: str) -> Iterator[Sentence]:
        if len(markup.plain(value)) > self.longest or len(value) > MOST_MARKUP * self.longest + 10_000:
            yield say("Keep it to {n} characters.", n=self.longest)
        if len(markup.pictures(value)) > self.max_pictures:
            yield say("At most {n} pictures.", n=self.max_pictures)

    @cached_property
    def inserted(self) -> Image:
        """What each picture must be, as a field of its own would say it."""
        return Image(
            id=self.id, label=self.label, max_megabytes=self.max_megabytes, longest_side=self.longest_side,
            endings=FORMATS,
        )  # fmt: skip

    def html(self, value: Any) -> str:
        """The value as safe markup."""
        return markup.safe(value) if value else ""

    def show(self, value: Any, reader: Reader) -> str:
        return markup.plain(value) if value else ""

    def example(self) -> str:
        return "<p>A <strong>bold</strong> word</p>"

    def words(self, value: Any) -> str:
        return markup.plain(value) if value else ""
