"""Kanban: a board with a lane for each answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.fields import Field
from schemas.formula import Type
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Line, Many, Reference
from schemas.strangers import strangers
from schemas.table import Table
from schemas.views.base import CardView, names_of, of_kind, view_types

if TYPE_CHECKING:
    from schemas.app import App


@view_types.register
@dataclass(frozen=True, kw_only=True)
class Kanban(CardView):
    """Records as cards in lanes; dragging one to another lane changes the answer."""

    type = "kanban"
    title_word = "Board"
    symbol = "kanban"

    group: str = option(Reference("column", required=True), "Lanes by", "")
    sums: tuple[str, ...] = option(
        Many(Reference("number field"), most=3), "Sums over a lane", (), help="Number fields."
    )
    folded: tuple[str, ...] = option(Many(Line(120), most=50), "Folded lanes", (), help="The ids of answers.")

    @property
    def placed(self) -> tuple[str, ...]:
        return (*self.card, self.group, *self.sums)

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        yield from strangers("group", "field", [self.group], [*names_of(table), *table.facet_paths])
        for index, name in enumerate(self.sums):
            yield from of_kind(app, table, f"sums[{index}]", name, is_number, say("choose a number"))


def is_number(kind: Type, field: Field | None) -> bool:
    """Whether a field can be added up."""
    return kind.kind == "number" and field is not None
