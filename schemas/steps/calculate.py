"""Calculate: a value that later steps use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula, Type
from schemas.options import option
from schemas.parsers import FormulaSource
from schemas.results import dump
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Calculate(Step):
    """Works out a formula once. Later steps know the value by this step's id."""

    type = "calculate"
    title_word = "Calculate"
    icon = "calculator"

    formula: Formula = option(FormulaSource("any", required=True), "Formula", None)

    def enter(self, run: "Run", token: "Token") -> None:
        run.give(token, self, dump(run.facts.value(self.formula)))

    def formulas(self) -> Iterator[Formula]:
        yield self.formula

    def result(self, place: "Place") -> Type | None:
        return place.type_of(self.formula)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.formula("formula", self.formula)
