from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas import parsers
from schemas.clock import DAY, read_span, show_span, type_span
from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.fields.number import FOOTERS
from schemas.fields.totals import TOTALS
from schemas.formula import Type
from schemas.formula.types import NUMBER
from schemas.messages import Message, say
from schemas.numbers import plain, read_number, round_to
from schemas.options import option
from schemas.parsers import Words
from schemas.text import Sentence

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": DAY}
LONGEST = 100 * 366 * DAY


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Duration(Field):
    """How long something takes, to the second. In formulas it is a number of its unit."""

    type = "duration"
    title = "Duration"
    about = "How long something takes, in minutes, hours or days. Lists add it up."
    icon = "field-duration"
    place = 90
    storage = Storage.NUMERIC
    numeric = True

    unit: str = option(
        Words(*UNITS), "Counted in", "hours",
        help="What a plain number means, in formulas too. 2:30 is always two hours and a half.",
    )  # fmt: skip
    minimum: Decimal | None = option(parsers.Number(allow_none=True), "Smallest allowed", section="checks")
    maximum: Decimal | None = option(parsers.Number(allow_none=True), "Largest allowed", section="checks")
    footer: str = option(Words(*FOOTERS), "Below its column in a subform", "none")
    total: str = option(
        Words(*TOTALS), "Below its column in a list", "auto",
        help="Automatic: the sum, unless its name says that it is a price, a rate, a year or the like.",
    )  # fmt: skip

    @property
    def scale(self) -> int:
        return 10

    def value_type(self) -> Type:
        return NUMBER

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield "maximum", say("the largest allowed is below the smallest allowed")

    def parse(self, raw: Any) -> Any:
        refusal = say("Enter a duration, such as 2:30 or 2 h 30 min.")
        span = read_span(raw) if isinstance(raw, str) else None
        if span is None:
            number = read_number(raw, refusal)
            if number is None:
                return None
            span = int(round_to(number * UNITS[self.unit], 0))
        if abs(span) > LONGEST:
            raise BadValue(refusal)
        return round_to(Decimal(span) / UNITS[self.unit], self.scale)

    def seconds_of(self, value: Decimal) -> int:
        return int(round_to(Decimal(value) * UNITS[self.unit], 0))

    def check(self, value: Decimal) -> Iterator[Sentence]:
        if self.minimum is not None and value < self.minimum:
            yield say("Must be at least {minimum}.", minimum=show_span(self.seconds_of(self.minimum), ""))
        if self.maximum is not None and value > self.maximum:
            yield say("Must be at most {maximum}.", maximum=show_span(self.seconds_of(self.maximum), ""))

    def literal(self, text: str) -> str | None:
        try:
            value = self.parse(text)
        except BadValue:
            return None
        return None if value is None else plain(value)

    def typed(self, value: Any) -> str:
        return "" if value is None else type_span(self.seconds_of(value))

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else show_span(self.seconds_of(value), reader.language)

    def dump(self, value: Any) -> Any:
        return None if value is None else plain(Decimal(value))

    def example(self) -> Decimal:
        low = self.minimum if self.minimum is not None else Decimal(1)
        return round_to(low if self.maximum is None else min(low, self.maximum), self.scale)
