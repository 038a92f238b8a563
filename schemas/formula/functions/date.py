"""Dates and times."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import as_date, as_moment, as_number, moment_in
from schemas.formula.functions.base import function
from schemas.formula.functions.operators import moment_of, shifted
from schemas.formula.functions.rounding import whole
from schemas.formula.sql import Given, Made, Sql
from schemas.formula.types import DATE, DATETIME, Type
from schemas.formula.values import NUM, ONE, VALUE, ZERO, ErrorValue, Fault, Run, divide

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
TIME_TEXT = re.compile(r"(\d{1,4}):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?\s*([AaPp][Mm]?)?", re.ASCII)


@function(
    "TODAY",
    "-> date",
    world=True,
    volatile=True,
    sql=lambda: Sql("today"),
    zh="今天",
    en="Today, in the workspace's time zone.",
    example="TODAY()",
)
def today(run: Run) -> date:
    return run.world.today()


@function(
    "NOW",
    "-> datetime",
    aliases=("SYSTIME",),
    world=True,
    volatile=True,
    sql=lambda: Sql("now"),
    zh="现在",
    en="This moment.",
    example="NOW()",
)
def now(run: Run) -> datetime:
    return run.world.now


def day_of(year: int, month: int, day: int) -> date:
    """Months and days beyond their range run on into the next year or month."""
    months = year * 12 + month - 1
    if not 12 <= months < 120_000:
        raise Fault(NUM)
    try:
        return date(months // 12, months % 12 + 1, 1) + timedelta(days=day - 1)
    except OverflowError:
        raise Fault(NUM) from None


def _date_type(types: list[Type]) -> Type:
    if len(types) > 3 or (len(types) == 1 and types[0].kind == "number"):
        return DATETIME
    return DATE


def _made(year: Given, *parts: Given) -> Sql | None:
    if not parts and year.kind in ("date", "datetime"):
        return Sql("day_of", (year.raw,))
    if len(parts) != 2 or year.kind != "number":
        return None
    return Sql("make_date", (Sql("as_number", (year,)), *(p.value for p in parts)))


@function(
    "DATE",
    "any, number?, number?, number?, number?, number? -> date",
    result=_date_type,
    world=True,
    sql=_made,
    zh="由年、月、日（时、分、秒）或时间戳得到日期",
    en="A date from year, month and day; of a moment, its day.",
    example="DATE(2024, 2, 29)",
)
def date_(run: Run, year: Any, *parts: Decimal) -> date | None:
    if not parts:
        return _day_from(run, year)
    if len(parts) == 1:
        raise Fault(VALUE)
    first = whole(as_number(year, run.world))
    if run.world.untyped and 0 <= first < 1900:
        first += 1900
    day = day_of(first, *(int(p.to_integral_value("ROUND_FLOOR")) for p in parts[:2]))
    if run.world.untyped and day < date(1900, 1, 1):
        raise Fault(NUM)
    if len(parts) == 2:
        return day
    hours, minutes, seconds = [*map(int, parts[2:]), 0, 0, 0][:3]
    local = datetime(day.year, day.month, day.day) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return local.replace(tzinfo=run.world.zone).astimezone(UTC)


def _day_from(run: Run, value: Any) -> date | None:
    """The day of a date or text; a number is a timestamp in milliseconds."""
    if isinstance(value, Decimal) and not run.world.untyped:
        try:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))
        except OverflowError:
            raise Fault(NUM) from None
    return as_date(value, run.world)


def _part_of_day(hour: Given, minute: Given, second: Given) -> Made:
    given = (hour.value, minute.value, second.value)
    return Made(Sql("part_of_day", given), Sql("no_time", given))


@function(
    "TIME",
    "number, number, number -> number",
    sql=_part_of_day,
    zh="时、分、秒占一天的比例",
    en="A time of day as a part of a day.",
    example="TIME(12, 0, 0)",
)
def time(hour: Decimal, minute: Decimal, second: Decimal) -> Decimal:
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    if seconds < 0 or max(hour, minute, second) > 32767:
        raise Fault(NUM)
    return divide(Decimal(seconds % 86400), Decimal(86400))


def time_in(text: str) -> Decimal | None:
    """The part of a day that a text such as `14:30` spells."""
    found = TIME_TEXT.fullmatch(text.strip())
    if found is None:
        return None
    hour, noon = int(found[1]), (found[4] or "").upper()
    if noon:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if noon[0] == "P" else 0)
    seconds = hour * 3600 + int(found[2]) * 60 + Decimal(found[3] or 0)
    return divide(Decimal(seconds), Decimal(86400)) if int(found[2]) < 60 else None


@function(
    "TIMEVALUE",
    "text -> number",
    world=True,
    zh="时间文本占一天的比例",
    en="A time written as text, as a part of a day.",
    example='TIMEVALUE("18:00")',
)
def time_value(run: Run, text: str) -> Decimal:
    found = time_in(text)
    if found is not None:
        return found % 1
    moment = moment_in(text, run.world)
    if moment is None:
        raise Fault(VALUE)
    return as_number(moment, run.world) % 1


MONTH_NAMES = {
    name: n
    for n, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
CHINESE_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日?")
ENGLISH_DATE = re.compile(r"(\d{1,2})[- /]([A-Za-z]{3,9})[- /,]+(\d{4}|\d{2})|([A-Za-z]{3,9})\s+(\d{1,2}),?\s+(\d{4})")
SLASHED_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def spelled_date(run: Run, text: str) -> date | None:
    """The day that a text spells: year first, with a month's name, in Chinese, or month/day/year."""
    moment = moment_in(text, run.world)
    if moment is not None:
        return run.world.day(moment)
    try:
        if found := CHINESE_DATE.match(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := SLASHED_DATE.fullmatch(text):
            return date(int(found[3]), int(found[1]), int(found[2]))
        if found := ENGLISH_DATE.fullmatch(text):
            day, name, year = (found[1], found[2], found[3]) if found[1] else (found[5], found[4], found[6])
            full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 30 else 1900)
            return date(full, MONTH_NAMES[name[:3].lower()], int(day))
    except (ValueError, KeyError):
        return None
    return None


@function(
    "DATEVALUE",
    "any -> date",
    world=True,
    sql=lambda x: Sql("day_of", (x.raw,)) if x.kind in ("date", "datetime") else None,
    zh="文本转为日期",
    en="The date that a text spells.",
    example='DATEVALUE("2024-02-29")',
)
def date_value(run: Run, value: Any) -> date | None:
    if not isinstance(value, str):
        if isinstance(value, date):
            return run.world.day(value)
        raise Fault(VALUE)
    found = spelled_date(run, value.strip())
    if found is None:
        raise Fault(VALUE)
    return found


def _part(name: str, aliases: tuple[str, ...], read: Callable[[date], int], zh: str, en: str) -> None:
    @function(
        name,
        "moment -> number",
        aliases=aliases,
        world=True,
        sql=lambda x: Sql(name.lower(), (x.raw,)),
        zh=zh,
        en=en,
        example=f"{name}(created_at)",
    )
    def part(run: Run, moment: date | None) -> Decimal | None:
        if moment is None:
            return _of_zero(run, name)
        return Decimal(read(run.world.local(moment)))


def _of_zero(run: Run, name: str) -> Decimal | None:
    """A part of nothing is nothing; in a spreadsheet, nothing is the day before 1900."""
    if not run.world.untyped:
        return None
    return {"YEAR": Decimal(1900), "MONTH": ONE, "QUARTER": ONE}.get(name, ZERO)


def _clock(name: str) -> Callable[[date], int]:
    return lambda moment: getattr(moment, name) if isinstance(moment, datetime) else 0


_part("YEAR", (), lambda d: d.year, "年份", "The year of a date.")
_part("QUARTER", (), lambda d: (d.month + 2) // 3, "季度", "The quarter of a date, 1 to 4.")
_part("MONTH", (), lambda d: d.month, "月份", "The month of a date.")
_part("DAY", (), lambda d: d.day, "日", "The day of the month.")


def _clock_form(op: str, x: Given) -> Sql | Made | None:
    if x.kind == "number":
        return Made(Sql(f"{op}_of_day", (x.raw,)), Sql("no_serial", (x.value,)))
    return Sql(op, (x.raw,)) if x.kind in ("date", "datetime") else None


def _of_day(name: str, number: Decimal) -> Decimal:
    """The hour, minute or second of Excel's number of a moment: a time of day stands behind its point."""
    if not 0 <= number < 2_958_466:
        raise Fault(NUM)
    milliseconds = int((number % 1 * 86_400_000).to_integral_value("ROUND_HALF_UP")) % 86_400_000
    unit, most = {"HOUR": (3_600_000, 24), "MINUTE": (60_000, 60), "SECOND": (1_000, 60)}[name]
    return Decimal(milliseconds // unit % most)


def _clock_part(name: str, zh: str, en: str) -> None:
    @function(
        name,
        "any -> number",
        world=True,
        sql=lambda x: _clock_form(name.lower(), x),
        zh=zh,
        en=en,
        example=f"{name}(NOW())",
    )
    def part(run: Run, value: Any) -> Decimal | None:
        if isinstance(value, ErrorValue):
            raise Fault(value)
        if value is None and not run.world.untyped:
            return None
        if isinstance(value, str) and (spelled := time_in(value)) is not None:
            value = spelled
        if isinstance(value, Decimal):
            return _of_day(name, value)
        moment = run.world.local(as_moment(value, run.world) or date(1900, 1, 1))
        return Decimal(_clock(name.lower())(moment))


_clock_part("HOUR", "小时", "The hour of a moment.")
_clock_part("MINUTE", "分钟", "The minute of a moment.")
_clock_part("SECOND", "秒", "The second of a moment.")


@function(
    "DAYS",
    "date, date -> number",
    world=True,
    sql=lambda a, b: Sql("days_between", (a.raw, b.raw)),
    zh="两个日期相差的天数：结束, 开始",
    en="Days from the second date to the first.",
    example="DAYS(TODAY(), created_at)",
)
def days(run: Run, end: date | None, start: date | None) -> Decimal | None:
    if end is None or start is None:
        return nothing(run)
    return Decimal((end - start).days)


def nothing(run: Run) -> Decimal | None:
    return ZERO if run.world.untyped else None


@function(
    "HOURS",
    "moment, moment -> number",
    world=True,
    sql=lambda a, b: Sql("hours_between", (a.raw, b.raw)),
    zh="两个时间相差的小时数：结束, 开始",
    en="Hours from the second moment to the first.",
    example="HOURS(NOW(), created_at)",
)
def hours(run: Run, end: date | None, start: date | None) -> Decimal | None:
    if end is None or start is None:
        return nothing(run)
    return divide(Decimal((moment_of(end, run) - moment_of(start, run)) // MICROSECOND), Decimal(3_600_000_000))


def whole_months(start: date, end: date) -> int:
    """Months that have passed in full; negative if the end lies before."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        return months - 1
    return months + 1 if months < 0 and end.day > start.day else months


@function(
    "MONTHS",
    "date, date -> number",
    world=True,
    sql=lambda end, start: Sql("months_between", (end.raw, start.raw)),
    zh="两个日期相差的整月数：结束, 开始",
    en="Whole months from the second date to the first.",
    example="MONTHS(TODAY(), hired_on)",
)
def months(run: Run, end: date | None, start: date | None) -> Decimal | None:
    if end is None or start is None:
        return nothing(run)
    return Decimal(whole_months(start, end))


def _needed(value: Any) -> Any:
    if value is None:
        raise Fault(VALUE)
    return value


CLOCK = {"h": 3600, "min": 60, "s": 1}
SPANS = ("d", "m", "y", "ym", "md", "yd")


def _span(start: Given, end: Given, unit: Given | None = None) -> Sql | None:
    code = unit.constant if unit else "d"
    if code in CLOCK:
        return Sql("clock_span", (start.raw, end.raw, str(CLOCK[code])))
    if not isinstance(code, str) or code.lower() not in SPANS:
        return None
    return Sql("calendar_span", (start.raw, end.raw, code.lower()))


@function(
    "DATEDIF",
    "moment, moment, text? -> number",
    world=True,
    sql=_span,
    zh="两个日期的间隔：y 年、m 月、d 天、h 时、min 分、s 秒；md、ym、yd 同 Excel",
    en='The time from one date to another, in "y", "m", "d", "h", "min" or "s".',
    example='DATEDIF(start, end, "d")',
)
def datedif(run: Run, start: date | None, end: date | None, unit: str = "d") -> Decimal | None:
    if start is None or end is None:
        if not run.world.untyped:
            return None
        start, end = start or date(1899, 12, 30), end or date(1899, 12, 30)
    if unit in CLOCK:
        return _clock_span(run, start, end, unit)
    first, last = run.world.day(start), run.world.day(end)
    if first > last:
        if run.world.untyped:
            raise Fault(NUM)
        return -_calendar_span(last, first, unit.lower())
    return _calendar_span(first, last, unit.lower())


def _clock_span(run: Run, start: date, end: date, unit: str) -> Decimal:
    span = (moment_of(end, run) - moment_of(start, run)) // timedelta(seconds=1)
    size = CLOCK[unit]
    return Decimal(abs(span) // size * (1 if span >= 0 else -1))


def _calendar_span(start: date, end: date, unit: str) -> Decimal:
    passed = whole_months(start, end)
    match unit:
        case "d":
            return Decimal((end - start).days)
        case "m":
            return Decimal(passed)
        case "y":
            return Decimal(passed // 12)
        case "ym":
            return Decimal(passed % 12)
        case "md":
            if end.day >= start.day:
                return Decimal(end.day - start.day)
            before = end.replace(day=1) - DAY
            return Decimal((end - before.replace(day=1)).days + 1 - start.day)
        case "yd":
            # As Excel: in the start's year or the next, whatever leap years lie between.
            year = start.year if (start.month, start.day) <= (end.month, end.day) else start.year + 1
            return Decimal((day_of(year, end.month, end.day) - start).days)
    raise Fault(NUM)


def moved(run: Run, moment: date, months: int) -> date:
    """The same day some months later, or the last of that month."""
    local = run.world.local(moment)
    place = local.year * 12 + local.month - 1 + months
    if not 12 <= place < 120_000:
        raise Fault(NUM)
    year, month = place // 12, place % 12 + 1
    found = local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))
    return found.astimezone(UTC) if isinstance(found, datetime) else found


@function(
    "EDATE",
    "date, number -> date",
    world=True,
    sql=lambda d, n: Sql("edate", (d.raw, n.value)),
    zh="若干个月后的同一天",
    en="The same day some months later.",
    example="EDATE(signed_on, 12)",
)
def edate(run: Run, moment: date | None, count: Decimal) -> date | None:
    if moment is None:
        return None
    return moved(run, run.world.day(moment), whole(count, 200_000))


@function(
    "EOMONTH",
    "date, number? -> date",
    world=True,
    sql=lambda d, n=None: Sql("eomonth", (d.raw, n.value if n else None)),
    zh="若干个月后的月末",
    en="The last day of a month, some months later.",
    example="EOMONTH(TODAY(), 0)",
)
def eomonth(run: Run, day: date | None, count: Decimal = ZERO) -> date | None:
    if day is None:
        return None
    found = moved(run, day.replace(day=1), whole(count, 200_000))
    return found.replace(day=monthrange(found.year, found.month)[1])


def _same_type(types: list[Type]) -> Type:
    return types[0] if types[0].kind in ("date", "datetime") else DATETIME


DAYS = {"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7}
UNITS = {
    "h": 3600,
    "m": 60,
    "s": 1,
    "hour": 3600,
    "minute": 60,
    "second": 1,
    "hours": 3600,
    "minutes": 60,
    "seconds": 1,
}
CALENDAR = {
    "y": 12,
    "M": 1,
    "year": 12,
    "years": 12,
    "month": 1,
    "months": 1,
    "quarter": 3,
    "quarters": 3,
    "q": 3,
}


def _later(moment: Given, count: Given, unit: Given | None = None) -> Sql | None:
    code = unit.constant if unit else "d"
    if code in CALENDAR:
        return Sql("add_calendar", (moment.raw, count.value, str(CALENDAR[code])))
    if code in DAYS:
        return Sql("add_clock_days", (moment.raw, count.value, str(DAYS[code])))
    return Sql("add_seconds", (moment.raw, count.value, str(UNITS[code]))) if code in UNITS else None


@function(
    "DATEADD",
    "moment, number, text? -> datetime",
    aliases=("DATEDELTA",),
    result=_same_type,
    world=True,
    sql=_later,
    zh="日期加减，单位 y、M、w、d、h、m、s，默认 d",
    en='A date some time later; the unit is "y", "M", "w", "d", "h", "m" or "s".',
    example='DATEADD(due_on, 3, "d")',
)
def date_add(run: Run, moment: date | None, count: Decimal, unit: str = "d") -> date | None:
    if moment is None:
        return None
    if unit in CALENDAR:
        return moved(run, moment, whole(count, 20_000) * CALENDAR[unit])
    if unit in DAYS:
        return _days_later(run, moment, count * DAYS[unit])
    if unit not in UNITS:
        raise Fault(VALUE)
    if not isinstance(moment, datetime):
        count = (count * UNITS[unit] / 86400).to_integral_value("ROUND_FLOOR")
        return shifted(run, moment, count)
    return shifted(run, moment, divide(count * UNITS[unit], Decimal(86400)))


def _days_later(run: Run, moment: date, count: Decimal) -> date | None:
    """Days on the calendar: the clock shows the same time also across a change of clocks."""
    if not isinstance(moment, datetime) or count != count.to_integral_value():
        return shifted(run, moment, count)
    local = moment.astimezone(run.world.zone).replace(tzinfo=None)
    try:
        return (local + timedelta(days=int(count))).replace(tzinfo=run.world.zone).astimezone(UTC)
    except OverflowError:
        raise Fault(NUM) from None


@function(
    "TIMESTAMP",
    "moment -> number",
    world=True,
    sql=lambda m: Sql("milliseconds", (m.raw,)),
    zh="时间戳（毫秒）",
    en="Milliseconds since 1970.",
    example="TIMESTAMP(NOW())",
)
def timestamp(run: Run, moment: date | None) -> Decimal | None:
    if moment is None:
        return None
    return Decimal((moment_of(moment, run) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
