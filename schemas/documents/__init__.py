"""Every module in this folder is a kind of block of a print template. Adding a file here adds a kind."""

from schemas.documents.base import DocumentBlock, block_types
from schemas.registry import import_siblings

import_siblings(__name__, list(__path__))

__all__ = ["DocumentBlock", "block_types"]
