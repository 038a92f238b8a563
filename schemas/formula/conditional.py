"""`SUMIF(list, ">5", other)` and its like as plain aggregates over conditions."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from schemas.formula.coerce import moment_in, number_in
from schemas.formula.fitting import NOWHERE, type_of
from schemas.formula.functions import FUNCTIONS
from schemas.formula.functions.criteria import written
from schemas.formula.tree import Call, Tree
from schemas.formula.typed import Constant, Node
from schemas.formula.types import BOOLEAN, MOMENTS, NUMBER, Type
from schemas.formula.values import ONE

if TYPE_CHECKING:
    from schemas.formula.check import Checker

CONDITIONAL = {
    "COUNTIF": "COUNT",
    "SUMIF": "SUM",
    "AVERAGEIF": "AVERAGE",
    "COUNTIFS": "COUNT",
    "SUMIFS": "SUM",
    "AVERAGEIFS": "AVERAGE",
    "MAXIFS": "MAX",
    "MINIFS": "MIN",
}


def conditional(checker: "Checker", tree: Call, args: tuple[Node, ...]) -> Node | None:
    """`SUMIF(list, ">5", other)` as `SUM(IF(list > 5, other))`, if its conditions can be written so.

    The database then can compute it, and it means the same.
    """
    split = _split(checker, tree, args)
    if split is None:
        return None
    taken, tests = split
    if not tests or any(test is None or test.rows != taken.rows or not test.rows for test in tests):
        return None
    chosen, whole = FUNCTIONS["IF"], FUNCTIONS[CONDITIONAL[tree.name]]
    if whole.name == "COUNT":
        taken = Constant(type=NUMBER, value=ONE)
    for test in reversed(tests):
        assert test is not None
        taken = checker.apply(chosen, (test, taken), chosen.places(2) or (), tree)
    return checker.apply(whole, (taken,), whole.places(1) or (), tree)


def _split(checker: "Checker", tree: Call, args: tuple[Node, ...]) -> tuple[Node, list[Node | None]] | None:
    """What is gathered, and the conditions."""
    if tree.name.endswith("IFS"):
        pairs = args if tree.name == "COUNTIFS" else args[1:]
        if len(pairs) % 2:
            return None
        return args[0], [criterion(checker, *pair, tree) for pair in zip(pairs[::2], pairs[1::2], strict=True)]
    if len(args) == 1:
        return None
    if args[0].type == BOOLEAN and args[1].rows:
        return args[1], [args[0]]
    return args[-1] if len(args) == 3 else args[0], [criterion(checker, args[0], args[1], tree)]


def criterion(checker: "Checker", tested: Node, test: Node, tree: Tree) -> Node | None:
    """The condition that a criterion stands for, or None if only a closer look at the values can tell."""
    if not tested.rows or test.rows or test.type.kind in ("any", "array"):
        return None
    sign = "="
    if isinstance(test, Constant) and isinstance(test.value, str) and test.value:
        sign, text = written(test.value)
        if set(text) & set("*?~") or not text:
            return None
        value = _constant_like(tested.type, text)
        if value is None:
            return None
        test = Constant(type=type_of(value), value=value, start=test.start)
    elif test.type.kind == "text" or (isinstance(test, Constant) and test.value in (None, "")):
        return None
    return checker.operation(sign, (tested, test), tree)


def _constant_like(kind: Type, text: str) -> Any:
    """What the text of a criterion is, beside values of a kind."""
    if kind.kind in ("text", "choice"):
        return text if number_in(text) is None and text.upper() not in ("TRUE", "FALSE") else None
    if kind.kind == "number":
        return number_in(text)
    if kind.kind == "boolean":
        return {"TRUE": True, "FALSE": False}.get(text.upper())
    if kind.kind in MOMENTS:
        found = moment_in(text, NOWHERE)
        return found if not isinstance(found, datetime) else None
    return None
