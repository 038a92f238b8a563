"""Subflow: start another flow, once or for each row or linked record, and wait for it or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.fields.link import Link
from schemas.fields.rows import Rows
from schemas.formula import Formula
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Reference, Words
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place

DEEPEST = 5
MOST_ITEMS = 200


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Subflow(Step):
    """Starts another flow for a new record, for each row of a subform, or for linked records."""

    type = "subflow"
    title_word = "Subflow"
    icon = "layers"

    flow: str = option(Reference("flow", required=True), "Flow", "")
    of: str | None = option(
        Reference("field", allow_none=True),
        "One for each",
        help="A subform: one new record for each row. A link: for the records that it names. Empty: one new record.",
    )
    set: dict[str, Formula] = option(
        Dictionary(FormulaSource("any")),
        "Values of the new record",
        None,
        help="In a subform's column, that of its row.",
    )
    wait: bool = option(Flag(), "Wait until it is over", True)
    if_rejected: str = option(
        Words("go_on", "reject"), "If it is not approved", "go_on", help="Go on all the same, or be rejected too."
    )
    results: dict[str, Formula] = option(
        Dictionary(FormulaSource("any", scope="other")),
        "Results written back",
        None,
        help="Fields of this record (or columns of the row), set from the other record when its flow is over.",
    )

    def enter(self, run: "Run", token: "Token") -> None:
        items = 1 if self.of is None else len(run.ids(Formula.of(self.of)))
        if run.state.depth >= DEEPEST:
            run.fail(token, self, say("Flows lie too deep inside one another here."))
        elif items > MOST_ITEMS:
            run.fail(
                token, self, say("That would start {n} flows; at most {most} are possible.", n=items, most=MOST_ITEMS)
            )
        else:
            run.spawn(token, self, items, self.wait)

    def formulas(self) -> Iterator[Formula]:
        yield from (self.set or {}).values()
        if self.of is not None:
            yield Formula.of(self.of)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        other = place.app.flow(self.flow)
        target = place.app.table(other.table(place.app) or "") if other is not None else None
        if other is None or target is None:
            yield place.problem("flow", say("there is no {thing} '{name}'", thing="flow", name=self.flow))
            return
        source = place.table.by_id.get(self.of or "")
        if self.of is not None and not isinstance(source, Rows | Link):
            yield place.problem("of", say("name a subform or a link of this table"))
        elif isinstance(source, Link) and source.table != target.id:
            yield place.problem("of", say("the flow is about another table than this link"))
        rows = source if isinstance(source, Rows) else None
        if not isinstance(source, Link):
            yield from place.may_add("flow", target)
        for name, formula in (self.set or {}).items():
            yield from place.assignment(f"set.{name}", target, name, formula, rows)
        for name, formula in (self.results or {}).items():
            yield from place.result(f"results.{name}", name, formula, target, rows)
