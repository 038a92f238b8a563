"""Gallery: records as cards with a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.fields.image import Image
from schemas.options import option
from schemas.parsers import Reference
from schemas.strangers import strangers
from schemas.table import Table
from schemas.views.base import CardView, view_types

if TYPE_CHECKING:
    from schemas.app import App


@view_types.register
@dataclass(frozen=True, kw_only=True)
class Gallery(CardView):
    """Records as cards with the first of their pictures."""

    type = "gallery"
    title_word = "Gallery"
    symbol = "image"

    cover: str | None = option(Reference("image field", allow_none=True), "Picture")

    @property
    def placed(self) -> tuple[str, ...]:
        return (*self.card, self.cover) if self.cover else self.card

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        if self.cover:
            yield from strangers("cover", "field", [self.cover], [f.id for f in table.fields if isinstance(f, Image)])
