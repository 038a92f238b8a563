"""Conditions written as a value: `">100"`, `"<>x"`, `"a*"`, or simply what must be equal."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from schemas.formula.coerce import is_blank, moment_in, number_in
from schemas.formula.functions.operators import comparable, equal
from schemas.formula.values import ErrorValue, Run, fold

Criterion = Callable[[Any], bool]
WRITTEN = re.compile(r"(<>|!=|<=|>=|==|=|<|>)?(.*)", re.DOTALL)
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def criterion(given: Any, run: Run) -> Criterion:
    """Whether a value meets a condition; an error never does, unless it is asked for."""
    if not isinstance(given, str):
        return lambda item: (
            item.__class__ is given.__class__ and equal(run, item, given) if given is not None else is_blank(item)
        )
    sign, text = written(given)
    wanted = _spelled(text, run)
    if sign in TESTS:
        return lambda item: _compares(item, wanted, sign, run)
    same = _equals(wanted, text, run)
    if sign == "<>":
        return lambda item: not same(item) and not isinstance(item, ErrorValue)
    return same


@lru_cache(maxsize=1024)
def written(given: str) -> tuple[str, str]:
    found = WRITTEN.fullmatch(given)
    assert found is not None
    sign = {"!=": "<>", "==": "="}.get(found[1] or "=", found[1] or "=")
    return sign, found[2]


def _spelled(text: str, run: Run) -> Any:
    """The number, date or truth that a criterion spells, else its text."""
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    number = number_in(text)
    if number is not None:
        return number
    return moment_in(text, run.world) or text


def _equals(wanted: Any, text: str, run: Run) -> Criterion:
    if text == "":
        return is_blank
    if isinstance(wanted, str):
        pattern = wildcards(text)
        return lambda item: isinstance(item, str) and pattern.fullmatch(fold(item)) is not None
    return lambda item: _is(item, wanted, run)


def _is(item: Any, wanted: Any, run: Run) -> bool:
    if isinstance(item, ErrorValue) or is_blank(item):
        return False
    if _alike(item, wanted):
        return equal(run, item, wanted)
    return isinstance(item, str) and _same_spelling(item, wanted)


def _alike(item: Any, wanted: Any) -> bool:
    kinds = (bool, Decimal, date)
    return any(isinstance(item, k) and isinstance(wanted, k) for k in kinds) or (
        isinstance(item, date | Decimal) and isinstance(wanted, date | Decimal)
    )


def _same_spelling(item: str, wanted: Any) -> bool:
    return isinstance(wanted, Decimal) and number_in(item) == wanted


def _compares(item: Any, wanted: Any, sign: str, run: Run) -> bool:
    if is_blank(item) or isinstance(item, ErrorValue):
        return False
    if isinstance(item, str) != isinstance(wanted, str) or isinstance(item, bool) != isinstance(wanted, bool):
        return False
    return TESTS[sign](*comparable(run, item, wanted))


@lru_cache(maxsize=1024)
def wildcards(text: str) -> re.Pattern[str]:
    """`*` stands for any text, `?` for one character, `~` takes their meaning away."""
    pattern, escaped = "", False
    for character in fold(text):
        if escaped:
            pattern, escaped = pattern + re.escape(character), False
        elif character == "~":
            escaped = True
        elif character == "*":
            pattern = pattern if pattern.endswith(".*") else pattern + ".*"
        else:
            pattern += "." if character == "?" else re.escape(character)
    return re.compile(pattern + ("~" if escaped else ""), re.DOTALL)
