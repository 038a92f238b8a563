"""A dashboard: widgets over tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.dependencies import up_to_the_fault
from schemas.errors import Problem
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Id, Kinds, Label, Line, Many
from schemas.text import Text
from schemas.widgets import Widget, widget_types

if TYPE_CHECKING:
    from schemas.app import App

COLUMNS = 12


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Widgets on a grid of twelve columns."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Line(40), "Icon", "dashboard")
    widgets: tuple[Widget, ...] = option(Many(Kinds(widget_types), unique="id", most=60), "Widgets", ())

    def widget(self, id: str) -> Widget | None:
        return next((w for w in self.widgets if w.id == id), None)

    def places(self) -> list[tuple[Widget, tuple[int, int, int, int]]]:
        """Every widget with x, y, width and height: as it says, or after the one before where there is room."""
        placed: list[tuple[Widget, tuple[int, int, int, int]]] = []
        x = y = tallest = 0
        for widget in self.widgets:
            if widget.place is not None:
                placed.append((widget, widget.place))
                continue
            width, height = widget.shape
            if x + width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            placed.append((widget, (x, y, width, height)))
            x, tallest = x + width, max(tallest, height)
        return placed


def problems(board: Dashboard, app: "App") -> Iterator[Problem]:
    """What is wrong with a dashboard's references and formulas; paths are relative to it."""
    for n, widget in enumerate(board.widgets):
        table = app.table(widget.table)
        if table is None:
            yield Problem(f"widgets[{n}].table", say("there is no table '{name}'", name=widget.table))
            continue
        for problem in up_to_the_fault(widget.linked(app, table)):
            yield Problem(f"widgets[{n}].{problem.path}", problem.message, problem.severity)
