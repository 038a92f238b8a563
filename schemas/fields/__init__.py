"""Every module in this folder is a field type. Adding a file here adds a type."""

from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.registry import import_siblings

import_siblings(__name__, list(__path__))

__all__ = ["BadValue", "Field", "Reader", "Storage", "field_types"]
