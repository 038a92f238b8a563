from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.fields.base import Field, field_types
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Whole
from schemas.text import Sentence

LONGEST = 50_000


@field_types.register
@dataclass(frozen=True, kw_only=True)
class LongText(Field):
    """Text of several lines."""

    type = "long_text"
    title = "Long text"
    about = "Text of several lines, for notes and descriptions."
    icon = "align-left"
    place = 20
    wide = True

    shortest: int = option(Whole(0, LONGEST), "Fewest characters", 0, section="checks")
    longest: int = option(Whole(1, LONGEST), "Most characters", LONGEST, section="checks")
    lines: int = option(Whole(2, 40), "Lines shown", 3)

    def parse(self, raw: Any) -> Any:
        text = super().parse(raw)
        return text.replace("\r\n", "\n").replace("\r", "\n") if text else None

    def check(self, value: str) -> Iterator[Sentence]:
        if len(value) > self.longest:
            yield say("Keep it to {n} characters.", n=self.longest)
        if len(value) < self.shortest:
            yield say("Write at least {n} characters.", n=self.shortest)

    def example(self) -> str:
        return "First line\nSecond line, long enough for most rules"

    def words(self, value: Any) -> str:
        return value or ""
