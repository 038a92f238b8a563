"""Looking things up: in lists, between places, in other tables."""

import math
import re
import uuid
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import flat
from schemas.formula.functions.base import function
from schemas.formula.functions.criteria import wildcards
from schemas.formula.functions.math import draw, real
from schemas.formula.functions.operators import comparable, equal
from schemas.formula.functions.rounding import whole
from schemas.formula.sql import Given, Sql
from schemas.formula.types import NUMBER, Type
from schemas.formula.values import NA, NAME, NUM, ONE, REF, VALUE, ZERO, ErrorValue, Fault, Need, Run, fold
from schemas.messages import Message, say

EARTH = 6_378_137
PLACE = r" *[-+]?[0-9]{1,3}(\.[0-9]{1,20})? *, *[-+]?[0-9]{1,3}(\.[0-9]{1,20})? *"
"""A place as a text: latitude and longitude."""


def table_of(value: Any) -> list[list[Any]]:
    """A list as rows of cells: a flat one is a single row."""
    if not isinstance(value, list):
        return [[value]]
    return value if value and isinstance(value[0], list) else [value]


def _checked(value: Any) -> Any:
    if isinstance(value, ErrorValue):
        raise Fault(value)
    return value


def _element(types: list[Type]) -> Type | Message:
    first = types[0]
    return first.of if first.kind == "array" and first.of else first


@function(
    "INDEX",
    "each, number, number? -> any",
    result=_element,
    world=True,
    zh="列表中的第几个值，负数从末尾数起",
    en="The value at a place of a list; negative places count from the end.",
    example="INDEX(items.price, 1)",
)
def index(run: Run, values: Any, row: Decimal, column: Decimal | None = None) -> Any:
    if not isinstance(values, list) or not values or not isinstance(values[0], list):
        return _in_list(run, list(flat(values)), row, column)
    place, other = int(row), int(column) if column is not None else 0
    if place < 0 or other < 0:
        raise Fault(VALUE)
    if place > len(values) or other > len(values[0]):
        raise Fault(REF)
    if len(values[0]) == 1 and place:
        return _checked(values[place - 1][max(other, 1) - 1])
    if not place:
        return [line[other - 1] for line in values] if other else values
    return _checked(values[place - 1][other - 1]) if other else values[place - 1]


def _in_list(run: Run, values: list[Any], place: Decimal, column: Decimal | None) -> Any:
    at = int(place)
    if column is not None and column != 0:
        if at not in (0, 1):
            raise Fault(REF if at > 0 else VALUE)
        at = int(column)
    if at < 0 and run.world.untyped:
        raise Fault(VALUE)
    if at == 0 and run.world.untyped:
        return _checked(values[0]) if len(values) == 1 else values
    if not at or abs(at) > len(values):
        raise Fault(REF)
    return _checked(values[at - 1 if at > 0 else at])


def position(run: Run, wanted: Any, values: list[Any], mode: int) -> int:
    """Where a value stands in a list, from 0: exactly (0), the last not larger (1) or not smaller (-1)."""
    if mode == 0:
        pattern = wildcards(wanted) if isinstance(wanted, str) else None
        for place, item in enumerate(values):
            if isinstance(item, ErrorValue):
                continue
            if item is not None and equal(run, item, wanted):
                return place
            if pattern and isinstance(item, str) and pattern.fullmatch(fold(item)):
                return place
        raise Fault(NA)
    best = -1
    for place, item in enumerate(values):
        if item is None or isinstance(item, str) != isinstance(wanted, str) or isinstance(item, ErrorValue):
            continue
        one, other = comparable(run, item, wanted)
        if (one > other) if mode > 0 else (one < other):
            break
        best = place
    if best < 0:
        raise Fault(NA)
    return best


@function(
    "MATCH",
    "any, each, number? -> number",
    world=True,
    zh="值在列表中的位置",
    en="Where a value stands in a list.",
    example='MATCH("b", {"a","b"}, 0)',
)
def match(run: Run, wanted: Any, values: Any, mode: Decimal = ONE) -> Decimal:
    table = table_of(values)
    if len(table) > 1 and len(table[0]) > 1:
        raise Fault(NA)
    return Decimal(position(run, wanted, list(flat(values)), whole(mode, 1)) + 1)


@function(
    "VLOOKUP",
    "any, each, number, boolean? -> any",
    world=True,
    zh="按首列查找，取同一行的值",
    en="Finds a value in the first column; gives another of its row.",
    example='VLOOKUP("b", {"a",1;"b",2}, 2, FALSE)',
)
def vlookup(run: Run, wanted: Any, values: Any, column: Decimal, near: bool = True) -> Any:
    return _looked_up(run, wanted, table_of(values), int(column), near)


@function(
    "HLOOKUP",
    "any, each, number, boolean? -> any",
    world=True,
    zh="按首行查找，取同一列的值",
    en="Finds a value in the first row; gives another of its column.",
    example='HLOOKUP("b", {"a","b";1,2}, 2, FALSE)',
)
def hlookup(run: Run, wanted: Any, values: Any, row: Decimal, near: bool = True) -> Any:
    turned = [list(column) for column in zip(*table_of(values), strict=True)]
    return _looked_up(run, wanted, turned, int(row), near)


def _looked_up(run: Run, wanted: Any, table: list[list[Any]], column: int, near: bool) -> Any:
    if column < 1:
        raise Fault(VALUE)
    if not table or column > len(table[0]):
        raise Fault(REF)
    place = position(run, wanted, [row[0] for row in table], 1 if near else 0)
    return _checked(table[place][column - 1])


@function(
    "XLOOKUP",
    "any, each, each, ~any?, number?, number? -> any",
    world=True,
    zh="在一个列表中查找，取另一个列表的对应值",
    en="Finds a value in one list; gives what stands there in another.",
    example='XLOOKUP("b", {"a","b"}, {1,2})',
)
def xlookup(
    run: Run,
    wanted: Any,
    values: Any,
    results: Any,
    missing: Any = None,
    mode: Decimal = ZERO,
    direction: Decimal = ONE,
) -> Any:
    if mode not in (-1, 0, 1, 2) or direction not in (-2, -1, 1, 2):
        raise Fault(VALUE)
    tested = list(flat(values))
    table = table_of(results)
    taken = list(flat(results)) if len(table) == 1 or len(table[0]) == 1 else table
    if len(table) > 1 and len(table[0]) > 1 and len(table_of(values)) == 1 and len(tested) == len(table[0]):
        taken = [list(column) for column in zip(*table, strict=True)]
    if len(tested) != len(taken):
        raise Fault(VALUE)
    place = _nearest(run, wanted, tested, int(mode), direction < 0)
    if place is None:
        found = missing() if missing else None
        if found is None:
            raise Fault(NA)
        return found
    return _checked(taken[place])


def _nearest(run: Run, wanted: Any, values: list[Any], mode: int, backwards: bool) -> int | None:
    """Where a value stands, or the next smaller (-1) or larger (1) one; 2 allows wildcards."""
    places = range(len(values) - 1, -1, -1) if backwards else range(len(values))
    pattern = wildcards(wanted) if mode == 2 and isinstance(wanted, str) else None
    best: int | None = None
    for place in places:
        item = values[place]
        if isinstance(item, ErrorValue):
            continue
        if equal(run, item, wanted) or (pattern and isinstance(item, str) and pattern.fullmatch(fold(item))):
            return place
        if mode not in (-1, 1) or item is None or isinstance(item, str) != isinstance(wanted, str):
            continue
        one, other = comparable(run, item, wanted)
        if (one < other) == (mode < 0) and (best is None or _closer(run, item, values[best], mode)):
            best = place
    return best


def _closer(run: Run, item: Any, best: Any, mode: int) -> bool:
    one, other = comparable(run, item, best)
    return bool(one > other) if mode < 0 else bool(one < other)


@function(
    "UNIQUE",
    "each -> array",
    world=True,
    zh="去重",
    en="The different values of a list.",
    example="UNIQUE({1,1,2})",
)
def unique(run: Run, values: Any) -> list[Any]:
    table = table_of(values)
    found: list[Any] = []
    rows = table if len(table) > 1 else [[item] for item in table[0]]
    for row in rows:
        if not any(all(equal(run, a, b) for a, b in zip(row, other, strict=True)) for other in found):
            found.append(row)
    return found if len(table) > 1 else [row[0] for row in found]


@function(
    "SORT",
    "each, number?, number?, boolean? -> array",
    world=True,
    zh="排序",
    en="A list in order.",
    example="SORT({3,1,2})",
)
def sort(run: Run, values: Any, column: Decimal = ONE, order: Decimal = ONE, across: bool = False) -> list[Any]:
    if order not in (1, -1):
        raise Fault(VALUE)
    table = table_of(values)
    if not 1 <= column <= (len(table) if across else len(table[0])):
        raise Fault(VALUE)
    if across and len(table) == 1:
        return _sorted(table[0], order < 0)
    if len(table) == 1:
        return table[0] if len(table[0]) < 2 or run.world.untyped else _sorted(table[0], order < 0)
    return sorted(table, key=lambda row: _sort_key(row[int(column) - 1]), reverse=order < 0)


def _sorted(values: list[Any], backwards: bool) -> list[Any]:
    return sorted(values, key=_sort_key, reverse=backwards)


def _sort_key(value: Any) -> tuple[int, Any]:
    rank = 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 3 if value is None else 0
    return rank, 0 if value is None else fold(value) if isinstance(value, str) else value


def _apart(one: Given, other: Given) -> Sql | None:
    return Sql("distance", (one.raw, other.raw)) if {one.kind, other.kind} <= {"text", "blank"} else None


@function(
    "DISTANCE",
    "any, any -> number",
    sql=_apart,
    zh="两个位置之间的距离（米）",
    en='Metres between two places, as fields or "lat,lng".',
    example='DISTANCE(site, "31.23,121.47")',
)
def distance(one: Any, other: Any) -> Decimal | None:
    if one in (None, "") or other in (None, ""):
        return None
    (lat1, lng1), (lat2, lng2) = place_of(one), place_of(other)
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return real(2 * EARTH * math.asin(min(1.0, math.sqrt(half)))).quantize(Decimal("0.01"))


def place_of(value: Any) -> tuple[float, float]:
    """Latitude and longitude in radians."""
    try:
        lat, lng = value.split(",") if isinstance(value, str) else (value["lat"], value["lng"])
        found = float(lat), float(lng)
    except (ValueError, KeyError, TypeError):
        raise Fault(VALUE) from None
    if isinstance(value, str) and not re.fullmatch(PLACE, value):
        raise Fault(VALUE)
    if not (abs(found[0]) <= 90 and abs(found[1]) <= 180):
        raise Fault(NUM)
    return math.radians(found[0]), math.radians(found[1])


@function(
    "UUID",
    "-> text",
    world=True,
    zh="生成唯一编号",
    en="A new unique identifier.",
    example="UUID()",
)
def uuid_(run: Run) -> str:
    number = int(draw(run).scaleb(18)) << 64 | int(draw(run).scaleb(18))
    return str(uuid.UUID(int=number & (1 << 128) - 1, version=4))


RECNO = Need("recno", ())


@function(
    "RECNO",
    "-> number",
    world=True,
    need=RECNO,
    zh="记录的顺序号",
    en="The running number of this record.",
    example="RECNO()",
)
def recno(run: Run) -> Decimal | None:
    found: Decimal | None = run.world.answers.get(RECNO)
    return found


OPERATIONS = frozenset(("first", "last", "max", "min", "avg", "sum", "count"))


def mapx_type(operation: object, result: Type) -> Type | Message:
    """What MAPX gives for one of its operations."""
    if operation not in OPERATIONS:
        return say("MAPX can do: {known}.", known=", ".join(sorted(OPERATIONS)))
    return NUMBER if operation in ("sum", "avg", "count") else result


@function(
    "MAPX",
    "text, any, any, any -> any",
    zh="在另一张表中查找字段等于某值的记录，汇总结果字段；运算为 first、last、max、min、avg、sum、count",
    en='"first", "last", "max", "min", "avg", "sum" or "count" over another table\'s records with a value.',
    example='MAPX("sum", title, book.title, book.price)',
)
def mapx(operation: str, value: Any, field: Any, result: Any) -> Any:
    """Only the checker's form of it is ever evaluated: the answer to its need."""
    raise Fault(NAME)
