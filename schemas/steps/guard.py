"""Guard: whoever saves the record is refused, with words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula
from schemas.formula.types import BOOLEAN
from schemas.messages import say
from schemas.options import option
from schemas.parsers import FormulaSource, Label, Reference
from schemas.steps.base import Step, step_types
from schemas.text import Text
from schemas.wording import formulas_in

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Guard(Step):
    """Refuses the record while it is being saved, whoever writes it: nothing of the write is kept."""

    type = "guard"
    title_word = "Refuse"
    icon = "shield"

    when: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only when", help="Without one always.")
    message: Text = option(Label(required=True), "Message", Text(), help="Formulas in braces are filled in: {no}.")
    field: str | None = option(Reference("field", allow_none=True), "Said beside the field", help="None for the form as a whole.")

    def enter(self, run: "Run", token: "Token") -> None:
        raise AssertionError("a guard stands in flows that run before a record is saved, which no engine runs")

    def formulas(self) -> Iterator[Formula]:
        yield from (self.when,) if self.when is not None else ()
        yield from formulas_in(self.message)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        if not place.flow.guards:
            yield place.problem("", say("a record is refused only by a flow that runs before it is saved"))
        if self.when is not None:
            yield from place.formula("when", self.when, BOOLEAN)
        yield from place.wording("message", self.message)
        if self.field is not None:
            yield from place.field("field", self.field)
