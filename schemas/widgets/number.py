from dataclasses import dataclass

from schemas.widgets.base import Measured, widget_types


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Number(Measured):
    """One figure."""

    type = "number"
    title_word = "Figure"
    shape = (3, 2)
