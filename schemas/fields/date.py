from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.formula import Formula, Type
from schemas.formula.types import DATE
from schemas.messages import Message, say
from schemas.moments import read_date, read_month
from schemas.options import option
from schemas.parsers import Literal, Many, Words
from schemas.text import Sentence

WEEKDAYS = {
    "monday": say("Monday"), "tuesday": say("Tuesday"), "wednesday": say("Wednesday"), "thursday": say("Thursday"),
    "friday": say("Friday"), "saturday": say("Saturday"), "sunday": say("Sunday"),
}  # fmt: skip
PATTERNS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
IN_EXCEL = {"day": "yyyy-mm-dd", "month": "yyyy-mm", "year": "yyyy"}
WITHIN = "A date, or after = a formula, such as =TODAY(). What was given earlier may stay."


@dataclass(frozen=True, kw_only=True)
class Dated(Field):
    """What dates and moments share: the days that may be chosen."""

    may_be_unique = True

    earliest: Any = option(Literal(allow_none=True), "Earliest", None, section="checks", help=WITHIN)
    latest: Any = option(Literal(allow_none=True), "Latest", None, section="checks", help=WITHIN)
    weekdays: tuple[str, ...] = option(
        Many(Words(*WEEKDAYS)), "Only on these weekdays", (), section="checks", help="None chosen: on every day."
    )

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        for name in ("earliest", "latest"):
            bound = getattr(self, name)
            try:
                bound if isinstance(bound, Formula) else self.parse(bound)
            except BadValue as err:
                yield name, err.message

    def limits(self) -> Mapping[str, Any]:
        return {n: bound for n in ("earliest", "latest") if (bound := getattr(self, n)) is not None}

    @property
    def bounded(self) -> bool:
        return bool(self.weekdays or self.limits())

    def outside(self, value: Any, limits: Mapping[str, Any], zone: tzinfo) -> Iterator[Sentence]:
        shown = Reader(zone=zone)
        earliest, latest = (self.parse_in(limits.get(n), zone) for n in ("earliest", "latest"))
        if earliest is not None and value < earliest:
            yield say("Not before {day}.", day=self.show(earliest, shown))
        if latest is not None and value > latest:
            yield say("Not after {day}.", day=self.show(latest, shown))
        if self.weekdays and list(WEEKDAYS)[_day(value, zone).weekday()] not in self.weekdays:
            yield say("Not on this weekday. Choose another day.")


def _day(value: date, zone: tzinfo) -> date:
    return value.astimezone(zone) if isinstance(value, datetime) else value


@field_types.register
@dataclass(frozen=True, kw_only=True)
class DateField(Dated):
    """A day, a month or a year; the latter two are kept as their first day."""

    type = "date"
    title = "Date"
    about = "A day, month or year. It may be limited, for instance to days from today on."
    icon = "calendar"
    place = 60
    storage = Storage.DATE

    precision: str = option(Words(*PATTERNS), "Down to", "day")

    def value_type(self) -> Type:
        return DATE

    def parse(self, raw: Any) -> Any:
        month = read_month(raw) if self.precision != "day" else None
        value = month or read_date(raw, self._refusal())
        return self._first(value) if value else None

    def _first(self, value: date) -> date:
        day = value if self.precision == "day" else value.replace(day=1)
        return day.replace(month=1) if self.precision == "year" else day

    def _refusal(self) -> Message:
        if self.precision == "year":
            return say("Enter a year, such as 2026.")
        return (
            say("Enter a month, such as 2026-11.")
            if self.precision == "month"
            else say("Enter a date, such as 2026-11-24.")
        )

    def typed(self, value: Any) -> str:
        return "" if value is None else value.isoformat()[: {"day": 10, "month": 7, "year": 4}[self.precision]]

    def show(self, value: Any, reader: Reader) -> str:
        return self.typed(value)

    @property
    def number_format(self) -> str:
        return IN_EXCEL[self.precision]

    def dump(self, value: Any) -> Any:
        return None if value is None else value.isoformat()

    def example(self) -> date:
        return self._first(date(2026, 11, 24))
