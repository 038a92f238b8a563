"""The operators."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from schemas.formula.coerce import as_number, flat, of_serial, serial_of
from schemas.formula.functions.base import function
from schemas.formula.sql import Given, Made, Sql, binary, divided
from schemas.formula.types import DATE, DATETIME, Type
from schemas.formula.values import EXACT, NUM, ZERO, ErrorValue, Fault, Run, bounded, divide, fold


def _moment(types: list[Type]) -> Type:
    return DATETIME if any(t.kind == "datetime" for t in types) else DATE


@function("+", "number, number -> number", sql=binary("+"), operator=True)
def add(left: Decimal, right: Decimal) -> Decimal:
    return EXACT.add(left, right)


@function("-", "number, number -> number", sql=binary("-"), operator=True)
def subtract(left: Decimal, right: Decimal) -> Decimal:
    return EXACT.subtract(left, right)


@function("*", "number, number -> number", sql=binary("*"), operator=True)
def multiply(left: Decimal, right: Decimal) -> Decimal:
    return bounded(EXACT.multiply(left, right))


@function("/", "number, number -> number", sql=divided, operator=True)
def quotient(left: Decimal, right: Decimal) -> Decimal:
    return bounded(divide(left, right))


@function("-1", "number -> number", sql=lambda x: Sql("negative", (x.value,)), operator=True)
def negative(number: Decimal) -> Decimal:
    return number.copy_negate() if number else number


@function("+1", "any -> any", sql=lambda x: x.raw, result=lambda types: types[0], operator=True)
def positive(value: Any) -> Any:
    return value


@function("%1", "number -> number", sql=lambda x: Sql("percent", (x.value,)), operator=True)
def percent(number: Decimal) -> Decimal:
    return EXACT.scaleb(number, -2)


def _small_power(base: Given, exponent: Given) -> Made | Sql | None:
    """Small whole exponents are multiplications."""
    n = exponent.constant
    if not isinstance(n, Decimal) or n != n.to_integral_value() or not 1 <= n <= 8:
        return None
    product = base.value
    for _ in range(int(n) - 1):
        product = Sql("*", (product, base.value))
    return product


@function("^", "number, number -> number", sql=_small_power, operator=True)
def raised(base: Decimal, exponent: Decimal) -> Decimal:
    from schemas.formula.functions.math import power

    return power(base, exponent)


@function("moment", "moment -> datetime", world=True, operator=True, sql=lambda m: Sql("moment", (m.raw,)))
def moment(run: Run, value: date | None) -> datetime | None:
    """A date as its first moment."""
    return moment_of(value, run) if value is not None else None


@function("day", "date -> date", operator=True, sql=lambda d: d.raw)
def day(value: date | None) -> date | None:
    return value


@function("&", "text, text -> text", sql=binary("&"), operator=True)
def joined(left: str, right: str) -> str:
    return left + right


def shifted(run: Run, moment: date | None, days: Decimal) -> date | None:
    """A moment some days later; a fraction of a day moves only what has a time."""
    if moment is None:
        return None
    try:
        if isinstance(moment, datetime):
            return moment + timedelta(microseconds=int((days * 86_400_000_000).to_integral_value("ROUND_HALF_UP")))
        whole = int(days.to_integral_value(rounding="ROUND_FLOOR"))
        return moment + timedelta(days=whole)
    except OverflowError:
        raise Fault(NUM) from None


@function("+days", "moment, number -> date", result=_moment, world=True, operator=True,
          sql=lambda m, n: Sql("add_days", (m.raw, n.value, m.kind)))  # fmt: skip
def add_days(run: Run, moment: date | None, days: Decimal) -> date | None:
    return shifted(run, moment, days)


@function("+moment", "number, moment -> date", result=_moment, world=True, operator=True,
          sql=lambda n, m: Sql("add_days", (m.raw, n.value, m.kind)))  # fmt: skip
def days_add(run: Run, days: Decimal, moment: date | None) -> date | None:
    return shifted(run, moment, days)


@function("-days", "moment, number -> date", result=_moment, world=True, operator=True,
          sql=lambda m, n: Sql("add_days", (m.raw, Sql("negative", (n.value,)), m.kind)))  # fmt: skip
def subtract_days(run: Run, moment: date | None, days: Decimal) -> date | None:
    return shifted(run, moment, -days)


@function("-dates", "moment, moment -> number", world=True, operator=True,
          sql=lambda a, b: Sql("days_between", (a.raw, b.raw, a.kind, b.kind)))  # fmt: skip
def between(run: Run, left: date | None, right: date | None) -> Decimal | None:
    """Days between two dates; with a time on either side, with its fraction of a day."""
    if left is None or right is None:
        return None
    if not isinstance(left, datetime) and not isinstance(right, datetime):
        return Decimal((left - right).days)
    return days_of(moment_of(left, run) - moment_of(right, run))


def days_of(span: timedelta) -> Decimal:
    return divide(Decimal(span // timedelta(microseconds=1)), Decimal(86_400_000_000))


@function("+any", "any, any -> any", world=True, operator=True)
def add_any(run: Run, left: Any, right: Any) -> Any:
    """Where kinds are known only now: days are added to dates, all else are numbers."""
    if isinstance(left, date) and not isinstance(right, date):
        return shifted(run, left, as_number(_checked(right), run.world))
    if isinstance(right, date) and not isinstance(left, date):
        return shifted(run, right, as_number(_checked(left), run.world))
    return EXACT.add(as_number(left, run.world), as_number(right, run.world))


@function("-any", "any, any -> any", world=True, operator=True)
def subtract_any(run: Run, left: Any, right: Any) -> Any:
    if isinstance(left, date) and isinstance(right, date):
        return between(run, left, right)
    if isinstance(left, date):
        return shifted(run, left, -as_number(_checked(right), run.world))
    return EXACT.subtract(as_number(left, run.world), as_number(right, run.world))


def moment_of(value: date, run: Run) -> datetime:
    return value if isinstance(value, datetime) else run.world.midnight(value)


def comparable(run: Run, left: Any, right: Any) -> tuple[Any, Any]:
    """Two values brought to a form in which Python compares them as formulas do."""
    if isinstance(left, str) and isinstance(right, str):
        return fold(left), fold(right)
    if left.__class__ is right.__class__ or left is None or right is None:
        return left, right
    if isinstance(left, date) and isinstance(right, date):
        return moment_of(left, run), moment_of(right, run)
    return _across(run, left, right)


def _across(run: Run, left: Any, right: Any) -> tuple[Any, Any]:
    """Values of different kinds, as Excel orders them: numbers and dates, then texts, then TRUE and FALSE."""
    one, other = _rank(left), _rank(right)
    if one == other == 0:
        return as_number(left, run.world), as_number(right, run.world)
    return one, other


def _rank(value: Any) -> int:
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def equal(run: Run, left: Any, right: Any) -> bool:
    if run.world.excel_blanks:
        left, right = _excel(left, right), _excel(right, left)
    left, right = None if left == "" else left, None if right == "" else right
    if isinstance(left, bool) or isinstance(right, bool):
        left, right = False if left is None else left, False if right is None else right
    one, other = comparable(run, left, right)
    return bool(one == other)


def _checked(value: Any) -> Any:
    if value.__class__ is ErrorValue:
        raise Fault(value)
    return value


def _excel(value: Any, other: Any) -> Any:
    """Excel's blank: 0 beside a number, the empty text beside a text, FALSE beside TRUE."""
    if value is not None or other is None:
        return value
    return False if isinstance(other, bool) else "" if isinstance(other, str) else ZERO


@function("=", "any, any -> boolean", sql=lambda a, b: Sql("=", (a, b)), world=True, operator=True)
def equals(run: Run, left: Any, right: Any) -> bool:
    return equal(run, _checked(left), _checked(right))


@function("<>", "any, any -> boolean", sql=lambda a, b: Sql("not", (Sql("=", (a, b)),)), world=True, operator=True)
def differs(run: Run, left: Any, right: Any) -> bool:
    return not equal(run, _checked(left), _checked(right))


@function("=same", "any, any -> boolean", sql=lambda a, b: Sql("=", (a, b)), operator=True)
def same(left: Any, right: Any) -> bool:
    return bool((None if left == "" else left) == (None if right == "" else right))


@function("<>same", "any, any -> boolean", sql=lambda a, b: Sql("not", (Sql("=", (a, b)),)), operator=True)
def not_same(left: Any, right: Any) -> bool:
    return bool((None if left == "" else left) != (None if right == "" else right))


def _order(sign: str, test: Any) -> None:
    @function(sign, "any, any -> boolean", sql=lambda a, b: Sql(sign, (a, b)), world=True, operator=True)
    def compare(run: Run, left: Any, right: Any) -> bool:
        if run.world.excel_blanks:
            left, right = _excel(left, right), _excel(right, left)
        elif _checked(left) in (None, "") or _checked(right) in (None, ""):
            return False
        if _checked(left) is None or _checked(right) is None:
            left, right = ZERO, ZERO
        return bool(test(*comparable(run, left, right)))


def _plain_order(sign: str, test: Any) -> None:
    @function(f"{sign}same", "any, any -> boolean", sql=lambda a, b: Sql(sign, (a, b)), operator=True)
    def compare(left: Any, right: Any) -> bool:
        return left is not None and right is not None and test(left, right)


for _sign, _test in (("<", lt), (">", gt), ("<=", le), (">=", ge)):
    _order(_sign, _test)
    _plain_order(_sign, _test)


@function("IN", "any, each -> boolean", sql=lambda a, items: Sql("in", (a, items)), world=True, operator=True)
def within(run: Run, value: Any, items: Any) -> bool:
    return any(equal(run, value, item) for item in flat(items) if item.__class__ is not ErrorValue)


__all__ = ["of_serial", "serial_of"]
