"""Formulas as a spreadsheet evaluates them: nothing is checked before, cells hold anything."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.formula.check import Checker
from schemas.formula.evaluate import compile_node, kept
from schemas.formula.functions import FUNCTIONS
from schemas.formula.functions.base import Function, Parameter
from schemas.formula.parse import Formula, FormulaError
from schemas.formula.tree import ArrayLiteral, Call, Literal, Name, Path, Tree
from schemas.formula.typed import Apply, Constant, Items, Node, Read, Reference, below
from schemas.formula.types import ANY
from schemas.formula.values import NA, NAME, NUM, SYNTAX, Fault, Run, World
from schemas.messages import Message

CELLS = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
MOST_CELLS = 100_000
LISTED_IN = frozenset(("statistics", "conditions"))
LISTED = frozenset(("AND", "OR", "XOR"))


def evaluate_untyped(source: str, values: Mapping[str, Any], now: datetime, zone: ZoneInfo, excel: bool = False) -> Any:
    """The value of a formula over named values or cells (`A1`, ranges `A1:B2`); an ErrorValue if it has none.

    A name that is not among the values is `#NAME?`, a wrong formula `#ERROR!`. With `excel`, blanks compare
    as they do there.
    """
    given = {name: plain(value) for name, value in values.items()}
    try:
        root = SpreadsheetChecker(given).node(Formula.of(source).tree)
    except FormulaError:
        return SYNTAX
    world = World(now, zone, untyped=True, excel_blanks=excel)
    try:
        return kept(compile_node(root)(Run(_with_ranges(given, root), world)))
    except Fault as fault:
        return fault.error
    except (OverflowError, RecursionError):
        return NUM


def plain(value: Any) -> Any:
    """A value from JSON as formulas know it: numbers are Decimals."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Anything:
    """Names without a type."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def resolve(self, path: Path) -> Reference | Message:
        return Reference(path, ANY)


class SpreadsheetChecker(Checker):
    """Makes the tree that is evaluated, without asking whether it makes sense."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(_Anything(values))
        self.values = values

    def part(self, tree: Tree) -> Node:
        match tree:
            case Literal(value=value):
                return Constant(type=ANY, value=value, start=tree.start)
            case Name(path=path):
                return self.cell(".".join(path), tree)
            case ArrayLiteral(rows=rows):
                table = tuple(tuple(self.node(item) for item in row) for row in rows)
                return Items(type=ANY, table=table, start=tree.start)
        return super().part(tree)

    def cell(self, name: str, tree: Tree) -> Node:
        if name not in self.values and CELLS.fullmatch(name) is None:
            return Constant(type=ANY, value=NAME, start=tree.start)
        return Read(type=ANY, path=(name,), start=tree.start)

    def call(self, tree: Call) -> Node:
        function = FUNCTIONS.get(tree.name)
        if function is None or tree.facts:
            return Constant(type=ANY, value=NAME, start=tree.start)
        places = function.places(len(tree.args))
        if places is None:
            return Constant(type=ANY, value=NA, start=tree.start)
        return self.apply(function, tuple(self.node(arg) for arg in tree.args), places, tree)

    def apply(self, function: Function, args: tuple[Node, ...], places: tuple[Parameter, ...], tree: Tree) -> Apply:
        listed = function.module in LISTED_IN or function.name in LISTED
        given = tuple(_as_list(a) if listed and p.takes_lists else a for a, p in zip(args, places, strict=True))
        return Apply(type=ANY, start=tree.start, function=function, args=given, parameters=places, lifts=True)


def _as_list(node: Node) -> Node:
    """A cell is a list of one: there, texts that spell numbers stay texts."""
    return Items(type=ANY, table=((node,),)) if isinstance(node, Read) else node


def _with_ranges(values: Mapping[str, Any], root: Node) -> dict[str, Any]:
    found = dict(values)
    for node in below(root):
        if isinstance(node, Read) and node.path[0] not in found:
            found[node.path[0]] = cells(values, node.path[0])
    return found


def cells(values: Mapping[str, Any], name: str) -> list[list[Any]]:
    """The cells of a range, by rows; those that have no value are blank."""
    match = CELLS.fullmatch(name)
    assert match is not None
    columns = sorted((_column(match[1]), _column(match[3])))
    rows = sorted((int(match[2]), int(match[4])))
    if (columns[1] - columns[0] + 1) * (rows[1] - rows[0] + 1) > MOST_CELLS:
        raise Fault(NUM)
    return [
        [values.get(f"{_letters(c)}{r}") for c in range(columns[0], columns[1] + 1)]
        for r in range(rows[0], rows[1] + 1)
    ]


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
