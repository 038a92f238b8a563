"""When a flow starts by the clock: on a plan of its own, or when a date of a record is reached.

Pure: given a moment, a zone and the days that people work, these say which moment comes next and what was missed.
"""

import calendar as months
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import fields as ma

from schemas.calendars import Calendar
from schemas.fields.date import WEEKDAYS
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Many, Reference, Whole, Words, refuse
from schemas.spans import Span, SpanOf

EVERY = ("hour", "day", "workday", "week", "month", "year")
MISSED = ("once", "skip", "each")
OFF = ("run", "skip", "workday_before", "workday_after")
REPEATS = ("once", "day", "week", "month", "year")
FAR = 366 * 9
"""Days ahead in which a plan must find its next moment: a 29 February comes within eight years."""
MOST_MISSED = 100
GRACE = timedelta(minutes=15)
"""What is at most this late was not missed, only waited for."""
MOST_DAYS_OFF = 30
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class TimeOfDay(ma.Field[time]):
    """A time of day, such as `09:00`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> time:
        found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise refuse(say("'{text}' is not a time of day: write it as 09:00", text=str(value)[:40]))
        return time(int(found[1]), int(found[2]))


class Zone(ma.Field[ZoneInfo]):
    """A time zone by its name, such as `Asia/Shanghai`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> ZoneInfo:
        try:
            return ZoneInfo(str(value))
        except (ValueError, OSError, KeyError):
            raise refuse(say("There is no time zone '{name}'.", name=str(value)[:60])) from None


# -- a plan of its own -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Again and again at a time of day. A time that a clock change leaves out comes as much later; one that it repeats
    comes once."""

    every: str = option(Words(*EVERY, required=True), "Every", "day")
    at: time = option(TimeOfDay(), "At", time(9), help="Of every hour only the minutes count.")
    on: tuple[str, ...] = option(Many(Words(*WEEKDAYS), most=7), "On (of a week)", (), help="Monday if none is chosen.")
    day: int = option(Whole(1, 31), "Day (of a month or year)", 1, help="31 is the last day of a shorter month, too.")
    month: int = option(Whole(1, 12), "Month (of a year)", 1)
    off: str = option(
        Words(*OFF), "On a day off", "run", help="Days off are those of the working calendar."
    )  # fmt: skip
    missed: str = option(
        Words(*MISSED),
        "What was missed",
        "once",
        help="What nothing ran for: made up for once, skipped, or made up for each time.",
    )
    zone: ZoneInfo | None = option(Zone(allow_none=True), "Time zone", help="That of the workspace if none is named.")

    def after(self, moment: datetime, zone: tzinfo, calendar: Calendar) -> datetime | None:
        """The first time after a moment; None when there is none for years."""
        zone = self.zone or zone
        return self._hour(moment, zone) if self.every == "hour" else self._day(moment, zone, calendar)

    def _hour(self, moment: datetime, zone: tzinfo) -> datetime:
        local = moment.astimezone(zone).replace(minute=self.at.minute, second=0, microsecond=0)
        found = local.astimezone(UTC)
        return found if found > moment else found + timedelta(hours=1)

    def _day(self, moment: datetime, zone: tzinfo, calendar: Calendar) -> datetime | None:
        today = moment.astimezone(zone).date()
        # A day before now may be moved behind it, for it is a day off.
        for number in range(-MOST_DAYS_OFF, FAR):
            day = self._moved(today + timedelta(days=number), calendar)
            found = _at(day, self.at, zone) if day else None
            if found is not None and found > moment:
                return found
        return None

    def _moved(self, day: date, calendar: Calendar) -> date | None:
        """The day on which it runs for this day of the plan; None when it does not."""
        if not self._meant(day, calendar):
            return None
        if self.off == "run" or calendar.works(day):
            return day
        return None if self.off == "skip" else next_workday(day, calendar, -1 if self.off == "workday_before" else 1)

    def _meant(self, day: date, calendar: Calendar) -> bool:
        if self.every == "week":
            return list(WEEKDAYS)[day.weekday()] in (self.on or ("monday",))
        if self.every in ("month", "year"):
            return day.day == min(self.day, _length(day)) and (self.every == "month" or day.month == self.month)
        return self.every == "day" or calendar.works(day)


@dataclass(frozen=True)
class Reckoned:
    """The moments for which a plan is to run now, and when it is looked at again."""

    runs: tuple[datetime, ...]
    next: datetime | None


def reckon(plan: Schedule, planned: datetime, now: datetime, zone: tzinfo, calendar: Calendar) -> Reckoned:
    """What is due at `now` of a plan whose next moment was `planned`; what was missed is judged by the plan's own rule."""
    if planned > now:
        return Reckoned((), planned)
    due: list[datetime] = []
    coming: datetime | None = planned
    while coming is not None and coming <= now:
        due = [*due[-MOST_MISSED + 1 :], coming]
        coming = plan.after(coming, zone, calendar)
    if plan.missed == "skip":
        due = [moment for moment in due[-1:] if now - moment <= GRACE]
    return Reckoned(tuple(due if plan.missed == "each" else due[-1:]), coming)


# -- a date of a record ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A date field of a record is reached: so long before or after, at a time of day, and again every so often."""

    table: str = option(Reference("table", required=True), "Table", "")
    field: str = option(Reference("moment field", required=True), "Date field", "")
    before: Span | None = option(SpanOf(allow_none=True), "So long before")
    after: Span | None = option(SpanOf(allow_none=True), "So long after")
    at: time | None = option(
        TimeOfDay(allow_none=True), "At", help="The time of day; of a date 09:00, of a date and time that time if none is named."
    )  # fmt: skip
    repeat: str = option(Words(*REPEATS), "Repeated every", "once")
    times: int | None = option(Whole(1, 1_000, allow_none=True), "How many times in all")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.before is not None and self.after is not None:
            yield "before", say("name either 'before' or 'after'")
        if self.times is not None and self.repeat == "once":
            yield "times", say("'{name}' goes with '{other}'", name="times", other="repeat")

    @property
    def span(self) -> Span | None:
        return self.before or self.after

    def once_a_day(self, kind: str) -> time | None:
        """The time of day at which alone something can be due; None where it may be at any minute."""
        if self.span is not None and self.span.unit in ("minutes", "hours"):
            return None
        return self.at or (time(9) if kind == "date" else None)

    def bases(self, since: datetime, until: datetime, zone: tzinfo) -> tuple[date | None, date]:
        """From and to which days a field can lie whose moments are in this stretch of time; wider rather than narrower."""
        slack = timedelta(days=3 + _days(self.span) * (2 if self.span and self.span.unit == "workdays" else 1))
        if self.span is not None and self.span.unit == "workdays":
            slack += timedelta(days=MOST_DAYS_OFF)
        first, last = since.astimezone(zone).date() - slack, until.astimezone(zone).date() + slack
        return (first if self.repeat == "once" else None), last

    def moments(
        self, value: date | datetime, since: datetime, until: datetime, zone: tzinfo, calendar: Calendar
    ) -> list[datetime]:
        """When a record whose field holds this is due, after `since` and not after `until`."""
        found = []
        for number in self._numbers(value, since, until, zone):
            moment = self._moment(_repeated(value, number, self.repeat, zone), zone, calendar)
            if since < moment <= until:
                found.append(moment)
        return found

    def _numbers(self, value: date | datetime, since: datetime, until: datetime, zone: tzinfo) -> range:
        """Which repetitions can be meant."""
        if self.repeat == "once":
            return range(1)
        length = {"day": 1, "week": 7, "month": 28, "year": 365}[self.repeat]
        longest = {"day": 1, "week": 7, "month": 31, "year": 366}[self.repeat]
        base = value.astimezone(zone).date() if isinstance(value, datetime) else value
        slack = 2 * _days(self.span) + MOST_DAYS_OFF
        first = max(0, ((since.astimezone(zone).date() - base).days - slack) // longest - 1)
        last = max(0, ((until.astimezone(zone).date() - base).days + slack) // length + 2)
        return range(first, last if self.times is None else min(last, self.times))

    def _moment(self, base: date | datetime, zone: tzinfo, calendar: Calendar) -> datetime:
        span, sign = self.span, -1 if self.before is not None else 1
        exact = base if isinstance(base, datetime) else None
        day = exact.astimezone(zone).date() if exact else base
        if span is not None and span.unit in ("minutes", "hours"):
            start = exact if exact and self.at is None else _at(day, self.at or time(9), zone)
            return start + sign * timedelta(**{span.unit: span.count})
        if span is not None and span.unit == "days":
            day += timedelta(days=sign * span.count)
        elif span is not None:
            for _ in range(span.count):
                day = next_workday(day, calendar, sign)
        return _at(day, self.at or (exact.astimezone(zone).time() if exact else time(9)), zone)


def next_workday(day: date, calendar: Calendar, step: int) -> date:
    """The nearest working day after (1) or before (-1) this one; bounded, should a calendar have none."""
    for _ in range(MOST_DAYS_OFF):
        day += timedelta(days=step)
        if calendar.works(day):
            break
    return day


def _repeated(value: date | datetime, number: int, unit: str, zone: tzinfo) -> date | datetime:
    """The value so many days, weeks, months or years later, at the same time of day."""
    local = value.astimezone(zone) if isinstance(value, datetime) else value
    day = date(local.year, local.month, local.day)
    if unit in ("day", "week"):
        day += timedelta(days=number * (7 if unit == "week" else 1))
    elif unit != "once":
        month = day.month - 1 + number * (12 if unit == "year" else 1)
        first = day.replace(year=day.year + month // 12, month=month % 12 + 1, day=1)
        day = first.replace(day=min(day.day, _length(first)))
    return datetime.combine(day, local.time(), tzinfo=zone) if isinstance(local, datetime) else day


def _days(span: Span | None) -> int:
    """Not fewer days than a span lasts."""
    if span is None:
        return 0
    return {"minutes": span.count // 1440 + 1, "hours": span.count // 24 + 1}.get(span.unit, span.count)


def _length(day: date) -> int:
    return months.monthrange(day.year, day.month)[1]


def _at(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
