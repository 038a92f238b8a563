"""Many numbers as one: sums, means, extremes, counts, with and without conditions."""

import math
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import as_number, flat, is_blank, number_in
from schemas.formula.functions.base import FUNCTIONS, function
from schemas.formula.functions.math import FIFTY, real
from schemas.formula.functions.operators import moment_of
from schemas.formula.functions.rounding import whole
from schemas.formula.sql import Form, Given, Sql
from schemas.formula.types import NUMBER, Type, unify
from schemas.formula.values import (
    DIV0,
    EXACT,
    NA,
    NUM,
    ONE,
    VALUE,
    ZERO,
    ErrorValue,
    Fault,
    Run,
    bounded,
    divide,
    fold,
)
from schemas.messages import Message, say


def numbers(run: Run, args: tuple[Any, ...]) -> Iterator[Decimal]:
    """The numbers among arguments: blanks are skipped; in lists, whatever is not a number is too."""
    for arg in args:
        if not isinstance(arg, list):
            if arg is not None:
                yield as_number(_spelled(arg), run.world)
            continue
        for item in flat(arg):
            if isinstance(item, ErrorValue):
                raise Fault(item)
            if isinstance(item, Decimal) or (isinstance(item, date) and run.world.untyped):
                yield as_number(item, run.world)


def _spelled(value: Any) -> Any:
    """A text given by itself must spell a number."""
    if isinstance(value, str) and number_in(value) is None and not value[:1].isdigit():
        raise Fault(VALUE)
    return value


def numbers_a(run: Run, args: tuple[Any, ...]) -> Iterator[Decimal]:
    """As `numbers`, but texts in lists count as 0, TRUE and FALSE as 1 and 0."""
    for arg in args:
        for item in flat(arg):
            if isinstance(item, ErrorValue):
                raise Fault(item)
            if item is not None:
                in_list = isinstance(arg, list) and isinstance(item, str)
                yield ZERO if in_list else as_number(_spelled(item), run.world)


def total(found: "Iterator[Decimal] | list[Decimal]") -> Decimal:
    result = ZERO
    for number in found:
        result = EXACT.add(result, number)
    return bounded(result)


def mean(found: list[Decimal]) -> Decimal:
    return divide(total(found), Decimal(len(found)))


@function(
    "SUM",
    "numbers... -> number",
    world=True,
    sql=lambda *args: Sql("sum", args),
    zh="求和",
    en="The sum of numbers or of a column.",
    example="SUM(items.price)",
)
def sum_(run: Run, *args: Any) -> Decimal:
    return total(numbers(run, args))


@function(
    "AVERAGE",
    "numbers... -> number",
    world=True,
    sql=lambda *args: Sql("average", args),
    zh="平均值，空值不计",
    en="The mean; blanks do not count.",
    example="AVERAGE(items.price)",
)
def average(run: Run, *args: Any) -> Decimal:
    return mean(list(numbers(run, args)))


@function(
    "AVERAGEA",
    "each... -> number",
    world=True,
    zh="平均值，文本按 0 计",
    en="The mean; texts count as 0.",
    example="AVERAGEA(1, TRUE)",
)
def average_a(run: Run, *args: Any) -> Decimal:
    return mean(list(numbers_a(run, args)))


@function(
    "COUNT",
    "each... -> number",
    world=True,
    sql=lambda *args: Sql("count", args),
    zh="有值的个数；对子表计行数",
    en="How many values there are; for a subform, how many rows.",
    example="COUNT(items)",
)
def count(run: Run, *args: Any) -> Decimal:
    if run.world.untyped:
        return Decimal(sum(1 for arg in args for item in flat(arg) if _is_number(item, isinstance(arg, list))))
    return counted(args)


def _is_number(item: Any, in_list: bool) -> bool:
    """What Excel's COUNT counts: by itself also TRUE and a text that spells a number."""
    if isinstance(item, date):
        return True
    if in_list or not isinstance(item, str | bool):
        return isinstance(item, Decimal)
    return isinstance(item, bool) or number_in(item) is not None


def counted(args: tuple[Any, ...]) -> Decimal:
    return Decimal(sum(1 for a in args for item in flat(a) if not is_blank(item) and not isinstance(item, ErrorValue)))


@function(
    "COUNTA",
    "each... -> number",
    world=True,
    sql=lambda *args: Sql("count", args),
    zh="非空值的个数",
    en="How many values are not blank.",
    example="COUNTA(items.what)",
)
def count_a(run: Run, *args: Any) -> Decimal:
    if run.world.untyped:
        return Decimal(sum(1 for arg in args for item in flat(arg) if item is not None))
    return counted(args)


@function(
    "COUNTBLANK",
    "each -> number",
    sql=lambda x: Sql("count_blank", (x,)),
    zh="空值的个数",
    en="How many values are blank.",
    example="COUNTBLANK(items.what)",
)
def count_blank(values: Any) -> Decimal:
    return Decimal(sum(1 for item in flat(values) if is_blank(item)))


def extreme_type(types: list[Type]) -> Type | Message:
    found = types[0]
    for other in types[1:]:
        both = unify(found, other)
        if both is None:
            return say("Numbers and dates cannot be mixed here.")
        found = both
    if found.kind not in ("number", "date", "datetime", "any", "blank", "boolean"):
        return say("Numbers or dates are needed here.")
    return NUMBER if found.kind in ("blank", "boolean") else found


def ordered(run: Run, args: tuple[Any, ...]) -> list[Any]:
    """Dates if there are any, else numbers, from small to large; dates beside moments are moments."""
    moments = [item for arg in args for item in flat(arg) if isinstance(item, date)]
    for arg in args:
        for item in flat(arg):
            if isinstance(item, ErrorValue):
                raise Fault(item)
    if not moments or run.world.untyped:
        return sorted(numbers(run, args))
    if len({type(m) for m in moments}) > 1:
        moments = [moment_of(m, run) for m in moments]
    return sorted(moments)


def _extreme(name: str, place: int, op: str, zh: str, en: str) -> None:
    @function(
        name,
        "each... -> number",
        result=extreme_type,
        world=True,
        sql=lambda *args: Sql(op, args),
        zh=zh,
        en=en,
        example=f"{name}(items.price)",
    )
    def extreme(run: Run, *args: Any) -> Any:
        found = ordered(run, args)
        return found[place] if found else ZERO if run.world.untyped else None


_extreme("MAX", -1, "max", "最大的数或最晚的日期", "The largest number or the latest date.")
_extreme("MIN", 0, "min", "最小的数或最早的日期", "The smallest number or the earliest date.")


def _extreme_a(name: str, choose: Callable[..., Decimal], zh: str, en: str) -> None:
    @function(
        name,
        "each... -> number",
        world=True,
        zh=zh,
        en=en,
        example=f"{name}(items.price)",
    )
    def extreme(run: Run, *args: Any) -> Decimal:
        return choose(numbers_a(run, args), default=ZERO)


_extreme_a("MAXA", max, "最大值，文本按 0 计", "The largest; texts count as 0.")
_extreme_a("MINA", min, "最小值，文本按 0 计", "The smallest; texts count as 0.")


def _single_list(*args: Given) -> Sql | None:
    return Sql("median", args) if len(args) == 1 and args[0].is_listed else None


@function(
    "MEDIAN",
    "numbers... -> number",
    world=True,
    sql=_single_list,
    zh="中位数",
    en="The number in the middle.",
    example="MEDIAN(items.price)",
)
def median(run: Run, *args: Any) -> Decimal:
    found = sorted(numbers(run, args))
    if not found:
        raise Fault(NUM)
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else divide(found[middle - 1] + found[middle], Decimal(2))


def _placed(op: str) -> Form:
    return lambda values, place: Sql(op, (values, place.value)) if values.is_listed and not place.is_listed else None


@function(
    "LARGE",
    "numbers, number -> number",
    world=True,
    sql=_placed("largest"),
    zh="第几大的数",
    en="The so-manieth largest number.",
    example="LARGE(items.price, 2)",
)
def large(run: Run, values: Any, place: Decimal) -> Decimal:
    return _nth(sorted(numbers(run, (values,)), reverse=True), place)


@function(
    "SMALL",
    "numbers, number -> number",
    world=True,
    sql=_placed("smallest"),
    zh="第几小的数",
    en="The so-manieth smallest number.",
    example="SMALL(items.price, 2)",
)
def small(run: Run, values: Any, place: Decimal) -> Decimal:
    return _nth(sorted(numbers(run, (values,))), place)


def _nth(found: list[Decimal], place: Decimal) -> Decimal:
    if not 1 <= place <= len(found):
        raise Fault(NUM)
    return found[math.ceil(place) - 1]


def _multiplied(*args: Given) -> Sql | None:
    """Databases know no product of a list."""
    return None if any(a.is_listed or a.kind in ("array", "rows") for a in args) else Sql("product", args)


@function(
    "PRODUCT",
    "numbers... -> number",
    world=True,
    sql=_multiplied,
    zh="乘积",
    en="All numbers multiplied.",
    example="PRODUCT(items.quantity)",
)
def product(run: Run, *args: Any) -> Decimal:
    found = list(numbers(run, args))
    result = ONE if found else ZERO
    for number in found:
        result = bounded(EXACT.multiply(result, number))
        if len(result.as_tuple().digits) > 1000:
            result = FIFTY.plus(result)
    return result


@function(
    "SUMPRODUCT",
    "array... -> number",
    world=True,
    zh="对应元素相乘后求和",
    en="The sum of products of elements that belong together.",
    example="SUMPRODUCT(items.quantity, items.price)",
)
def sum_product(run: Run, *args: list[Any]) -> Decimal:
    shapes = {(len(a), len(a[0]) if a and isinstance(a[0], list) else 0) for a in args}
    if len(shapes) > 1:
        raise Fault(VALUE)
    result = ZERO
    for together in zip(*(flat(a) for a in args), strict=True):
        result = EXACT.add(result, _product_of(together))
    return bounded(result)


def _product_of(items: tuple[Any, ...]) -> Decimal:
    result = ONE
    for item in items:
        if isinstance(item, ErrorValue):
            raise Fault(item)
        result = EXACT.multiply(result, item if isinstance(item, Decimal) else ZERO)
    return result


@function(
    "SUMSQ",
    "numbers... -> number",
    world=True,
    sql=lambda *args: Sql("sum_squares", args),
    zh="平方和",
    en="The sum of squares.",
    example="SUMSQ(3, 4)",
)
def sum_squares(run: Run, *args: Any) -> Decimal:
    return total([EXACT.multiply(n, n) for n in numbers(run, args)])


def _deviation(name: str, sample: bool, root: bool, aliases: tuple[str, ...], zh: str, en: str) -> None:
    @function(
        name,
        "numbers... -> number",
        aliases=aliases,
        world=True,
        zh=zh,
        en=en,
        example=f"{name}(items.price)",
    )
    def spread(run: Run, *args: Any) -> Decimal:
        found = list(numbers(run, args))
        if len(found) <= sample:
            raise Fault(DIV0)
        middle = FIFTY.divide(total(found), Decimal(len(found)))
        squares = sum(((n - middle) ** 2 for n in found), ZERO)
        variance = FIFTY.divide(squares, Decimal(len(found) - sample))
        return real(FIFTY.sqrt(variance) if root else variance)


_deviation("STDEV.S", True, True, ("STDEV",), "样本标准差", "The standard deviation of a sample.")
_deviation("STDEV.P", False, True, ("STDEVP",), "总体标准差", "The standard deviation of all.")
_deviation("VAR.S", True, False, ("VAR",), "样本方差", "The variance of a sample.")
_deviation("VAR.P", False, False, ("VARP",), "总体方差", "The variance of all.")


@function(
    "GEOMEAN",
    "numbers... -> number",
    world=True,
    zh="几何平均值",
    en="The geometric mean.",
    example="GEOMEAN(4, 9)",
)
def geomean(run: Run, *args: Any) -> Decimal:
    found = list(numbers(run, args))
    if not found or min(found) <= 0:
        raise Fault(NUM)
    return real(FIFTY.exp(FIFTY.divide(sum((FIFTY.ln(n) for n in found), ZERO), Decimal(len(found)))))


def _whole_numbers(run: Run, args: tuple[Any, ...]) -> list[int]:
    found = [int(n) for n in numbers(run, args)]
    if any(n < 0 for n in found):
        raise Fault(NUM)
    return found


@function(
    "GCD",
    "numbers... -> number",
    world=True,
    zh="最大公约数",
    en="The greatest common divisor.",
    example="GCD(12, 18)",
)
def gcd(run: Run, *args: Any) -> Decimal:
    return Decimal(math.gcd(*_whole_numbers(run, args)))


@function(
    "LCM",
    "numbers... -> number",
    world=True,
    zh="最小公倍数",
    en="The least common multiple.",
    example="LCM(4, 6)",
)
def lcm(run: Run, *args: Any) -> Decimal:
    return bounded(Decimal(math.lcm(*_whole_numbers(run, args))))


@function(
    "MULTINOMIAL",
    "numbers... -> number",
    world=True,
    zh="多项式系数",
    en="The multinomial coefficient.",
    example="MULTINOMIAL(2, 3)",
)
def multinomial(run: Run, *args: Any) -> Decimal:
    found = _whole_numbers(run, args)
    if sum(found) > 170:
        raise Fault(NUM)
    return Decimal(math.factorial(sum(found)) // math.prod(math.factorial(n) for n in found))


@function(
    "RANK.EQ",
    "number, numbers, number? -> number",
    aliases=("RANK",),
    world=True,
    zh="排名",
    en="The place of a number among others.",
    example="RANK.EQ(3, {5,3,1})",
)
def rank(run: Run, number: Decimal, others: Any, ascending: Decimal = ZERO) -> Decimal:
    found = list(numbers(run, (others,)))
    if number not in found:
        raise Fault(NA)
    return Decimal(1 + sum(1 for n in found if (n < number if ascending else n > number)))


@function(
    "PERCENTILE.INC",
    "numbers, number -> number",
    aliases=("PERCENTILE",),
    world=True,
    zh="百分位数",
    en="The value below which a part of all lies.",
    example="PERCENTILE.INC({1,2,3}, 0.5)",
)
def percentile(run: Run, values: Any, part: Decimal) -> Decimal:
    found = sorted(numbers(run, (values,)))
    if not found or not 0 <= part <= 1:
        raise Fault(NUM)
    place = part * (len(found) - 1)
    low = int(place)
    high = min(low + 1, len(found) - 1)
    return EXACT.add(found[low], EXACT.multiply(found[high] - found[low], place - low))


@function(
    "QUARTILE.INC",
    "numbers, number -> number",
    aliases=("QUARTILE",),
    world=True,
    zh="四分位数",
    en="A quartile, 0 to 4.",
    example="QUARTILE.INC({1,2,3}, 2)",
)
def quartile(run: Run, values: Any, which: Decimal) -> Decimal:
    return percentile(run, values, divide(Decimal(whole(which)), Decimal(4)))


@function(
    "MODE.SNGL",
    "numbers... -> number",
    aliases=("MODE",),
    world=True,
    zh="众数",
    en="The most frequent number.",
    example="MODE.SNGL({1,2,2})",
)
def mode(run: Run, *args: Any) -> Decimal:
    found = list(numbers(run, args))
    often = max((found.count(n) for n in found), default=0)
    if often < 2:
        raise Fault(NA)
    return next(n for n in found if found.count(n) == often)


SUBTOTALS = ("AVERAGE", "COUNT", "COUNTA", "MAX", "MIN", "PRODUCT", "STDEV.S", "STDEV.P", "SUM", "VAR.S", "VAR.P")


@function(
    "SUBTOTAL",
    "number, each... -> number",
    world=True,
    zh="按编号汇总：1 平均、2 计数、3 非空、4 最大、5 最小、6 乘积、7 和 8 标准差、9 求和、10 和 11 方差",
    en="A figure by its number: 1 mean, 2 and 3 counts, 4 and 5 extremes, 6 product, 9 sum, 7, 8, 10, 11 spreads.",
    example="SUBTOTAL(9, items.price)",
)
def subtotal(run: Run, which: Decimal, *args: Any) -> Any:
    place = whole(which)
    place -= 100 if place > 100 else 0
    if not 1 <= place <= len(SUBTOTALS):
        raise Fault(VALUE)
    return FUNCTIONS[SUBTOTALS[place - 1]].compute(run, *args)


@function(
    "COUNTUNIQUE",
    "each... -> number",
    world=True,
    zh="不同值的个数",
    en="How many different values there are.",
    example="COUNTUNIQUE(items.kind)",
)
def count_unique(run: Run, *args: Any) -> Decimal:
    found = [item for arg in args for item in flat(arg) if not is_blank(item) and not isinstance(item, ErrorValue)]
    return Decimal(len({fold(i) if isinstance(i, str) else (type(i), i) for i in found}))


@function(
    "HARMEAN",
    "numbers... -> number",
    world=True,
    zh="调和平均值",
    en="The harmonic mean.",
    example="HARMEAN(4, 12)",
)
def harmean(run: Run, *args: Any) -> Decimal:
    found = list(numbers(run, args))
    if not found or min(found) <= 0:
        raise Fault(NUM)
    return real(FIFTY.divide(Decimal(len(found)), sum((FIFTY.divide(ONE, n) for n in found), ZERO)))
