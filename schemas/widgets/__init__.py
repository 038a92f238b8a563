"""Every module in this folder is a kind of widget. Adding a file here adds a kind."""

from schemas.registry import import_siblings
from schemas.widgets.base import Widget, widget_types

import_siblings(__name__, list(__path__))

__all__ = ["Widget", "widget_types"]
