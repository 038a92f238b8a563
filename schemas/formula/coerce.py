"""Reading a value as another kind, with Excel's meaning."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from schemas.formula.types import Type
from schemas.formula.values import EXACT, NUM, ONE, VALUE, ZERO, ErrorValue, Fault, World, number_text

EPOCH = date(1899, 12, 30)
DAY_SECONDS = Decimal(86400)
NUMBER_TEXT = re.compile(
    r"\s*([-+]?)\s*[$¥￥€£]?\s*([-+]?)((?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?)(?:[eE]([+-]?\d{1,4}))?\s*(%*)\s*",
    re.ASCII,
)
ISO_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
ISO_MOMENT = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?\s*"
    r"(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
Coercion = Callable[[Any, World], Any]


def is_blank(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, list) and not value)


def as_number(value: Any, world: World) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if value is None or (value == "" and not world.untyped):
        return ZERO
    if isinstance(value, bool):
        return ONE if value else ZERO
    if isinstance(value, date):
        return serial_of(value, world)
    if isinstance(value, str):
        number = number_in(value)
        if number is not None:
            return number
        moment = moment_in(value, world)
        if moment is not None:
            return serial_of(moment, world)
    raise Fault(value if isinstance(value, ErrorValue) else VALUE)


def as_text(value: Any, world: World) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return f"{world.local(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise Fault(value if isinstance(value, ErrorValue) else VALUE)


def as_boolean(value: Any, world: World) -> bool:
    if isinstance(value, bool):
        return value
    if value is None or value == "":
        return False
    if isinstance(value, Decimal):
        return bool(value)
    if isinstance(value, str) and value.upper() in ("TRUE", "FALSE"):
        return value.upper() == "TRUE"
    if isinstance(value, date):
        return True
    raise Fault(value if isinstance(value, ErrorValue) else VALUE)


def as_moment(value: Any, world: World) -> date | None:
    """A date, or a moment in UTC."""
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, bool):
        raise Fault(VALUE)
    if isinstance(value, Decimal):
        return of_serial(value, world)
    if isinstance(value, str):
        if not value:
            return None
        moment = moment_in(value, world)
        if moment is not None:
            return moment
        number = number_in(value)
        if number is not None:
            return of_serial(number, world)
    raise Fault(value if isinstance(value, ErrorValue) else VALUE)


def as_date(value: Any, world: World) -> date | None:
    moment = as_moment(value, world)
    return world.day(moment) if moment is not None else None


def as_any(value: Any, world: World) -> Any:
    if isinstance(value, ErrorValue):
        raise Fault(value)
    return value


COERCIONS: dict[str, Coercion] = {
    "number": as_number,
    "text": as_text,
    "boolean": as_boolean,
    "date": as_date,
    "moment": as_moment,
    "any": as_any,
}
BLANKS: dict[str, Any] = {"number": ZERO, "text": "", "boolean": False}
KEPT = {
    "number": {"number"},
    "text": {"text", "choice"},
    "boolean": {"boolean"},
    "date": {"date"},
    "moment": {"date", "datetime"},
}
ACCEPTED = {
    "number": {"number", "blank", "any"},
    "text": {"text", "choice", "number", "date", "datetime", "boolean", "blank", "any"},
    "boolean": {"boolean", "number", "blank", "any"},
    "date": {"date", "datetime", "blank", "any"},
    "moment": {"date", "datetime", "blank", "any"},
}


def accepts(kind: str, given: Type) -> bool:
    """Whether one value of this type can stand where this kind of value is taken."""
    return kind == "any" or given.kind in ACCEPTED[kind]


def number_in(text: str) -> Decimal | None:
    """The number that a text spells: `1,234.5`, `12%`, `1e3`, `-$5`."""
    found = NUMBER_TEXT.fullmatch(text)
    if found is None or not any(c.isdigit() for c in found[3]) or (found[1] and found[2]):
        return None
    try:
        number = Decimal(found[3].replace(",", "")).scaleb(int(found[4] or 0))
    except InvalidOperation:
        return None
    if number and abs(number.adjusted()) > 307:
        return None
    number = EXACT.scaleb(number, -2 * len(found[5]))
    return -number if "-" in (found[1], found[2]) else number


def moment_in(text: str, world: World) -> date | None:
    """The date or moment that a text spells: year first; a time is the workspace's unless it names a zone."""
    text = text.strip()
    try:
        if found := ISO_DATE.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := ISO_MOMENT.fullmatch(text):
            micro = int((found[7] or "0").ljust(6, "0"))
            year, month, day, hour, minute, second = (int(found[n] or 0) for n in range(1, 7))
            moment = datetime(year, month, day, hour, minute, second, micro)
            if found[8]:
                sign = found[8].replace(":", "")
                offset = 0 if sign == "Z" else int(sign[0] + "1") * (int(sign[1:3]) * 60 + int(sign[3:5]))
                return (moment - timedelta(minutes=offset)).replace(tzinfo=UTC)
            return moment.replace(tzinfo=world.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None


def serial_of(moment: date, world: World) -> Decimal:
    """Excel's number of a date: days since 1899-12-30, the time of day as a fraction."""
    if not isinstance(moment, datetime):
        return Decimal((moment - EPOCH).days)
    local = world.local(moment)
    assert isinstance(local, datetime)
    seconds = Decimal(local.hour * 3600 + local.minute * 60 + local.second) + Decimal(local.microsecond).scaleb(-6)
    return Decimal((local.date() - EPOCH).days) + EXACT.quantize(seconds / DAY_SECONDS, Decimal("1E-20"))


def of_serial(number: Decimal, world: World) -> date:
    """The date (or the moment, if there is a fraction) of Excel's number."""
    if number < 0 or number >= 2958466:
        raise Fault(NUM)
    days = int(number)
    day = EPOCH + timedelta(days=days)
    rest = number - days
    if not rest:
        return day
    seconds = int((rest * DAY_SECONDS * 1000).to_integral_value()) * 1000
    local = datetime(day.year, day.month, day.day) + timedelta(microseconds=seconds)
    return local.replace(tzinfo=world.zone).astimezone(UTC)


def flat(value: Any) -> Iterator[Any]:
    """The elements of a list of lists of values; a single value is its own element."""
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield value
