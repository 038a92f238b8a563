from dataclasses import dataclass

from schemas.widgets.base import Grouped, widget_types


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Funnel(Grouped):
    """Stages from many to few."""

    type = "funnel"
    title_word = "Funnel"
    shape = (6, 5)
