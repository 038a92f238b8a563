from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Flag
from schemas.widgets.base import Grouped, widget_types


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Pivot(Grouped):
    """A table of figures: the first group goes down, the second across."""

    type = "pivot"
    title_word = "Pivot table"
    shape = (6, 5)

    totals: bool = option(
        Flag(), "With totals", True, help="Worked out over the records themselves, so that an average is the average of all."
    )
