"""Measures: figures over many records, such as `SUM(total)` or `COUNTIF(stage = "won") / COUNT()`.

A measure is arithmetic over aggregates. Each aggregate's argument is a formula about one record; the arithmetic
around them is a formula about the aggregates, which stand in it as `m0`, `m1` and so on.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from schemas.formula import Expression, Formula, FormulaError, Reference, Type, check, to_source
from schemas.formula.tree import Binary, Call, Name, Tree, Unary
from schemas.formula.types import BOOLEAN, NUMBER
from schemas.messages import Message, say
from schemas.scopes import TableScope

if TYPE_CHECKING:
    from schemas.analysis import Analysis
    from schemas.table import Table

AGGREGATES = {
    "COUNT": (0, 1),
    "COUNTIF": (1, 1),
    "SUM": (1, 1),
    "SUMIF": (2, 2),
    "AVERAGE": (1, 1),
    "AVERAGEIF": (2, 2),
    "MIN": (1, 1),
    "MAX": (1, 1),
    "MEDIAN": (1, 1),
}
"""Name -> fewest and most arguments; the IF forms take the condition first."""


@dataclass(frozen=True)
class Aggregate:
    """One aggregate: what is aggregated (None: the records themselves), and which records count."""

    name: str
    value: Expression | None = None
    where: Expression | None = None


@dataclass(frozen=True)
class Measure:
    """A checked measure: its aggregates, and the arithmetic over them."""

    aggregates: tuple[Aggregate, ...]
    total: Expression


@dataclass(frozen=True)
class _Figures:
    """The names in the arithmetic: `m0`, `m1` ... with their types."""

    types: tuple[Type, ...]

    def resolve(self, path: tuple[str, ...]) -> Reference | Message:
        name = path[0]
        if len(path) == 1 and name[:1] == "m" and name[1:].isdigit() and int(name[1:]) < len(self.types):
            return Reference(path=path, type=self.types[int(name[1:])])
        return say("'{name}' must stand inside an aggregate such as SUM or COUNTIF", name=".".join(path))


def check_measure(formula: Formula, analysis: "Analysis", table: "Table", fixed: bool = False) -> Measure:
    """The measure that a formula over a table's records means; `fixed` lets it be a number alone. Raises FormulaError."""
    found: list[Aggregate] = []
    scope = analysis.reading_scope(table)
    outer = _outer(formula.tree, scope, found)
    if not found and not fixed:
        raise FormulaError(say("a measure needs an aggregate, such as COUNT() or SUM(amount)"), 0)
    types = tuple(_type_of(a) for a in found)
    total = check(Formula.of(to_source(outer)), _Figures(types), NUMBER if all(t == NUMBER for t in types) else None)
    return Measure(tuple(found), total)


def _type_of(aggregate: Aggregate) -> Type:
    keeps = aggregate.name in ("MIN", "MAX") and aggregate.value is not None
    return aggregate.value.type if keeps and aggregate.value else NUMBER


def _outer(tree: Tree, scope: TableScope, found: list[Aggregate]) -> Tree:
    """The tree with every aggregate replaced by its name, which is noted in `found`."""
    if isinstance(tree, Call) and tree.name.upper() in AGGREGATES:
        found.append(_aggregate(tree, scope))
        return Name(path=(f"m{len(found) - 1}",), start=tree.start, end=tree.end)
    if isinstance(tree, Binary):
        return replace(tree, left=_outer(tree.left, scope, found), right=_outer(tree.right, scope, found))
    if isinstance(tree, Unary):
        return replace(tree, operand=_outer(tree.operand, scope, found))
    if isinstance(tree, Call):
        return replace(tree, args=tuple(_outer(a, scope, found) for a in tree.args))
    return tree


def _aggregate(call: Call, scope: TableScope) -> Aggregate:
    name = call.name.upper()
    fewest, most = AGGREGATES[name]
    if not fewest <= len(call.args) <= most:
        raise FormulaError(say("{name} takes {n} arguments here", name=name, n=most), call.start)
    if name == "COUNTIF":
        return Aggregate("COUNT", None, _inner(call.args[0], scope, BOOLEAN))
    if name in ("SUMIF", "AVERAGEIF"):
        return Aggregate(name[:-2], _inner(call.args[1], scope, NUMBER), _inner(call.args[0], scope, BOOLEAN))
    if not call.args:
        return Aggregate(name)
    expected = None if name in ("COUNT", "MIN", "MAX") else NUMBER
    return Aggregate(name, _inner(call.args[0], scope, expected))


def _inner(tree: Any, scope: TableScope, expected: Type | None) -> Expression:
    expression = scope.analysis.expression(Formula.of(to_source(tree)), scope, expected)
    if expression.no_sql:
        raise FormulaError(expression.no_sql, tree.start)
    return expression
