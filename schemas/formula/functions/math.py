"""Numbers: arithmetic, rounding, powers and angles."""

import hashlib
import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Context, Decimal

from schemas.formula.functions.base import function
from schemas.formula.sql import Given, Made, Sql
from schemas.formula.values import DIV0, EXACT, NUM, ONE, VALUE, ZERO, Fault, Run, bounded, divide

FIFTY = Context(prec=50, Emin=-999999, Emax=999999)
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


@function(
    "ROUNDUP",
    "number, number? -> number",
    sql=_digits("round_up"),
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


@function(
    "ABS",
    "number -> number",
    sql=lambda x: Sql("abs", (x.value,)),
    zh="绝对值",
    en="The number without its sign.",
    example="ABS(budget - spent)",
)
def abs_(number: Decimal) -> Decimal:
    return number.copy_abs()


@function(
    "SIGN",
    "number -> number",
    sql=lambda x: Sql("sign", (x.value,)),
    zh="正数得 1，负数得 -1，零得 0",
    en="1, -1 or 0.",
    example="SIGN(balance)",
)
def sign(number: Decimal) -> Decimal:
    return Decimal((number > 0) - (number < 0))


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


@function(
    "CEILING",
    "number, number? -> number",
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


def _math_step(name: str, rounding: str, other: str, zh: str, en: str) -> None:
    @function(name, "number, number?, number? -> number", zh=zh, en=en, example=f"{name}(-5.5, 2)")
    def step_of(number: Decimal, step: Decimal = ONE, mode: Decimal = ZERO) -> Decimal:
        if not number or not step:
            return ZERO
        return to_step(number, abs(step), other if mode and number < 0 else rounding)


_math_step(
    "CEILING.MATH",
    ROUND_CEILING,
    ROUND_FLOOR,
    "向上舍入，可选负数方向",
    "Up to a multiple; negatives as asked.",
)
_math_step(
    "FLOOR.MATH",
    ROUND_FLOOR,
    ROUND_CEILING,
    "向下舍入，可选负数方向",
    "Down to a multiple; negatives as asked.",
)


def _precise_step(name: str, rounding: str, aliases: tuple[str, ...], zh: str, en: str) -> None:
    @function(name, "number, number? -> number", zh=zh, en=en, example=f"{name}(-4.1, 2)", aliases=aliases)
    def step_of(number: Decimal, step: Decimal = ONE) -> Decimal:
        return to_step(number, abs(step), rounding) if number and step else ZERO


_precise_step(
    "CEILING.PRECISE",
    ROUND_CEILING,
    ("ISO.CEILING",),
    "向上舍入，忽略基数的符号",
    "Up, whatever the step's sign.",
)
_precise_step("FLOOR.PRECISE", ROUND_FLOOR, (), "向下舍入，忽略基数的符号", "Down, whatever the step's sign.")


@function(
    "MROUND",
    "number, number -> number",
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
    zh="向远离零的方向取偶数",
    en="Away from zero to an even number.",
    example="EVEN(3)",
)
def even(number: Decimal) -> Decimal:
    return to_step(number, Decimal(2) if number > 0 else Decimal(-2), ROUND_UP) if number else ZERO


@function(
    "ODD",
    "number -> number",
    zh="向远离零的方向取奇数",
    en="Away from zero to an odd number.",
    example="ODD(4)",
)
def odd(number: Decimal) -> Decimal:
    if not number:
        return ONE
    size = number.copy_abs().to_integral_value(rounding=ROUND_UP)
    return (size if size % 2 else size + 1).copy_sign(number)


@function("ISEVEN", "number -> boolean", zh="是否偶数", en="Whether a number is even.", example="ISEVEN(4)")
def iseven(number: Decimal) -> bool:
    return whole(number, 10**300) % 2 == 0


@function("ISODD", "number -> boolean", zh="是否奇数", en="Whether a number is odd.", example="ISODD(3)")
def isodd(number: Decimal) -> bool:
    return whole(number, 10**300) % 2 == 1


@function(
    "MOD",
    "number, number -> number",
    zh="余数，符号与除数相同",
    sql=lambda x, y: Made(Sql("mod", (x.value, y.value)), Sql("is_zero", (y.value,))),
    en="The remainder, with the divisor's sign.",
    example="MOD(10, 3)",
)
def mod(number: Decimal, divisor: Decimal) -> Decimal:
    if not divisor:
        raise Fault(DIV0)
    if number and abs(number.adjusted() - divisor.adjusted()) > 600:
        raise Fault(NUM)
    rest = EXACT.remainder(number, divisor)
    return EXACT.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@function(
    "QUOTIENT",
    "number, number -> number",
    zh="商的整数部分",
    en="The whole part of a division.",
    example="QUOTIENT(10, 3)",
)
def quotient_(number: Decimal, divisor: Decimal) -> Decimal:
    if not divisor:
        raise Fault(DIV0)
    return EXACT.divide_int(number, divisor)


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """A power; exact for whole exponents."""
    if not base:
        if exponent < 0:
            raise Fault(DIV0)
        if not exponent:
            raise Fault(NUM)
        return ZERO
    if exponent != exponent.to_integral_value():
        return _root(base, exponent)
    if abs(exponent) * abs(base.adjusted()) > 700 or abs(exponent) > 100_000:
        return _huge(base, exponent)
    raised = (
        EXACT.power(base, abs(int(exponent)))
        if len(base.as_tuple().digits) * abs(exponent) < 4000
        else (FIFTY.power(base, abs(int(exponent))))
    )
    return bounded(raised) if exponent >= 0 else divide(ONE, raised)


def _huge(base: Decimal, exponent: Decimal) -> Decimal:
    """A power out of range: an error, nothing, or a base of one."""
    if abs(base) == 1:
        return ONE if base > 0 or exponent % 2 == 0 else -ONE
    if (abs(base) > 1) == (exponent > 0):
        raise Fault(NUM)
    return ZERO


def _root(base: Decimal, exponent: Decimal) -> Decimal:
    if base < 0:
        raise Fault(NUM)
    size = FIFTY.multiply(FIFTY.ln(base), exponent)
    if size > 710:
        raise Fault(NUM)
    return real(FIFTY.exp(size)) if size > -2000 else ZERO


def real(number: Decimal | float) -> Decimal:
    """The result of a transcendental function: 15 digits count, as in spreadsheets."""
    found = Decimal(repr(number)) if isinstance(number, float) else Context(prec=28).plus(number)
    if not found.is_finite():
        raise Fault(NUM)
    near = found.to_integral_value()
    return near if near and abs(found - near) < abs(near).scaleb(-20) else found


def _power_form(base: Given, exponent: Given) -> Sql | None:
    from schemas.formula.functions.operators import _small_power

    found = _small_power(base, exponent)
    return found if isinstance(found, Sql) else None


@function(
    "POWER",
    "number, number -> number",
    sql=_power_form,
    zh="乘幂",
    en="A number raised to a power.",
    example="POWER(1.05, 3)",
)
def power_(base: Decimal, exponent: Decimal) -> Decimal:
    return power(base, exponent)


@function("SQRT", "number -> number", zh="平方根", en="The square root.", example="SQRT(16)")
def sqrt(number: Decimal) -> Decimal:
    if number < 0:
        raise Fault(NUM)
    return real(FIFTY.sqrt(number))


@function("EXP", "number -> number", zh="e 的乘幂", en="e raised to a power.", example="EXP(1)")
def exp(number: Decimal) -> Decimal:
    if number > 709:
        raise Fault(NUM)
    return real(FIFTY.exp(number)) if number > -2000 else ZERO


def _logarithm(number: Decimal) -> Decimal:
    if number <= 0:
        raise Fault(NUM)
    return FIFTY.ln(number)


@function("LN", "number -> number", zh="自然对数", en="The natural logarithm.", example="LN(10)")
def ln(number: Decimal) -> Decimal:
    return real(_logarithm(number))


@function(
    "LOG",
    "number, number? -> number",
    zh="对数，默认以 10 为底",
    en="The logarithm, to base 10 unless said.",
    example="LOG(8, 2)",
)
def log(number: Decimal, base: Decimal = Decimal(10)) -> Decimal:
    bottom = _logarithm(base)
    if not bottom:
        raise Fault(DIV0)
    return real(FIFTY.divide(_logarithm(number), bottom))


@function(
    "LOG10", "number -> number", zh="以 10 为底的对数", en="The logarithm to base 10.", example="LOG10(100)"
)
def log10(number: Decimal) -> Decimal:
    return log(number)


def angle(name: str, compute: Callable[[float], float], zh: str, en: str, example: str) -> None:
    @function(name, "number -> number", zh=zh, en=en, example=example)
    def computed(number: Decimal) -> Decimal:
        try:
            return real(compute(float(number)))
        except ZeroDivisionError:
            raise Fault(DIV0) from None
        except (ValueError, OverflowError):
            raise Fault(NUM) from None


angle("SIN", math.sin, "正弦", "The sine of an angle in radians.", "SIN(PI() / 2)")
angle("COS", math.cos, "余弦", "The cosine of an angle in radians.", "COS(0)")
angle("TAN", math.tan, "正切", "The tangent of an angle in radians.", "TAN(RADIANS(45))")
angle("COT", lambda x: 1 / math.tan(x), "余切", "The cotangent of an angle in radians.", "COT(RADIANS(45))")
angle("ASIN", math.asin, "反正弦", "The angle whose sine is given.", "ASIN(1)")
angle("ACOS", math.acos, "反余弦", "The angle whose cosine is given.", "ACOS(0)")
angle("ATAN", math.atan, "反正切", "The angle whose tangent is given.", "ATAN(1)")
angle("RADIANS", math.radians, "角度转弧度", "Degrees as radians.", "RADIANS(180)")
angle("DEGREES", math.degrees, "弧度转角度", "Radians as degrees.", "DEGREES(PI())")
angle(
    "SQRTPI",
    lambda x: math.sqrt(x * math.pi),
    "与圆周率之积的平方根",
    "The root of a number times pi.",
    "SQRTPI(2)",
)


@function("PI", "-> number", zh="圆周率", en="The number pi.", example="PI()")
def pi() -> Decimal:
    return Decimal("3.14159265358979")


def _factorial(number: Decimal) -> int:
    if not 0 <= number < 171:
        raise Fault(NUM)
    return math.factorial(int(number))


@function("FACT", "number -> number", zh="阶乘", en="The factorial.", example="FACT(5)")
def fact(number: Decimal) -> Decimal:
    return Decimal(_factorial(number))


@function("FACTDOUBLE", "number -> number", zh="双阶乘", en="The double factorial.", example="FACTDOUBLE(7)")
def fact_double(number: Decimal) -> Decimal:
    if number < -1 or number > 300:
        raise Fault(NUM)
    return Decimal(math.prod(range(int(number), 0, -2)))


@function(
    "COMBIN",
    "number, number -> number",
    zh="组合数",
    en="In how many ways some can be chosen.",
    example="COMBIN(5, 2)",
)
def combin(number: Decimal, chosen: Decimal) -> Decimal:
    if number < 0 or chosen < 0 or int(chosen) > int(number) or number > 1000:
        raise Fault(NUM)
    return bounded(Decimal(math.comb(int(number), int(chosen))))


@function(
    "PERMUT",
    "number, number -> number",
    zh="排列数",
    en="In how many orders some can be chosen.",
    example="PERMUT(5, 2)",
)
def permut(number: Decimal, chosen: Decimal) -> Decimal:
    if number <= 0 or chosen < 0 or int(chosen) > int(number) or number > 1000:
        raise Fault(NUM)
    return bounded(Decimal(math.perm(int(number), int(chosen))))


def draw(run: Run) -> Decimal:
    """A number from 0 up to 1 that follows from the world alone: the next one each time."""
    run.drawn += 1
    digest = hashlib.sha256(f"{run.world.seed}|{run.world.now.isoformat()}|{run.drawn}".encode()).digest()
    return Decimal(int.from_bytes(digest[:8], "big") >> 4).scaleb(-18) % 1


@function(
    "RAND",
    "-> number",
    world=True,
    zh="0 到 1 之间的随机数",
    en="A random number from 0 up to 1.",
    example="RAND()",
)
def rand(run: Run) -> Decimal:
    return draw(run)


@function(
    "RANDBETWEEN",
    "number, number -> number",
    world=True,
    zh="两数之间的随机整数",
    en="A random whole number between two.",
    example="RANDBETWEEN(1, 6)",
)
def randbetween(run: Run, least: Decimal, most: Decimal) -> Decimal:
    low = int(least.to_integral_value(rounding=ROUND_CEILING))
    high = int(most.to_integral_value(rounding=ROUND_FLOOR))
    if low > high:
        raise Fault(NUM)
    return Decimal(low) + (draw(run) * (high - low + 1)).to_integral_value(rounding=ROUND_FLOOR)


ROMAN = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
]


@function("ROMAN", "number -> text", zh="罗马数字", en="A number in Roman numerals.", example="ROMAN(2024)")
def roman(number: Decimal) -> str:
    rest, text = int(number), ""
    if not 0 <= rest < 4000:
        raise Fault(VALUE)
    for value, letters in ROMAN:
        text += letters * (rest // value)
        rest %= value
    return text
