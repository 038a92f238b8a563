"""The operations that go through lists: sums, counts, extremes, joined texts."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Numeric, Text, and_, case, cast, false, func, literal, not_, or_, true, type_coerce
from sqlalchemy.dialects.postgresql import aggregate_order_by

from runtime import sql_operations as ops
from runtime.sql_convert import as_kind, blank, blank_filled, read_as, settled
from runtime.sql_forms import FORMS, Column, array_of, form, number_true
from runtime.sql_operations import Piece, any_error, constant
from schemas.formula.types import MOMENTS

if TYPE_CHECKING:
    from runtime.expressions import Argument, Renderer, Series, Use

ZERO = literal(Decimal(0), Numeric())


def gathered(args: Sequence["Argument"]) -> tuple[list[Piece], list["Series"], list[Piece]]:
    """Single values, lists, and what may make the whole an error. A blank written out is nothing."""
    singles, lists = [], []
    for argument in args:
        one, many = argument.spread()
        singles += [p for p in one if p.kind != "blank" or p.error is not None]
        lists += many
    errors = [*singles, *(Piece(false(), s.failed()) for s in lists)]
    return singles, lists, errors


def total(values: Sequence[Column]) -> Column:
    result = values[0] if values else ZERO
    for value in values[1:]:
        result = result + value
    return result


def _numbers(renderer: "Renderer", args: Sequence["Argument"]) -> tuple[list[Piece], list["Series"], list[Piece]]:
    singles, lists, errors = gathered(args)
    lists = [s for s in lists if s.element.kind != "boolean"]
    return [read_as(p, "number", renderer.clock) for p in singles], lists, errors


def _sums(singles: Sequence[Piece], lists: Sequence["Series"]) -> Column:
    ones = [func.coalesce(p.value, ZERO, type_=Numeric()) for p in singles]
    many = [func.coalesce(s.aggregate(func.sum), ZERO, type_=Numeric()) for s in lists]
    return total([*ones, *many])


def _counts(singles: Sequence[Piece], lists: Sequence["Series"]) -> Column:
    ones = [case((blank(p), ZERO), else_=literal(Decimal(1), Numeric())) for p in singles]
    many = [cast(func.coalesce(s.aggregate(func.count, settled(s.element)), 0), Numeric()) for s in lists]
    return total([*ones, *many])


@form("sum")
def sum_(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    singles, lists, errors = _numbers(renderer, args)
    scale = max((p.scale for p in [*singles, *(s.element for s in lists)]), default=0)
    digits = max((p.digits for p in [*singles, *(s.element for s in lists)]), default=1) + 12
    return Piece(_sums(singles, lists), any_error(*errors), "number", digits, scale)


@form("count")
def count(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    if not args:
        return Piece(cast(func.count(), Numeric()), None, "number", 18, 0)
    singles, lists, _ = gathered(args)
    return Piece(_counts(singles, lists), any_error(*singles), "number", 18, 0)


@form("count_true")
def count_true(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    singles, lists, errors = gathered(args)
    singles = [p for p in singles if p.kind == "boolean"]
    lists = [s for s in lists if s.element.kind == "boolean"]
    ones = [case((blank_filled(p, "boolean").value, literal(Decimal(1), Numeric())), else_=ZERO) for p in singles]
    many = [
        cast(func.coalesce(s.aggregate(number_true, blank_filled(s.element, "boolean").value), 0), Numeric())
        for s in lists
    ]
    return Piece(total([*ones, *many]), any_error(*errors), "number", 18, 0)


@form("average")
def average(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    singles, lists, errors = _numbers(renderer, args)
    number = Piece(_counts(singles, lists), None, "number", 18, 0)
    result = ops.divide(Piece(_sums(singles, lists), any_error(*errors), "number"), number)
    return ops.failing(result, number.value == 0)


@form("median")
def median(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    """The mean of the two in the middle, of one list."""
    singles, lists, errors = _numbers(renderer, args)
    series = lists[0]

    def lower(value: Column) -> Column:
        return func.percentile_disc(0.5).within_group(value.asc())

    def upper(value: Column) -> Column:
        return func.percentile_disc(0.5).within_group(value.desc())

    halves = [series.aggregate(lower), series.aggregate(upper)]
    low, high = (Piece(cast(half, Numeric()), None, "number") for half in halves)
    result = ops.divide(ops.add(low, high), constant(Decimal(2), "number"))
    return ops.failing(replace(result, error=any_error(*errors)), low.value.is_(None))


@form("count_blank")
def count_blank(renderer: "Renderer", use: "Use", value: "Argument") -> Piece:
    singles, lists = value.spread()
    ones = [case((_and_sound(p), literal(Decimal(1), Numeric())), else_=ZERO) for p in singles]
    many = [cast(s.aggregate(number_true, _and_sound(s.element)), Numeric()) for s in lists]
    return Piece(total([*ones, *many]), any_error(*singles), "number", 18, 0)


def _and_sound(piece: Piece) -> Column:
    """Whether there is no value, and no error either."""
    return blank(piece) if piece.error is None else and_(blank(piece), not_(piece.error))


@form("sum_squares")
def sum_squares(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    singles, lists, errors = _numbers(renderer, args)
    squares = [ops.multiply(p, p) for p in singles]
    listed = [replace(s, element=ops.multiply(s.element, s.element)) for s in lists]
    scale = max((p.scale for p in [*squares, *(s.element for s in listed)]), default=0)
    digits = max((p.digits for p in [*squares, *(s.element for s in listed)]), default=1) + 12
    return Piece(_sums(squares, listed), any_error(*errors), "number", digits, scale)


@form("product")
def product(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    """Blanks do not count; of nothing but blanks it is 0."""
    singles, _, errors = _numbers(renderer, args)
    result = constant(Decimal(1), "number")
    for one in singles:
        result = ops.multiply(result, replace(one, value=func.coalesce(one.value, literal(Decimal(1), Numeric()))))
    empty = and_(true(), *(blank(p) for p in singles))
    return replace(result, value=case((empty, ZERO), else_=result.value), error=any_error(result, *errors))


def _nth(name: str, down: bool) -> None:
    @form(name)
    def nth(renderer: "Renderer", use: "Use", values: "Argument", place: Any) -> Piece:
        """The so-manieth number of a list by size."""
        _, lists, errors = _numbers(renderer, [values])
        number = renderer.sql(place, use)
        if not lists:
            return ops.failing(constant(Decimal(0), "number"), true())
        value = lists[0].element.value

        def sorted_(value: Column) -> Column:
            return func.array_agg(
                aggregate_order_by(value, value.desc() if down else value.asc()), type_=ARRAY(Numeric())
            )

        placed = lists[0].aggregate(lambda v: sorted_(v).filter(v.is_not(None)), value)
        at = ops.integer(func.ceil(number.value, type_=Numeric()), 0)
        count = func.coalesce(func.cardinality(placed), 0)
        found = Piece(type_coerce(placed, ARRAY(Numeric()))[at], any_error(number, *errors), "number")
        return ops.failing(found, or_(number.value < 1, number.value > count))


_nth("largest", True)
_nth("smallest", False)


def _extreme(name: str, among: str) -> None:
    @form(name)
    def extreme(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
        singles, lists, errors = gathered(args)
        kind = use.kind if use.kind in MOMENTS else "number"
        lists = [s for s in lists if s.element.kind != "boolean"]
        ones = [as_kind(read_as(p, kind, renderer.clock), kind, renderer.clock).value for p in singles]
        many = [s.aggregate(getattr(func, name), as_kind(s.element, kind, renderer.clock).value) for s in lists]
        values = [*ones, *many]
        if not values:
            return as_kind(constant(None, "blank"), kind, renderer.clock)
        value = values[0] if len(values) == 1 else getattr(func, among)(*values, type_=values[0].type)
        return Piece(value, any_error(*errors), kind)


_extreme("max", "greatest")
_extreme("min", "least")


@form("join")
def join(renderer: "Renderer", use: "Use", items: "Argument", separator: "Argument") -> Piece:
    """The elements of one list with a text between them, in the list's order for arrays."""
    between = separator.filled()
    array = array_of(renderer, items)
    if array is not None:
        joined = func.array_to_string(cast(array, ARRAY(Text())), between.value, type_=Text())
        return Piece(ops.nothing_if_empty(joined), between.error, "text")
    (series,) = items.spread()[1]
    text = read_as(series.element, "text", renderer.clock)
    order = text.value if series.order is None else series.order
    placed = case((order.is_not(None), text.value))

    def together(value: Column) -> Column:
        return func.string_agg(value, aggregate_order_by(between.value, order))

    value = series.aggregate(together, placed)
    return Piece(ops.nothing_if_empty(value), any_error(between, Piece(false(), series.failed())), "text")


__all__ = ["FORMS"]
