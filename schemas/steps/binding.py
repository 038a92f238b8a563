"""A condition on other records that also speaks of the flow: what it reads there is given to it as plain values."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from schemas.formula import Formula, Type, names, rename, to_source
from schemas.formula.tree import Path
from schemas.formula.types import link_to
from schemas.messages import Message
from schemas.scopes import TableScope

if TYPE_CHECKING:
    from schemas.table import Table


@dataclass(frozen=True)
class Bound:
    """A condition in which names of its own stand for what the flow knows; `given` is the formula for each of them."""

    formula: Formula
    given: dict[str, Formula]
    types: dict[str, Type]

    def scope(self, own: TableScope, target: "Table") -> TableScope:
        return replace(own, table=target, row=None, this=None, extra={**self.types, "id": link_to(target.id)})


def bind(formula: Formula, own: TableScope) -> Bound:
    """`own` are the names of the flow: `this` is its record, and what its steps give goes by their ids."""
    paths = sorted(path for path in names(formula.tree) if path[0] == "this" or path[0] in own.extra)
    named: dict[Path, Path] = {path: (f"given_{number}",) for number, path in enumerate(paths)}
    given = {name[0]: Formula.of(".".join(_own(path))) for path, name in named.items()}
    types = {name[0]: _type(path, own) for path, name in named.items()}
    return Bound(Formula.of(to_source(rename(formula.tree, named))), given, types)


def _own(path: Path) -> Path:
    return path[1:] if path[0] == "this" and len(path) > 1 else path


def _type(path: Path, own: TableScope) -> Type:
    if path == ("this",):
        return link_to(own.table.id)
    found = own.resolve(_own(path))
    return Type("any") if isinstance(found, Message) else found.type
