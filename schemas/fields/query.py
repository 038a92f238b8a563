from collections.abc import Iterator
from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.formula import Computed
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Id, Line, Many, Reference, Whole


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Query(Computed):
    """Records of another table shown in place, by a condition in which `this` is the record being filled in.

    Nothing is stored: whoever looks sees what they may see there, as it is now.
    """

    type = "query"
    title = "Query"
    about = "Shows matching records of a form inside this one, without a link. Nothing is stored."
    group = "relation"
    icon = "field-query"
    place = 50
    in_subform = False
    wide = True
    sortable = False

    table: str = option(Reference("table", required=True), "Table", "")
    where: Formula | None = option(
        FormulaSource("boolean", "linked", allow_none=True), "Only records where", None,
        help="`this` is the record being filled in: author = this.author",
    )  # fmt: skip
    columns: tuple[str, ...] = option(Many(Reference("target field")), "Columns", ())
    sort: tuple[str, ...] = option(Many(Line(60), most=3), "Order", ())
    limit: int = option(Whole(1, 100), "Most rows", 10)
    add: bool = option(Flag(), "Records can be added from here", False)
    together: bool = option(
        Flag(), "New ones are entered together with a new record", False,
        help="As rows on the form. The condition must say how they belong to it: order = this.",
    )  # fmt: skip
    into: str | None = option(Id(allow_none=True), "Chosen rows go into the subform")
    take: dict[str, str] = option(
        Dictionary(Id()), "Columns of the subform", None, help="The subform's column: the other table's field."
    )

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.index:
            yield "index", say("a query is not stored and cannot be indexed")
        if bool(self.into) != bool(self.take):
            yield "into", say("name both the subform and its columns")
