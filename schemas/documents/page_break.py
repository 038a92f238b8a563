from dataclasses import dataclass

from schemas.documents.base import DocumentBlock, block_types


@block_types.register
@dataclass(frozen=True, kw_only=True)
class PageBreak(DocumentBlock):
    """What follows begins on a new page."""

    type = "page_break"
    title_word = "New page"
    icon = "file-plus"
