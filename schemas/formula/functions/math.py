"""Numbers: arithmetic, rounding, powers and angles."""

import hashlib
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from schemas.formula.functions.base import function
from schemas.formula.sql import Given, Made, Sql
from schemas.formula.values import DIV0, EXACT, NUM, ONE, VALUE, ZERO, Fault, Run, bounded, divide

FIFTY = Context(prec=50, Emin=-999999, Emax=999999)


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


@function("LOG10", "number -> number", zh="以 10 为底的对数", en="The logarithm to base 10.", example="LOG10(100)")
def log10(number: Decimal) -> Decimal:
    return log(number)


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
