"""How each operation of a formula's SQL form is written for PostgreSQL. None of them may make it raise."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Double,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    extract,
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
MOST_DAYS = 4_000_000
FIRST_DAY = date(1, 1, 1)
LAST_DAY = date(9999, 12, 31)
FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
DAY_MICROSECONDS = 86_400_000_000
HOUR_MICROSECONDS = 3_600_000_000

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
    """A rendered part: its value (NULL where blank) and the condition, never NULL, under which it is an error.

    `digits` and `scale` bound a number's digits before and after the point; `total` conditions are never NULL.
    """

    value: ColumnElement[Any]
    error: ColumnElement[bool] | None = None
    kind: str = "any"
    digits: int = 60
    scale: int = 20
    constant: Any = None
    is_constant: bool = False
    total: bool = False


Operation = Callable[..., ColumnElement[Any]]
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
        return Piece(
            true() if value else false(), kind="boolean", constant=value, is_constant=True, total=True
        )
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        scale = max(0, -exponent) if isinstance(exponent, int) else 0
        digits = max(1, value.adjusted() + 1)
        return Piece(literal(value, Numeric()), None, "number", digits, scale, value, True, True)
    if isinstance(value, datetime):
        return Piece(
            literal(value, DateTime(timezone=True)), kind="datetime", constant=value, is_constant=True
        )
    if isinstance(value, date):
        return Piece(literal(value, Date()), kind="date", constant=value, is_constant=True)
    return Piece(literal(value, Text()), kind="text", constant=value, is_constant=True)


def any_error(*pieces: Piece) -> ColumnElement[bool] | None:
    errors = [p.error for p in pieces if p.error is not None]
    return or_(*errors) if errors else None


def failing(piece: Piece, when: ColumnElement[Any]) -> Piece:
    """The piece, an error where the condition holds."""
    condition = case((when, true()), else_=false())
    return replace(piece, error=condition if piece.error is None else or_(piece.error, condition))


def numeric(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return value if isinstance(value.type, Numeric) else cast(value, Numeric())


def integer(value: ColumnElement[Any], least: int = -1_000_000, most: int = 1_000_000) -> ColumnElement[Any]:
    """A number without its fraction as PostgreSQL's integer, held within bounds."""
    return cast(
        func.trunc(
            func.greatest(literal(least, Integer), func.least(numeric(value), literal(most, Integer)))
        ),
        Integer,
    )


def fold(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text with ASCII letters made small, as texts are compared; by code point."""
    return func.translate(
        value, literal(CAPITALS, Text()), literal(CAPITALS.lower(), Text()), type_=Text()
    ).collate("C")


def nothing_if_empty(value: ColumnElement[Any]) -> ColumnElement[Any]:
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
    return bounded(
        _number(left, right, left.value * right.value, left.digits + right.digits, left.scale + right.scale)
    )


def divide(left: Piece, right: Piece) -> Piece:
    """Rounded half up to 20 decimals: the digits are cut off exactly after one more, and rounded once."""
    ten = literal(Decimal("1E21"), Numeric())
    cut = func.div(left.value * ten, func.nullif(right.value, 0), type_=Numeric())
    value = func.round(cut * literal(Decimal("1E-21"), Numeric()), 20, type_=Numeric())
    return bounded(_number(left, right, value, left.digits + right.scale + 1, 20))


def _number(left: Piece, right: Piece, value: ColumnElement[Any], digits: int, scale: int) -> Piece:
    return Piece(value, any_error(left, right), "number", digits, scale, total=left.total and right.total)


ARITHMETIC: dict[str, Callable[[Piece, Piece], Piece]] = {"+": add, "-": subtract, "*": multiply, "/": divide}


@strict("negative", "number")
def _negative(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return -x


@strict("percent", "number")
def _percent(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return x * literal(Decimal("0.01"), Numeric())


@strict("is_zero", "boolean")
def _is_zero(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return x == 0


def _decimals(n: ColumnElement[Any] | None) -> Any:
    return 0 if n is None else integer(n, -1000, 1000)


@strict("round", "number")
def _round(x: ColumnElement[Any], n: ColumnElement[Any] | None = None) -> ColumnElement[Any]:
    return func.round(x, _decimals(n), type_=Numeric())


@strict("round_down", "number")
def _round_down(x: ColumnElement[Any], n: ColumnElement[Any] | None = None) -> ColumnElement[Any]:
    return func.trunc(x, _decimals(n), type_=Numeric())


STRICT["trunc"] = STRICT["round_down"]


@strict("round_up", "number")
def _round_up(x: ColumnElement[Any], n: ColumnElement[Any] | None = None) -> ColumnElement[Any]:
    cut = func.trunc(x, _decimals(n), type_=Numeric())
    unit = func.power(
        literal(Decimal(10), Numeric()), numeric(-_decimals(n)) if n is not None else 0, type_=Numeric()
    )
    return case((cut == x, cut), else_=func.round(cut + func.sign(x) * unit, _decimals(n)))


@strict("floor", "number")
def _floor(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.floor(x, type_=Numeric())


@strict("ceiling", "number")
def _ceiling(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.ceil(x, type_=Numeric())


@strict("abs", "number")
def _abs(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.abs(x, type_=Numeric())


@strict("sign", "number")
def _sign(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sign(x, type_=Numeric())


@strict("mod", "number")
def _mod(x: ColumnElement[Any], y: ColumnElement[Any]) -> ColumnElement[Any]:
    """With the divisor's sign, as in spreadsheets."""
    rest = func.mod(x, func.nullif(y, 0), type_=Numeric())
    return case((or_(rest == 0, func.sign(rest) == func.sign(y)), rest), else_=rest + y)


# -- texts -----------------------------------------------------------------------------------------


@strict("lower", "text")
def _lower(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.lower(x, type_=Text())


@strict("upper", "text")
def _upper(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.upper(x, type_=Text())


@strict("char_length", "number")
def _char_length(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.char_length(x), Numeric())


@strict("left", "text")
def _left(x: ColumnElement[Any], n: ColumnElement[Any]) -> ColumnElement[Any]:
    return nothing_if_empty(func.left(x, integer(n, 0)))


@strict("right", "text")
def _right(x: ColumnElement[Any], n: ColumnElement[Any]) -> ColumnElement[Any]:
    return nothing_if_empty(func.right(x, integer(n, 0)))


@strict("substr", "text")
def _substr(x: ColumnElement[Any], start: ColumnElement[Any], n: ColumnElement[Any]) -> ColumnElement[Any]:
    return nothing_if_empty(func.substr(x, integer(start, 1), integer(n, 0)))


@strict("trim_spaces", "text")
def _trim_spaces(x: ColumnElement[Any]) -> ColumnElement[Any]:
    """Spaces at the ends go, several within become one."""
    return nothing_if_empty(func.btrim(func.regexp_replace(x, " +", " ", "g"), " "))


@strict("replace", "text")
def _replace(x: ColumnElement[Any], old: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    return nothing_if_empty(func.replace(x, old, new))


@strict("strpos", "number")
def _strpos(x: ColumnElement[Any], what: ColumnElement[Any]) -> ColumnElement[Any]:
    """Where a text begins in another, from 1; 0 if it does not."""
    return cast(func.strpos(x, what), Numeric())


@strict("fold", "text")
def _fold(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return fold(x)


@strict("starts_with", "boolean")
def _starts_with(x: ColumnElement[Any], what: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.starts_with(fold(x), fold(what), type_=Boolean())


@strict("exact", "boolean")
def _exact(x: ColumnElement[Any], y: ColumnElement[Any]) -> ColumnElement[Any]:
    return x.is_not_distinct_from(y)


# -- logic -----------------------------------------------------------------------------------------


@strict("not", "boolean")
def _not(x: ColumnElement[Any]) -> ColumnElement[Any]:
    return not_(x)


@strict("true", "boolean")
def _true() -> ColumnElement[Any]:
    return true()


@strict("false", "boolean")
def _false() -> ColumnElement[Any]:
    return false()


@strict("null", "blank")
def _null() -> ColumnElement[Any]:
    return null()


# -- dates -----------------------------------------------------------------------------------------


def part(name: str, local: ColumnElement[Any]) -> ColumnElement[Any]:
    """A part of what the workspace's clock shows: a date or a timestamp without zone."""
    taken = extract(name, cast(local, DateTime()) if name in ("hour", "minute", "second") else local)
    return cast(func.floor(taken), Numeric())


def add_days(moment: Piece, days: Piece) -> Piece:
    """A moment some days later; a fraction moves only what has a time. An error outside the years 1 to 9999."""
    if moment.kind == "datetime":
        return _add_microseconds(moment, days)
    whole, day = func.floor(days.value), moment.value
    first, last = (
        cast(literal(FIRST_DAY, Date()).op("-")(day), Numeric()),
        cast(literal(LAST_DAY, Date()).op("-")(day), Numeric()),
    )
    fits = and_(whole >= first, whole <= last)
    value = case((fits, day.op("+", return_type=Date())(integer(whole, -4_000_000, 4_000_000))))
    return failing(Piece(value, any_error(moment, days), "date"), not_(fits))


def _add_microseconds(moment: Piece, days: Piece) -> Piece:
    # Held within bounds twice: PostgreSQL computes constants beforehand, also behind a CASE.
    most = literal(Decimal(MOST_DAYS * DAY_MICROSECONDS), Numeric())
    total = func.round(days.value * DAY_MICROSECONDS, type_=Numeric())
    near = func.abs(total) < most
    total = func.least(func.greatest(total, -most), most, type_=Numeric())
    later = case((near, moment.value.op("+", return_type=DateTime(timezone=True))(interval(total))))
    fits = and_(
        near,
        later >= literal(FIRST_MOMENT, DateTime(timezone=True)),
        later <= literal(LAST_MOMENT, DateTime(timezone=True)),
    )
    value = case((fits, later))
    return failing(
        Piece(value, any_error(moment, days), "datetime"), and_(moment.value.is_not(None), not_(fits))
    )


def interval(microseconds: ColumnElement[Any]) -> ColumnElement[Any]:
    """An exact span: whole hours apart from the rest, because seconds are a floating-point number."""
    hours = func.div(microseconds, HOUR_MICROSECONDS, type_=Numeric())
    seconds = (microseconds - hours * HOUR_MICROSECONDS) * literal(Decimal("0.000001"), Numeric())
    return func.make_interval(0, 0, 0, 0, cast(hours, Integer()), 0, cast(seconds, Double()))


def between_moments(left: Piece, right: Piece) -> Piece:
    """Days from one moment to another, with their fraction."""
    span = extract("epoch", left.value.op("-")(right.value))
    seconds = Piece(numeric(cast(span, Numeric())), any_error(left, right), "number", 12, 6)
    return divide(seconds, constant(Decimal(86400), "number"))


def between_days(left: Piece, right: Piece) -> Piece:
    return Piece(cast(left.value.op("-")(right.value), Numeric()), any_error(left, right), "number", 8, 0)
