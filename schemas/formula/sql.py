"""The closed set of nodes in which functions declare how a database computes them.

`runtime/expressions.py` renders them. A form is a function of the arguments (a `Value` each, blanks filled as their
parameter says) and returns a `Value`: what it is, and when it is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sql:
    """A piece of SQL: an operation from the closed set, over others."""

    op: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Given:
    """An argument as a form sees it.

    `value` has blanks filled (0, the empty text, FALSE), `raw` is NULL where it is blank.
    """

    value: Sql
    raw: Sql
    kind: str
    constant: Any = None
    is_constant: bool = False


@dataclass(frozen=True)
class Made:
    """What a form makes: a value that may be NULL, and the condition under which it is an error instead."""

    value: Sql
    error: Sql | None = None


Form = Callable[..., "Sql | Made | None"]


def op(name: str, *args: Any) -> Sql:
    return Sql(name, args)


def binary(sign: str) -> Form:
    return lambda left, right: Sql(sign, (left.value, right.value))


def call(name: str) -> Form:
    """A function of the database over the filled arguments."""
    return lambda *args: Sql(name, tuple(a.value for a in args))


def divided(left: Given, right: Given) -> Made:
    return Made(Sql("/", (left.value, right.value)), Sql("is_zero", (right.value,)))
