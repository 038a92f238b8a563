"""Create: a new record of any table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula, Type
from schemas.formula.types import link_to
from schemas.options import option
from schemas.parsers import Dictionary, FormulaSource, Reference
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Create(Step):
    """Adds a record, which sets off the flows that wait for that. Later steps know it by this step's id."""

    type = "create"
    title_word = "Create a record"
    icon = "step-create"

    table: str = option(Reference("table", required=True), "Table", "")
    set: dict[str, Formula] = option(
        Dictionary(FormulaSource("any"), keys="other field"), "Values of the new record", None
    )

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def formulas(self) -> Iterator[Formula]:
        yield from (self.set or {}).values()

    def result(self, place: "Place") -> Type | None:
        return link_to(self.table)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        target = place.app.table(self.table)
        if target is None:
            yield from place.table_named("table", self.table)
            return
        yield from place.may_add("table", target)
        for name, formula in (self.set or {}).items():
            yield from place.assignment(f"set.{name}", target, name, formula)
