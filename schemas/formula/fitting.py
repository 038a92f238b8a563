"""Whether the parts of a formula fit together, and what they are made into so that they do."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.formula.coerce import accepts, moment_in
from schemas.formula.functions import OPERATORS
from schemas.formula.functions.base import Function, Parameter
from schemas.formula.parse import FormulaError
from schemas.formula.tree import (
    Path,
    Tree,
)
from schemas.formula.typed import (
    Apply,
    Constant,
    Items,
    Node,
)
from schemas.formula.types import (
    ANY,
    BLANK,
    BOOLEAN,
    DATE,
    DATETIME,
    HOPS,
    MOMENTS,
    NUMBER,
    WORDS,
    Type,
    array_of,
    stray_option,
    unify,
)
from schemas.formula.values import ErrorValue, World
from schemas.messages import Message, say

MEASURED = frozenset(("number", "date", "datetime"))
IDENTIFIED = MEASURED | {"member", "department", "link"}
NOWHERE = World(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))


def moment_of(node: Node) -> Node:
    """A date where moments are given: its first moment."""
    moment = OPERATORS["moment"]
    return Apply(
        type=DATETIME,
        rows=node.rows,
        start=node.start,
        function=moment,
        args=(node,),
        parameters=moment.parameters,
    )


def type_of(value: object) -> Type:
    if isinstance(value, bool):
        return BOOLEAN
    if value is None or value == "":
        return BLANK
    if isinstance(value, date):
        return DATE
    if isinstance(value, str):
        return Type("text", options=frozenset((value,)))
    return ANY if isinstance(value, ErrorValue) else NUMBER


def fitting(root: Node, expected: Type) -> Node:
    """The root as the expected type; a text that is an option is that choice."""
    if expected.kind == "any":
        return root
    given = array_of(root.type) if root.rows and root.type.kind != "array" else root.type
    if expected.kind in MOMENTS:
        root = as_moment(root, Parameter("moment"))
        given = root.type if not root.rows else given
        if expected.kind == "datetime" and given.kind == "date":
            return moment_of(root)
        if expected.kind == "date" and given.kind == "datetime":
            day = OPERATORS["day"]
            return Apply(
                type=DATE,
                rows=root.rows,
                start=root.start,
                function=day,
                args=(root,),
                parameters=day.parameters,
            )
    stray = stray_option(expected, given)
    if stray is not None:
        raise FormulaError(stray, root.start)
    both = unify(given, expected)
    if both is None or (expected.kind == "choice" and given.kind == "text" and given.options is None):
        if expected.kind == "text" and accepts("text", given):
            return root
        if expected.kind == "choice" and given.kind == "text":
            return root
        raise FormulaError(
            say(
                "This gives {given}, but {expected} is needed.",
                given=WORDS[given.kind],
                expected=WORDS[expected.kind],
            ),
            root.start,
        )
    return root


def as_moment(node: Node, place: Parameter) -> Node:
    """A text that spells a date counts as that date where dates are taken."""
    if place.element not in ("date", "moment") or not isinstance(node, Constant) or not isinstance(node.value, str):
        return node
    moment = moment_in(node.value, NOWHERE)
    if moment is None or isinstance(moment, datetime):
        return node
    return Constant(type=DATE, value=moment, start=node.start)


def as_identity(node: Node, other: Type) -> Node:
    """A text that is the id of a person or record counts as that one where it is compared with such."""
    if other.kind not in HOPS:
        return node
    if isinstance(node, Items):
        table = tuple(tuple(as_identity(item, other) for item in row) for row in node.table)
        kinds = [item.type for row in table for item in row]
        same = array_of(other) if all(kind.kind == other.kind for kind in kinds) else node.type
        return Items(type=same, table=table, start=node.start)
    if not isinstance(node, Constant) or not isinstance(node.value, str):
        return node
    try:
        return Constant(type=other, value=UUID(node.value), start=node.start)
    except ValueError:
        return node


def options_of_switch(types: list[Type], args: tuple[Node, ...]) -> None:
    """What a SWITCH tests for must be able to be its value."""
    for place in range(1, len(types) - 1, 2):
        stray = stray_option(types[0], types[place])
        if stray is None and unify(types[0], types[place]) is None:
            stray = say(
                "{one} cannot be compared with {other}.",
                one=WORDS[types[0].kind],
                other=WORDS[types[place].kind],
            )
        if stray is not None:
            raise FormulaError(stray, args[place].start)


def comparable(args: tuple[Node, ...], tree: Tree) -> tuple[Node, ...]:
    left, right = args
    one, other = element_of(left), element_of(right)
    if {one.kind, other.kind} & MOMENTS and {one.kind, other.kind} & {"text"}:
        moment = Parameter("moment")
        left, right = as_moment(left, moment), as_moment(right, moment)
        one, other = element_of(left), element_of(right)
    left, right = as_identity(left, other), as_identity(right, one)
    one, other = element_of(left), element_of(right)
    for choice, text, at in ((one, other, right), (other, one, left)):
        stray = stray_option(choice, text)
        if stray is not None:
            raise FormulaError(stray, at.start)
    if unify(one, other) is None:
        raise FormulaError(
            say("{one} cannot be compared with {other}.", one=WORDS[one.kind], other=WORDS[other.kind]),
            tree.start,
        )
    return left, right


def comparison(operator: str, args: tuple[Node, ...]) -> str:
    """Comparing values of one kind that is not text needs no folding and no zone."""
    both = unify(element_of(args[0]), element_of(args[1]))
    kinds = {element_of(a).kind for a in args}
    if operator in ("=", "<>"):
        plain = both is not None and (both.kind == "choice" or (len(kinds) == 1 and both.kind in IDENTIFIED))
    else:
        plain = len(kinds) == 1 and kinds <= MEASURED
    return f"{operator}same" if plain else operator


def member_of_list(args: tuple[Node, ...]) -> tuple[Node, ...]:
    value, items = args
    if not items.rows and items.type.kind not in ("array", "rows", "any"):
        raise FormulaError(say("After IN a list is needed, such as {example}.", example='{"a","b"}'), items.start)
    value, items = as_identity(value, element_of(items)), as_identity(items, element_of(value))
    one, other = element_of(value), element_of(items)
    stray = stray_option(one, other) or stray_option(other, one)
    if stray is not None:
        raise FormulaError(stray, items.start)
    if unify(one, other) is None:
        raise FormulaError(
            say("{one} cannot be compared with {other}.", one=WORDS[one.kind], other=WORDS[other.kind]),
            items.start,
        )
    return value, items


def element_of(node: Node) -> Type:
    return node.type.of if node.type.kind == "array" and node.type.of else node.type


def sum_kind(operator: str, args: tuple[Node, ...]) -> str:
    """Which addition or subtraction the operands ask for: of numbers, or with dates."""
    left, right = (element_of(a).kind for a in args)
    if "any" in (left, right):
        return f"{operator}any"
    if left in MOMENTS and right in MOMENTS and operator == "-":
        return "-dates"
    if left in MOMENTS:
        return f"{operator}days"
    if right in MOMENTS and operator == "+":
        return "+moment"
    return operator


def common_rows(rows: Path, arg: Node, tree: Tree) -> Path:
    if rows and arg.rows and rows != arg.rows:
        raise FormulaError(
            say("'{one}' and '{other}' have different rows and cannot be calculated with one another.",
                one=".".join(rows), other=".".join(arg.rows)), tree.start)  # fmt: skip
    return rows or arg.rows


def wrong_count(function: Function, given: int) -> Message:
    shown = {"function": function.name, "given": given, "usage": function.usage}
    least, most = function.least, function.most
    if most == least:
        return say("{function} takes {count} arguments, but {given} are given: {usage}", count=least, **shown)
    if given < least:
        return say(
            "{function} takes at least {count} arguments, but {given} are given: {usage}",
            count=least,
            **shown,
        )
    return say("{function} takes at most {count} arguments, but {given} are given: {usage}", count=most, **shown)
