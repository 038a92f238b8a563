"""MAPX: what other tables hold, as a need that is answered before the formula is evaluated."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from schemas.formula.functions.lookup import mapx_type
from schemas.formula.parse import FormulaError
from schemas.formula.tree import Call, Literal, Name, Path, Tree
from schemas.formula.typed import Node, Read, Reference
from schemas.formula.types import WORDS, unify
from schemas.formula.values import Need
from schemas.messages import Message, say

if TYPE_CHECKING:
    from schemas.formula.check import Checker


@runtime_checkable
class ForeignScope(Protocol):
    """A scope that also knows the fields of other tables: `("book", "price")` is the price of any book."""

    def foreign(self, path: Path) -> Reference | Message: ...


def look_up(checker: "Checker", tree: Call) -> Node:
    """MAPX as a read of `Need("mapx", (operation, value, field, result))`; three are paths with points."""
    operation, value, field, result = tree.args
    if not isinstance(operation, Literal):
        raise FormulaError(
            say("The operation of MAPX is written out, such as {example}.", example='"sum"'), operation.start
        )
    if not isinstance(value, Name):
        raise FormulaError(say("MAPX compares with a field of this record."), value.start)
    asked = checker.node(value)
    compared, given = _foreign(checker, field), _foreign(checker, result)
    if asked.rows or unify(asked.type, compared.type) is None:
        words = {"one": WORDS[asked.type.kind], "other": WORDS[compared.type.kind]}
        raise FormulaError(say("{one} cannot be compared with {other}.", **words), field.start)
    if compared.path[0] != given.path[0]:
        raise FormulaError(say("MAPX looks at one table, but these are two."), result.start)
    kind = mapx_type(operation.value, given.type)
    if isinstance(kind, Message):
        raise FormulaError(kind, operation.start)
    need = Need("mapx", (str(operation.value), *(".".join(p) for p in (value.path, compared.path, given.path))))
    return Read(type=kind, path=("mapx",), kinds=(kind,), need=need, start=tree.start)


def foreign_paths(needs: Iterable[Need]) -> frozenset[Path]:
    """The paths in a formula that mean other tables' fields."""
    return frozenset(tuple(path.split(".")) for need in needs if need.kind == "mapx" for path in need.path[2:])


def _foreign(checker: "Checker", tree: Tree) -> Reference:
    if not isinstance(checker.scope, ForeignScope):
        raise FormulaError(say("MAPX cannot be used here."), tree.start)
    if not isinstance(tree, Name) or len(tree.path) < 2:
        raise FormulaError(say("Name a table and its field, such as {example}.", example="book.price"), tree.start)
    found = checker.scope.foreign(tree.path)
    if isinstance(found, Message):
        raise FormulaError(found, tree.start)
    return found
