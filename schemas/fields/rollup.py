from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.fields.base import field_types
from schemas.fields.formula import Computed
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Line, Many, Reference, Words

AGGREGATES = ("count", "sum", "average", "min", "max", "first", "last", "join", "count_distinct")
COUNTS = ("count", "count_distinct")
ORDERED = ("first", "last", "join")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Rollup(Computed):
    """A figure over linked or matching records.

    Linked ones are named by `over`: `table.link` for the records of another table that link here
    (`table.rows.link` for the rows of its subform), or a link, links field or reverse side of this table.
    Matching ones are those of `table` that satisfy `where`, in which `this` is the record with the rollup.
    """

    type = "rollup"
    title = "Rollup"
    about = "Counts, adds up or averages linked or matching records, and stays right when these change."
    group = "relation"
    icon = "sigma"
    place = 40
    numeric = True
    in_subform = False

    over: str = option(Reference("link field"), "Linked records", "", help="table.link_field, or a link of this table")
    records: str = option(
        Words("all", "visible"), "Which of them count", "all",
        help="Those that each reader may see are counted anew for everyone; nothing else can be calculated from that.",
    )  # fmt: skip
    table: str = option(Reference("table"), "Or records of a table", "", help="All that satisfy the condition.")
    aggregate: str = option(Words(*AGGREGATES, required=True), "Aggregate", "count")
    value: Formula | None = option(FormulaSource("any", "linked", allow_none=True), "Value", None)
    where: Formula | None = option(
        FormulaSource("boolean", "linked", allow_none=True), "Only records where", None,
        help="`this` is the record with the rollup: department = this.department",
    )  # fmt: skip
    sort: tuple[str, ...] = option(
        Many(Line(60), most=3), "Order", (), help="For first, last and join: fields, with - for descending."
    )
    separator: str = option(Line(20), "Between the texts", ", ")
    distinct: bool = option(Flag(), "Each value once", False, help="For join.")

    @property
    def per_reader(self) -> bool:
        """Whether it is calculated over what the reader may see, and so has no column."""
        return self.records == "visible"

    @property
    def recipe(self) -> tuple[Any, ...]:
        formulas = (self.value and self.value.source, self.where and self.where.source)
        return (self.over, self.table, self.aggregate, *formulas, self.sort, self.separator, self.distinct)

    @property
    def counts(self) -> bool:
        """Whether nothing gathered is 0 rather than blank."""
        return self.aggregate in (*COUNTS, "sum")

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.aggregate != "count" and self.value is None:
            yield "value", say("say which value to aggregate")
        if bool(self.over) == bool(self.table):
            yield "over", say("name either linked records (over) or a table")
        if self.sort and self.aggregate not in ORDERED:
            yield "sort", say("an order is for first, last and join")
