"""A dashboard: widgets over tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.options import option
from schemas.parsers import Id, Kinds, Label, Line, Many
from schemas.text import Text
from schemas.widgets import Widget, widget_types

if TYPE_CHECKING:
    from schemas.app import App


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Widgets on a grid of twelve columns."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Line(40), "Icon", "layout-dashboard")
    widgets: tuple[Widget, ...] = option(Many(Kinds(widget_types), unique="id", most=60), "Widgets", ())


def problems(board: Dashboard, app: "App") -> Iterator[Problem]:
    """What is wrong with a dashboard's references and formulas; paths are relative to it."""
    yield from ()
