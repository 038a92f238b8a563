"""A field of another type: what it keeps of itself, and what the new type asks for besides."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from builder.changes import find_field, starter
from builder.parts import Json, Parts
from schemas.converting import FILES
from schemas.fields import Storage, field_types
from schemas.options import options_of

DROPPED = {"default", "unique", "index"}
"""What meant something of the old type's values."""
MOST_OPTIONS = 100


def may_become(table: Json, path: str) -> list[str]:
    """The types that a field, or a column of a subform, can change to."""
    field = find_field(table, path)
    old = field_types.get(field["type"])
    if old is None or old.storage is Storage.CHILD:
        return []
    kept = [k.type for k in field_types if k.storage not in (Storage.CHILD, Storage.NONE) and not k.computed]
    return [type for type in kept if type != old.type and (type not in FILES or old.type in FILES)]


def change_type(parts: Parts, table: str, path: str, type: str, values: Sequence[str] = ()) -> Parts:
    """The field as one of another type, with the options that both know. `values` become a choice's options."""
    made = deepcopy(parts)
    found = made[f"tables/{table}"]
    field = find_field(found, path)
    kind: Any = field_types.get(type)
    if kind is None or type not in may_become(found, path):
        return parts
    known = {o.name for o in options_of(kind)} - DROPPED
    kept = {name: value for name, value in field.items() if name in known}
    fresh = {**starter(made, found, type), **_options_from(type, values)}
    found["fields"] = _with(found["fields"], path, {**fresh, **kept, "id": field["id"], "type": type})
    return made


def _options_from(type: str, values: Iterable[str]) -> Json:
    if type not in ("choice", "choices") or not values:
        return {}
    return {"options": [{"id": f"option_{n}", "label": text} for n, text in enumerate(values, 1)]}


def _with(fields: Iterable[Json], path: str, field: Json) -> list[Json]:
    """The fields with another in the place of one of them, or of a column."""
    first, _, column = path.partition(".")
    if not column:
        return [field if f["id"] == first else f for f in fields]
    return [{**f, "fields": _with(f["fields"], column, field)} if f["id"] == first else f for f in fields]
