"""JSON from outside as values that formulas read: its shape is learnt from a pasted sample."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schemas.formula import Formula, Type
from schemas.formula.types import ANY, BOOLEAN, DATE, DATETIME, NUMBER, TEXT, array_of, unify
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Line, Whole, refuse
from schemas.text import UNKEEPABLE

LONGEST_SAMPLE = 20_000
DEEPEST = 8
MOST_NAMES = 400
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Sample(Line):
    """A pasted piece of JSON, kept as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LONGEST_SAMPLE, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), attr, data, **kwargs
        )
        if text.strip():
            try:
                read_json(text)
            except ValueError:
                raise refuse(say("this is not JSON: paste what the other side sends, such as {example}",
                                 example='{"order": "A-1"}')) from None  # fmt: skip
        return text


def read_json(text: str) -> Any:
    """JSON with decimal numbers, without the characters that no database keeps. Raises ValueError."""
    try:
        said = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
        return _keepable(said) if "\\u" in text or UNKEEPABLE.search(text) else said
    except RecursionError:
        raise ValueError("too deep") from None


def _keepable(value: Any) -> Any:
    if isinstance(value, str):
        return UNKEEPABLE.sub("", value)
    if isinstance(value, list):
        return [_keepable(one) for one in value]
    return {_keepable(k): _keepable(v) for k, v in value.items()} if isinstance(value, dict) else value


def _refuse(word: str) -> Any:
    raise ValueError(word)


def type_of(sample: Any, key: str, depth: int = 0) -> Type:
    """What formulas may expect where the sample has this; `key` tells shapes apart."""
    if isinstance(sample, bool):
        return BOOLEAN
    if isinstance(sample, int | float | Decimal):
        return NUMBER
    if isinstance(sample, str):
        return _kind_of_text(sample)
    if depth >= DEEPEST or sample is None:
        return ANY
    if isinstance(sample, list):
        return array_of(_of_items(sample, key, depth))
    parts = {id: type_of(value, f"{key}.{id}", depth + 1) for name, value in sample.items() if (id := name_of(name))}
    return Type("any", target=key, parts=dict(list(parts.items())[:MOST_NAMES]))


def _of_items(sample: list[Any], key: str, depth: int) -> Type:
    objects = [item for item in sample if isinstance(item, Mapping)]
    if objects:
        return type_of(
            {name: value for item in reversed(objects) for name, value in item.items()}, f"{key}[]", depth + 1
        )
    found = [type_of(item, f"{key}[]", depth + 1) for item in sample] or [ANY]
    together: Type | None = found[0]
    for other in found[1:]:
        together = unify(together, other) if together else None
    return together or ANY


def _kind_of_text(text: str) -> Type:
    if _DATE.fullmatch(text) and _read(text, DATE) is not None:
        return DATE
    return DATETIME if _MOMENT.fullmatch(text) and _read(text, DATETIME) is not None else TEXT


def name_of(name: str) -> str:
    """The name by which formulas know a key: its letters, digits and underscores in lower case; empty if none is left."""
    word = re.sub(r"[^a-z0-9_]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    return word[:40] if word and not word[0].isdigit() else f"n{word}"[:40] if word else ""


def fit(value: Any, kind: Type) -> Any:
    """What came, as the value that the sample promised; what does not fit is nothing."""
    if value is None:
        return None
    if kind.parts is not None:
        if not isinstance(value, Mapping):
            return None
        named = {name_of(str(name)): part for name, part in value.items()}
        return {name: fit(named.get(name), part) for name, part in kind.parts.items()}
    if kind.kind == "array":
        items = value if isinstance(value, list) else [value]
        return [fit(item, kind.of or ANY) for item in items]
    return _read(value, kind)


def _read(value: Any, kind: Type) -> Any:
    try:
        return READ[kind.kind](value) if kind.kind in READ else _plain(value)
    except (ValueError, ArithmeticError, TypeError):
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, bool | str):
        return value
    return json.dumps(value, default=str) if isinstance(value, list | dict) else _number(value)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or (isinstance(value, str) and len(value) > 60):
        return None
    found = Decimal(str(value))
    return found if found.is_finite() and abs(found) < 10**18 else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.replace("\x00", "")


def _moment(value: Any) -> datetime:
    text = str(value).replace(" ", "T")
    return datetime.fromisoformat(text)


READ = {
    "number": _number,
    "boolean": lambda value: (
        value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
    ),
    "text": _text,
    "date": lambda value: date.fromisoformat(str(value)[:10]),
    "datetime": _moment,
}


def in_zone(value: Any, zone: Any) -> Any:
    """The same with moments that named no zone in this one."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, Mapping):
        return {name: in_zone(part, zone) for name, part in value.items()}
    return [in_zone(item, zone) for item in value] if isinstance(value, list) else value


# -- what comes in ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """Another program sends JSON to a secret address of this flow. Steps know what was sent as `payload`."""

    sample: str = option(
        Sample(), "A sample of what is sent", "", help="Paste one message: its names can then be used in every step."
    )
    signed: bool = option(
        Flag(), "Only signed messages", False,
        help="By HMAC-SHA256 with this flow's secret, as Standard Webhooks say (webhook-id, webhook-timestamp, webhook-signature).",
    )  # fmt: skip
    once_by: Formula | None = option(
        FormulaSource("any", allow_none=True), "Only once for each", help="payload.order_no, say; else the header Idempotency-Key."
    )  # fmt: skip
    most: int = option(Whole(1, 6_000), "At most, in a minute", 60)

    def problems(self) -> Iterator[tuple[str, Message]]:
        if not self.sample.strip() and self.once_by is not None:
            yield "once_by", say("paste a sample first")

    def type(self, flow: str) -> Type:
        """The type of what is sent."""
        text = self.sample.strip()
        return type_of(read_json(text), f"{flow}.payload") if text else ANY

    def fit(self, flow: str, payload: Any, zone: Any) -> Any:
        return in_zone(fit(payload, self.type(flow)), zone)
