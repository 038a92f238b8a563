"""Stretches of days that views in time show: months in whole weeks, weeks, days, and the length of a time line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)
WEEK = 7


@dataclass(frozen=True)
class Stretch:
    """From one day to another, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + number * DAY for number in range(self.days))

    def place(self, first: date, last: date) -> tuple[int, int] | None:
        """Where a stretch lies in this one, as days from its beginning (the end not included); None for outside."""
        if last < self.first or first > self.last:
            return None
        return max((first - self.first).days, 0), min((last - self.first).days + 1, self.days)


def shown_by(span: str, day: date) -> Stretch:
    """The days that a calendar shows around a day: of a `month` all weeks (from Monday), a `week`, or the `day`."""
    if span == "day":
        return Stretch(day, day)
    if span == "week":
        monday = day - day.weekday() * DAY
        return Stretch(monday, monday + (WEEK - 1) * DAY)
    first, last = day.replace(day=1), _month_later(day.replace(day=1), 1) - DAY
    return Stretch(first - first.weekday() * DAY, last + (WEEK - 1 - last.weekday()) * DAY)


def moved(span: str, day: date, steps: int) -> date:
    """A day in the stretch so many steps on (or back)."""
    if span == "month":
        return _month_later(day.replace(day=1), steps)
    return day + steps * (WEEK if span == "week" else 1) * DAY


LENGTHS = {"day": 5 * WEEK, "week": 26 * WEEK}
MONTHS = {"month": 12, "quarter": 36}


def line(scale: str, day: date) -> Stretch:
    """The time line around a day: five weeks by days, half a year by weeks, a year by months, three by quarters."""
    if length := LENGTHS.get(scale):
        first = day - (day.weekday() + length // 4 // WEEK * WEEK) * DAY
        return Stretch(first, first + (length - 1) * DAY)
    first = _month_later(_begin_of(scale, day), -MONTHS[scale] // 4)
    return Stretch(first, _month_later(first, MONTHS[scale]) - DAY)


def along(scale: str, day: date, steps: int) -> date:
    """A day half a line on (or back)."""
    if length := LENGTHS.get(scale):
        return day + steps * (length // 2) * DAY
    return _month_later(day.replace(day=1), steps * MONTHS[scale] // 2)


def ticks(scale: str, stretch: Stretch) -> list[Stretch]:
    """The parts into which a time line is divided: days, weeks, months or quarters."""
    found, first = [], stretch.first
    while first <= stretch.last:
        after = _next(scale, first)
        found.append(Stretch(first, min(after - DAY, stretch.last)))
        first = after
    return found


def _next(scale: str, day: date) -> date:
    if scale in ("day", "week"):
        return day + (1 if scale == "day" else WEEK) * DAY
    return _month_later(_begin_of(scale, day), 3 if scale == "quarter" else 1)


def _begin_of(scale: str, day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1) if scale == "quarter" else day.replace(day=1)


IN_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def beginning(period: str, day: date) -> date:
    """The first day of the period (day, week from Monday, month, quarter, year) in which a day lies."""
    if period in IN_MONTHS:
        return date(day.year, 1, 1) if period == "year" else _begin_of(period, day)
    return day - (day.weekday() if period == "week" else 0) * DAY


def earlier(period: str, first: date, against: str) -> date:
    """The first day of the period before one that begins then (`previous`), or of the same one a `year` ago.

    A week a year ago is the one 52 weeks before; the last day of February is answered by the one before, too.
    """
    if period in IN_MONTHS:
        return _month_later(first, -12 if against == "year" else -IN_MONTHS[period])
    if against == "previous":
        return first - (WEEK if period == "week" else 1) * DAY
    if period == "week":
        return first - 52 * WEEK * DAY
    return first.replace(year=first.year - 1, day=min(first.day, 28 if first.month == 2 else 31))


def _month_later(first: date, months: int) -> date:
    """The first of a month, so many months later."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
