"""Delete: records go to the trash."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula
from schemas.options import option
from schemas.parsers import FormulaSource
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Delete(Step):
    """Puts one record, or several, into the trash, from which they can be restored."""

    type = "delete"
    title_word = "Delete records"
    icon = "step-delete"

    of: Formula = option(
        FormulaSource("any", required=True),
        "Records",
        None,
        help="A link, what an earlier step found or created, or 'this' for the flow's own record.",
    )

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def formulas(self) -> Iterator[Formula]:
        yield self.of

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.records("of", self.of)
        if (target := place.table_of(self.of)) is not None:
            yield from place.may_delete("of", target)
