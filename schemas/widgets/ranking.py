from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Whole, Words
from schemas.widgets.base import Grouped, widget_types


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Ranking(Grouped):
    """Who comes first."""

    type = "ranking"
    title_word = "Ranking"
    shape = (4, 5)

    sort: str = option(Words("group", "value", "value_up"), "Order", "value")
    limit: int = option(Whole(1, 200), "At most", 10)
