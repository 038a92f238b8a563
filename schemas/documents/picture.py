from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.attached import Attached
from schemas.documents.base import ALIGNED, DocumentBlock, Json, block_types
from schemas.errors import Problem
from schemas.fields.file import File
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Object, Reference, Whole, Words
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.app import App


@block_types.register
@dataclass(frozen=True, kw_only=True)
class Picture(DocumentBlock):
    """The pictures of a field, or one of the template's own, such as a logo or a seal."""

    type = "picture"
    title_word = "Picture"
    icon = "image"

    field: str | None = option(
        Reference("picture field", allow_none=True), "Pictures of", help="None for a picture of the template's own."
    )
    image: Attached | None = option(Object(Attached, allow_none=True), "Picture", section="hidden")
    height: int = option(Whole(5, 250), "Height (mm)", 25, section="style")
    align: str = option(Words(*ALIGNED), "Alignment", "left", section="style")

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        found = next((f["id"] for f in fields if f["type"] in ("image", "signature")), None)
        return {"field": found} if found else {}

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        found = table.by_id.get(self.field or "")
        if self.field and not (isinstance(found, File) and found.pictures):
            yield Problem("field", say("choose a field of pictures or a signature"))
