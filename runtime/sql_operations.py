"""How each operation of a formula's SQL form is written for PostgreSQL. None of them may make it raise."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    Uuid,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    true,
)
from sqlalchemy.types import Boolean, TypeEngine

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LARGEST = Decimal("1E308")
MOST_DIGITS = 308

Column = ColumnElement[Any]
SQL_TYPES: dict[str, TypeEngine[Any]] = {
    "number": Numeric(),
    "text": Text(),
    "choice": Text(),
    "boolean": Boolean(),
    "date": Date(),
    "datetime": DateTime(timezone=True),
}


@dataclass(frozen=True, eq=False)
class Piece:
    """A rendered part: its value, NULL where blank, and the condition, never NULL, of its being an error.

    `digits` and `scale` bound a number's digits before and after the point; what is `total` is never blank.
    """

    value: Column
    error: Column | None = None
    kind: str = "any"
    digits: int = 60
    scale: int = 20
    constant: Any = None
    is_constant: bool = False
    total: bool = False
    beyond: "Beyond | None" = None


@dataclass(frozen=True, eq=False)
class Beyond:
    """How a `value` that lies behind a link is reached from the other side, as long as nothing else is made of it."""

    value: Column
    turned: "Callable[[], Turned | None]"


@dataclass(frozen=True, eq=False)
class Turned:
    """The link, the value at the record that it names, and the ids of those records for which a condition holds."""

    link: Column
    value: Piece
    ids: Callable[[ColumnElement[bool]], Select[Any]]


Operation = Callable[..., Column]
STRICT: dict[str, tuple[str, Operation]] = {}


def strict(name: str, kind: str) -> Callable[[Operation], Operation]:
    """An operation over columns; it is an error where any of them is."""

    def register(operation: Operation) -> Operation:
        STRICT[name] = (kind, operation)
        return operation

    return register


def constant(value: Any, kind: str) -> Piece:
    """A value written out."""
    if value is None or value == "":
        return Piece(null(), kind="blank", is_constant=True)
    if isinstance(value, bool):
        return Piece(true() if value else false(), kind="boolean", constant=value, is_constant=True, total=True)
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        scale = max(0, -exponent) if isinstance(exponent, int) else 0
        digits = max(1, value.adjusted() + 1)
        return Piece(literal(value, Numeric()), None, "number", digits, scale, value, True, True)
    if isinstance(value, datetime):
        return Piece(literal(value, DateTime(timezone=True)), kind="datetime", constant=value, is_constant=True)
    if isinstance(value, date):
        return Piece(literal(value, Date()), kind="date", constant=value, is_constant=True)
    if isinstance(value, UUID):
        return Piece(literal(value, Uuid()), kind=kind, constant=value, is_constant=True)
    return Piece(literal(value, Text()), kind="text", constant=value, is_constant=True)


def any_error(*pieces: Piece) -> Column | None:
    errors = [p.error for p in pieces if p.error is not None]
    return or_(*errors) if errors else None


def failing(piece: Piece, when: Column) -> Piece:
    """The piece, an error where the condition holds."""
    condition = case((when, true()), else_=false())
    return replace(piece, error=condition if piece.error is None else or_(piece.error, condition))


def numeric(value: Column) -> Column:
    return value if isinstance(value.type, Numeric) else cast(value, Numeric())


def integer(value: Column, least: int = -1_000_000, most: int = 1_000_000) -> Column:
    """A number without its fraction as PostgreSQL's integer, held within bounds."""
    return cast(
        func.trunc(func.greatest(literal(least, Integer), func.least(numeric(value), literal(most, Integer)))),
        Integer,
    )


def fold(value: Column) -> Column:
    """A text with ASCII letters made small, as texts are compared; by code point."""
    return func.translate(value, literal(CAPITALS, Text()), literal(CAPITALS.lower(), Text()), type_=Text()).collate(
        "C"
    )


def nothing_if_empty(value: Column) -> Column:
    return func.nullif(value, literal("", Text()), type_=Text())


# -- numbers ---------------------------------------------------------------------------------------


def bounded(piece: Piece) -> Piece:
    """An error where the number could pass the largest one and does."""
    if piece.digits <= MOST_DIGITS:
        return piece
    large = failing(piece, func.abs(piece.value) >= literal(LARGEST, Numeric()))
    return replace(large, digits=MOST_DIGITS)


def add(left: Piece, right: Piece) -> Piece:
    return _number(
        left,
        right,
        left.value + right.value,
        max(left.digits, right.digits) + 1,
        max(left.scale, right.scale),
    )


def subtract(left: Piece, right: Piece) -> Piece:
    return _number(
        left,
        right,
        left.value - right.value,
        max(left.digits, right.digits) + 1,
        max(left.scale, right.scale),
    )


def multiply(left: Piece, right: Piece) -> Piece:
    return bounded(_number(left, right, left.value * right.value, left.digits + right.digits, left.scale + right.scale))


def divide(left: Piece, right: Piece) -> Piece:
    """Rounded half up to 20 decimals: the digits are cut off exactly after one more, and rounded once."""
    ten = literal(Decimal("1E21"), Numeric())
    cut = func.div(left.value * ten, func.nullif(right.value, 0), type_=Numeric())
    value = func.round(cut * literal(Decimal("1E-21"), Numeric()), 20, type_=Numeric())
    return bounded(_number(left, right, value, left.digits + right.scale + 1, 20))


def _number(left: Piece, right: Piece, value: Column, digits: int, scale: int) -> Piece:
    return Piece(value, any_error(left, right), "number", digits, scale, total=left.total and right.total)


ARITHMETIC: dict[str, Callable[..., Piece]] = {"+": add, "-": subtract, "*": multiply, "/": divide}


@strict("negative", "number")
def _negative(x: Column) -> Column:
    return -x


@strict("percent", "number")
def _percent(x: Column) -> Column:
    return x * literal(Decimal("0.01"), Numeric())


@strict("is_zero", "boolean")
def _is_zero(x: Column) -> Column:
    return x == 0


def _decimals(n: Column | None) -> Any:
    return 0 if n is None else integer(n, -1000, 1000)


@strict("one", "number")
def _one() -> Column:
    return literal(Decimal(1), Numeric())


@strict("zero", "number")
def _zero() -> Column:
    return literal(Decimal(0), Numeric())


@strict("below_zero", "boolean")
def _below_zero(x: Column) -> Column:
    return x < 0


@strict("round", "number")
def _round(x: Column, n: Column | None = None) -> Column:
    return func.round(x, _decimals(n), type_=Numeric())


@strict("round_down", "number")
def _round_down(x: Column, n: Column | None = None) -> Column:
    return func.trunc(x, _decimals(n), type_=Numeric())


STRICT["trunc"] = STRICT["round_down"]


@strict("round_up", "number")
def _round_up(x: Column, n: Column | None = None) -> Column:
    cut = func.trunc(x, _decimals(n), type_=Numeric())
    unit = func.power(literal(Decimal(10), Numeric()), numeric(-_decimals(n)) if n is not None else 0, type_=Numeric())
    return case((cut == x, cut), else_=func.round(cut + func.sign(x) * unit, _decimals(n)))


@strict("floor", "number")
def _floor(x: Column) -> Column:
    return func.floor(x, type_=Numeric())


@strict("abs", "number")
def _abs(x: Column) -> Column:
    return func.abs(x, type_=Numeric())


@strict("sign", "number")
def _sign(x: Column) -> Column:
    return func.sign(x, type_=Numeric())


@strict("mod", "number")
def _mod(x: Column, y: Column) -> Column:
    """With the divisor's sign, as in spreadsheets."""
    rest = func.mod(x, func.nullif(y, 0), type_=Numeric())
    return case((or_(rest == 0, func.sign(rest) == func.sign(y)), rest), else_=rest + y)


# -- texts -----------------------------------------------------------------------------------------


@strict("lower", "text")
def _lower(x: Column) -> Column:
    return nothing_if_empty(func.lower(x))


@strict("upper", "text")
def _upper(x: Column) -> Column:
    return nothing_if_empty(func.upper(x))


@strict("char_length", "number")
def _char_length(x: Column) -> Column:
    return cast(func.char_length(x), Numeric())


@strict("left", "text")
def _left(x: Column, n: Column) -> Column:
    return nothing_if_empty(func.left(x, integer(n, 0)))


@strict("right", "text")
def _right(x: Column, n: Column) -> Column:
    return nothing_if_empty(func.right(x, integer(n, 0)))


@strict("substr", "text")
def _substr(x: Column, start: Column, n: Column) -> Column:
    return nothing_if_empty(func.substr(x, integer(start, 1), integer(n, 0)))


@strict("trim_spaces", "text")
def _trim_spaces(x: Column) -> Column:
    """Spaces at the ends go, several within become one."""
    return nothing_if_empty(func.btrim(func.regexp_replace(x, " +", " ", "g"), " "))


@strict("replace", "text")
def _replace(x: Column, old: Column, new: Column) -> Column:
    return nothing_if_empty(func.replace(x, old, new))


@strict("strpos", "number")
def _strpos(x: Column, what: Column) -> Column:
    """Where a text begins in another, from 1; 0 if it does not."""
    return cast(func.strpos(x, what), Numeric())


@strict("fold", "text")
def _fold(x: Column) -> Column:
    return fold(x)


@strict("starts_with", "boolean")
def _starts_with(x: Column, what: Column) -> Column:
    return func.starts_with(fold(x), fold(what), type_=Boolean())


@strict("exact", "boolean")
def _exact(x: Column, y: Column) -> Column:
    return x.is_not_distinct_from(y)


# -- logic -----------------------------------------------------------------------------------------


@strict("not", "boolean")
def _not(x: Column) -> Column:
    return not_(x)


@strict("true", "boolean")
def _true() -> Column:
    return true()


@strict("false", "boolean")
def _false() -> Column:
    return false()
