"""Loans, savings and what later payments are worth today."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from schemas.formula.functions.base import function
from schemas.formula.functions.math import FIFTY, real
from schemas.formula.functions.statistics import numbers
from schemas.formula.values import DIV0, NUM, ONE, ZERO, Fault, Run

MOST_PERIODS = 10_000
STEPS = 100


def _growth(rate: Decimal, periods: Decimal) -> Decimal:
    """What one becomes after so many periods."""
    if rate <= -1 or abs(periods) > MOST_PERIODS:
        raise Fault(NUM)
    return FIFTY.power(ONE + rate, periods)


def _annuity(rate: Decimal, periods: Decimal, at_begin: Decimal) -> Decimal:
    """What one paid every period has become after all of them."""
    if not rate:
        return periods
    paid = FIFTY.divide(_growth(rate, periods) - ONE, rate)
    return FIFTY.multiply(paid, ONE + rate) if at_begin else paid


def _divided(above: Decimal, below: Decimal) -> Decimal:
    if not below:
        raise Fault(DIV0)
    return real(FIFTY.divide(above, below))


@function(
    "PMT",
    "number, number, number, number?, number? -> number",
    zh="每期还款额：利率, 期数, 现值, 终值, 期初为 1",
    en="The payment of each period: rate, periods, present value, future value, 1 for the period's beginning.",
    example="PMT(0.005, 36, -100000)",
)
def pmt(rate: Decimal, periods: Decimal, present: Decimal, future: Decimal = ZERO, begin: Decimal = ZERO) -> Decimal:
    if not periods:
        raise Fault(NUM)
    grown = FIFTY.add(FIFTY.multiply(present, _growth(rate, periods)), future)
    return _divided(-grown, _annuity(rate, periods, begin))


@function(
    "FV",
    "number, number, number, number?, number? -> number",
    zh="终值：利率, 期数, 每期金额, 现值, 期初为 1",
    en="The future value of payments: rate, periods, payment, present value, 1 for the period's beginning.",
    example="FV(0.005, 12, -1000)",
)
def fv(rate: Decimal, periods: Decimal, paid: Decimal, present: Decimal = ZERO, begin: Decimal = ZERO) -> Decimal:
    grown = FIFTY.multiply(present, _growth(rate, periods))
    return real(-FIFTY.add(grown, FIFTY.multiply(paid, _annuity(rate, periods, begin))))


@function(
    "PV",
    "number, number, number, number?, number? -> number",
    zh="现值：利率, 期数, 每期金额, 终值, 期初为 1",
    en="What payments are worth today: rate, periods, payment, future value, 1 for the period's beginning.",
    example="PV(0.005, 36, -3000)",
)
def pv(rate: Decimal, periods: Decimal, paid: Decimal, future: Decimal = ZERO, begin: Decimal = ZERO) -> Decimal:
    grown = FIFTY.add(future, FIFTY.multiply(paid, _annuity(rate, periods, begin)))
    return _divided(-grown, _growth(rate, periods))


@function(
    "NPER",
    "number, number, number, number?, number? -> number",
    zh="期数：利率, 每期金额, 现值, 终值, 期初为 1",
    en="How many periods: rate, payment, present value, future value, 1 for the period's beginning.",
    example="NPER(0.01, -100, 1000)",
)
def nper(rate: Decimal, paid: Decimal, present: Decimal, future: Decimal = ZERO, begin: Decimal = ZERO) -> Decimal:
    if not rate:
        return _divided(-(present + future), paid)
    each = FIFTY.multiply(paid, ONE + (rate if begin else ZERO))
    above, below = each - FIFTY.multiply(future, rate), each + FIFTY.multiply(present, rate)
    if rate <= -1 or not below or above / below <= 0:
        raise Fault(NUM)
    return _divided(FIFTY.ln(FIFTY.divide(above, below)), FIFTY.ln(ONE + rate))


@function(
    "NPV",
    "number, numbers... -> number",
    world=True,
    zh="净现值：贴现率, 各期期末的收支",
    en="What payments at the ends of periods are worth today.",
    example="NPV(0.1, -10000, 3000, 4200, 6800)",
)
def npv(run: Run, rate: Decimal, *values: Any) -> Decimal:
    paid = list(numbers(run, values))
    if rate == -1:
        raise Fault(DIV0)
    return real(_worth(rate, paid, 1))


def _worth(rate: Decimal, paid: list[Decimal], first: int) -> Decimal:
    if len(paid) > MOST_PERIODS:
        raise Fault(NUM)
    worth, factor = ZERO, FIFTY.power(ONE + rate, first)
    for value in paid:
        worth = FIFTY.add(worth, FIFTY.divide(value, factor))
        factor = FIFTY.multiply(factor, ONE + rate)
    return worth


@function(
    "IRR",
    "numbers, number? -> number",
    world=True,
    zh="内部收益率：各期收支, 估计值",
    en="The rate at which payments are worth nothing today.",
    example="IRR({-70000,12000,15000,18000,21000})",
)
def irr(run: Run, values: Any, guess: Decimal = Decimal("0.1")) -> Decimal:
    paid = list(numbers(run, (values,)))
    if not paid or not min(paid) < 0 < max(paid) or guess <= -1:
        raise Fault(NUM)
    run.burn(STEPS * len(paid))
    return real(_root(lambda rate: _worth(rate, paid, 0), guess).quantize(Decimal("1E-18")))


def _root(of: Callable[[Decimal], Decimal], guess: Decimal) -> Decimal:
    """Where a function is nothing, by Newton's way."""
    rate, small = guess, Decimal("1E-12")
    for _ in range(STEPS):
        value = of(rate)
        slope = FIFTY.divide(of(rate + small) - value, small)
        if not slope:
            break
        step = FIFTY.divide(value, slope)
        if abs(step) < Decimal("1E-20"):
            return rate
        rate = max(rate - step, Decimal("-0.999999"))
        if abs(step) < Decimal("1E-16"):
            return rate
    raise Fault(NUM)


@function(
    "SLN",
    "number, number, number -> number",
    zh="直线折旧：原值, 残值, 年限",
    en="The depreciation of each year: cost, rest, years.",
    example="SLN(30000, 7500, 10)",
)
def sln(cost: Decimal, rest: Decimal, life: Decimal) -> Decimal:
    return _divided(cost - rest, life)
