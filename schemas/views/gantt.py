"""Gantt: records as bars along a time line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Reference, Words
from schemas.table import Table
from schemas.views.base import TimeView, of_kind, view_types
from schemas.views.kanban import is_number

if TYPE_CHECKING:
    from schemas.app import App

SCALES = ("day", "week", "month", "quarter")


@view_types.register
@dataclass(frozen=True, kw_only=True)
class Gantt(TimeView):
    """Records as bars from their beginning to their end; dragging a bar or one of its ends changes the dates."""

    type = "gantt"
    title_word = "Gantt"
    symbol = "gantt"

    progress: str | None = option(
        Reference("number field", allow_none=True), "Progress", help="A number: a percentage, or a part of one."
    )
    scale: str = option(Words(*SCALES), "Shows first", "month")

    @property
    def placed(self) -> tuple[str, ...]:
        return (*super().placed, self.progress) if self.progress else super().placed

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        yield from of_kind(app, table, "progress", self.progress, is_number, say("choose a number"))
