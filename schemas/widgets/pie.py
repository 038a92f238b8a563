from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Flag
from schemas.widgets.base import Grouped, widget_types


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Pie(Grouped):
    """Shares of a whole."""

    type = "pie"
    title_word = "Pie"
    shape = (4, 4)

    ring: bool = option(Flag(), "As a ring", True, section="style")
