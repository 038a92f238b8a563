"""Grid: a list with columns."""

from dataclasses import dataclass

from schemas.views.base import View, view_types


@view_types.register
@dataclass(frozen=True, kw_only=True)
class Grid(View):
    """Records as lines of a list."""

    type = "grid"
    title_word = "Grid"
    symbol = "grid"
