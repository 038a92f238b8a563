"""Rounding: to decimals, to steps, to even and odd."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Decimal

from schemas.formula.functions.base import function
from schemas.formula.sql import Form, Given, Made, Sql, call
from schemas.formula.values import DIV0, EXACT, NUM, ONE, ZERO, Fault, bounded

MOST_DIGITS = 400


def whole(number: Decimal, most: int = 10**9) -> int:
    """A number as an integer, cut towards zero and kept within limits."""
    return int(max(min(number, Decimal(most)), Decimal(-most)))


def rounded(number: Decimal, digits: Decimal, rounding: str) -> Decimal:
    """A number with so many decimals; negative digits round to tens, hundreds and so on."""
    places = whole(digits, MOST_DIGITS)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if not number or places >= -exponent:
        return number
    found = number.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=EXACT)
    return bounded(EXACT.quantize(found, ONE) if places < 0 else found)


def _digits(op: str) -> Callable[..., Sql]:
    return lambda x, n=None: Sql(op, (x.value, n.value if n else None))


@function(
    "ROUND",
    "number, number? -> number",
    sql=_digits("round"),
    zh="四舍五入到指定的小数位",
    en="Rounded half away from zero to so many decimals.",
    example="ROUND(total / 3, 2)",
)
def round_(number: Decimal, digits: Decimal = ZERO) -> Decimal:
    return rounded(number, digits, ROUND_HALF_UP)


def _few_digits(number: Given, digits: Given | None = None) -> Sql | None:
    """Rounding up to a place that only the record knows could leave the largest number behind."""
    if digits is not None and not (isinstance(digits.constant, Decimal) and abs(digits.constant) <= 100):
        return None
    return Sql("round_up", (number.value, digits.value if digits else None))


@function(
    "ROUNDUP",
    "number, number? -> number",
    sql=_few_digits,
    zh="向远离零的方向舍入",
    en="Rounded away from zero.",
    example="ROUNDUP(3.21, 1)",
)
def round_up(number: Decimal, digits: Decimal = ZERO) -> Decimal:
    return rounded(number, digits, ROUND_UP)


@function(
    "ROUNDDOWN",
    "number, number? -> number",
    sql=_digits("round_down"),
    zh="向零的方向舍入",
    en="Rounded towards zero.",
    example="ROUNDDOWN(3.29, 1)",
)
def round_down(number: Decimal, digits: Decimal = ZERO) -> Decimal:
    return rounded(number, digits, ROUND_DOWN)


@function(
    "TRUNC",
    "number, number? -> number",
    sql=_digits("trunc"),
    zh="截去多余的小数位",
    en="Cut off after so many decimals.",
    example="TRUNC(-3.7)",
)
def trunc(number: Decimal, digits: Decimal = ZERO) -> Decimal:
    return rounded(number, digits, ROUND_DOWN)


@function(
    "INT",
    "number -> number",
    sql=lambda x: Sql("floor", (x.value,)),
    zh="向下取整",
    en="The whole number at or below.",
    example="INT(-3.2)",
)
def int_(number: Decimal) -> Decimal:
    return number.to_integral_value(rounding=ROUND_FLOOR)


def quotient(number: Decimal, step: Decimal, rounding: str) -> Decimal:
    """How many steps fit into a number, rounded once and exactly."""
    steps = EXACT.divide_int(number, step)
    if EXACT.multiply(steps, step) == number:
        return steps
    positive = (number > 0) == (step > 0)
    if rounding == ROUND_CEILING:
        return steps + 1 if positive else steps
    if rounding == ROUND_FLOOR:
        return steps if positive else steps - 1
    away = steps + (1 if positive else -1)
    if rounding == ROUND_UP:
        return away
    rest, half = abs(number - steps * step) * 2, abs(step)
    return away if rest >= half else steps


def to_step(number: Decimal, step: Decimal, rounding: str) -> Decimal:
    """A multiple of a step near a number."""
    if abs(number.adjusted() - step.adjusted()) > 600:
        raise Fault(NUM)
    return bounded(EXACT.multiply(quotient(number, step, rounding), step))


UNIT = Sql("one")
NOTHING = Sql("zero")


def _to_step(op: str, failing: str) -> Form:
    def form(number: Given, step: Given | None = None) -> Made:
        given = (number.value, step.value if step else UNIT)
        return Made(Sql(op, given), Sql(failing, given))

    return form


def _by_mode(op: str) -> Form:
    return lambda x, step=None, mode=None: Sql(
        op, (x.value, step.value if step else UNIT, mode.value if mode else NOTHING)
    )


@function(
    "CEILING",
    "number, number? -> number",
    sql=_to_step("ceiling", "no_ceiling"),
    zh="向上舍入为基数的倍数",
    en="Up to a multiple of the step.",
    example="CEILING(10, 3)",
)
def ceiling(number: Decimal, step: Decimal = ONE) -> Decimal:
    if not number or not step:
        return ZERO
    if number > 0 > step:
        raise Fault(NUM)
    return to_step(number, abs(step), ROUND_FLOOR if step < 0 else ROUND_CEILING)


@function(
    "FLOOR",
    "number, number? -> number",
    sql=_to_step("floor_to", "no_floor"),
    zh="向下舍入为基数的倍数",
    en="Down to a multiple of the step.",
    example="FLOOR(10, 3)",
)
def floor(number: Decimal, step: Decimal = ONE) -> Decimal:
    if not number:
        return ZERO
    if not step:
        raise Fault(DIV0)
    if number > 0 > step:
        raise Fault(NUM)
    return to_step(number, abs(step), ROUND_CEILING if step < 0 else ROUND_FLOOR)


def _math_step(name: str, rounding: str, other: str, op: str, zh: str, en: str) -> None:
    @function(
        name,
        "number, number?, number? -> number",
        sql=_by_mode(op),
        zh=zh,
        en=en,
        example=f"{name}(-5.5, 2)",
    )
    def step_of(number: Decimal, step: Decimal = ONE, mode: Decimal = ZERO) -> Decimal:
        if not number or not step:
            return ZERO
        return to_step(number, abs(step), other if mode and number < 0 else rounding)


_math_step(
    "CEILING.MATH",
    ROUND_CEILING,
    ROUND_FLOOR,
    "ceiling_math",
    "向上舍入，可选负数方向",
    "Up to a multiple; negatives as asked.",
)
_math_step(
    "FLOOR.MATH",
    ROUND_FLOOR,
    ROUND_CEILING,
    "floor_math",
    "向下舍入，可选负数方向",
    "Down to a multiple; negatives as asked.",
)


def _precise_step(name: str, rounding: str, op: str, aliases: tuple[str, ...], zh: str, en: str) -> None:
    @function(
        name,
        "number, number? -> number",
        aliases=aliases,
        sql=_by_mode(op),
        zh=zh,
        en=en,
        example=f"{name}(-4.1, 2)",
    )
    def step_of(number: Decimal, step: Decimal = ONE) -> Decimal:
        return to_step(number, abs(step), rounding) if number and step else ZERO


_precise_step(
    "CEILING.PRECISE",
    ROUND_CEILING,
    "ceiling_math",
    ("ISO.CEILING",),
    "向上舍入，忽略基数的符号",
    "Up, whatever the step's sign.",
)
_precise_step(
    "FLOOR.PRECISE", ROUND_FLOOR, "floor_math", (), "向下舍入，忽略基数的符号", "Down, whatever the step's sign."
)


@function(
    "MROUND",
    "number, number -> number",
    sql=_to_step("nearest_step", "unlike_signs"),
    zh="舍入到最接近的倍数",
    en="To the nearest multiple.",
    example="MROUND(10, 3)",
)
def mround(number: Decimal, step: Decimal) -> Decimal:
    if not number or not step:
        return ZERO
    if (number > 0) != (step > 0):
        raise Fault(NUM)
    return to_step(number, step, ROUND_HALF_UP)


@function(
    "EVEN",
    "number -> number",
    sql=call("even"),
    zh="向远离零的方向取偶数",
    en="Away from zero to an even number.",
    example="EVEN(3)",
)
def even(number: Decimal) -> Decimal:
    return to_step(number, Decimal(2) if number > 0 else Decimal(-2), ROUND_UP) if number else ZERO


@function(
    "ODD",
    "number -> number",
    sql=call("odd"),
    zh="向远离零的方向取奇数",
    en="Away from zero to an odd number.",
    example="ODD(4)",
)
def odd(number: Decimal) -> Decimal:
    if not number:
        return ONE
    size = number.copy_abs().to_integral_value(rounding=ROUND_UP)
    return (size if size % 2 else size + 1).copy_sign(number)


@function(
    "ISEVEN",
    "number -> boolean",
    sql=call("is_even"),
    zh="是否偶数",
    en="Whether a number is even.",
    example="ISEVEN(4)",
)
def iseven(number: Decimal) -> bool:
    return whole(number, 10**300) % 2 == 0


@function(
    "ISODD",
    "number -> boolean",
    sql=lambda x: Sql("not", (Sql("is_even", (x.value,)),)),
    zh="是否奇数",
    en="Whether a number is odd.",
    example="ISODD(3)",
)
def isodd(number: Decimal) -> bool:
    return whole(number, 10**300) % 2 == 1
