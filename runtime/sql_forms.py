"""The operations that take whole arguments: comparisons, branches, lists and aggregates."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import Boolean

from runtime import sql_operations as ops
from runtime.sql_convert import as_kind, blank, blank_filled, local, ordered, read_as, same, settled
from runtime.sql_operations import Piece, any_error, constant
from schemas.formula.types import MOMENTS, Type, unify

if TYPE_CHECKING:
    from runtime.expressions import Argument, Renderer, Series, Use

Form = Callable[..., Piece]
FORMS: dict[str, Form] = {}
ZERO = literal(Decimal(0), Numeric())


def form(name: str) -> Callable[[Form], Form]:
    def register(made: Form) -> Form:
        FORMS[name] = made
        return made

    return register


def condition(value: ColumnElement[Any], *pieces: Piece) -> Piece:
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
    empty = [func.coalesce(s.aggregate(func.count()), 0) == 0 for s in lists]
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


def _among(renderer: "Renderer", one: Piece, type: Type, items: "Argument") -> ColumnElement[bool]:
    singles, lists = items.spread()
    folded = folds(type, items.type)
    if (
        not lists
        and not folded
        and len(singles) > 1
        and all(p.is_constant and p.kind != "blank" for p in singles)
    ):
        return and_(one.value.in_([p.value for p in singles]), one.value.is_not(None))
    hits = [_and_no_error(same(one, p, renderer.clock, folded), p) for p in singles]
    return or_(false(), *hits, *(_in_list(renderer, one, s, items, folded) for s in lists))


def _and_no_error(test: ColumnElement[bool], piece: Piece) -> ColumnElement[bool]:
    return test if piece.error is None else and_(not_(piece.error), test)


def _in_list(
    renderer: "Renderer", one: Piece, series: "Series", items: "Argument", folded: bool
) -> ColumnElement[bool]:
    array = array_of(renderer, items)
    if array is not None and not folded and one.kind != "blank":
        if one.is_constant:
            return and_(array.bool_op("@>")(cast([one.constant], array.type)), array.is_not(None))
        return and_(one.value == func.any(array), one.value.is_not(None), array.is_not(None))
    hit = _and_no_error(same(one, series.element, renderer.clock, folded), series.element)
    return func.coalesce(series.aggregate(func.bool_or(hit)), false(), type_=Boolean())


def array_of(renderer: "Renderer", argument: "Argument") -> ColumnElement[Any] | None:
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
    use_args: Sequence["Argument"], renderer: "Renderer", aggregate: Any, empty: ColumnElement[Any]
) -> tuple[list[Any], list[Piece]]:
    values: list[Any] = []
    errors: list[Piece] = []
    for argument in use_args:
        singles, lists = argument.spread()
        for single in singles:
            values.append(blank_filled(read_as(single, "boolean", renderer.clock), "boolean").value)
            errors.append(single)
        for series in lists:
            truth = read_as(series.element, "boolean", renderer.clock).value
            values.append(func.coalesce(series.aggregate(aggregate(truth)), empty, type_=Boolean()))
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


@form("xor")
def odd(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    def parity(truth: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.mod(func.count().filter(truth), 2) == 1

    values, errors = _truths(args, renderer, parity, false())
    result = values[0]
    for value in values[1:]:
        result = result.is_distinct_from(value)
    return condition(result, *errors)


def chosen(
    use: "Use", renderer: "Renderer", branches: Sequence[tuple[Piece, Piece]], otherwise: Piece
) -> Piece:
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
    return Piece(
        value,
        case(*steps, else_=last) if fails else None,
        use.kind,
        digits,
        scale,
        total=use.kind == "boolean",
    )


def _branch(argument: "Argument", use: "Use", renderer: "Renderer") -> Piece:
    piece = as_kind(argument.one(), use.kind, renderer.clock)
    return blank_filled(piece, "boolean") if use.kind == "boolean" else piece


@form("case")
def if_(
    renderer: "Renderer", use: "Use", test: "Argument", then: "Argument", otherwise: "Argument | None" = None
) -> Piece:
    last = constant(False if use.kind == "boolean" else None, "blank")
    last = _branch(otherwise, use, renderer) if otherwise else as_kind(last, use.kind, renderer.clock)
    return chosen(use, renderer, [(test.filled(), _branch(then, use, renderer))], last)


@form("cases")
def ifs(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
    branches = [(c.filled(), _branch(v, use, renderer)) for c, v in zip(args[::2], args[1::2], strict=True)]
    missing = as_kind(constant(None, "blank"), use.kind, renderer.clock)
    return chosen(use, renderer, branches, replace(missing, error=true()))


@form("switch")
def switch(renderer: "Renderer", use: "Use", value: "Argument", *args: "Argument") -> Piece:
    one = value.one()
    tests = [a for a in args[: len(args) // 2 * 2 : 2]]
    branches = []
    for test, then in zip(tests, args[1::2], strict=True):
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


@form("fails")
def fails(renderer: "Renderer", use: "Use", value: Any, when: Any) -> Piece:
    return ops.failing(renderer.sql(value, use), renderer.sql(when, use).value)


# -- aggregates ------------------------------------------------------------------------------------


def gathered(args: Sequence["Argument"]) -> tuple[list[Piece], list["Series"], list[Piece]]:
    """Single values, lists, and what may make the whole an error. A blank written out is nothing."""
    singles, lists = [], []
    for argument in args:
        one, many = argument.spread()
        singles += [p for p in one if p.kind != "blank" or p.error is not None]
        lists += many
    errors = [*singles, *(Piece(false(), s.failed()) for s in lists)]
    return singles, lists, errors


def total(values: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    result = values[0] if values else ZERO
    for value in values[1:]:
        result = result + value
    return result


def _numbers(
    renderer: "Renderer", args: Sequence["Argument"]
) -> tuple[list[Piece], list["Series"], list[Piece]]:
    singles, lists, errors = gathered(args)
    return [read_as(p, "number", renderer.clock) for p in singles], lists, errors


def _sums(singles: Sequence[Piece], lists: Sequence["Series"]) -> ColumnElement[Any]:
    ones = [func.coalesce(p.value, ZERO, type_=Numeric()) for p in singles]
    many = [func.coalesce(s.aggregate(func.sum(s.element.value)), ZERO, type_=Numeric()) for s in lists]
    return total([*ones, *many])


def _counts(singles: Sequence[Piece], lists: Sequence["Series"]) -> ColumnElement[Any]:
    ones = [case((blank(p), ZERO), else_=literal(Decimal(1), Numeric())) for p in singles]
    many = [cast(func.coalesce(s.aggregate(func.count(settled(s.element))), 0), Numeric()) for s in lists]
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
    ones = [
        case((blank_filled(p, "boolean").value, literal(Decimal(1), Numeric())), else_=ZERO) for p in singles
    ]
    many = [
        cast(func.coalesce(s.aggregate(func.count().filter(s.element.value)), 0), Numeric()) for s in lists
    ]
    return Piece(total([*ones, *many]), any_error(*errors), "number", 18, 0)


@form("sum_true")
def sum_true(renderer: "Renderer", use: "Use", test: "Argument", value: "Argument") -> Piece:
    """The sum of what stands beside conditions that hold, in the same rows."""
    (tested,), (summed,) = test.spread()[1], value.spread()[1]
    kept = ops.Piece(
        case((blank_filled(tested.element, "boolean").value, summed.element.value)),
        any_error(tested.element, summed.element),
    )
    series = type(tested)(kept, tested.froms, tested.on, tested.in_place)
    result = func.coalesce(series.aggregate(func.sum(kept.value)), ZERO, type_=Numeric())
    return Piece(result, series.failed(), "number", summed.element.digits + 12, summed.element.scale)


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
    value = series.element.value
    halves = [func.percentile_disc(0.5).within_group(order) for order in (value.asc(), value.desc())]
    low, high = (Piece(ops.numeric(cast(series.aggregate(h), Numeric())), None, "number") for h in halves)
    result = ops.divide(ops.add(low, high), constant(Decimal(2), "number"))
    return ops.failing(replace(result, error=any_error(*errors)), low.value.is_(None))


def _extreme(name: str, among: str) -> None:
    @form(name)
    def extreme(renderer: "Renderer", use: "Use", *args: "Argument") -> Piece:
        singles, lists, errors = gathered(args)
        kind = use.kind if use.kind in MOMENTS else "number"
        ones = [as_kind(read_as(p, kind, renderer.clock), kind, renderer.clock).value for p in singles]
        many = [
            s.aggregate(getattr(func, name)(as_kind(s.element, kind, renderer.clock).value)) for s in lists
        ]
        values = [*ones, *many]
        if not values:
            return as_kind(constant(None, "blank"), kind, renderer.clock)
        value = values[0] if len(values) == 1 else getattr(func, among)(*values, type_=values[0].type)
        return Piece(value, any_error(*errors), kind)


_extreme("max", "greatest")
_extreme("min", "least")


# -- texts -----------------------------------------------------------------------------------------


@form("&")
def joined(renderer: "Renderer", use: "Use", left: Any, right: Any) -> Piece:
    return concat(renderer, use, left, right)


@form("concat")
def concat(renderer: "Renderer", use: "Use", *values: Any) -> Piece:
    pieces = [renderer.sql(v, use) if not isinstance(v, Piece) else v for v in values]
    return Piece(ops.nothing_if_empty(func.concat(*(p.value for p in pieces))), any_error(*pieces), "text")


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
    value = series.aggregate(func.string_agg(text.value, aggregate_order_by(between.value, text.value)))
    return Piece(ops.nothing_if_empty(value), any_error(between, Piece(false(), series.failed())), "text")


# -- dates -----------------------------------------------------------------------------------------


@form("now")
def now(renderer: "Renderer", use: "Use") -> Piece:
    return Piece(renderer.clock.now(), kind="datetime")


@form("today")
def today(renderer: "Renderer", use: "Use") -> Piece:
    return Piece(renderer.clock.today(), kind="date")


@form("add_days")
def add_days(renderer: "Renderer", use: "Use", moment: Any, days: Any, kind: str = "") -> Piece:
    return ops.add_days(renderer.sql(moment, use), renderer.sql(days, use))


@form("days_between")
def days_between(renderer: "Renderer", use: "Use", left: Any, right: Any, *kinds: str) -> Piece:
    one, other = renderer.sql(left, use), renderer.sql(right, use)
    if "datetime" not in (one.kind, other.kind):
        return ops.between_days(one, other)
    as_moments = (as_kind(p, "datetime", renderer.clock) for p in (one, other))
    return ops.between_moments(*as_moments)


def _date_part(name: str) -> None:
    @form(name)
    def part(renderer: "Renderer", use: "Use", moment: Any) -> Piece:
        piece = renderer.sql(moment, use)
        value = ops.part(name, local(piece, renderer.clock))
        return Piece(value, piece.error, "number", 4, 0)


for _name in ("year", "month", "day", "quarter", "isodow", "hour", "minute", "second"):
    _date_part(_name)
