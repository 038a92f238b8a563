"""Logic: conditions and choices between values."""

from collections.abc import Callable
from typing import Any

from schemas.formula.coerce import as_boolean, flat, is_blank
from schemas.formula.values import Run
from schemas.formula.functions.base import common, function
from schemas.formula.functions.operators import equal
from schemas.formula.sql import Given, Made, Sql
from schemas.formula.types import BLANK, Type, unify
from schemas.formula.values import NA, VALUE, ErrorValue, Fault
from schemas.messages import Message

Lazy = Callable[[], Any]


def truths(run: Run, args: tuple[Any, ...]) -> list[bool]:
    """All yes/no values among arguments; in lists, blanks and texts are skipped."""
    found = []
    for arg in args:
        if isinstance(arg, list):
            for item in flat(arg):
                if isinstance(item, ErrorValue):
                    raise Fault(item)
                if item is not None and not isinstance(item, str):
                    found.append(as_boolean(item, run.world))
        else:
            found.append(as_boolean(arg, run.world))
    return found


@function("AND", "booleans... -> boolean", world=True, sql=lambda *args: Sql("and", args),
          zh="所有条件都成立时为真", en="True if all conditions hold.",
          example="AND(total > 500, COUNT(proof) = 0)")  # fmt: skip
def and_(run: Run, *args: Any) -> bool:
    return all(truths(run, args))


@function("OR", "booleans... -> boolean", world=True, sql=lambda *args: Sql("or", args),
          zh="任意一个条件成立时为真", en="True if any condition holds.", example="OR(total < 500, paid)")  # fmt: skip
def or_(run: Run, *args: Any) -> bool:
    return any(truths(run, args))


@function("XOR", "booleans... -> boolean", world=True, sql=lambda *args: Sql("xor", args),
          zh="成立的条件为奇数个时为真", en="True if an odd number of conditions hold.", example="XOR(a > 1, b > 1)")  # fmt: skip
def xor(run: Run, *args: Any) -> bool:
    return sum(truths(run, args)) % 2 == 1


@function("NOT", "boolean -> boolean", sql=lambda x: Sql("not", (x.value,)),
          zh="条件取反", en="True if the condition does not hold.", example="NOT(paid)")  # fmt: skip
def not_(condition: bool) -> bool:
    return not condition


@function("TRUE", "-> boolean", zh="真", en="True.", example="TRUE()", sql=lambda: Sql("true"))
def true() -> bool:
    return True


@function("FALSE", "-> boolean", zh="假", en="False.", example="FALSE()", sql=lambda: Sql("false"))
def false() -> bool:
    return False


@function("IF", "boolean, ~any, ~any? -> any", result=common(start=1), sql=lambda *args: Sql("case", args),
          zh="条件成立时取第一个值，否则取第二个值", en="One value if a condition holds, else another.",
          example='IF(total > 10000, "large", "small")')  # fmt: skip
def if_(condition: bool, then: Lazy, otherwise: Lazy | None = None) -> Any:
    if condition:
        return then()
    return otherwise() if otherwise else False


def _ifs_result(types: list[Type]) -> Type | Message:
    return common(start=1, step=2)(types)


@function("IFS", "~boolean, ~any, (~boolean, ~any)... -> any", result=_ifs_result, sql=lambda *args: Sql("cases", args),
          zh="依次判断多个条件，取第一个成立的条件对应的值", en="The value of the first condition that holds.",
          example='IFS(score >= 90, "A", score >= 60, "B", TRUE, "C")')  # fmt: skip
def ifs(*args: Lazy) -> Any:
    if len(args) % 2:
        raise Fault(NA)
    for condition, value in zip(args[::2], args[1::2], strict=True):
        if condition():
            return value()
    raise Fault(NA)


@function("ISBLANK", "each -> boolean", sql=lambda x: Sql("is_blank", (x,)), aliases=("ISEMPTY",),
          zh="没有填写时为真", en="True if nothing is filled in.", example="ISBLANK(paid_on)")  # fmt: skip
def isblank(value: Any) -> bool:
    return is_blank(value)


__all__ = ["BLANK", "Given", "Made", "VALUE", "equal", "unify"]
