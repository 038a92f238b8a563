"""Sums, counts and means of the values that meet conditions."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import flat
from schemas.formula.functions.base import function
from schemas.formula.functions.criteria import Criterion, criterion
from schemas.formula.functions.statistics import mean, total
from schemas.formula.sql import Given, Sql
from schemas.formula.values import (
    ONE,
    VALUE,
    ZERO,
    ErrorValue,
    Fault,
    Run,
)

# -- with conditions -------------------------------------------------------------------------------


def _condition_alone(*args: Given) -> Sql | None:
    return Sql("count_true", args) if len(args) == 1 else None


@function(
    "COUNTIF",
    "each, ~any? -> number",
    world=True,
    sql=_condition_alone,
    zh="满足条件的个数",
    en="How many values meet a condition.",
    example='COUNTIF(items.price, ">100")',
)
def count_if(run: Run, values: Any, test: Callable[[], Any] | None = None) -> Decimal:
    if test is None:
        return Decimal(sum(1 for item in flat(_raised(values)) if item is True))
    meets = criterion(_single(test()), run)
    return Decimal(sum(1 for item in flat(values) if meets(item)))


def _raised(values: Any) -> Any:
    for item in flat(values):
        if isinstance(item, ErrorValue):
            raise Fault(item)
    return values


def _single(value: Any) -> Any:
    while isinstance(value, list):
        value = value[0] if value else None
    return value


@function(
    "SUMIF",
    "each, ~any, each? -> number",
    world=True,
    zh="对满足条件的值求和",
    en="The sum of the values that meet a condition.",
    example='SUMIF(items.kind, "trip", items.price)',
)
def sum_if(run: Run, values: Any, test: Callable[[], Any], summed: Any = None) -> Decimal:
    given = test()
    items = list(flat(_as_rows(values)))
    if isinstance(given, list) and items and all(isinstance(i, bool) or i is None for i in items):
        return total([n for n, holds in zip(flat(given), items, strict=False) if holds and isinstance(n, Decimal)])
    return total(
        _chosen(
            items,
            list(flat(_as_rows(summed))) if summed is not None else items,
            criterion(_single(given), run),
        )
    )


def _as_rows(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _chosen(tested: list[Any], taken: list[Any], meets: Criterion) -> list[Decimal]:
    found = []
    for item, number in zip(tested, taken, strict=False):
        if meets(item):
            if isinstance(number, ErrorValue):
                raise Fault(number)
            if isinstance(number, Decimal):
                found.append(number)
    return found


@function(
    "AVERAGEIF",
    "each, ~any, each? -> number",
    world=True,
    zh="满足条件的值的平均值",
    en="The mean of the values that meet a condition.",
    example='AVERAGEIF(items.kind, "trip", items.price)',
)
def average_if(run: Run, values: Any, test: Callable[[], Any], taken: Any = None) -> Decimal:
    items = list(flat(_as_rows(values)))
    numbers_of = list(flat(_as_rows(taken))) if taken is not None else items
    return mean(_chosen(items, numbers_of, criterion(_single(test()), run)))


def _matching(run: Run, first: Any, pairs: tuple[Any, ...]) -> list[Decimal]:
    """The numbers of a list for which all conditions on lists of the same length hold."""
    taken = list(flat(_as_rows(first)))
    if len(pairs) % 2:
        raise Fault(VALUE)
    holds = [True] * len(taken)
    for values, test in zip(pairs[::2], pairs[1::2], strict=True):
        items = list(flat(_as_rows(values)))
        if len(items) != len(taken):
            raise Fault(VALUE)
        meets = criterion(_single(test()), run)
        holds = [held and meets(item) for held, item in zip(holds, items, strict=True)]
    return _chosen(holds, taken, lambda held: bool(held))


def _conditional(name: str, reduce: Callable[[list[Decimal]], Decimal], zh: str, en: str) -> None:
    @function(
        name,
        "each, each, ~any, (each, ~any)... -> number",
        world=True,
        zh=zh,
        en=en,
        example=f'{name}(items.price, items.kind, "trip", items.paid, TRUE)',
    )
    def conditional(run: Run, first: Any, *pairs: Any) -> Decimal:
        return reduce(_matching(run, first, pairs))


_conditional("SUMIFS", total, "满足全部条件的值求和", "The sum of the values that meet all conditions.")
_conditional("AVERAGEIFS", mean, "满足全部条件的值的平均值", "Their mean.")
_conditional("MAXIFS", lambda n: max(n, default=ZERO), "满足全部条件的最大值", "The largest of them.")
_conditional("MINIFS", lambda n: min(n, default=ZERO), "满足全部条件的最小值", "The smallest of them.")


@function(
    "COUNTIFS",
    "each, ~any, (each, ~any)... -> number",
    world=True,
    zh="满足全部条件的个数",
    en="How many meet all conditions.",
    example='COUNTIFS(items.kind, "trip", items.price, ">100")',
)
def count_ifs(run: Run, *pairs: Any) -> Decimal:
    size = len(list(flat(_as_rows(pairs[0]))))
    return Decimal(len(_matching(run, [ONE] * size, pairs)))
