"""Numbers: arithmetic, rounding, powers and angles."""

import hashlib
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

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
    sql=lambda x, y: Made(Sql("mod", (x.value, y.value)), Sql("is_zero", (y.value,))),
    zh="余数，符号与除数相同",
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
    sql=lambda x, y: Made(Sql("quotient", (x.value, y.value)), Sql("is_zero", (y.value,))),
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


@function(
    "SQRT",
    "number -> number",
    zh="平方根",
    en="The square root.",
    example="SQRT(16)",
)
def sqrt(number: Decimal) -> Decimal:
    if number < 0:
        raise Fault(NUM)
    return real(FIFTY.sqrt(number))


@function(
    "EXP",
    "number -> number",
    zh="e 的乘幂",
    en="e raised to a power.",
    example="EXP(1)",
)
def exp(number: Decimal) -> Decimal:
    if number > 709:
        raise Fault(NUM)
    return real(FIFTY.exp(number)) if number > -2000 else ZERO


def _logarithm(number: Decimal) -> Decimal:
    if number <= 0:
        raise Fault(NUM)
    return FIFTY.ln(number)


@function(
    "LN",
    "number -> number",
    zh="自然对数",
    en="The natural logarithm.",
    example="LN(10)",
)
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
    "LOG10",
    "number -> number",
    zh="以 10 为底的对数",
    en="The logarithm to base 10.",
    example="LOG10(100)",
)
def log10(number: Decimal) -> Decimal:
    return log(number)


def _factorial(number: Decimal) -> int:
    if not 0 <= number < 171:
        raise Fault(NUM)
    return math.factorial(int(number))


@function(
    "FACT",
    "number -> number",
    zh="阶乘",
    en="The factorial.",
    example="FACT(5)",
)
def fact(number: Decimal) -> Decimal:
    return Decimal(_factorial(number))


@function(
    "FACTDOUBLE",
    "number -> number",
    zh="双阶乘",
    en="The double factorial.",
    example="FACTDOUBLE(7)",
)
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


MOST_NUMERALS = 255
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ROMAN = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}


@function(
    "ROMAN",
    "number, any? -> text",
    zh="罗马数字，形式 0 为古典，4 为最简",
    en="A number in Roman numerals; form 0 is the classic one, 4 the shortest.",
    example="ROMAN(2024)",
)
def roman(number: Decimal, form: Any = None) -> str:
    rest, text = int(number), ""
    if not 0 <= rest < 4000:
        raise Fault(VALUE)
    for value, letters in _numerals(_form(form)):
        text += letters * (rest // value)
        rest %= value
    return text


def _form(given: Any) -> int:
    if given is None or isinstance(given, bool):
        return 4 if given is False else 0
    if not isinstance(given, Decimal) or not 0 <= int(given) <= 4:
        raise Fault(VALUE)
    return int(given)


def _numerals(form: int) -> list[tuple[int, str]]:
    """What may stand for what, largest first. Each form lets a letter one lower be taken away than the form before."""
    letters = list(ROMAN.items())
    found = dict.fromkeys((value, letter) for letter, value in letters)
    for high, (letter, value) in enumerate(letters):
        nearest = high // 2 * 2 + 2
        for small, less in letters[nearest : nearest + form + 1]:
            found[value - less, small + letter] = None
    return sorted(found, reverse=True)


@function(
    "ARABIC",
    "text -> number",
    zh="把罗马数字转换为数字",
    en="The number that a Roman numeral stands for.",
    example='ARABIC("XIV")',
)
def arabic(text: str) -> Decimal:
    sign, letters = (-1, text.strip()[1:]) if text.strip().startswith("-") else (1, text.strip())
    if len(letters) > MOST_NUMERALS or any(letter not in ROMAN for letter in letters.upper()):
        raise Fault(VALUE)
    values = [ROMAN[letter] for letter in letters.upper()]
    following = [*values[1:], 0]
    return Decimal(sign * sum(-v if v < after else v for v, after in zip(values, following, strict=False)))


@function(
    "BASE",
    "number, number, number? -> text",
    zh="转换为指定进制的文本",
    en="A whole number written in another base, with at least so many digits.",
    example="BASE(255, 16, 4)",
)
def base(number: Decimal, radix: Decimal, length: Decimal = ZERO) -> str:
    rest, system, width = int(number), int(radix), int(length)
    if not (0 <= rest < 2**53 and 2 <= system <= 36 and 0 <= width <= 255):
        raise Fault(NUM)
    text = ""
    while rest:
        rest, digit = divmod(rest, system)
        text = DIGITS[digit] + text
    return (text or "0").rjust(width, "0")


@function(
    "DECIMAL",
    "text, number -> number",
    zh="把指定进制的文本转换为数字",
    en="The number that a text in another base stands for.",
    example='DECIMAL("FF", 16)',
)
def decimal_of(text: str, radix: Decimal) -> Decimal:
    system, digits = int(radix), text.strip().upper()
    if not 2 <= system <= 36 or len(digits) > 255 or any(d not in DIGITS[:system] for d in digits):
        raise Fault(NUM)
    return Decimal(int(digits, system)) if digits else ZERO
