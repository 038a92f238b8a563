"""Each: the steps inside once for every record, row or value of a list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.fields.rows import Rows
from schemas.formula import Formula, Type
from schemas.messages import say
from schemas.options import option
from schemas.parsers import FormulaSource, Kinds, Many
from schemas.results import dump
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place

MOST = 200


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Each(Step):
    """Goes through a list, one after the other. Inside, this step's id is the one whose turn it is."""

    type = "each"
    title_word = "For each"
    icon = "step-each"

    of: Formula = option(
        FormulaSource("any", required=True),
        "Go through",
        None,
        help="What an earlier step found, a field with several links, or a subform.",
    )
    steps: tuple[Step, ...] = option(Many(Kinds(step_types)), "Steps", ())

    @property
    def inner(self) -> dict[str, tuple[Step, ...]]:
        return {"steps": self.steps}

    def enter(self, run: "Run", token: "Token") -> None:
        items = run.facts.value(self.of)
        items = items if isinstance(items, list | tuple) else [] if items is None else [items]
        if len(items) > MOST:
            run.fail(token, self, say("{n} items are too many to go through; at most {most}.", n=len(items), most=MOST))
        else:
            run.repeat(token, self, [dump(item) for item in items])

    def formulas(self) -> Iterator[Formula]:
        yield self.of

    def result(self, place: "Place") -> Type | None:
        rows = place.table.by_id.get(self.of.source)
        if isinstance(rows, Rows):
            columns = {c.id: place.app.analysis.type_of(place.table, c, rows) for c in rows.fields}
            return Type("any", target=f"{place.flow.id}.{self.id}", parts=columns)
        return place.type_of(self.of).element

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.formula("of", self.of)
        if not self.steps:
            yield place.problem("steps", say("add at least one step"), "warning")
