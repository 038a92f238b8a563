from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from schemas.fields.base import Field, field_types
from schemas.formats import FORMATS, Format
from schemas.masking import Mask
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Label, Object, Pattern, Whole, Words
from schemas.patterns import matches
from schemas.text import Sentence, Text

LONGEST = 1_000


@field_types.register
@dataclass(frozen=True, kw_only=True)
class TextField(Field):
    """One line of text."""

    type = "text"
    title = "Text"
    about = "One line of text. It may have to look like a phone number, an e-mail address or a pattern of your own."
    icon = "text"
    place = 10
    may_be_unique = True

    format: str = option(Words("any", *FORMATS), "Format", "any", section="checks")
    pattern: str = option(Pattern(), "Pattern it must match", "", section="checks")
    pattern_message: Text = option(Label(), "Message when it does not match", Text(), section="checks")
    shortest: int = option(Whole(0, LONGEST), "Fewest characters", 0, section="checks")
    longest: int = option(Whole(1, LONGEST), "Most characters", LONGEST, section="checks")
    mask: Mask | None = option(
        Object(Mask, allow_none=True), "A mask of its own", None, section="advanced",
        help="How much remains for those who may only see a mask; otherwise as is usual for the format: 138****1234.",
    )  # fmt: skip

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.shortest > self.longest:
            yield "longest", say("the most characters are fewer than the fewest")

    @property
    def form(self) -> Format | None:
        """What the text is asked to be, if anything."""
        return FORMATS.get(self.format)

    @property
    def keyboard(self) -> str:
        """The browser's input type, by which a phone chooses its keys."""
        return self.form.keyboard if self.form else "text"

    def parse(self, raw: Any) -> Any:
        text = super().parse(raw)
        return (self.form.tidy(text) or None) if text and self.form else text

    def check(self, value: str) -> Iterator[Sentence]:
        if len(value) > self.longest:
            yield say("Keep it to {n} characters.", n=self.longest)
        if len(value) < self.shortest:
            yield say("Write at least {n} characters.", n=self.shortest)
        if "\n" in value or "\r" in value:
            yield say("Write it on one line.")
        if self.form and (problem := self.form.problem(value)):
            yield problem
        if self.pattern and not matches(self.pattern, value):
            yield self.pattern_message or say("This does not have the expected form.")

    @property
    def leads(self) -> bool:
        return self.format == "url" or bool(self.form and self.form.scheme)

    def address(self, value: Any) -> str:
        if not value or self.form is None or self.form.problem(value):
            return ""
        if self.format == "url":
            return str(value)
        return self.form.scheme + quote(value, safe="@+") if self.form.scheme else ""

    def example(self) -> str:
        return self.form.example if self.form else "Text".ljust(self.shortest, "x")[: self.longest]

    def words(self, value: Any) -> str:
        return value or ""
