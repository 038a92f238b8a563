from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Flag
from schemas.widgets.base import Grouped, widget_types


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Line(Grouped):
    """A line over time or other groups."""

    type = "line"
    title_word = "Line"
    shape = (6, 4)

    area: bool = option(Flag(), "Filled", False, section="style")
    smooth: bool = option(Flag(), "Smooth", False, section="style")
