from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula
from schemas.options import option
from schemas.parsers import FormulaSource
from schemas.table import Table
from schemas.widgets.base import Measured, measured, widget_types

if TYPE_CHECKING:
    from schemas.app import App


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Target(Measured):
    """A figure, and how much of its goal it has reached."""

    type = "target"
    title_word = "Target"
    shape = (3, 3)

    goal: Formula = option(
        FormulaSource("number", "measure", required=True), "Goal", None, help="A number, such as 100000, or a measure of its own."
    )

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        yield from measured("goal", self.goal, app, table, fixed=True)
