"""Update: set fields of the record, of a record that it links to, or of records that a step found."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, FormulaSource, Reference
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Update(Step):
    """Sets fields. The formulas in `set` read the flow's record, whichever record is written."""

    type = "update"
    title_word = "Update"
    icon = "pencil"

    record: str | None = option(
        Reference("field", allow_none=True),
        "Record",
        help="A link field of the record; empty for the record itself.",
    )
    of: Formula | None = option(
        FormulaSource("any", allow_none=True),
        "Records",
        help="Instead: what an earlier step found or created, one or several.",
    )
    set: dict[str, Formula] = option(Dictionary(FormulaSource("any"), required=True), "Set", None)

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.record is not None and self.of is not None:
            yield "of", say("name one of: {names}", names="record, of")

    def formulas(self) -> Iterator[Formula]:
        yield from self.set.values()
        yield from (self.of,) if self.of is not None else ()

    def complaints(self, place: "Place") -> Iterator[Problem]:
        if not self.set:
            yield place.problem("set", say("set at least one field"))
        if self.of is not None:
            yield from place.records("of", self.of)
        target = place.target(self.record) if self.of is None else place.table_of(self.of)
        if target is None and self.of is not None:
            return
        if target is None:
            yield place.problem("record", say("'{id}' is not a link field of this table", id=self.record))
            return
        for name, formula in self.set.items():
            yield from place.assignment(f"set.{name}", target, name, formula)
            yield from place.may_write(f"set.{name}", target, name)
