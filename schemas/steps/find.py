"""Find: one record, many, or a figure over them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula, Type
from schemas.formula.types import NUMBER, array_of, link_to
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Line, Many, Reference, Whole, Words
from schemas.steps.base import Step, step_types
from schemas.steps.condition import Condition

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place

FIGURES = ("sum", "average", "min", "max")
MOST = 1_000


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Find(Step):
    """Finds records that the flow may read. Later steps know what was found by this step's id."""

    type = "find"
    title_word = "Find records"
    icon = "step-find"

    table: str = option(Reference("table", required=True), "Table", "")
    where: Formula | None = option(
        FormulaSource("boolean", scope="other", allow_none=True),
        "Only those where",
        help="Fields of the table; 'this' is the flow's record, 'id' the one looked at; earlier steps go by their ids.",
    )
    take: str = option(Words("one", "many", "count", *FIGURES), "Take", "many")
    value: str | None = option(Reference("field", allow_none=True), "Of the field", help="For a sum and the like.")
    sort: tuple[str, ...] = option(Many(Line(80), most=3), "Order", (), help="Fields, with - for descending.")
    limit: int = option(Whole(1, MOST), "At most", 200)

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def problems(self) -> Iterator[tuple[str, Message]]:
        if (self.take in FIGURES) != (self.value is not None):
            yield "value", say("name the field for a sum, average, min or max, and only for those")

    def formulas(self) -> Iterator[Formula]:
        yield from (self.where,) if self.where is not None else ()

    def result(self, place: "Place") -> Type | None:
        if self.take == "one":
            return link_to(self.table)
        if self.take == "many":
            return array_of(link_to(self.table))
        target = place.app.table(self.table)
        found = target.by_id.get(self.value or "") if target else None
        if self.take in ("min", "max") and target is not None and found is not None:
            return place.app.analysis.type_of(target, found)
        return NUMBER

    def complaints(self, place: "Place") -> Iterator[Problem]:
        target = place.app.table(self.table)
        if target is None:
            yield from place.table_named("table", self.table)
            return
        yield from place.may_read("table", target)
        yield from Condition("where", self.where).complaints(place, target)
        for index, name in enumerate(self.sort):
            if name.lstrip("-") not in target.by_id and name.lstrip("-") not in ("created_at", "updated_at"):
                yield place.problem(f"sort[{index}]", say("there is no field '{name}'", name=name.lstrip("-")))
        read = [*(name.lstrip("-") for name in self.sort), self.value or ""]
        yield from place.may_see("sort" if self.value is None else "value", target, read)
        if self.value is not None:
            found = target.by_id.get(self.value)
            if found is None:
                yield place.problem("value", say("there is no field '{name}'", name=self.value))
                return
            kind = place.app.analysis.type_of(target, found).kind
            if kind not in ("number", *(("date", "datetime") if self.take in ("min", "max") else ())):
                yield place.problem("value", say("name a field of the table that holds numbers"))
