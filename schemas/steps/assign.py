"""Assign: one of several people gets the record, in turns or by what they have already."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula, Type
from schemas.formula.types import MEMBER
from schemas.messages import say
from schemas.options import option
from schemas.parsers import FormulaSource, Reference, Whole, Words
from schemas.steps.base import Step, step_types
from schemas.steps.condition import Condition
from schemas.steps.who import People, Who

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Assign(Step):
    """Writes one of these people into a field. Who is away gets nothing. Two at the same time never meet."""

    type = "assign"
    title_word = "Assign"
    icon = "user-check"

    field: str = option(Reference("field", required=True), "Member field", "")
    among: tuple[Who, ...] = option(People(required=True), "Among", ())
    by: str = option(
        Words("turns", "weights", "load"), "Chosen by", "turns",
        help="In turns, in turns by weight (a weight of 2 gets twice as many), or who has the fewest records.",
    )  # fmt: skip
    where: Formula | None = option(
        FormulaSource("boolean", scope="other", allow_none=True),
        "Records that count",
        help="Which records of this table somebody has to do with; all that name them without a condition.",
    )
    most: int | None = option(Whole(1, 100_000, allow_none=True), "At most each")
    if_nobody: str = option(
        Words("stop", "go_on"), "When nobody can take it", "stop", help="The flow stops and tells its owner, or goes on without anybody."
    )  # fmt: skip

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def formulas(self) -> Iterator[Formula]:
        yield from (formula for who in self.among for formula in who.formulas)
        yield from (self.where,) if self.where is not None else ()

    def result(self, place: "Place") -> Type | None:
        return MEMBER

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.people("among", self.among)
        found = place.table.by_id.get(self.field)
        if found is None:
            yield from place.field("field", self.field)
        elif found.type != "member":
            yield place.problem("field", say("expected a member field"))
        else:
            yield from place.may_write("field", place.table, self.field)
        yield from Condition("where", self.where).complaints(place, place.table)
        if self.by == "load" or self.most is not None:
            yield from place.may_read("field", place.table)
