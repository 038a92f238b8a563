from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.documents.base import DocumentBlock, Json, block_types, field_problems
from schemas.errors import Problem
from schemas.fields.link import Link
from schemas.formula import Formula
from schemas.formula.types import BOOLEAN
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Many, Reference, Whole
from schemas.table import Table
from schemas.views.base import SortKey

if TYPE_CHECKING:
    from schemas.app import App


@block_types.register
@dataclass(frozen=True, kw_only=True)
class LinkedBlock(DocumentBlock):
    """A table over the records of another table that link to this one, as far as the reader may see them."""

    type = "linked"
    title_word = "Linked records"
    icon = "link"

    over: str = option(Reference("linking", required=True), "Records", "", help="A table and its link: plan.contract.")
    columns: tuple[str, ...] = option(Many(Reference("linking column"), most=20, required=True), "Columns", ())
    totals: tuple[str, ...] = option(
        Many(Reference("linking column"), most=20), "Totals of", (), help="Columns of numbers."
    )
    where: Formula | None = option(FormulaSource("boolean", "linked", allow_none=True), "Only records where")
    sort: tuple[str, ...] = option(Many(SortKey("linking sort"), most=3), "Sort", ())
    limit: int = option(Whole(1, 500), "At most", 100)
    numbered: bool = option(Flag(), "With row numbers", True)

    @property
    def table(self) -> str:
        return self.over.partition(".")[0]

    @property
    def link(self) -> str:
        return self.over.partition(".")[2]

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        return {"over": "", "columns": []}

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        there = app.table(self.table)
        link = there.by_id.get(self.link) if there else None
        if there is None or not isinstance(link, Link) or link.table != table.id:
            yield Problem("over", say("choose a table and its link to this one"))
            return
        yield from field_problems("columns", there, self.columns)
        yield from field_problems("sort", there, [s.removeprefix("-") for s in self.sort])
        yield from _filter(app, there, self.where)
        for n, name in enumerate(self.totals):
            field = there.by_id.get(name)
            if field is None or app.analysis.type_of(there, field).kind != "number":
                yield Problem(f"totals[{n}]", say("only columns of numbers have a total"))


def _filter(app: "App", there: Table, where: Formula | None) -> Iterator[Problem]:
    analysis, scope = app.analysis, app.analysis.reading_scope(there)
    found = list(analysis.attempt("where", where, scope, BOOLEAN))
    yield from found
    if where is not None and not found and (reason := analysis.expression(where, scope, BOOLEAN).no_sql):
        yield Problem("where", reason)
