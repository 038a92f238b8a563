"""Every module in this folder is a kind of view. Adding a file here adds a kind."""

from schemas.registry import import_siblings
from schemas.views.base import SortKey, View, view_types

import_siblings(__name__, list(__path__))

__all__ = ["SortKey", "View", "view_types"]
