from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Reference, Words
from schemas.table import Table
from schemas.widgets.base import PERIODS, Group, Measured, grouping, widget_types

if TYPE_CHECKING:
    from schemas.app import App


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Number(Measured):
    """One figure; of the period that is running, beside an earlier one, where a date and a period are named."""

    type = "number"
    title_word = "Figure"
    shape = (3, 2)

    dated: str | None = option(
        Reference("moment field", allow_none=True), "Date", None, help="The records of the period that is running count by it."
    )
    period: str | None = option(Words(*PERIODS, allow_none=True), "Period", None)
    against: str = option(
        Words("previous", "year"), "Compared with", "previous", help="The period before, or the same period a year ago."
    )

    @property
    def compares(self) -> Group | None:
        """The date by which records fall into periods, where there are any."""
        return Group(field=self.dated, by=self.period) if self.dated and self.period else None

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if bool(self.dated) != bool(self.period):
            yield "period" if self.dated else "dated", say("name both the date and the period, or neither")

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        if self.compares is not None:
            yield from grouping(app, table, self.compares, "dated")
