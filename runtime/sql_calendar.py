"""Calendars in PostgreSQL: days made of numbers, weeks, working days, spans of months and years, times of day."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    Date,
    DateTime,
    Double,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    not_,
    or_,
    select,
)

from runtime import sql_dates as dates
from runtime import sql_operations as ops
from runtime.sql_convert import day, local, moment, zone_of
from runtime.sql_forms import form
from runtime.sql_operations import Column, Piece, any_error, failing, integer, strict
from schemas.calendars import Calendar, of_country
from schemas.formula.functions.lookup import PLACE

if TYPE_CHECKING:
    from runtime.expressions import Renderer, Use

DAY_SECONDS = 86_400
DAY_MILLISECONDS = Decimal(86_400_000)
EARTH = 6_378_137
MONDAY = date(1, 1, 1)
"""The first day that there is; it was a Monday."""


def _whole(value: Column) -> Column:
    return cast(value, Integer)


def _part(name: str, value: Column) -> Column:
    return _whole(extract(name, value))


def _count(value: Column) -> Column:
    return cast(value, Numeric())


def _days(left: Column, right: Column) -> Column:
    return left.op("-", return_type=Integer())(right)


def _later(value: Column, days: Column) -> Column:
    return value.op("+", return_type=Date())(days)


# -- made of numbers -------------------------------------------------------------------------------


@form("make_date")
def make_date(renderer: "Renderer", use: "Use", *parts: Any) -> Piece:
    """A day of year, month and day; months and days beyond their range run on."""
    year, month, number = (renderer.sql(part, use) for part in parts)
    months = func.trunc(year.value) * 12 + func.floor(month.value) - 1
    fits = and_(months >= 12, months < 120_000)
    place = case((fits, _whole(months)), else_=12)
    first = func.make_date(place // 12, place % 12 + 1, 1)
    begun = failing(Piece(cast(first, Date()), any_error(year, month, number), "date"), not_(fits))
    after = Piece(func.floor(number.value, type_=Numeric()) - 1, None, "number")
    return dates.add_days(begun, after)


@strict("part_of_day", "number")
def _part_of_day(hour: Column, minute: Column, second: Column) -> Column:
    seconds = func.trunc(hour) * 3600 + func.trunc(minute) * 60 + func.trunc(second)
    return func.round(func.mod(seconds, DAY_SECONDS) / Decimal(DAY_SECONDS) + Decimal("0E-25"), 20, type_=Numeric())


@strict("no_time", "boolean")
def _no_time(hour: Column, minute: Column, second: Column) -> Column:
    seconds = func.trunc(hour) * 3600 + func.trunc(minute) * 60 + func.trunc(second)
    return or_(seconds < 0, func.greatest(hour, minute, second) > 32767)


def _clock_part(name: str, unit: int, most: int) -> None:
    @strict(f"{name}_of_day", "number")
    def part(x: Column) -> Column:
        milliseconds = func.mod(func.round(func.mod(x, 1) * DAY_MILLISECONDS), DAY_MILLISECONDS, type_=Numeric())
        return func.mod(func.div(milliseconds, unit, type_=Numeric()), most, type_=Numeric())


_clock_part("hour", 3_600_000, 24)
_clock_part("minute", 60_000, 60)
_clock_part("second", 1_000, 60)


@strict("no_serial", "boolean")
def _no_serial(x: Column) -> Column:
    return or_(x < 0, x >= 2_958_466)


# -- weeks and working days ------------------------------------------------------------------------


@form("weekday")
def weekday(renderer: "Renderer", use: "Use", value: Any, begins: str) -> Piece:
    """The day of the week, 1 to 7 from the day on with which it begins (0 for Monday)."""
    piece = day(renderer.sql(value, use), renderer.clock)
    number = (_part("isodow", piece.value) + 6 - int(begins)) % 7
    return Piece(_count(number + 1), piece.error, "number", 1, 0)


@form("week_number")
def week_number(renderer: "Renderer", use: "Use", value: Any, begins: str) -> Piece:
    """The week of the year whose first one holds 1 January; without a first day of the week, ISO's."""
    piece = day(renderer.sql(value, use), renderer.clock)
    if not begins:
        return Piece(_count(_part("week", piece.value)), piece.error, "number", 2, 0)
    since = _part("doy", piece.value) - 1
    first = (_part("isodow", piece.value) + 6 - since % 7 - int(begins) + 14) % 7
    return Piece(_count((since + first) // 7 + 1), piece.error, "number", 2, 0)


def _calendar(weekend: str, country: str) -> Calendar:
    return (of_country(country, weekend) if country else None) or Calendar(weekend)


def _listed(days: Any) -> Column:
    return literal(sorted(days), ARRAY(Date()))


@form("workdays_between")
def workdays_between(renderer: "Renderer", use: "Use", start: Any, end: Any, weekend: str, country: str) -> Piece:
    calendar = _calendar(weekend, country)
    one, other = (day(renderer.sql(v, use), renderer.clock) for v in (start, end))
    first, last = func.least(one.value, other.value), func.greatest(one.value, other.value)
    # How many days of a weekday there have been up to a day is one division.
    since, until = _days(first, literal(MONDAY, Date())) - 1, _days(last, literal(MONDAY, Date()))
    count: Column = literal(0, Integer)
    for n in (n for n, free in enumerate(weekend) if free == "0"):
        count = count + (until - n + 7) // 7 - (since - n + 7) // 7
    free = [d for d in calendar.holidays if weekend[d.weekday()] == "0"]
    busy = [d for d in calendar.workdays - calendar.holidays if weekend[d.weekday()] == "1"]
    for days, sign in ((free, -1), (busy, 1)):
        count = count + sign * _within(days, first, last) if days else count
    signed = case((one.value > other.value, -count), else_=count)
    value = case((and_(one.value.is_not(None), other.value.is_not(None)), _count(signed)))
    return Piece(value, any_error(one, other), "number", 8, 0)


def _within(days: list[date], first: Column, last: Column) -> Column:
    item = func.unnest(_listed(days)).table_valued("day").render_derived()
    query = select(func.count()).select_from(item).where(item.c.day.between(first, last))
    return _whole(query.correlate_except(item).scalar_subquery())


@form("workday_after")
def workday_after(renderer: "Renderer", use: "Use", start: Any, count: str, weekend: str, country: str) -> Piece:
    """The working day so many later; it is looked for among the days that follow."""
    calendar, wanted = _calendar(weekend, country), int(count)
    piece = day(renderer.sql(start, use), renderer.clock)
    if not wanted:
        return piece
    step = func.generate_series(1, abs(wanted) * 7 + 60).table_valued("step").render_derived()
    there = _later(piece.value, step.c.step if wanted > 0 else -step.c.step)
    works: list[Column] = [extract("isodow", there).in_([n for n, free in enumerate(weekend, 1) if free == "0"])]
    works = [or_(there == func.any(_listed(calendar.workdays)), *works)] if calendar.workdays else works
    works += [there != func.all(_listed(calendar.holidays))] if calendar.holidays else []
    query = select(there).select_from(step).where(*works).order_by(step.c.step).offset(abs(wanted) - 1).limit(1)
    found = query.correlate_except(step).scalar_subquery()
    beyond = func.coalesce(or_(found > dates.LAST_DAY, found < dates.FIRST_DAY), False)
    return failing(Piece(found, piece.error, "date"), beyond)


# -- spans -----------------------------------------------------------------------------------------


def _months_between(start: Column, end: Column) -> Column:
    """Months that have passed in full; negative if the end lies before."""
    months = (_part("year", end) - _part("year", start)) * 12 + _part("month", end) - _part("month", start)
    short = case(
        (and_(months > 0, _part("day", end) < _part("day", start)), -1),
        (and_(months < 0, _part("day", end) > _part("day", start)), 1),
        else_=0,
    )
    return months + short


@form("months_between")
def months_between(renderer: "Renderer", use: "Use", end: Any, start: Any) -> Piece:
    last, first = (day(renderer.sql(v, use), renderer.clock) for v in (end, start))
    return Piece(_count(_months_between(first.value, last.value)), any_error(last, first), "number", 6, 0)


def _month_days(first: Column, last: Column) -> Column:
    """Days beyond the full months, counted from the month before where this one's have not come so far."""
    month = cast(func.date_trunc("month", cast(last, DateTime())), Date())
    before = cast(cast(month, DateTime()).op("-")(func.make_interval(0, 1)), Date())
    ahead = _part("day", last) - _part("day", first)
    return case((ahead >= 0, ahead), else_=_days(last, before) + 1 - _part("day", first))


def _year_days(first: Column, last: Column) -> Column:
    months = [_part("month", d) * 100 + _part("day", d) for d in (first, last)]
    year = _part("year", first) + case((months[0] <= months[1], 0), else_=1)
    return _days(_later(func.make_date(year, _part("month", last), 1), _part("day", last) - 1), first)


SPANS = {
    "d": lambda first, last: _days(last, first),
    "m": _months_between,
    "y": lambda first, last: _months_between(first, last) // 12,
    "ym": lambda first, last: _months_between(first, last) % 12,
    "md": _month_days,
    "yd": _year_days,
}


@form("calendar_span")
def calendar_span(renderer: "Renderer", use: "Use", start: Any, end: Any, unit: str) -> Piece:
    one, other = (day(renderer.sql(v, use), renderer.clock) for v in (start, end))
    first, last = func.least(one.value, other.value), func.greatest(one.value, other.value)
    span = SPANS[unit](first, last)
    signed = case((one.value > other.value, -span), (one.value <= other.value, span))
    return Piece(_count(signed), any_error(one, other), "number", 8, 0)


@form("clock_span")
def clock_span(renderer: "Renderer", use: "Use", start: Any, end: Any, seconds: str) -> Piece:
    """Full hours, minutes or seconds from one moment to another."""
    one, other = (moment(renderer.sql(v, use), renderer.clock) for v in (start, end))
    span = func.floor(cast(extract("epoch", other.value.op("-")(one.value)), Numeric()), type_=Numeric())
    full = func.div(func.abs(span), int(seconds), type_=Numeric())
    return Piece(full * func.sign(span), any_error(one, other), "number", 12, 0)


@form("days_of_360")
def days_of_360(renderer: "Renderer", use: "Use", start: Any, end: Any, european: bool) -> Piece:
    one, other = (day(renderer.sql(v, use), renderer.clock) for v in (start, end))
    first, last = _part("day", one.value), _part("day", other.value)
    if european:
        first, last = func.least(first, 30), func.least(last, 30)
    else:
        february = and_(_part("month", one.value) == 2, _part("month", _later(one.value, literal(1))) == 3)
        first = case((february, 30), else_=func.least(first, 30))
        last = case((and_(last == 31, first == 30), 30), else_=last)
    years = _part("year", other.value) - _part("year", one.value)
    months = _part("month", other.value) - _part("month", one.value)
    return Piece(_count(years * 360 + months * 30 + last - first), any_error(one, other), "number", 8, 0)


@form("milliseconds")
def milliseconds(renderer: "Renderer", use: "Use", value: Any) -> Piece:
    piece = moment(renderer.sql(value, use), renderer.clock)
    since = cast(extract("epoch", piece.value), Numeric()) * 1000
    return Piece(func.floor(since, type_=Numeric()), piece.error, "number", 15, 0)


# -- later and earlier -----------------------------------------------------------------------------


@form("day_of")
def day_of(renderer: "Renderer", use: "Use", value: Any) -> Piece:
    return day(renderer.sql(value, use), renderer.clock)


@form("add_calendar")
def add_calendar(renderer: "Renderer", use: "Use", value: Any, count: Any, months: str) -> Piece:
    """The same day and time some months later, or the last day of that month."""
    piece, number = renderer.sql(value, use), renderer.sql(count, use)
    later = Piece(_count(integer(number.value, -20_000, 20_000) * int(months)), number.error, "number")
    if piece.kind != "datetime":
        return dates.add_months(piece, later)
    shown = local(piece, renderer.clock)
    moved = dates.add_months(Piece(cast(shown, Date()), piece.error, "date"), later)
    return _at(renderer, moved, shown)


@form("add_clock_days")
def add_clock_days(renderer: "Renderer", use: "Use", value: Any, count: Any, each: str) -> Piece:
    """Full days go by the calendar, so that the clock shows the same time; parts of a day go by the time itself."""
    piece, number = renderer.sql(value, use), renderer.sql(count, use)
    number = ops.multiply(number, ops.constant(Decimal(each), "number"))
    elapsed = dates.add_days(piece, number)
    if piece.kind != "datetime":
        return elapsed
    shown = local(piece, renderer.clock)
    moved = _at(renderer, dates.add_days(Piece(cast(shown, Date()), piece.error, "date"), number), shown)
    whole = func.floor(number.value) == number.value
    error = case((whole, moved.error), else_=elapsed.error)
    return Piece(case((whole, moved.value), else_=elapsed.value), error, "datetime")


def _at(renderer: "Renderer", moved: Piece, shown: Column) -> Piece:
    """Another day at the same time of the clock; of two such moments, when clocks are set back, the first."""
    time = shown.op("-")(func.date_trunc("day", shown, type_=DateTime()))
    wall = cast(moved.value, DateTime()).op("+", return_type=DateTime())(time)
    zone = zone_of(renderer.clock)
    found = func.timezone(zone, wall, type_=DateTime(timezone=True))
    before = found.op("-", return_type=DateTime(timezone=True))(func.make_interval(0, 0, 0, 0, 1))
    value = case((func.timezone(zone, before, type_=DateTime()) == wall, before), else_=found)
    beyond = func.coalesce(or_(value > dates.LAST_MOMENT, value < dates.FIRST_MOMENT), False)
    return failing(Piece(value, moved.error, "datetime"), beyond)


@form("add_seconds")
def add_seconds(renderer: "Renderer", use: "Use", value: Any, count: Any, seconds: str) -> Piece:
    piece, number = renderer.sql(value, use), renderer.sql(count, use)
    total = ops.multiply(number, ops.constant(Decimal(seconds), "number"))
    if piece.kind == "datetime":
        return dates.add_days(piece, ops.divide(total, ops.constant(Decimal(DAY_SECONDS), "number")))
    days = func.floor(total.value / literal(Decimal(DAY_SECONDS), Numeric()), type_=Numeric())
    return dates.add_days(piece, Piece(days, total.error, "number"))


# -- places ----------------------------------------------------------------------------------------


@form("distance")
def distance(renderer: "Renderer", use: "Use", one: Any, other: Any) -> Piece:
    """Metres between two places, `latitude,longitude`; nothing where one is blank."""
    pieces = [renderer.sql(one, use), renderer.sql(other, use)]
    there = and_(*(p.value.is_not(None) for p in pieces))
    (north, east), (north2, east2) = (_degrees(p.value) for p in pieces)
    spelled = and_(*(func.coalesce(n.is_not(None), False) for n in (north, north2)))
    lat, lng, lat2, lng2 = (func.radians(d) for d in (north, east, north2, east2))
    half = _square(func.sin((lat2 - lat) / 2.0)) + func.cos(lat) * func.cos(lat2) * _square(
        func.sin((lng2 - lng) / 2.0)
    )
    metres = func.asin(func.least(1.0, func.sqrt(half))) * (2 * EARTH)
    value = func.round(cast(metres, Numeric()), 2, type_=Numeric())
    return failing(Piece(case((there, value)), any_error(*pieces), "number", 8, 2), and_(there, not_(spelled)))


def _degrees(text: Column) -> tuple[Column, Column]:
    """Latitude and longitude as numbers that are NULL where the text spells no place."""
    spelled = text.op("~", return_type=None)(literal(f"^{PLACE}$", Text()))
    parts = [cast(func.btrim(func.split_part(text, ",", n)), Numeric()) for n in (1, 2)]
    read = [case((spelled, part)) for part in parts]
    fits = and_(func.abs(read[0]) <= 90, func.abs(read[1]) <= 180)
    north, east = (case((fits, cast(r, Double()))) for r in read)
    return north, east


def _square(value: Column) -> Column:
    return func.power(value, 2.0)
