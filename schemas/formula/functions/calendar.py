"""Weeks, working days and the years of banks."""

import re
from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.calendars import SATURDAY_SUNDAY, Calendar, of_country
from schemas.formula.coerce import as_date, flat
from schemas.formula.functions.base import function
from schemas.formula.functions.date import DAY, day_of, nothing, spelled_date
from schemas.formula.functions.rounding import whole
from schemas.formula.sql import Given, Sql
from schemas.formula.values import NUM, ONE, VALUE, ZERO, ErrorValue, Fault, Run, divide


def _days360(start: Given, end: Given, european: Given | None = None) -> Sql | None:
    kind = european.constant if european else False
    return Sql("days_of_360", (start.raw, end.raw, kind)) if isinstance(kind, bool) else None


@function(
    "DAYS360",
    "date, date, boolean? -> number",
    world=True,
    sql=_days360,
    zh="按一年 360 天计算的天数",
    en="Days between dates in a year of 360.",
    example="DAYS360(start, end)",
)
def days360(run: Run, start: date | None, end: date | None, european: bool = False) -> Decimal | None:
    if start is None or end is None:
        return nothing(run)
    first, last = start.day, end.day
    if european:
        first, last = min(first, 30), min(last, 30)
    else:
        if start.month == 2 and (start + DAY).month == 3:
            first = 30
        first = min(first, 30)
        if last == 31 and first == 30:
            last = 30
    return Decimal((end.year - start.year) * 360 + (end.month - start.month) * 30 + last - first)


@function(
    "YEARFRAC",
    "date, date, number? -> number",
    world=True,
    zh="两个日期之间的年数",
    en="The years between two dates.",
    example="YEARFRAC(start, end, 1)",
)
def yearfrac(run: Run, start: date | None, end: date | None, basis: Decimal = ZERO) -> Decimal | None:
    start, end = sorted((start or date(1899, 12, 30), end or date(1899, 12, 30)))
    kind = int(basis)
    if not 0 <= kind <= 4:
        raise Fault(NUM)
    span = Decimal((end - start).days)
    if kind in (0, 4):
        return divide(_thirty(start, end, kind == 4), Decimal(360))
    if kind == 1:
        return divide(span, _year_length(start, end))
    return divide(span, Decimal(360 if kind == 2 else 365))


def _thirty(start: date, end: date, european: bool) -> Decimal:
    first, last = start.day, end.day
    if european:
        first, last = min(first, 30), min(last, 30)
    else:
        february = [d.month == 2 and (d + DAY).month == 3 for d in (start, end)]
        if all(february):
            last = 30
        if february[0]:
            first = 30
        if last == 31 and first >= 30:
            last = 30
        first = min(first, 30)
    return Decimal((end.year - start.year) * 360 + (end.month - start.month) * 30 + last - first)


def _year_length(start: date, end: date) -> Decimal:
    """The length of a year where these dates lie: the mean over the years touched, if there are several."""
    if end <= day_of(start.year + 1, start.month, start.day):
        leap = any(start <= d <= end for d in (_leap_day(start.year), _leap_day(end.year)) if d) or (
            start.year == end.year and _leap_day(start.year) is not None
        )
        return Decimal(366 if leap else 365)
    years = end.year - start.year + 1
    return divide(Decimal((date(end.year + 1, 1, 1) - date(start.year, 1, 1)).days), Decimal(years))


def _leap_day(year: int) -> date | None:
    return date(year, 2, 29) if monthrange(year, 2)[1] == 29 else None


WEEK_BEGINS = {1: 6, 2: 0, 11: 0, 12: 1, 13: 2, 14: 3, 15: 4, 16: 5, 17: 6}


def _begins(kind: Given | None) -> int | None:
    """Where a week begins, by a kind that is written out."""
    code = kind.constant if kind else ONE
    return WEEK_BEGINS.get(int(code)) if isinstance(code, Decimal) and code != 3 and code != 21 else None


def _weekday(day: Given, kind: Given | None = None) -> Sql | None:
    begins = _begins(kind)
    return None if begins is None else Sql("weekday", (day.raw, str(begins)))


def _weeknum(day: Given, kind: Given | None = None) -> Sql | None:
    if kind and kind.constant == 21:
        return Sql("week_number", (day.raw, ""))
    begins = _begins(kind)
    return None if begins is None else Sql("week_number", (day.raw, str(begins)))


@function(
    "WEEKDAY",
    "date, number? -> number",
    world=True,
    sql=_weekday,
    zh="星期几，默认周日为 1",
    en="The day of the week; Sunday is 1 unless said otherwise.",
    example="WEEKDAY(TODAY(), 2)",
)
def weekday(run: Run, day: date | None, kind: Decimal = ONE) -> Decimal | None:
    if day is None:
        return Decimal(7) if run.world.untyped else None
    if kind == 3:
        return Decimal(day.weekday())
    if int(kind) not in WEEK_BEGINS:
        raise Fault(NUM)
    return Decimal((day.weekday() - WEEK_BEGINS[int(kind)]) % 7 + 1)


@function(
    "WEEKNUM",
    "date, number? -> number",
    world=True,
    sql=_weeknum,
    zh="一年中的第几周",
    en="The week of the year; the first holds 1 January.",
    example="WEEKNUM(TODAY(), 2)",
)
def weeknum(run: Run, day: date | None, kind: Decimal = ONE) -> Decimal | None:
    if day is None:
        return nothing(run)
    if kind == 21:
        return Decimal(day.isocalendar().week)
    if int(kind) not in WEEK_BEGINS:
        raise Fault(NUM)
    first = date(day.year, 1, 1)
    return Decimal(((day - first).days + (first.weekday() - WEEK_BEGINS[int(kind)]) % 7) // 7 + 1)


@function(
    "ISOWEEKNUM",
    "date -> number",
    world=True,
    sql=lambda d: Sql("week_number", (d.raw, "")),
    zh="ISO 周数",
    en="The week of the year as ISO counts.",
    example="ISOWEEKNUM(TODAY())",
)
def isoweeknum(run: Run, day: date | None) -> Decimal | None:
    if day is None:
        return Decimal(52) if run.world.untyped else None
    return Decimal(day.isocalendar().week)


WEEKENDS = {
    1: SATURDAY_SUNDAY,
    2: "1000001",
    3: "1100000",
    4: "0110000",
    5: "0011000",
    6: "0001100",
    7: "0000110",
    11: "0000001",
    12: "1000000",
    13: "0100000",
    14: "0010000",
    15: "0001000",
    16: "0000100",
    17: "0000010",
}


def _calendar(run: Run, weekend: str, given: Any) -> Calendar:
    """Working days by a weekend and what is given besides: holidays, or a country whose calendar holds."""
    calendar, found = Calendar(weekend), set()
    for item in flat(given):
        if isinstance(item, str) and (official := of_country(item, weekend)):
            calendar = official
        elif item is not None:
            found.add(_holiday(run, item))
    return calendar.also_free(d for d in found if d is not None)


def _holiday(run: Run, item: Any) -> date | None:
    if isinstance(item, ErrorValue):
        raise Fault(item)
    day = spelled_date(run, item) if isinstance(item, str) else as_date(item, run.world)
    if isinstance(item, bool) or (isinstance(item, str) and day is None):
        raise Fault(VALUE)
    return day


def _weekend(given: Any) -> str:
    """Seven signs from Monday on, 1 for a free day."""
    if given is None:
        return WEEKENDS[1]
    if isinstance(given, str):
        if not re.fullmatch("[01]{7}", given):
            raise Fault(VALUE)
        return given
    if isinstance(given, bool) or not isinstance(given, Decimal):
        raise Fault(VALUE)
    if int(given) not in WEEKENDS:
        raise Fault(NUM)
    return WEEKENDS[int(given)]


MOST_SOUGHT = 400
"""Working days that a database looks for one by one."""


def _week(weekend: Given | None) -> str:
    """A weekend that is written out; nothing for any other."""
    if weekend is None or not isinstance(weekend.constant, str | Decimal):
        return "" if weekend else WEEKENDS[1]
    try:
        return _weekend(weekend.constant)
    except Fault:
        return ""


def _country(free: Given | None) -> str | None:
    """The country whose calendar is named; nothing without holidays, None where they are others."""
    if free is None:
        return ""
    return free.constant if isinstance(free.constant, str) and of_country(free.constant) else None


def _between(start: Given, end: Given, weekend: str, free: Given | None) -> Sql | None:
    country = _country(free)
    return Sql("workdays_between", (start.raw, end.raw, weekend, country)) if weekend and country is not None else None


def _after(start: Given, count: Given, weekend: str, free: Given | None) -> Sql | None:
    country, days = _country(free), count.constant
    if country is None or "0" not in weekend or not isinstance(days, Decimal) or abs(days) > MOST_SOUGHT:
        return None
    return Sql("workday_after", (start.raw, str(int(days)), weekend, country))


def workday_after(run: Run, start: date, count: int, calendar: Calendar) -> date:
    if "0" not in calendar.weekend:
        raise Fault(VALUE)
    step, day = (DAY if count > 0 else -DAY), start
    run.burn(abs(count))
    try:
        while count:
            day += step
            if calendar.works(day):
                count -= 1 if count > 0 else -1
    except OverflowError:
        raise Fault(NUM) from None
    return day


@function(
    "NETWORKDAYS",
    "date, date, each? -> number",
    world=True,
    sql=lambda start, end, free=None: _between(start, end, WEEKENDS[1], free),
    zh='工作日天数，可给出节假日；"CN" 按中国法定节假日和调休计算',
    en='Working days between two dates, both counted; holidays may be given, or "CN" for China\'s calendar.',
    example='NETWORKDAYS(start, end, "CN")',
)
def networkdays(run: Run, start: date | None, end: date | None, holidays: Any = None) -> Decimal | None:
    if start is None or end is None:
        return nothing(run)
    return Decimal(_calendar(run, WEEKENDS[1], holidays).between(start, end))


@function(
    "NETWORKDAYS.INTL",
    "date, date, any?, each? -> number",
    world=True,
    sql=lambda start, end, weekend=None, free=None: _between(start, end, _week(weekend), free),
    zh="工作日天数，可指定周末",
    en="Working days between two dates, with a weekend of one's own.",
    example='NETWORKDAYS.INTL(start, end, "0000001")',
)
def networkdays_intl(
    run: Run, start: date | None, end: date | None, weekend: Any = None, holidays: Any = None
) -> Decimal | None:
    kind = _weekend(weekend)
    if start is None or end is None:
        return nothing(run)
    return Decimal(_calendar(run, kind, holidays).between(start, end))


@function(
    "WORKDAY",
    "date, number, each? -> date",
    world=True,
    sql=lambda start, count, free=None: _after(start, count, WEEKENDS[1], free),
    zh='若干个工作日后的日期，可给出节假日；"CN" 按中国法定节假日和调休计算',
    en='The date some working days later; holidays may be given, or "CN" for China\'s calendar.',
    example='WORKDAY(TODAY(), 5, "CN")',
)
def workday(run: Run, start: date | None, count: Decimal, holidays: Any = None) -> date | None:
    if start is None:
        return None
    return workday_after(run, start, whole(count, 10**7), _calendar(run, WEEKENDS[1], holidays))


@function(
    "WORKDAY.INTL",
    "date, number, any?, each? -> date",
    world=True,
    sql=lambda start, count, weekend=None, free=None: _after(start, count, _week(weekend), free),
    zh="若干个工作日后的日期，可指定周末",
    en="The date some working days later, with a weekend of one's own.",
    example="WORKDAY.INTL(TODAY(), 5, 11)",
)
def workday_intl(
    run: Run, start: date | None, count: Decimal, weekend: Any = None, holidays: Any = None
) -> date | None:
    kind = _weekend(weekend)
    if start is None:
        return None
    return workday_after(run, start, whole(count, 10**7), _calendar(run, kind, holidays))
