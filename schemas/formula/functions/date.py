"""Dates and times."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import as_date, as_moment, as_number, flat, moment_in, of_serial
from schemas.formula.functions.base import function
from schemas.formula.functions.math import whole
from schemas.formula.functions.operators import moment_of, shifted
from schemas.formula.sql import Sql
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
    world=True,
    volatile=True,
    sql=lambda: Sql("now"),
    aliases=("SYSTIME",),
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


@function(
    "DATE",
    "any, number?, number?, number?, number?, number? -> date",
    result=_date_type,
    world=True,
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


@function(
    "TIME",
    "number, number, number -> number",
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
    for n, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
CHINESE_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日?")
ENGLISH_DATE = re.compile(
    r"(\d{1,2})[- /]([A-Za-z]{3,9})[- /,]+(\d{4}|\d{2})|([A-Za-z]{3,9})\s+(\d{1,2}),?\s+(\d{4})"
)
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
        world=True,
        sql=lambda x: Sql(name.lower(), (x.raw,)),
        aliases=aliases,
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


def _clock_part(name: str, zh: str, en: str) -> None:
    @function(
        name,
        "any -> number",
        world=True,
        zh=zh,
        en=en,
        example=f"{name}(NOW())",
        sql=lambda x: Sql(name.lower(), (x.raw,)) if x.kind in ("date", "datetime") else None,
    )
    def part(run: Run, value: Any) -> Decimal | None:
        if isinstance(value, ErrorValue):
            raise Fault(value)
        if value is None and not run.world.untyped:
            return None
        if isinstance(value, str) and (spelled := time_in(value)) is not None:
            value = spelled
        if isinstance(value, Decimal) and 0 <= value < 1:
            value = of_serial(value + ONE, run.world)
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
        return _nothing(run)
    return Decimal((end - start).days)


def _nothing(run: Run) -> Decimal | None:
    return ZERO if run.world.untyped else None


@function(
    "HOURS",
    "moment, moment -> number",
    world=True,
    zh="两个时间相差的小时数：结束, 开始",
    en="Hours from the second moment to the first.",
    example="HOURS(NOW(), created_at)",
)
def hours(run: Run, end: date | None, start: date | None) -> Decimal | None:
    if end is None or start is None:
        return _nothing(run)
    return divide(
        Decimal((moment_of(end, run) - moment_of(start, run)) // MICROSECOND), Decimal(3_600_000_000)
    )


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
    zh="两个日期相差的整月数：结束, 开始",
    en="Whole months from the second date to the first.",
    example="MONTHS(TODAY(), hired_on)",
)
def months(run: Run, end: date | None, start: date | None) -> Decimal | None:
    if end is None or start is None:
        return _nothing(run)
    return Decimal(whole_months(start, end))


def _needed(value: Any) -> Any:
    if value is None:
        raise Fault(VALUE)
    return value


@function(
    "DATEDIF",
    "moment, moment, text? -> number",
    world=True,
    zh="两个日期的间隔，单位 y、M、d、h、m、s；Excel 的 md、ym、yd 亦可",
    en='The time from one date to another, in "y", "M", "d", "h", "m" or "s".',
    example='DATEDIF(start, end, "d")',
)
def datedif(run: Run, start: date | None, end: date | None, unit: str = "d") -> Decimal | None:
    if start is None or end is None:
        if not run.world.untyped:
            return None
        start, end = start or date(1899, 12, 30), end or date(1899, 12, 30)
    if unit in ("h", "m", "s") and not run.world.untyped:
        return _clock_span(run, start, end, unit)
    first, last = run.world.day(start), run.world.day(end)
    if first > last:
        if run.world.untyped:
            raise Fault(NUM)
        return -_calendar_span(last, first, unit.lower())
    return _calendar_span(first, last, unit.lower())


def _clock_span(run: Run, start: date, end: date, unit: str) -> Decimal:
    span = (moment_of(end, run) - moment_of(start, run)) // timedelta(seconds=1)
    size = {"h": 3600, "m": 60, "s": 1}[unit]
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
            year = end.year if (start.month, start.day) <= (end.month, end.day) else end.year - 1
            return Decimal((end - day_of(year, start.month, start.day)).days)
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
    zh="若干个月后的同一天",
    en="The same day some months later.",
    example="EDATE(signed_on, 12)",
    sql=lambda d, n: Sql("edate", (d.raw, n.value)),
)
def edate(run: Run, moment: date | None, count: Decimal) -> date | None:
    if moment is None:
        return None
    return moved(run, run.world.day(moment), whole(count, 200_000))


@function(
    "EOMONTH",
    "date, number? -> date",
    world=True,
    zh="若干个月后的月末",
    en="The last day of a month, some months later.",
    sql=lambda d, n=None: Sql("eomonth", (d.raw, n.value if n else None)),
    example="EOMONTH(TODAY(), 0)",
)
def eomonth(run: Run, day: date | None, count: Decimal = ZERO) -> date | None:
    if day is None:
        return None
    found = moved(run, day.replace(day=1), whole(count, 200_000))
    return found.replace(day=monthrange(found.year, found.month)[1])


def _same_type(types: list[Type]) -> Type:
    return types[0] if types[0].kind in ("date", "datetime") else DATETIME


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


@function(
    "DATEADD",
    "moment, number, text? -> datetime",
    result=_same_type,
    world=True,
    aliases=("DATEDELTA",),
    zh="日期加减，单位 y、M、w、d、h、m、s，默认 d",
    en='A date some time later; the unit is "y", "M", "w", "d", "h", "m" or "s".',
    example='DATEADD(due_on, 3, "d")',
)
def date_add(run: Run, moment: date | None, count: Decimal, unit: str = "d") -> date | None:
    if moment is None:
        return None
    if unit in CALENDAR:
        return moved(run, moment, whole(count, 20_000) * CALENDAR[unit])
    if unit in ("d", "day", "days", "w", "week", "weeks"):
        return _days_later(run, moment, count * (7 if unit[0] == "w" else 1))
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
    "DAYS360",
    "date, date, boolean? -> number",
    world=True,
    zh="按一年 360 天计算的天数",
    en="Days between dates in a year of 360.",
    example="DAYS360(start, end)",
)
def days360(run: Run, start: date | None, end: date | None, european: bool = False) -> Decimal | None:
    if start is None or end is None:
        return _nothing(run)
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


@function(
    "WEEKDAY",
    "date, number? -> number",
    world=True,
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
    zh="一年中的第几周",
    en="The week of the year; the first holds 1 January.",
    example="WEEKNUM(TODAY(), 2)",
)
def weeknum(run: Run, day: date | None, kind: Decimal = ONE) -> Decimal | None:
    if day is None:
        return _nothing(run)
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
    zh="ISO 周数",
    en="The week of the year as ISO counts.",
    example="ISOWEEKNUM(TODAY())",
)
def isoweeknum(run: Run, day: date | None) -> Decimal | None:
    if day is None:
        return Decimal(52) if run.world.untyped else None
    return Decimal(day.isocalendar().week)


WEEKENDS = {
    1: "0000011",
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


def _holidays(run: Run, given: Any) -> set[date]:
    found = set()
    for item in flat(given):
        if item is None:
            continue
        if isinstance(item, bool | ErrorValue) or (isinstance(item, str) and spelled_date(run, item) is None):
            raise Fault(item if isinstance(item, ErrorValue) else VALUE)
        day = spelled_date(run, item) if isinstance(item, str) else as_date(item, run.world)
        if day is not None:
            found.add(day)
    return found


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


def workdays_between(start: date, end: date, holidays: set[date], weekend: str) -> Decimal:
    if start > end:
        return -workdays_between(end, start, holidays, weekend)
    full, rest = divmod((end - start).days + 1, 7)
    count = full * weekend.count("0")
    count += sum(1 for n in range(rest) if weekend[(start + n * DAY).weekday()] == "0")
    return Decimal(count - sum(1 for h in holidays if start <= h <= end and weekend[h.weekday()] == "0"))


def workday_after(run: Run, start: date, count: int, holidays: set[date], weekend: str) -> date:
    if "0" not in weekend:
        raise Fault(VALUE)
    step, day = (DAY if count > 0 else -DAY), start
    run.burn(abs(count))
    try:
        while count:
            day += step
            if weekend[day.weekday()] == "0" and day not in holidays:
                count -= 1 if count > 0 else -1
    except OverflowError:
        raise Fault(NUM) from None
    return day


@function(
    "NETWORKDAYS",
    "date, date, each? -> number",
    world=True,
    zh="工作日天数，可给出节假日",
    en="Working days between two dates, both counted.",
    example="NETWORKDAYS(start, end)",
)
def networkdays(run: Run, start: date | None, end: date | None, holidays: Any = None) -> Decimal | None:
    if start is None or end is None:
        return _nothing(run)
    return workdays_between(start, end, _holidays(run, holidays), WEEKENDS[1])


@function(
    "NETWORKDAYS.INTL",
    "date, date, any?, each? -> number",
    world=True,
    zh="工作日天数，可指定周末",
    en="Working days between two dates, with a weekend of one's own.",
    example='NETWORKDAYS.INTL(start, end, "0000001")',
)
def networkdays_intl(
    run: Run, start: date | None, end: date | None, weekend: Any = None, holidays: Any = None
) -> Decimal | None:
    kind = _weekend(weekend)
    if start is None or end is None:
        return _nothing(run)
    return workdays_between(start, end, _holidays(run, holidays), kind)


@function(
    "WORKDAY",
    "date, number, each? -> date",
    world=True,
    zh="若干个工作日后的日期",
    en="The date some working days later.",
    example="WORKDAY(TODAY(), 5)",
)
def workday(run: Run, start: date | None, count: Decimal, holidays: Any = None) -> date | None:
    if start is None:
        return None
    return workday_after(run, start, whole(count, 10**7), _holidays(run, holidays), WEEKENDS[1])


@function(
    "WORKDAY.INTL",
    "date, number, any?, each? -> date",
    world=True,
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
    return workday_after(run, start, whole(count, 10**7), _holidays(run, holidays), kind)


@function(
    "TIMESTAMP",
    "moment -> number",
    world=True,
    zh="时间戳（毫秒）",
    en="Milliseconds since 1970.",
    example="TIMESTAMP(NOW())",
)
def timestamp(run: Run, moment: date | None) -> Decimal | None:
    if moment is None:
        return None
    return Decimal((moment_of(moment, run) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
