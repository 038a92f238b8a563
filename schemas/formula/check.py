"""Checking a formula: what its names mean, whether its parts fit, what it needs."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.formula.coerce import accepts
from schemas.formula.conditional import CONDITIONAL, conditional
from schemas.formula.database import no_sql
from schemas.formula.elsewhere import foreign_paths, look_up
from schemas.formula.fitting import (
    as_moment,
    common_rows,
    comparable,
    comparison,
    fitting,
    member_of_list,
    moment_of,
    options_of_switch,
    sum_kind,
    type_of,
    wrong_count,
)
from schemas.formula.functions import FUNCTIONS, OPERATORS
from schemas.formula.functions.base import Function, Parameter, unknown
from schemas.formula.parse import Formula, FormulaError
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
    DEPARTMENT_FACTS,
    MEMBER,
    MEMBER_FACTS,
    WORDS,
    Type,
    array_of,
    unify,
)
from schemas.formula.values import Need
from schemas.messages import Message, say

COMPARISONS = frozenset(("=", "<>", "<", ">", "<=", ">="))
NO_FACTS: Mapping[str, Type] = MappingProxyType({})
FACTS = {"member": MEMBER_FACTS, "department": DEPARTMENT_FACTS}


def check(formula: Formula, scope: Scope, expected: Type | None = None) -> Expression:
    """The typed tree of a formula. Raises FormulaError with the position of what does not fit."""
    checker = Checker(scope)
    root = checker.node(formula.tree)
    if expected is not None:
        root = fitting(root, expected)
    return expression_of(formula, root, checker.volatile)


def expression_of(formula: Formula, root: Node, volatile: bool) -> Expression:
    """What follows from a typed tree."""
    needs = frozenset(need for n in _all(root) if (need := _need_of(n)) is not None)
    return Expression(
        formula=formula,
        root=root,
        type=array_of(root.type) if root.rows and root.type.kind != "array" else root.type,
        paths=names(formula.tree) - foreign_paths(needs),
        volatile=volatile,
        no_sql=no_sql(root),
        needs=needs,
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
        return Chain(type=node.type, rows=rows, start=first.start, first=first, steps=tuple(map(_without_left, steps)))

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
                return Constant(type=type_of(value), value=value, start=tree.start)
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
                return Read(type=element, path=path, kinds=kinds, rows=path[:length], need=need, start=tree.start)
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
            raise FormulaError(wrong_count(function, len(tree.args)), tree.start)
        if tree.name == "MAPX":
            return look_up(self, tree)
        args = tuple(self.node(arg) for arg in tree.args)
        if tree.name in CONDITIONAL and (plain := conditional(self, tree, args)) is not None:
            return plain
        return self.apply(function, args, places, tree)

    def operation(self, operator: str, args: tuple[Node, ...], tree: Tree) -> Apply:
        if operator in COMPARISONS:
            args = comparable(args, tree)
            operator = comparison(operator, args)
        if operator == "IN":
            args = member_of_list(args)
        if operator in ("+", "-") and len(args) == 2:
            operator = sum_kind(operator, args)
        function = OPERATORS[operator]
        places = function.places(len(args))
        assert places is not None
        return self.apply(function, args, places, tree)

    def apply(self, function: Function, args: tuple[Node, ...], places: tuple[Parameter, ...], tree: Tree) -> Apply:
        rows: Path = ()
        lifts = False
        types = []
        args = tuple(as_moment(a, p) for a, p in zip(args, places, strict=True))
        for arg, place in zip(args, places, strict=True):
            self.fits(function, arg, place)
            listed = bool(arg.rows) or arg.type.kind == "array"
            if listed and not place.takes_lists:
                rows = common_rows(rows, arg, tree)
                lifts = lifts or not arg.rows
            lifts = lifts or arg.type.kind == "any"
            types.append(
                arg.type.of if arg.type.kind == "array" and arg.type.of and place.kind != "array" else arg.type
            )
        if function.name == "SWITCH":
            options_of_switch(types, args)
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
            args = tuple(moment_of(arg) if arg.type.kind == "date" else arg for arg in args)
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
            say(
                "{function} takes {kind} here, but this is {given}.",
                function=function.shown,
                kind=WORDS.get(place.element, say("a date or a time")),
                given=WORDS[kind.kind],
            ),
            arg.start,
        )


def _without_left(step: Apply) -> Apply:
    """A step of a chain keeps only the type of what stands left of it."""
    left = Constant(type=step.args[0].type, rows=step.args[0].rows, value=None)
    return Apply(**{**vars(step), "args": (left, step.args[1])})
