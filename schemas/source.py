"""JSON from outside, read strictly."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from schemas.errors import BadValue
from schemas.messages import Message, say
from schemas.text import UNKEEPABLE

DEEPEST = 60


def read_json(text: str | bytes, refusal: Message, number: Callable[[str], Any] | None = None) -> Any:
    """What the text says.

    Raises BadValue on bad syntax, a repeated key, NaN, huge numbers, deep nesting, and characters that nothing can keep.
    `number` reads its numbers, instead of as int and float; it may raise ValueError.
    """
    read_float, read_int = number or _finite, number or int
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=read_float, parse_int=read_int
        )
    except (ValueError, RecursionError, UnicodeDecodeError):
        raise BadValue(refusal) from None
    for item, depth in _items(value):
        if depth > DEEPEST:
            raise BadValue(refusal)
        if isinstance(item, str) and UNKEEPABLE.search(item):
            raise BadValue(say("A text in it holds a character that cannot be kept (NUL, or half of a character)."))
    return value


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


def _items(value: Any) -> Iterator[tuple[Any, int]]:
    """Everything in it, keys too, each with how deep it lies."""
    stack = [(value, 1)]
    while stack:
        item, depth = stack.pop()
        yield item, depth
        if isinstance(item, dict):
            stack.extend((key, depth) for key in item)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack.extend((part, depth + 1) for part in inner)
