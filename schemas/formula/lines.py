"""Formulas as lines of JSON, evaluated as a spreadsheet would: a way to try the engine on one's own cases.

In: `{"formula": "=A1*2", "values": {"A1": 1.5}, "now": "2026-11-25T08:00:00Z", "zone": "Asia/Shanghai"}`; all but the
formula may be left out. A date is `{"date": "2024-02-29"}`, a moment `{"datetime": "2024-02-29T08:00"}`, an array a list, a
range a list of lists. Out: `{"value": 3.0}` with all digits, dates and moments as ISO text, or `{"error": "#DIV/0!"}`;
what cannot be read at all is `{"error": "#ERROR!", "message": "..."}`.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.errors import BadValue
from schemas.formula.spreadsheet import evaluate_untyped
from schemas.formula.values import LARGEST, ErrorValue
from schemas.messages import Message, say
from schemas.moments import read_date, read_moment
from schemas.source import read_json

KEYS = {"formula", "values", "now", "zone"}
NOT_JSON = say("A line is an object in JSON with a formula in it.")


def answer(line: str, now: datetime, excel: bool = False) -> str:
    """The line of JSON that answers this one; `now` is for lines that say none."""
    try:
        value = _value(read_json(line, NOT_JSON, number=_number), now, excel)
    except BadValue as err:
        return json.dumps({"error": "#ERROR!", "message": str(err)}, ensure_ascii=False)
    if isinstance(value, ErrorValue):
        return json.dumps({"error": value.code})
    return f'{{"value": {_written(value)}}}'


def _number(text: str) -> Decimal:
    number = Decimal(text) if len(text) < 1_000 else LARGEST
    if not -LARGEST < number < LARGEST:
        raise ValueError(text)
    return number


def _value(asked: Any, otherwise: datetime, excel: bool) -> Any:
    if not isinstance(asked, Mapping) or not isinstance(asked.get("formula"), str):
        raise BadValue(NOT_JSON)
    if strange := sorted(set(asked) - KEYS):
        raise BadValue(say("unknown option '{name}' (known: {known})", name=strange[0], known=", ".join(sorted(KEYS))))
    zone = _zone(asked.get("zone") or "UTC")
    given = asked.get("values") or {}
    if not isinstance(given, Mapping):
        raise BadValue(say("The values are an object: a name, and its value."))
    now = read_moment(asked.get("now"), zone, _unread(asked.get("now"))) or otherwise
    return evaluate_untyped(asked["formula"], {n: read_value(v, zone) for n, v in given.items()}, now, zone, excel)


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, TypeError, KeyError):
        raise BadValue(say("There is no time zone '{name}'.", name=str(name)[:60])) from None


def _unread(given: Any) -> Message:
    return say("'{text}' is not a date.", text=str(given)[:60])


def read_value(given: Any, zone: ZoneInfo) -> Any:
    """A value of a formula from JSON. Raises BadValue."""
    if isinstance(given, list):
        return [read_value(item, zone) for item in given]
    if not isinstance(given, Mapping):
        return given
    match list(given.items()):
        case [("date", text)]:
            return read_date(text, _unread(text))
        case [("datetime", text)]:
            return read_moment(text, zone, _unread(text))
        case [("error", code)] if isinstance(code, str):
            return ErrorValue(code)
    raise BadValue(say('A value is text, a number, TRUE or FALSE, a list, {"date": ...} or {"datetime": ...}.'))


def _written(value: Any) -> str:
    """A value in JSON; a number keeps all its digits."""
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, ErrorValue):
        return json.dumps({"error": value.code})
    return json.dumps(value.isoformat() if isinstance(value, date) else value, ensure_ascii=False)


def _digits(number: Decimal) -> str:
    return str(number) if abs(number.adjusted()) > 400 else f"{number:f}"
