"""Checking a formula: what its names mean, whether its parts fit, what it needs."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from schemas.formula.coerce import accepts, moment_in, number_in
from schemas.formula.functions import FUNCTIONS, OPERATORS
from schemas.formula.functions.base import Function, Parameter, unknown
from schemas.formula.functions.criteria import written
from schemas.formula.parse import Formula, FormulaError
from schemas.formula.sql import givens
from schemas.formula.tree import (
    ArrayLiteral,
    Call,
    Literal,
    Name,
    Path,
    Tree,
    Unary,
    left_spine,
    names,
)
from schemas.formula.typed import (
    Apply,
    Chain,
    Constant,
    Expression,
    Items,
    Me,
    Node,
    Read,
    Reference,
    Scope,
    parts,
)
from schemas.formula.types import (
    ANY,
    BLANK,
    BOOLEAN,
    DATE,
    DATETIME,
    DEPARTMENT_FACTS,
    MEMBER,
    MEMBER_FACTS,
    MOMENTS,
    NUMBER,
    WORDS,
    Type,
    array_of,
    stray_option,
    unify,
)
from schemas.formula.values import ErrorValue, Need, World
from schemas.messages import Message, say

LONGEST_CHAIN = 100
CONDITIONAL = {
    "COUNTIF": ("COUNT", 0), "SUMIF": ("SUM", 0), "AVERAGEIF": ("AVERAGE", 0), "COUNTIFS": ("COUNT", 0),
    "SUMIFS": ("SUM", 1), "AVERAGEIFS": ("AVERAGE", 1), "MAXIFS": ("MAX", 1), "MINIFS": ("MIN", 1),
}  # fmt: skip
COMPARISONS = frozenset(("=", "<>", "<", ">", "<=", ">="))
NO_FACTS: Mapping[str, Type] = MappingProxyType({})
FACTS = {"member": MEMBER_FACTS, "department": DEPARTMENT_FACTS}
NOWHERE = World(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))


def check(formula: Formula, scope: Scope, expected: Type | None = None) -> Expression:
    """The typed tree of a formula. Raises FormulaError with the position of what does not fit."""
    checker = Checker(scope)
    root = checker.node(formula.tree)
    if expected is not None:
        root = _fitting(root, expected)
    return expression_of(formula, root, checker.volatile)


def expression_of(formula: Formula, root: Node, volatile: bool) -> Expression:
    """What follows from a typed tree."""
    below = list(_all(root))
    return Expression(
        formula=formula,
        root=root,
        type=array_of(root.type) if root.rows and root.type.kind != "array" else root.type,
        paths=names(formula.tree),
        volatile=volatile,
        no_sql=_no_sql(root, below),
        needs=frozenset(need for n in below if (need := _need_of(n)) is not None),
    )


def _all(root: Node) -> list[Node]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, Chain):
            found.extend(node.steps)
        waiting.extend(parts(node))
    return found


def _need_of(node: Node) -> Need | None:
    if isinstance(node, Read | Me):
        return node.need
    return node.function.need if isinstance(node, Apply) else None


def _no_sql(root: Node, nodes: list[Node]) -> Message | None:
    if root.rows and not (isinstance(root, Read) and root.rows == root.path):
        return say("A list cannot be computed by the database.")
    for node in nodes:
        if isinstance(node, Apply) and (refusal := _refusal(node)):
            return refusal
        if isinstance(node, Read) and node.type.kind == "array":
            return say("A list within a list cannot be computed by the database.")
        if isinstance(node, Chain) and len(node.steps) > LONGEST_CHAIN and not _balanced(node):
            return say("This calculation is too long for the database.")
    return None


def _balanced(chain: Chain) -> bool:
    """Whether the order of computing does not matter, so that a database need not nest as deep as the chain is long."""
    signs = {step.function.name for step in chain.steps}
    return signs <= {"+", "-"} or signs == {"*"} or signs == {"&"}


def _refusal(node: Apply) -> Message | None:
    if node.lifts and any(arg.type.kind == "array" for arg in node.args):
        return say("A calculation over a written list cannot be done by the database.")
    form = node.function.form
    if form is None or form(*givens(node)) is None:
        return say("{function} cannot be computed by the database.", function=_spoken(node.function))
    return None


class Checker:
    """Goes through a tree once; remembers what it met."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.volatile = False

    def node(self, tree: Tree) -> Node:
        first, chain = left_spine(tree)
        node = self.part(first)
        steps: list[Apply] = []
        begun: Node = node
        for step in chain:
            applied = self.operation(step.operator, (node, self.node(step.right)), step)
            steps.append(applied)
            node = applied
        if len(steps) < 2:
            return node
        return self.chain(begun, steps)

    def chain(self, first: Node, steps: list[Apply]) -> Node:
        """Steps in a row as one flat node; only where rows begin does a new one start."""
        node, run = first, []
        for step in steps:
            run.append(step)
            node = step
        rows = node.rows
        if any(step.rows != rows for step in run) or first.rows not in ((), rows):
            return self.nested(first, steps)
        return Chain(
            type=node.type, rows=rows, start=first.start, first=first, steps=tuple(map(_without_left, steps))
        )

    def nested(self, first: Node, steps: list[Apply]) -> Node:
        split = next((n for n, step in enumerate(steps) if step.rows), len(steps))
        if split > 1:
            head = self.chain(first, steps[:split])
            tail = Apply(**{**vars(steps[split]), "args": (head, steps[split].args[1])})
            return self.chain(tail, steps[split + 1 :]) if steps[split + 1 :] else tail
        if split == 1:
            return self.chain(steps[1], steps[2:]) if steps[2:] else steps[1]
        return self.chain(steps[0], steps[1:]) if steps[1:] else steps[0]

    def part(self, tree: Tree) -> Node:
        match tree:
            case Literal(value=value):
                return Constant(type=_type_of(value), value=value, start=tree.start)
            case Name(path=path):
                return self.read(path, tree)
            case Call(name="ME", args=(), facts=facts):
                return self.me(facts, tree)
            case Call():
                return self.call(tree)
            case Unary(operator=operator, operand=operand):
                return self.operation(f"{operator}1", (self.node(operand),), tree)
            case ArrayLiteral(rows=rows):
                return self.items(rows, tree)
        raise TypeError(f"not part of a formula: {tree!r}")

    def read(self, path: Path, tree: Tree) -> Node:
        found = self.resolve(path, tree)
        passed = [self.passed(path[:length]) for length in range(1, len(path))]
        self.volatile = self.volatile or found.volatile
        kinds = (*passed, found.type)
        need = Need("path", path) if found.hops else None
        for length, kind in enumerate(kinds, 1):
            if kind.kind == "array" or (kind.kind == "rows" and length < len(path)):
                element = found.type.of if found.type.kind == "array" and found.type.of else found.type
                return Read(
                    type=element, path=path, kinds=kinds, rows=path[:length], need=need, start=tree.start
                )
        return Read(type=found.type, path=path, kinds=kinds, need=need, start=tree.start)

    def passed(self, path: Path) -> Type:
        """The type on the way along a path; a word that is nothing by itself, as `flow`, is any."""
        found = self.scope.resolve(path)
        return ANY if isinstance(found, Message) else found.type

    def resolve(self, path: Path, tree: Tree) -> Reference:
        found = self.scope.resolve(path)
        if isinstance(found, Message):
            raise FormulaError(found, tree.start)
        return found

    def me(self, facts: Path, tree: Tree) -> Node:
        kind: Type = MEMBER
        for fact in facts:
            known = FACTS.get(kind.kind, NO_FACTS)
            if fact not in known:
                raise FormulaError(
                    say("A member has no '{fact}' (known: {known}).", fact=fact, known=", ".join(known)),
                    tree.start,
                )
            kind = known[fact]
        if kind.kind == "array" and kind.of:
            return Me(type=kind, facts=facts, start=tree.start)
        return Me(type=kind, facts=facts, start=tree.start)

    def items(self, rows: tuple[tuple[Tree, ...], ...], tree: Tree) -> Node:
        table = tuple(tuple(self.node(item) for item in row) for row in rows)
        kind = BLANK
        for node in (node for row in table for node in row):
            kind = unify(kind, node.type) or ANY
        return Items(type=array_of(kind), table=table, start=tree.start)

    def call(self, tree: Call) -> Node:
        if tree.facts:
            raise FormulaError(say("Only ME() can be followed by a fact."), tree.start)
        function = FUNCTIONS.get(tree.name)
        if function is None:
            raise FormulaError(unknown(tree.name), tree.start)
        places = function.places(len(tree.args))
        if places is None:
            raise FormulaError(_wrong_count(function, len(tree.args)), tree.start)
        args = tuple(self.node(arg) for arg in tree.args)
        if tree.name in CONDITIONAL and (plain := self.conditional(tree, args)) is not None:
            return plain
        return self.apply(function, args, places, tree)

    def conditional(self, tree: Call, args: tuple[Node, ...]) -> Node | None:
        """`SUMIF(list, ">5", other)` as `SUM(IF(list > 5, other))`, if its conditions can be written so.

        The database then can compute it, and it means the same.
        """
        aggregate, first = CONDITIONAL[tree.name]
        if tree.name in ("COUNTIF", "SUMIF", "AVERAGEIF"):
            if len(args) == 1:
                return None
            if args[0].type.kind == "boolean" and args[0].rows and args[1].rows:
                tests, taken = [args[0]], args[1]
            else:
                found = self.criterion(args[0], args[1], tree)
                if found is None:
                    return None
                tests, taken = [found], args[-1] if len(args) == 3 else args[0]
        else:
            pairs = args[first:]
            if len(pairs) % 2:
                return None
            made = [
                self.criterion(one, test, tree) for one, test in zip(pairs[::2], pairs[1::2], strict=True)
            ]
            tests, taken = [t for t in made if t is not None], args[0]
            if len(tests) < len(made):
                return None
        if not taken.rows or any(test.rows != taken.rows for test in tests):
            return None
        if aggregate == "COUNT":
            taken = Constant(type=BOOLEAN, value=True)
        chosen = FUNCTIONS["IF"]
        places = chosen.places(2)
        assert places is not None
        for test in reversed(tests):
            taken = self.apply(chosen, (test, taken), places, tree)
        whole = FUNCTIONS[aggregate]
        return self.apply(whole, (taken,), whole.places(1) or (), tree)

    def criterion(self, tested: Node, test: Node, tree: Tree) -> Node | None:
        """The condition that a criterion stands for, or None if only a closer look at the values can tell."""
        if not tested.rows or test.rows or test.type.kind in ("any", "array"):
            return None
        sign: str = "="
        if isinstance(test, Constant) and isinstance(test.value, str) and test.value:
            sign, text = written(test.value)
            if set(text) & set("*?~") or not text:
                return None
            value = _constant_like(tested.type, text)
            if value is None:
                return None
            test = Constant(type=_type_of(value), value=value, start=test.start)
        elif test.type.kind == "text" or (isinstance(test, Constant) and test.value in (None, "")):
            return None
        try:
            return self.operation(sign, (tested, test), tree)
        except FormulaError:
            return None

    def operation(self, operator: str, args: tuple[Node, ...], tree: Tree) -> Apply:
        if operator in COMPARISONS:
            args = _comparable(args, tree)
            operator = _comparison(operator, args)
        if operator == "IN":
            args = _member_of_list(args)
        if operator in ("+", "-") and len(args) == 2:
            operator = _sum_kind(operator, args)
        function = OPERATORS[operator]
        places = function.places(len(args))
        assert places is not None
        return self.apply(function, args, places, tree)

    def apply(
        self, function: Function, args: tuple[Node, ...], places: tuple[Parameter, ...], tree: Tree
    ) -> Apply:
        rows: Path = ()
        lifts = False
        types = []
        args = tuple(_as_moment(a, p) for a, p in zip(args, places, strict=True))
        for arg, place in zip(args, places, strict=True):
            self.fits(function, arg, place)
            listed = bool(arg.rows) or arg.type.kind == "array"
            if listed and not place.takes_lists:
                rows = _same_rows(rows, arg, tree)
                lifts = lifts or not arg.rows
            lifts = lifts or arg.type.kind == "any"
            types.append(
                arg.type.of
                if arg.type.kind == "array" and arg.type.of and place.kind != "array"
                else arg.type
            )
        if function.name == "SWITCH":
            _options_of_switch(types, args)
        given = function.result(types)
        if isinstance(given, Message):
            raise FormulaError(given, tree.start)
        if (
            lifts
            and given.kind != "array"
            and any(a.type.kind == "array" and not p.takes_lists for a, p in zip(args, places, strict=True))
        ):
            given = array_of(given)
        self.volatile = self.volatile or function.volatile
        if function.blends and given.kind == "datetime":
            args = tuple(_moment_of(arg) if arg.type.kind == "date" else arg for arg in args)
        return Apply(
            type=given,
            rows=rows,
            start=tree.start,
            function=function,
            args=args,
            parameters=places,
            lifts=lifts,
        )

    def fits(self, function: Function, arg: Node, place: Parameter) -> None:
        kind = arg.type.of if arg.type.kind == "array" and arg.type.of else arg.type
        if kind.kind == "array" or accepts(place.element, kind):
            return
        if place.kind == "array" and kind.kind == "rows":
            return
        raise FormulaError(
            say("{function} takes {kind} here, but this is {given}.", function=_spoken(function),
                kind=WORDS.get(place.element, say("a date or a time")), given=WORDS[kind.kind]), arg.start)  # fmt: skip


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


def _moment_of(node: Node) -> Node:
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


def _spoken(function: Function) -> str:
    return function.shown


def _without_left(step: Apply) -> Apply:
    """A step of a chain keeps only the type of what stands left of it."""
    left = Constant(type=step.args[0].type, rows=step.args[0].rows, value=None)
    return Apply(**{**vars(step), "args": (left, step.args[1])})


def _type_of(value: object) -> Type:
    if isinstance(value, bool):
        return BOOLEAN
    if value is None or value == "":
        return BLANK
    if isinstance(value, date):
        return DATE
    if isinstance(value, str):
        return Type("text", options=frozenset((value,)))
    return ANY if isinstance(value, ErrorValue) else NUMBER


def _fitting(root: Node, expected: Type) -> Node:
    """The root as the expected type; a text that is an option is that choice."""
    if expected.kind == "any":
        return root
    given = array_of(root.type) if root.rows and root.type.kind != "array" else root.type
    if expected.kind in MOMENTS:
        root = _as_moment(root, Parameter("moment"))
        given = root.type if not root.rows else given
        if expected.kind == "datetime" and given.kind == "date":
            return _moment_of(root)
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


def _as_moment(node: Node, place: Parameter) -> Node:
    """A text that spells a date counts as that date where dates are taken."""
    if (
        place.element not in ("date", "moment")
        or not isinstance(node, Constant)
        or not isinstance(node.value, str)
    ):
        return node
    moment = moment_in(node.value, NOWHERE)
    if moment is None or isinstance(moment, datetime):
        return node
    return Constant(type=DATE, value=moment, start=node.start)


def _options_of_switch(types: list[Type], args: tuple[Node, ...]) -> None:
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


def _comparable(args: tuple[Node, ...], tree: Tree) -> tuple[Node, ...]:
    left, right = args
    one, other = _element(left), _element(right)
    if {one.kind, other.kind} & MOMENTS and {one.kind, other.kind} & {"text"}:
        moment = Parameter("moment")
        left, right = _as_moment(left, moment), _as_moment(right, moment)
        one, other = _element(left), _element(right)
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


def _comparison(operator: str, args: tuple[Node, ...]) -> str:
    """`=` of values of one kind that is not text needs no folding and no zone."""
    kinds = {_element(a).kind for a in args}
    if _element(args[0]).kind == "choice" or _element(args[1]).kind == "choice":
        both = unify(_element(args[0]), _element(args[1]))
        kinds = {both.kind} if both else kinds
    plain = len(kinds) == 1 and kinds <= {
        "choice",
        "member",
        "department",
        "link",
        "number",
        "date",
        "datetime",
    }
    return f"{operator}same" if plain and operator in ("=", "<>") else operator


def _member_of_list(args: tuple[Node, ...]) -> tuple[Node, ...]:
    value, items = args
    if not items.rows and items.type.kind not in ("array", "rows", "any"):
        raise FormulaError(
            say("After IN a list is needed, such as {example}.", example='{"a","b"}'), items.start
        )
    one, other = _element(value), _element(items)
    stray = stray_option(one, other) or stray_option(other, one)
    if stray is not None:
        raise FormulaError(stray, items.start)
    if unify(one, other) is None:
        raise FormulaError(
            say("{one} cannot be compared with {other}.", one=WORDS[one.kind], other=WORDS[other.kind]),
            items.start,
        )
    return args


def _element(node: Node) -> Type:
    return node.type.of if node.type.kind == "array" and node.type.of else node.type


def _sum_kind(operator: str, args: tuple[Node, ...]) -> str:
    """Which addition or subtraction the operands ask for: of numbers, or with dates."""
    left, right = (_element(a).kind for a in args)
    if "any" in (left, right):
        return f"{operator}any"
    if left in MOMENTS and right in MOMENTS and operator == "-":
        return "-dates"
    if left in MOMENTS:
        return f"{operator}days"
    if right in MOMENTS and operator == "+":
        return "+moment"
    return operator


def _same_rows(rows: Path, arg: Node, tree: Tree) -> Path:
    if rows and arg.rows and rows != arg.rows:
        raise FormulaError(
            say("'{one}' and '{other}' have different rows and cannot be calculated with one another.",
                one=".".join(rows), other=".".join(arg.rows)), tree.start)  # fmt: skip
    return rows or arg.rows


def _wrong_count(function: Function, given: int) -> Message:
    if function.most == function.least:
        return say("{function} takes {count} arguments, but {given} are given: {usage}", function=function.name,
                   count=function.least, given=given, usage=function.usage)  # fmt: skip
    if given < function.least:
        return say("{function} takes at least {count} arguments, but {given} are given: {usage}", function=function.name,
                   count=function.least, given=given, usage=function.usage)  # fmt: skip
    return say("{function} takes at most {count} arguments, but {given} are given: {usage}", function=function.name,
               count=function.most, given=given, usage=function.usage)  # fmt: skip
