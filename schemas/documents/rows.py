from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.documents.base import DocumentBlock, Json, block_types
from schemas.errors import Problem
from schemas.fields.rows import Rows as Subform
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Flag, Many, Reference
from schemas.strangers import strangers
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.app import App

PLAIN_NUMBERS = ("number", "money", "formula", "rollup")


@block_types.register
@dataclass(frozen=True, kw_only=True)
class RowsBlock(DocumentBlock):
    """A table over the rows of a subform, with totals; its head is repeated on every page."""

    type = "rows"
    title_word = "Table of rows"
    icon = "table-rows"

    rows: str = option(Reference("subform", required=True), "Subform", "")
    columns: tuple[str, ...] = option(
        Many(Reference("row column"), most=20), "Columns", (), help="None for all that the reader may see."
    )
    totals: tuple[str, ...] = option(
        Many(Reference("row column"), most=20), "Totals of", (), help="Columns of numbers."
    )
    numbered: bool = option(Flag(), "With row numbers", True)

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        found = next((f for f in fields if f["type"] == "rows"), None)
        if found is None:
            return {"rows": ""}
        return {"rows": found["id"], "columns": [c["id"] for c in found.get("fields", ())[:6]]}

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        found = table.by_id.get(self.rows)
        if not isinstance(found, Subform):
            yield Problem("rows", say("choose a subform of this table"))
            return
        yield from strangers("columns", "field", self.columns, [c.id for c in found.fields])
        for n, name in enumerate(self.totals):
            column = found.column(name)
            if column is None or app.analysis.type_of(table, column, found).kind != "number":
                yield Problem(f"totals[{n}]", say("only columns of numbers have a total"))
