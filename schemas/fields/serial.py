from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.fields.base import Field, field_types
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Either, Line, Many, Object, Whole, Words

DATE_WORDS = {"yyyyMMdd": "%Y%m%d", "yyyyMM": "%Y%m", "yyyy": "%Y", "yyMMdd": "%y%m%d", "yyMM": "%y%m", "MMdd": "%m%d"}
PERIODS = {"never": "", "year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of a serial number that changes: the date or the counter."""

    date: str | None = option(Words(*DATE_WORDS, allow_none=True), "Date")
    count: int | None = option(Whole(1, 12, allow_none=True), "Digits")
    reset: str = option(Words(*PERIODS), "Counter begins again", "never")
    start: int = option(Whole(0, 10**9), "First number", 1)

    def problems(self) -> Iterator[tuple[str, Message]]:
        if (self.date is None) == (self.count is None):
            yield "", say("a part is either a date or a count")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Serial(Field):
    """A number given to each record when it is made; never given twice. Gaps are possible."""

    type = "serial"
    title = "Serial number"
    about = "A number that is given by itself, from a date, a counter and fields. No number is given twice."
    group = "advanced"
    icon = "list-ordered"
    place = 70
    in_subform = False
    computed = True
    importable = False

    parts: tuple[str | Part, ...] = option(
        Many(Either(text=Line(40), object=Object(Part)), most=8, required=True), "Parts", ()
    )

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if sum(isinstance(p, Part) and p.count is not None for p in self.parts) != 1:
            yield "parts", say("a serial number needs exactly one counter")

    @property
    def counter(self) -> Part:
        return next(p for p in self.parts if isinstance(p, Part) and p.count is not None)

    def period(self, today: date) -> str:
        """The key of the counter that a record made today draws from."""
        return today.strftime(PERIODS[self.counter.reset])

    def compose(self, number: int, today: date) -> str:
        return "".join(self._piece(part, number, today) for part in self.parts)

    def _piece(self, part: str | Part, number: int, today: date) -> str:
        if isinstance(part, str):
            return part
        if part.date:
            return today.strftime(DATE_WORDS[part.date])
        return str(number).zfill(part.count or 1)

    def parse(self, raw: Any) -> Any:
        return None

    def example(self) -> str:
        return self.compose(1, date(2026, 11, 24))

    def words(self, value: Any) -> str:
        return value or ""
