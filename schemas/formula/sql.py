"""The closed set of nodes in which functions declare how a database computes them.

`runtime/expressions.py` renders them. A form is called with the arguments, a `Given` each, and
returns what it makes of them; None if the database cannot compute it for these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.formula.typed import Apply, Constant


@dataclass(frozen=True)
class Sql:
    """A piece of SQL: an operation from the closed set, over others."""

    op: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Given:
    """An argument as a form sees it: its place, its kind, its value if written out, whether it is a list."""

    index: int
    kind: str
    is_constant: bool = False
    constant: Any = None
    is_listed: bool = False

    @property
    def value(self) -> Sql:
        """With blanks filled as the parameter says: 0, the empty text, FALSE."""
        return Sql("filled", (self.index,))

    @property
    def raw(self) -> Sql:
        """NULL where it is blank."""
        return Sql("raw", (self.index,))


@dataclass(frozen=True)
class Made:
    """What a form makes: a value that may be NULL, and the condition under which it is an error instead."""

    value: Sql
    error: Sql | None = None


Form = Callable[..., "Sql | Made | None"]


def givens(node: "Apply") -> list[Given]:
    return [
        Given(n, arg.type.kind, isinstance(arg, Constant), getattr(arg, "value", None), bool(arg.rows))
        for n, arg in enumerate(node.args)
    ]


def binary(sign: str) -> Form:
    return lambda left, right: Sql(sign, (left.value, right.value))


def call(name: str) -> Form:
    """An operation over the filled arguments."""
    return lambda *args: Sql(name, tuple(a.value for a in args))


def divided(left: Given, right: Given) -> Made:
    return Made(Sql("/", (left.value, right.value)), Sql("is_zero", (right.value,)))
