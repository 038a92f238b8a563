"""Calendar: records on the days on which they are due."""

from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Words
from schemas.views.base import TimeView, view_types

SPANS = ("month", "week", "day")


@view_types.register
@dataclass(frozen=True, kw_only=True)
class Calendar(TimeView):
    """Records in a month, a week or a day; dragging one to another day changes its dates."""

    type = "calendar"
    title_word = "Calendar"
    symbol = "calendar"

    span: str = option(Words(*SPANS), "Shows first", "month")
