from dataclasses import dataclass

from schemas.documents.base import DocumentBlock, block_types
from schemas.options import option
from schemas.parsers import Flag, Whole


@block_types.register
@dataclass(frozen=True, kw_only=True)
class Spacer(DocumentBlock):
    """Room between two blocks, with a line or without."""

    type = "spacer"
    title_word = "Space or line"
    icon = "layout-divider"

    height: int = option(Whole(1, 200), "Height (mm)", 6)
    line: bool = option(Flag(), "With a line", False)
