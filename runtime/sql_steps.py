"""Rounding to steps, to even and odd, as schemas/formula/functions/rounding.py does it."""

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import Numeric, and_, case, func, literal, or_

from runtime.sql_operations import Column, strict


def _number(value: int) -> Column:
    return literal(Decimal(value), Numeric())


ZERO, ONE, TWO = (_number(n) for n in (0, 1, 2))
Further = Callable[[Column, Column], Column]


def _up(rest: Column, size: Column) -> Column:
    return case((rest > ZERO, ONE), else_=ZERO)


def _down(rest: Column, size: Column) -> Column:
    return case((rest < ZERO, -ONE), else_=ZERO)


def _nearest(rest: Column, size: Column) -> Column:
    return case((func.abs(rest) * TWO >= size, func.sign(rest)), else_=ZERO)


def _away(rest: Column, size: Column) -> Column:
    return func.sign(rest)


def stepped(x: Column, step: Column, further: Further) -> Column:
    """A multiple of the step's size beside a number: what fits into it, and one further where that is asked for."""
    size = func.nullif(func.abs(step), ZERO, type_=Numeric())
    fits = func.div(x, size, type_=Numeric())
    return func.coalesce((fits + further(x - fits * size, size)) * size, ZERO, type_=Numeric())


@strict("ceiling", "number")
def _ceiling(x: Column, step: Column) -> Column:
    return case((step < ZERO, stepped(x, step, _down)), else_=stepped(x, step, _up))


@strict("floor_to", "number")
def _floor_to(x: Column, step: Column) -> Column:
    return case((step < ZERO, stepped(x, step, _up)), else_=stepped(x, step, _down))


@strict("no_ceiling", "boolean")
def _no_ceiling(x: Column, step: Column) -> Column:
    return and_(x > ZERO, step < ZERO)


@strict("no_floor", "boolean")
def _no_floor(x: Column, step: Column) -> Column:
    return or_(and_(x > ZERO, step < ZERO), and_(x != ZERO, step == ZERO))


@strict("ceiling_math", "number")
def _ceiling_math(x: Column, step: Column, mode: Column) -> Column:
    return case((and_(mode != ZERO, x < ZERO), stepped(x, step, _down)), else_=stepped(x, step, _up))


@strict("floor_math", "number")
def _floor_math(x: Column, step: Column, mode: Column) -> Column:
    return case((and_(mode != ZERO, x < ZERO), stepped(x, step, _up)), else_=stepped(x, step, _down))


@strict("nearest_step", "number")
def _nearest_step(x: Column, step: Column) -> Column:
    return stepped(x, step, _nearest)


@strict("unlike_signs", "boolean")
def _unlike_signs(x: Column, step: Column) -> Column:
    return func.sign(x) * func.sign(step) < ZERO


@strict("even", "number")
def _even(x: Column) -> Column:
    return stepped(x, TWO, _away)


@strict("odd", "number")
def _odd(x: Column) -> Column:
    size = func.ceil(func.abs(x), type_=Numeric())
    odd = case((func.mod(size, TWO) == ZERO, size + ONE), else_=size)
    return case((x == ZERO, ONE), else_=func.sign(x) * odd)


@strict("is_even", "boolean")
def _is_even(x: Column) -> Column:
    return func.mod(func.trunc(x), TWO) == ZERO


@strict("quotient", "number")
def _quotient(x: Column, y: Column) -> Column:
    return func.div(x, func.nullif(y, ZERO, type_=Numeric()), type_=Numeric())
