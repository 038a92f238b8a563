"""The operations that take whole arguments: comparisons, branches, texts and dates."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    and_,
    case,
    cast,
    false,
    func,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import array as make_array
from sqlalchemy.types import Boolean

from runtime import sql_dates as dates
from runtime import sql_operations as ops
from runtime.sql_convert import as_kind, blank, blank_filled, day, local, moment, ordered, read_as, same
from runtime.sql_operations import Piece, any_error, constant
from schemas.formula.types import Type, unify

if TYPE_CHECKING:
    from runtime.expressions import Argument, Renderer, Series, Use

Column = ColumnElement[Any]
Form = Callable[..., Piece]
FORMS: dict[str, Form] = {}


def form(name: str) -> Callable[[Form], Form]:
    def register(made: Form) -> Form:
        FORMS[name] = made
        return made

    return register


def condition(value: Column, *pieces: Piece) -> Piece:
    return Piece(value, any_error(*pieces), "boolean", total=True)


def element_type(type: Type) -> Type:
    return type.of if type.kind == "array" and type.of else type


def folds(one: Type, other: Type) -> bool:
    """Whether two texts are compared without regard to case: not if they are ids of one choice."""
    both = unify(element_type(one), element_type(other))
    return both is None or both.kind not in ("choice", "member", "department", "link")


# -- comparisons -----------------------------------------------------------------------------------


@form("=")
def equal(renderer: "Renderer", use: "Use", one: "Argument", other: "Argument") -> Piece:
    left, right = one.one(), other.one()
    return condition(same(left, right, renderer.clock, folds(one.type, other.type)), left, right)


def _order(sign: str) -> None:
    @form(sign)
    def compare(renderer: "Renderer", use: "Use", one: "Argument", other: "Argument") -> Piece:
        left, right = one.one(), other.one()
        return condition(ordered(sign, left, right, renderer.clock), left, right)


for _sign in ("<", ">", "<=", ">="):
    _order(_sign)


@form("is_blank")
def is_blank(renderer: "Renderer", use: "Use", value: "Argument") -> Piece:
    singles, lists = value.spread()
    if singles and not lists and value.type.kind != "array":
        return condition(blank(singles[0]), singles[0])
    empty = [func.coalesce(s.count(), 0) == 0 for s in lists]
    return condition(and_(false() if singles else true(), *empty))


@form("in")
def within(renderer: "Renderer", use: "Use", value: "Argument", items: "Argument") -> Piece:
    one = value.one()
    return condition(_among(renderer, one, value.type, items), one)


@form("contains")
def contains(renderer: "Renderer", use: "Use", where: "Argument", what: "Argument") -> Piece:
    sought = what.one()
    singles, lists = where.spread()
    if lists or where.type.kind == "array":
        return condition(_among(renderer, sought, what.type, where), sought)
    text, part = (blank_filled(read_as(p, "text", renderer.clock), "text") for p in (singles[0], sought))
    return condition(func.strpos(ops.fold(text.value), ops.fold(part.value)) > 0, text, part)


def _among(renderer: "Renderer", one: Piece, type: Type, items: "Argument") -> Column:
    singles, lists = items.spread()
    folded = folds(type, items.type)
    if not lists and not folded and len(singles) > 1 and all(p.is_constant and p.kind != "blank" for p in singles):
        return and_(one.value.in_([p.value for p in singles]), one.value.is_not(None))
    hits = [_and_no_error(same(one, p, renderer.clock, folded), p) for p in singles]
    return or_(false(), *hits, *(_in_list(renderer, one, s, items, folded) for s in lists))


def _and_no_error(test: Column, piece: Piece) -> Column:
    return test if piece.error is None else and_(not_(piece.error), test)


def _in_list(renderer: "Renderer", one: Piece, series: "Series", items: "Argument", folded: bool) -> Column:
    array = array_of(renderer, items)
    if array is not None and not folded and one.kind != "blank":
        if one.is_constant:
            return and_(array.bool_op("@>")(cast([one.constant], array.type)), array.is_not(None))
        held = array.bool_op("@>")(cast(make_array([one.value]), array.type))
        return and_(held, one.value.is_not(None), array.is_not(None))
    hit = _and_no_error(same(one, series.element, renderer.clock, folded), series.element)
    return func.coalesce(series.aggregate(func.bool_or, hit), false(), type_=Boolean())


def array_of(renderer: "Renderer", argument: "Argument") -> Column | None:
    """The array column that an argument is, if it is nothing more."""
    from schemas.formula.typed import Me, Read

    node = argument.node
    if isinstance(node, Me) and node.type.kind == "array":
        return renderer.clock.me(node.facts)
    if isinstance(node, Read) and node.rows == node.path and node.kinds[-1].kind == "array":
        value = renderer.value(renderer.source, node.path, node.kinds)
        return value if isinstance(value.type, ARRAY) else None
    return None


# -- logic -----------------------------------------------------------------------------------------


def _truths(
    use_args: Sequence["Argument"], renderer: "Renderer", aggregate: Any, empty: Column
) -> tuple[list[Any], list[Piece]]:
    values: list[Any] = []
    errors: list[Piece] = []
    for argument in use_args:
        singles, lists = argument.spread()
        for single in singles:
            values.append(blank_filled(read_as(single, "boolean", renderer.clock), "boolean").value)
            errors.append(single)
        for series in lists:
            element = read_as(series.element, "boolean", renderer.clock)
            truth = blank_filled(element, "boolean").value
            values.append(func.coalesce(series.aggregate(aggregate, truth), empty, type_=Boolean()))
            errors.append(Piece(empty, series.failed()))
    return values, errors


@form("and")
def every(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    values, errors = _truths(args, renderer, func.bool_and, true())
    return condition(and_(true(), *values), *errors)


@form("or")
def some(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    values, errors = _truths(args, renderer, func.bool_or, false())
    return condition(or_(false(), *values), *errors)


def number_true(value: Column) -> Column:
    return func.count().filter(value)


@form("xor")
def odd(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    def parity(truth: Column) -> Column:
        return func.mod(number_true(truth), 2) == 1

    values, errors = _truths(args, renderer, parity, false())
    result = values[0]
    for value in values[1:]:
        result = result.is_distinct_from(value)
    return condition(result, *errors)


def chosen(use: "Use", renderer: "Renderer", branches: Sequence[tuple[Piece, Piece]], otherwise: Piece) -> Piece:
    """The value of the first branch whose condition holds; only errors on the way to it count."""
    value = case(*((c.value, v.value) for c, v in branches), else_=otherwise.value)
    steps: list[tuple[Any, Any]] = []
    for test, then in branches:
        if test.error is not None:
            steps.append((test.error, true()))
        steps.append((test.value, false() if then.error is None else then.error))
    last = false() if otherwise.error is None else otherwise.error
    fails = otherwise.error is not None or any(p.error is not None for branch in branches for p in branch)
    pieces = [p for _, p in branches] + [otherwise]
    digits, scale = max(p.digits for p in pieces), max(p.scale for p in pieces)
    return Piece(value, case(*steps, else_=last) if fails else None, use.kind, digits, scale)


def _branch(argument: "Argument", use: "Use", renderer: "Renderer") -> Piece:
    return as_kind(argument.one(), use.kind, renderer.clock)


@form("case")
def if_(
    renderer: "Renderer", use: "Use", test: "Argument", then: "Argument", otherwise: "Argument | None" = None
) -> Piece:
    nothing = as_kind(constant(None, "blank"), use.kind, renderer.clock)
    last = _branch(otherwise, use, renderer) if otherwise else nothing
    return chosen(use, renderer, [(test.filled(), _branch(then, use, renderer))], last)


@form("cases")
def ifs(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    branches = [(c.filled(), _branch(v, use, renderer)) for c, v in zip(args[::2], args[1::2], strict=True)]
    missing = as_kind(constant(None, "blank"), use.kind, renderer.clock)
    return chosen(use, renderer, branches, replace(missing, error=true()))


@form("switch")
def switch(renderer: "Renderer", use: "Use", value: "Argument", *args: "Argument") -> Piece:
    one = value.one()
    branches = []
    for test, then in zip(args[::2], args[1::2], strict=False):
        other = test.one()
        met = condition(same(one, other, renderer.clock, folds(value.type, test.type)), other)
        branches.append((met, _branch(then, use, renderer)))
    missing = replace(as_kind(constant(None, "blank"), use.kind, renderer.clock), error=true())
    last = _branch(args[-1], use, renderer) if len(args) % 2 else missing
    result = chosen(use, renderer, branches, last)
    return replace(result, error=any_error(one, result))


@form("if_error")
def if_error(renderer: "Renderer", use: "Use", value: "Argument", instead: "Argument") -> Piece:
    one = _branch(value, use, renderer)
    if one.error is None:
        return one
    other = _branch(instead, use, renderer)
    error = None if other.error is None else and_(one.error, other.error)
    return Piece(
        case((one.error, other.value), else_=one.value),
        error,
        use.kind,
        max(one.digits, other.digits),
        max(one.scale, other.scale),
    )


@form("is_error")
def is_error(renderer: "Renderer", use: "Use", value: "Argument") -> Piece:
    error = value.one().error
    return condition(false() if error is None else error)


@form("choose")
def choose(renderer: "Renderer", use: "Use", place: "Argument", *values: "Argument") -> Piece:
    number = place.filled()
    branches = [
        (condition(and_(number.value >= n, number.value < n + 1)), _branch(value, use, renderer))
        for n, value in enumerate(values, 1)
    ]
    missing = replace(as_kind(constant(None, "blank"), use.kind, renderer.clock), error=true())
    result = chosen(use, renderer, branches, missing)
    return replace(result, error=any_error(number, result))


@form("is_kind")
def is_kind(renderer: "Renderer", use: "Use", value: "Argument", *kinds: str) -> Piece:
    """Whether there is a value of one of these kinds; an error and a blank are of none."""
    one = value.one()
    there = and_(not_(blank(one)), true() if one.error is None else not_(one.error))
    return condition(there if one.kind in kinds else false())


@form("as_number")
def as_number(renderer: "Renderer", use: "Use", value: "Argument") -> Piece:
    one = value.one()
    if one.kind in ("number", "boolean", "blank"):
        return blank_filled(read_as(one, "number", renderer.clock), "number")
    return Piece(constant(Decimal(0), "number").value, one.error, "number", 1, 0, total=True)


@form("me_name")
def me_name(renderer: "Renderer", use: "Use") -> Piece:
    return Piece(renderer.clock.me(("name",)), kind="text")


# -- texts -----------------------------------------------------------------------------------------


@form("&")
def joined(renderer: "Renderer", use: "Use", left: Any, right: Any) -> Piece:
    return concat(renderer, use, left, right)


@form("concat")
def concat(renderer: "Renderer", use: "Use", *values: Any) -> Piece:
    pieces = [renderer.sql(v, use) if not isinstance(v, Piece) else v for v in values]
    return Piece(ops.nothing_if_empty(func.concat(*(p.value for p in pieces))), any_error(*pieces), "text")


# -- dates -----------------------------------------------------------------------------------------


@form("now")
def now(renderer: "Renderer", use: "Use") -> Piece:
    return Piece(renderer.clock.now(), kind="datetime")


@form("today")
def today(renderer: "Renderer", use: "Use") -> Piece:
    return Piece(renderer.clock.today(), kind="date")


@form("add_days")
def add_days(renderer: "Renderer", use: "Use", value: Any, days: Any, kind: str = "") -> Piece:
    return dates.add_days(renderer.sql(value, use), renderer.sql(days, use))


@form("days_between")
def days_between(renderer: "Renderer", use: "Use", left: Any, right: Any, *kinds: str) -> Piece:
    one, other = renderer.sql(left, use), renderer.sql(right, use)
    if "datetime" not in (one.kind, other.kind):
        return dates.between_days(one, other)
    return _between(renderer, one, other, 86_400)


@form("hours_between")
def hours_between(renderer: "Renderer", use: "Use", left: Any, right: Any) -> Piece:
    return _between(renderer, renderer.sql(left, use), renderer.sql(right, use), 3600)


def _between(renderer: "Renderer", one: Piece, other: Piece, unit: int) -> Piece:
    return dates.between_moments(moment(one, renderer.clock), moment(other, renderer.clock), unit)


@form("moment")
def as_moment(renderer: "Renderer", use: "Use", value: Any) -> Piece:
    return moment(renderer.sql(value, use), renderer.clock)


@form("edate")
def edate(renderer: "Renderer", use: "Use", value: Any, months: Any) -> Piece:
    return dates.add_months(day(renderer.sql(value, use), renderer.clock), renderer.sql(months, use))


@form("eomonth")
def eomonth(renderer: "Renderer", use: "Use", value: Any, months: Any = None) -> Piece:
    count = None if months is None else renderer.sql(months, use)
    return dates.add_months(day(renderer.sql(value, use), renderer.clock), count, to_month_end=True)


def _date_part(name: str) -> None:
    @form(name)
    def part(renderer: "Renderer", use: "Use", value: Any) -> Piece:
        piece = renderer.sql(value, use)
        taken = dates.part(name, local(piece, renderer.clock))
        return Piece(taken, piece.error, "number", 4, 0)


for _name in ("year", "month", "day", "quarter", "hour", "minute", "second"):
    _date_part(_name)
