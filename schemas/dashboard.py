"""A dashboard: widgets over tables."""

from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Id, Kinds, Label, Line, Many
from schemas.text import Text
from schemas.widgets import Widget, widget_types


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Widgets on a grid of twelve columns."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Line(40), "Icon", "layout-dashboard")
    widgets: tuple[Widget, ...] = option(Many(Kinds(widget_types), unique="id", most=60), "Widgets", ())
