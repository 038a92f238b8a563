"""Logic: conditions, choices between values, errors."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import as_boolean, flat, is_blank, serial_of
from schemas.formula.functions.base import common, function
from schemas.formula.functions.operators import equal
from schemas.formula.sql import Form, Given, Sql
from schemas.formula.types import NUMBER, Type
from schemas.formula.values import NA, ONE, VALUE, ZERO, ErrorValue, Fault, Run
from schemas.messages import Message

Lazy = Callable[[], Any]


def truths(run: Run, args: tuple[Any, ...]) -> list[bool]:
    """All yes/no values among arguments; in lists of cells, blanks and texts are skipped."""
    found = []
    for arg in args:
        if not isinstance(arg, list):
            found.append(as_boolean(arg, run.world))
            continue
        for item in flat(arg):
            if isinstance(item, ErrorValue):
                raise Fault(item)
            if not run.world.untyped or not (item is None or isinstance(item, str)):
                found.append(as_boolean(item, run.world))
    if not found and args and run.world.untyped:
        raise Fault(VALUE)
    return found


@function(
    "AND",
    "booleans... -> boolean",
    world=True,
    sql=lambda *args: Sql("and", args),
    zh="所有条件都成立时为真",
    en="True if all conditions hold.",
    example="AND(total > 500, COUNT(proof) = 0)",
)
def and_(run: Run, *args: Any) -> bool:
    for arg in args:
        if arg.__class__ is not bool:
            return all(truths(run, args))
    return False not in args


@function(
    "OR",
    "booleans... -> boolean",
    world=True,
    sql=lambda *args: Sql("or", args),
    zh="任意一个条件成立时为真",
    en="True if any condition holds.",
    example="OR(total < 500, paid)",
)
def or_(run: Run, *args: Any) -> bool:
    return any(truths(run, args))


@function(
    "XOR",
    "booleans... -> boolean",
    world=True,
    sql=lambda *args: Sql("xor", args),
    zh="成立的条件为奇数个时为真",
    en="True if an odd number of conditions hold.",
    example="XOR(a > 1, b > 1)",
)
def xor(run: Run, *args: Any) -> bool:
    return sum(truths(run, args)) % 2 == 1


@function(
    "NOT",
    "boolean -> boolean",
    sql=lambda x: Sql("not", (x.value,)),
    zh="条件取反",
    en="True if the condition does not hold.",
    example="NOT(paid)",
)
def not_(condition: bool) -> bool:
    return not condition


@function(
    "TRUE",
    "-> boolean",
    sql=lambda: Sql("true"),
    zh="真",
    en="True.",
    example="TRUE()",
)
def true() -> bool:
    return True


@function(
    "FALSE",
    "-> boolean",
    sql=lambda: Sql("false"),
    zh="假",
    en="False.",
    example="FALSE()",
)
def false() -> bool:
    return False


@function(
    "IF",
    "boolean, ~any, ~any? -> any",
    result=common(start=1),
    world=True,
    blends=True,
    sql=lambda *args: Sql("case", args),
    zh="条件成立时取第一个值，否则取第二个值",
    en="One value if a condition holds, else another.",
    example='IF(total > 10000, "large", "small")',
)
def if_(run: Run, condition: bool, then: Lazy, otherwise: Lazy | None = None) -> Any:
    if condition:
        return then()
    if otherwise is None:
        return False if run.world.untyped else None
    return otherwise()


@function(
    "IFS",
    "~boolean, ~any, (~boolean, ~any)... -> any",
    result=common(start=1, step=2),
    blends=True,
    sql=lambda *args: Sql("cases", args) if len(args) % 2 == 0 else None,
    zh="依次判断多个条件，取第一个成立的条件对应的值",
    en="The value of the first condition that holds.",
    example='IFS(score >= 90, "A", score >= 60, "B", TRUE, "C")',
)
def ifs(*args: Lazy) -> Any:
    for condition, value in zip(args[::2], args[1::2], strict=False):
        if condition():
            return value()
    raise Fault(NA)


def _switch_type(types: list[Type]) -> Type | Message:
    values = types[2::2] + ([types[-1]] if len(types) % 2 == 0 else [])
    return common(start=0)(values) if values else types[0]


@function(
    "SWITCH",
    "any, any, ~any, (~any, ~any)... -> any",
    result=_switch_type,
    world=True,
    blends=True,
    sql=lambda *args: Sql("switch", args),
    zh="按值匹配，取对应的结果，可给出默认值",
    en="The result that belongs to a value; a last one stands for all others.",
    example='SWITCH(kind, "trip", 500, "buy", 200, 0)',
)
def switch(run: Run, value: Any, first: Any, result: Lazy, *rest: Lazy) -> Any:
    if equal(run, value, first):
        return result()
    for test, found in zip(rest[::2], rest[1::2], strict=False):
        if equal(run, value, test()):
            return found()
    if len(rest) % 2:
        return rest[-1]()
    raise Fault(NA)


@function(
    "CHOOSE",
    "number, ~any... -> any",
    result=common(start=1),
    blends=True,
    sql=lambda place, *values: Sql("choose", (place, *values)),
    zh="按序号取值",
    en="The value at a place.",
    example='CHOOSE(2, "a", "b")',
)
def choose(place: Decimal, *values: Lazy) -> Any:
    if not 1 <= place < len(values) + 1:
        raise Fault(VALUE)
    return values[int(place) - 1]()


def failure(value: Lazy) -> ErrorValue | None:
    """The error that a value is, if it is one."""
    try:
        found = value()
    except Fault as fault:
        return fault.error
    return found if isinstance(found, ErrorValue) else None


@function(
    "IFERROR",
    "~any, ~any -> any",
    result=common(start=0),
    blends=True,
    sql=lambda *args: Sql("if_error", args),
    zh="出错时取另一个值",
    en="Another value where the first is an error.",
    example="IFERROR(a / b, 0)",
)
def if_error(value: Lazy, instead: Lazy) -> Any:
    try:
        found = value()
    except Fault:
        return instead()
    return instead() if isinstance(found, ErrorValue) else found


@function(
    "IFNA",
    "~any, ~any -> any",
    result=common(start=0),
    blends=True,
    zh="结果为 #N/A 时取另一个值",
    en="Another value where the first is #N/A.",
    example="IFNA(x, 0)",
)
def if_na(value: Lazy, instead: Lazy) -> Any:
    return instead() if failure(value) == NA else value()


@function(
    "ISERROR",
    "~any -> boolean",
    sql=lambda x: Sql("is_error", (x,)),
    zh="是否出错",
    en="Whether there is an error.",
    example="ISERROR(a / b)",
)
def is_error(value: Lazy) -> bool:
    return failure(value) is not None


@function(
    "ISERR",
    "~any -> boolean",
    zh="是否出错（#N/A 除外）",
    en="Whether there is an error but #N/A.",
    example="ISERR(a / b)",
)
def is_err(value: Lazy) -> bool:
    return failure(value) not in (None, NA)


@function(
    "ISNA",
    "~any -> boolean",
    zh="是否为 #N/A",
    en="Whether a value is #N/A.",
    example="ISNA(NA())",
)
def is_na(value: Lazy) -> bool:
    return failure(value) == NA


@function(
    "NA",
    "-> any",
    zh="错误值 #N/A",
    en="The error #N/A.",
    example="NA()",
)
def na() -> Any:
    raise Fault(NA)


def _quiet(value: Lazy) -> Any:
    try:
        return value()
    except Fault as fault:
        return fault.error


def _of_kind(*kinds: str) -> Form:
    return lambda x: Sql("is_kind", (x, *kinds)) if x.kind not in ("array", "rows", "any") else None


def _no_text(x: Given) -> Sql | None:
    found = _of_kind("text", "choice")(x)
    return Sql("not", (found,)) if found else None


@function(
    "ISNUMBER",
    "~any -> boolean",
    sql=_of_kind("number", "date", "datetime"),
    zh="是否数字",
    en="Whether a value is a number.",
    example="ISNUMBER(1)",
)
def is_number(value: Lazy) -> bool:
    found = _quiet(value)
    return isinstance(found, Decimal | date)


@function(
    "ISTEXT",
    "~any -> boolean",
    world=True,
    sql=_of_kind("text", "choice"),
    zh="是否文本",
    en="Whether a value is a text.",
    example='ISTEXT("a")',
)
def is_text(run: Run, value: Lazy) -> bool:
    found = _quiet(value)
    return isinstance(found, str) and (found != "" or run.world.untyped)


@function(
    "ISNONTEXT",
    "~any -> boolean",
    world=True,
    sql=_no_text,
    zh="是否非文本",
    en="Whether a value is no text.",
    example="ISNONTEXT(1)",
)
def is_non_text(run: Run, value: Lazy) -> bool:
    return not is_text(run, value)


@function(
    "ISLOGICAL",
    "~any -> boolean",
    sql=_of_kind("boolean"),
    zh="是否逻辑值",
    en="Whether a value is TRUE or FALSE.",
    example="ISLOGICAL(TRUE)",
)
def is_logical(value: Lazy) -> bool:
    return isinstance(_quiet(value), bool)


def _as_number(x: Given) -> Sql | None:
    """Dates are Excel's numbers, which databases do not know."""
    return Sql("as_number", (x,)) if x.kind in ("number", "boolean", "text", "choice") else None


@function(
    "N",
    "any -> number",
    result=lambda types: NUMBER,
    world=True,
    sql=_as_number,
    zh="转为数字，文本为 0",
    en="A value as a number; texts are 0.",
    example="N(TRUE)",
)
def n(run: Run, value: Any) -> Decimal:
    if isinstance(value, ErrorValue):
        raise Fault(value)
    if isinstance(value, bool):
        return ONE if value else ZERO
    if isinstance(value, date):
        return serial_of(value, run.world)
    return value if isinstance(value, Decimal) else ZERO


@function(
    "ISBLANK",
    "each -> boolean",
    aliases=("ISEMPTY",),
    world=True,
    sql=lambda x: Sql("is_blank", (x,)),
    zh="没有填写时为真",
    en="True if nothing is filled in.",
    example="ISBLANK(paid_on)",
)
def isblank(run: Run, value: Any) -> bool:
    return value is None if run.world.untyped else is_blank(value)
