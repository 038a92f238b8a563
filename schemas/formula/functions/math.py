"""Numbers."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from schemas.formula.coerce import as_number, flat, is_blank
from schemas.formula.values import Run
from schemas.formula.functions.base import function
from schemas.formula.sql import Sql
from schemas.formula.types import NUMBER, Type, unify
from schemas.formula.values import DIV0, EXACT, NUM, ZERO, ErrorValue, Fault, bounded, divide
from schemas.messages import Message, say


def numbers(run: Run, args: tuple[Any, ...]) -> Iterator[Decimal]:
    """The numbers among arguments: blanks are skipped; in lists, whatever is not a number is too."""
    for arg in args:
        if not isinstance(arg, list):
            if not is_blank(arg) or arg == "":
                yield as_number(arg, run.world) if arg != "" else _refused()
            continue
        for item in flat(arg):
            if isinstance(item, ErrorValue):
                raise Fault(item)
            if isinstance(item, Decimal):
                yield item


def _refused() -> Decimal:
    from schemas.formula.values import VALUE

    raise Fault(VALUE)


@function("SUM", "numbers... -> number", world=True, sql=lambda *args: Sql("sum", args),
          zh="求和", en="The sum of numbers or of a column.", example="SUM(items.price)")  # fmt: skip
def sum_(run: Run, *args: Any) -> Decimal:
    total = ZERO
    for number in numbers(run, args):
        total = EXACT.add(total, number)
    return total


@function("COUNT", "each... -> number", sql=lambda *args: Sql("count", args),
          zh="有值的个数；对子表计行数", en="How many values there are; for a subform, how many rows.",
          example="COUNT(items)")  # fmt: skip
def count(*args: Any) -> Decimal:
    return Decimal(sum(1 for arg in args for item in flat(arg) if not is_blank(item) and not isinstance(item, ErrorValue)))


def extreme_type(types: list[Type]) -> Type | Message:
    found = types[0]
    for other in types[1:]:
        both = unify(found, other)
        if both is None:
            return say("Numbers and dates cannot be mixed here.")
        found = both
    if found.kind not in ("number", "date", "datetime", "any", "blank", "boolean"):
        return say("Numbers or dates are needed here.")
    return NUMBER if found.kind in ("blank", "boolean") else found


def ordered(run: Run, args: tuple[Any, ...]) -> list[Any]:
    """Dates if there are any, else numbers, from small to large."""
    from datetime import date

    from schemas.formula.functions.operators import moment_of

    moments = [item for arg in args for item in flat(arg) if isinstance(item, date)]
    for arg in args:
        for item in flat(arg):
            if isinstance(item, ErrorValue):
                raise Fault(item)
    if moments:
        return sorted(moments, key=lambda m: moment_of(m, run))
    return sorted(numbers(run, args))


@function("MAX", "each... -> number", result=extreme_type, world=True, sql=lambda *args: Sql("max", args),
          zh="最大值", en="The largest number or the latest date.", example="MAX(items.price)")  # fmt: skip
def max_(run: Run, *args: Any) -> Any:
    found = ordered(run, args)
    return found[-1] if found else _no_extreme(args)


@function("MIN", "each... -> number", result=extreme_type, world=True, sql=lambda *args: Sql("min", args),
          zh="最小值", en="The smallest number or the earliest date.", example="MIN(items.price)")  # fmt: skip
def min_(run: Run, *args: Any) -> Any:
    found = ordered(run, args)
    return found[0] if found else _no_extreme(args)


def _no_extreme(args: tuple[Any, ...]) -> Any:
    return None


def rounded(number: Decimal, digits: int, rounding: str) -> Decimal:
    """A number with so many decimals; negative digits round to tens, hundreds and so on."""
    if number.is_zero() or digits >= -number.as_tuple().exponent:  # type: ignore[operator]
        return number
    if digits < -400:
        return ZERO
    return bounded(EXACT.quantize(number.quantize(Decimal(1).scaleb(-digits), rounding=rounding, context=EXACT), Decimal(1)) if digits < 0
                   else number.quantize(Decimal(1).scaleb(-digits), rounding=rounding, context=EXACT))  # fmt: skip


@function("ROUND", "number, number? -> number", sql=lambda x, n=None: Sql("round", (x.value, n.value if n else None)),
          zh="四舍五入到指定小数位", en="Rounded half away from zero to so many decimals.",
          example="ROUND(total / 3, 2)")  # fmt: skip
def round_(number: Decimal, digits: Decimal = ZERO) -> Decimal:
    return rounded(number, int(max(min(digits, Decimal(1000)), Decimal(-1000))), ROUND_HALF_UP)


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """A power; exact for whole exponents."""
    if not base and not exponent:
        raise Fault(NUM)
    if not base and exponent < 0:
        raise Fault(DIV0)
    if exponent == exponent.to_integral_value() and abs(exponent) <= 100_000:
        if base and abs(base.adjusted() + 1) * abs(exponent) > 5000 and abs(base) != 1:
            raise Fault(NUM)
        whole = int(exponent)
        raised = EXACT.power(base, abs(whole))
        return bounded(raised) if whole >= 0 else divide(Decimal(1), raised)
    if base < 0:
        raise Fault(NUM)
    return bounded(EXACT.create_decimal(base).ln(_FIFTY).__mul__(exponent).exp(_FIFTY)) if base else ZERO


from decimal import Context  # noqa: E402

_FIFTY = Context(prec=50)
