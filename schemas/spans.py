"""Spans of time in definitions, such as `2 workdays`, and the moment that one leads to."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from marshmallow import fields as ma

from schemas.calendars import Calendar
from schemas.messages import say
from schemas.parsers import refuse

UNITS = ("minutes", "hours", "days", "workdays")
LONGEST = 1_000
MOST_DAYS = 5_000
_SPAN = re.compile(r"(\d{1,4}) ?(minute|hour|day|workday)s?")


@dataclass(frozen=True)
class Span:
    """A number of minutes, hours, days or working days."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"

    def after(self, start: datetime, zone: tzinfo, calendar: Calendar) -> datetime:
        """The moment this much later: a day is the same time of day on a later date in this zone."""
        if self.unit in ("minutes", "hours"):
            return start + timedelta(**{self.unit: self.count})
        local = start.astimezone(zone)
        day = local.date() + timedelta(days=self.count if self.unit == "days" else 0)
        if self.unit == "workdays":
            day = local.date() + timedelta(days=_days_of_work(local, self.count, calendar))
        return local.replace(year=day.year, month=day.month, day=day.day).astimezone(start.tzinfo)

    def before(self, end: datetime, zone: tzinfo, calendar: Calendar) -> datetime:
        """The moment this much earlier; working days are counted as days of the week."""
        if self.unit in ("minutes", "hours"):
            return end - timedelta(**{self.unit: self.count})
        local = end.astimezone(zone)
        day = local.date() - timedelta(days=self.count)
        return local.replace(year=day.year, month=day.month, day=day.day).astimezone(end.tzinfo)


def _days_of_work(start: datetime, count: int, calendar: Calendar) -> int:
    """How many days later the n-th working day after this one is; bounded, should a calendar have none."""
    days = 0
    while count and days < MOST_DAYS:
        days += 1
        count -= calendar.works(start.date() + timedelta(days=days))
    return days


def read_span(text: Any) -> Span | None:
    """The span that a text such as `4 hours` or `1 workday` means; None for anything else."""
    found = _SPAN.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or not 0 < int(found[1]) <= LONGEST:
        return None
    return Span(int(found[1]), f"{found[2]}s")


class SpanOf(ma.Field[Span]):
    """`30 minutes`, `4 hours`, `3 days`, `2 workdays`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Span:
        span = read_span(value)
        if span is None:
            raise refuse(say("'{text}' is not a span of time: write '4 hours', '3 days' or '2 workdays'", text=value))
        return span
