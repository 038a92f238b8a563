"""A condition on records of another table, as steps have it that look for some."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula, FormulaError, names
from schemas.formula.types import BOOLEAN
from schemas.steps.binding import bind

if TYPE_CHECKING:
    from schemas.steps.place import Place
    from schemas.table import Table


@dataclass(frozen=True)
class Condition:
    """The condition, and where it stands in its step."""

    path: str
    formula: Formula | None

    def complaints(self, place: "Place", target: "Table") -> Iterator[Problem]:
        """What is wrong with it; the database must be able to answer it."""
        if self.formula is None:
            return
        own = place.scope()
        wrong = list(place.app.analysis.attempt(self.path, self.formula, place.other_scope(target), BOOLEAN))
        yield from wrong
        if wrong:
            return
        read = [path[0] for path in names(self.formula.tree) if path[0] not in own.extra]
        yield from place.may_see(self.path, target, read)
        bound = bind(self.formula, own)
        try:
            expression = place.app.analysis.expression(bound.formula, bound.scope(own, target), BOOLEAN)
        except FormulaError as err:
            yield Problem(self.path, err.message)
            return
        if expression.no_sql is not None:
            yield Problem(self.path, expression.no_sql)
