"""Dates and moments as people type them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, TypeVar

from schemas.errors import BadValue
from schemas.messages import Message

Time = TypeVar("Time", date, datetime)

EARLIEST, LATEST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})月?")
_YEAR = re.compile(r"(\d{4})年?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?")
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})")


def read_date(raw: Any, refusal: Message) -> date | None:
    """A date from `2026-11-24`, `2026/1/5`, `2026年1月5日`, `20260105`, a moment or a date. Raises BadValue."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    text = str(raw).strip() if isinstance(raw, str) else ""
    if isinstance(raw, str) and not text:
        return None
    if len(text) == 10 and (plain := _plain(date.fromisoformat, text)) is not None:
        return plain
    match = _DATE.match(text) or _COMPACT.fullmatch(text)
    rest = text[match.end() :].strip() if match else "x"
    if match is None or (rest and not _CLOCK.match(rest.lstrip("T"))):
        raise BadValue(refusal)
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        raise BadValue(refusal) from None


def read_month(raw: Any) -> date | None:
    """The first day of `2026-11`, `2026年11月` or `2026`; None for anything else."""
    text = raw.strip() if isinstance(raw, str) else ""
    found = _MONTH.fullmatch(text) or _YEAR.fullmatch(text)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2]) if found.re is _MONTH else 1
    return date(year, month, 1) if year and 1 <= month <= 12 else None


def read_moment(raw: Any, zone: tzinfo, refusal: Message) -> datetime | None:
    """A moment in UTC from text in the workspace's zone, or with an offset of its own. Raises BadValue."""
    if isinstance(raw, datetime):
        return _utc(raw, zone, refusal)
    if isinstance(raw, str) and raw[13:14] == ":" and (plain := _plain(datetime.fromisoformat, raw)) is not None:
        return _utc(plain, zone, refusal)
    day = read_date(raw, refusal)
    if day is None:
        return None
    if isinstance(raw, date):
        return _utc(datetime(day.year, day.month, day.day), zone, refusal)
    text = str(raw).strip()
    clock = _CLOCK.search(text)
    hour, minute, second, fraction = clock.groups() if clock else ("0", "0", None, None)
    try:
        moment = datetime(
            day.year, day.month, day.day, int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(6, "0"))
        )
    except ValueError:
        raise BadValue(refusal) from None
    offset = _OFFSET.search(text[clock.end() :]) if clock else None
    return _utc(moment, _offset_zone(offset.group(1)) if offset else zone, refusal)


def _plain(read: Callable[[str], Time], text: str) -> Time | None:
    """A time written as programs write it, read by the interpreter itself: files hold them by the thousand."""
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        return read(text)
    except ValueError:
        return None


def _utc(moment: datetime, zone: tzinfo, refusal: Message) -> datetime:
    """A wall time that a clock change skips or repeats takes the earlier reading (PEP 495, fold=0).

    Raises BadValue for moments so near to the ends of time that some zone could not show them.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if not EARLIEST <= aware.replace(tzinfo=UTC) <= LATEST:
        raise BadValue(refusal)
    return aware.astimezone(UTC)


def _offset_zone(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]) % 24, minutes=int(digits[2:]) % 60))
