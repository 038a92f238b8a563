"""JSON from outside, read strictly."""

import json
from collections.abc import Callable
from typing import Any

from schemas.errors import BadValue
from schemas.messages import Message

DEEPEST = 60


def read_json(text: str | bytes, refusal: Message, number: Callable[[str], Any] | None = None) -> Any:
    """What the text says. Raises BadValue on bad syntax, a repeated key, NaN, huge numbers, half characters or deep nesting.

    `number` reads its numbers, instead of as int and float; it may raise ValueError.
    """
    read_float, read_int = number or _finite, number or int
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=read_float, parse_int=read_int
        )
    except (ValueError, RecursionError, UnicodeDecodeError):
        raise BadValue(refusal) from None
    if _depth(value) > DEEPEST or _has_half_characters(text, value):
        raise BadValue(refusal)
    return value


def _has_half_characters(text: str | bytes, value: Any) -> bool:
    """Whether an escape such as `\\ud83d` stands alone: no text that can be kept or sent on."""
    if (b"\\ud" if isinstance(text, bytes) else "\\ud") not in text.lower():  # type: ignore[operator]
        return False
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key is given twice")
    return keys


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, depth = stack.pop()
        deepest = max(deepest, depth)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack.extend((part, depth + 1) for part in inner)
    return deepest
