from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.documents.base import DocumentBlock, Json, block_types, field_problems
from schemas.errors import Problem
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, Many, Reference, Whole
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.app import App

UNPRINTED = ("rows", "query", "button")
"""Fields without a value that could stand beside a label."""


@block_types.register
@dataclass(frozen=True, kw_only=True)
class Fields(DocumentBlock):
    """Fields with their labels, side by side; those that its reader may not see are left out."""

    type = "fields"
    title_word = "Fields"
    icon = "layout-columns"

    show: tuple[str, ...] = option(Many(Reference("printed field"), most=200, required=True), "Which fields", ())
    columns: int = option(Whole(1, 4), "Side by side", 2)
    borders: bool = option(Flag(), "With lines", True, section="style")
    blanks: bool = option(Flag(), "Also those without a value", True, section="style")

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        return {"show": [f["id"] for f in fields if f["type"] not in UNPRINTED][:8]}

    def problems(self) -> Iterator[tuple[str, Message]]:
        if not self.show:
            yield "show", say("name at least one field")

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        yield from field_problems("show", table, self.show)
        for n, name in enumerate(self.show):
            if getattr(table.by_id.get(name), "type", "") in UNPRINTED:
                yield Problem(f"show[{n}]", say("this field cannot stand beside a label; use a table of rows"))
