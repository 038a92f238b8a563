"""The fields that each type's own test gives as examples: what the contract and the gallery look at."""

from importlib import import_module
from typing import Any

from schemas.fields import Field, field_types
from schemas.options import load


def module_of(type: str) -> Any:
    """The test module of a type. Raises ModuleNotFoundError."""
    return import_module(f"tests.schemas.fields.test_{type}")


def examples(type: str) -> list[Field]:
    """The fields of `EXAMPLES` there: options as JSON, without id and type."""
    return [made(type, **options) for options in module_of(type).EXAMPLES]


def made(type: str, **options: Any) -> Any:
    """A field of this type as a definition would make it."""
    return load(field_types[type], {"id": "example", **options})
