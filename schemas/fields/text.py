from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.fields.base import Field, field_types
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Label, Whole, Words
from schemas.patterns import Pattern, compiled
from schemas.text import Sentence, Text

FORMATS = {
    "phone": (r"\+?[0-9][0-9 ()-]{4,19}", say("Enter a phone number, such as 138 0013 8000."), "13800138000"),
    "email": (r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}", say("Enter an e-mail address, such as name@example.com."), "name@example.com"),
    "url": (r"https?://[^\s/$.?#][^\s]*", say("Enter an address that begins with http:// or https://."), "https://example.com"),
    "id_card": (r"[1-9][0-9]{16}[0-9Xx]", say("Enter the 18 characters of an identity card."), "11010519491231002X"),
    "postcode": (r"[0-9A-Za-z][0-9A-Za-z -]{2,9}", say("Enter a postcode."), "100000"),
}  # fmt: skip
LONGEST = 1_000


@field_types.register
@dataclass(frozen=True, kw_only=True)
class TextField(Field):
    """One line of text."""

    type = "text"
    title = "Text"
    icon = "text"
    place = 10
    may_be_unique = True

    format: str = option(Words("any", *FORMATS), "Format", "any", section="checks")
    pattern: str = option(Pattern(), "Pattern it must match", "", section="checks")
    pattern_message: Text = option(Label(), "Message when it does not match", Text(), section="checks")
    shortest: int = option(Whole(0, LONGEST), "Fewest characters", 0, section="checks")
    longest: int = option(Whole(1, LONGEST), "Most characters", LONGEST, section="checks")

    def check(self, value: str) -> Iterator[Sentence]:
        if len(value) > self.longest:
            yield say("Keep it to {n} characters.", n=self.longest)
        if len(value) < self.shortest:
            yield say("Write at least {n} characters.", n=self.shortest)
        if "\n" in value or "\r" in value:
            yield say("Write it on one line.")
        if self.format != "any" and not compiled(FORMATS[self.format][0]).fullmatch(value):
            yield FORMATS[self.format][1]
        if self.pattern and not compiled(self.pattern).fullmatch(value):
            yield self.pattern_message or say("This does not have the expected form.")

    def example(self) -> str:
        return "Text" if self.format == "any" else FORMATS[self.format][2]

    def words(self, value: Any) -> str:
        return value or ""
