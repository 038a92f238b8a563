from collections.abc import Iterator
from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.formula import Computed
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Reference, Words

AGGREGATES = ("count", "sum", "average", "min", "max")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Rollup(Computed):
    """A figure over the records of another table that link here: `over` is `table.link_field`."""

    type = "rollup"
    title = "Rollup"
    group = "relation"
    icon = "sigma"
    place = 40
    numeric = True
    in_subform = False

    over: str = option(Reference("link field", required=True), "Records", "", help="table.link_field")
    aggregate: str = option(Words(*AGGREGATES, required=True), "Aggregate", "count")
    value: Formula | None = option(FormulaSource("any", "linked", allow_none=True), "Value", None)
    where: Formula | None = option(FormulaSource("boolean", "linked", allow_none=True), "Only records where", None)

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.aggregate != "count" and self.value is None:
            yield "value", say("say which value to aggregate")
        if "." not in self.over:
            yield "over", say("name a link field of the other table as table.field")
