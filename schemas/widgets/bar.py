from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Flag
from schemas.widgets.base import Grouped, widget_types


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Bar(Grouped):
    """Bars, one for each group."""

    type = "bar"
    title_word = "Bars"
    shape = (6, 4)

    horizontal: bool = option(Flag(), "Lying", False, section="style")
    stacked: bool = option(Flag(), "Stacked", False, section="style")
