from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from schemas.clock import DAY, read_clock, show_clock
from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.formula import Type
from schemas.formula.types import NUMBER
from schemas.formula.values import DECIMALS, divide
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Flag


@field_types.register
@dataclass(frozen=True, kw_only=True)
class TimeField(Field):
    """A time of day. In formulas it is its part of a day, as what TIME() gives: `(finish - start) * 24` are hours."""

    type = "time"
    title = "Time of day"
    about = "A time of day, without a date."
    icon = "clock"
    place = 80
    storage = Storage.NUMERIC

    seconds: bool = option(Flag(), "With seconds", False)

    @property
    def scale(self) -> int:
        return DECIMALS

    @property
    def entry(self) -> str:
        return "time"

    @property
    def adds_up(self) -> bool:
        return False

    def value_type(self) -> Type:
        return NUMBER

    def parse(self, raw: Any) -> Any:
        refusal = say("Enter a time of day, such as 09:30.")
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            return None
        seconds = _seconds(raw)
        if seconds is None:
            raise BadValue(refusal)
        return divide(Decimal(seconds if self.seconds else seconds // 60 * 60), Decimal(DAY))

    def literal(self, text: str) -> str | None:
        seconds = read_clock(text)
        if seconds is None:
            return None
        return f"TIME({seconds // 3600},{seconds // 60 % 60},{seconds % 60})"

    def typed(self, value: Any) -> str:
        return "" if value is None else show_clock(round(value * DAY) % DAY, self.seconds)

    def show(self, value: Any, reader: Reader) -> str:
        return self.typed(value)

    def dump(self, value: Any) -> Any:
        return None if value is None else self.typed(value)

    def written(self, value: Decimal) -> str:
        return self.typed(value)

    @property
    def number_format(self) -> str:
        return "hh:mm:ss" if self.seconds else "hh:mm"

    def example(self) -> Any:
        return self.parse("09:30")


def _seconds(raw: Any) -> int | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, time | datetime):
        return raw.hour * 3600 + raw.minute * 60 + raw.second
    if isinstance(raw, int | float | Decimal):
        return round(Decimal(raw) * DAY) % DAY if 0 <= raw < 1 else None
    return read_clock(raw) if isinstance(raw, str) else None
