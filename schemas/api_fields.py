"""The values of fields as JSON Schema, for the API's document and for programs that ask what a table holds."""

from typing import Any

from schemas.fields import Field, Storage
from schemas.fields.choice import Choice
from schemas.fields.rows import Rows
from schemas.formula import Type

Json = dict[str, Any]
NUMBER = r"^-?[0-9]+(\.[0-9]+)?%?$"
ERROR: Json = {
    "type": "object", "required": ["error"], "additionalProperties": False,
    "properties": {"error": {"type": "string", "description": "Why it could not be calculated: #DIV/0!, #VALUE! ..."}},
}  # fmt: skip
UUID: Json = {"type": "string", "format": "uuid"}


def writable(found: Field) -> bool:
    """Whether anybody can give this field a value, rights aside."""
    return not found.computed and found.storage is not Storage.NONE


def schema_of_value(found: Field, kind: Type) -> Json:
    """What a value of the field looks like in an answer. Every one may be null."""
    if isinstance(found, Rows):
        return nullable({"type": "array", "items": {"type": "object"}})
    made = schema_of_type(kind, found)
    if found.computed:
        return {"anyOf": [nullable(made), ERROR]} if made else {}
    return nullable(made)


def nullable(schema: Json) -> Json:
    if "type" not in schema:
        return schema
    made = {**schema, "type": [schema["type"], "null"]}
    return {**made, "enum": [*schema["enum"], None]} if "enum" in schema else made


def schema_of_type(kind: Type, found: Field) -> Json:
    if kind.kind == "array" and kind.of is not None:
        return {"type": "array", "items": schema_of_type(kind.of, found)}
    if kind.kind == "choice":
        return _choice(found)
    if kind.kind == "text" and found.facets and found.storage is Storage.JSON:
        parts: Json = {name: {"type": "string"} for name in ("text", *found.facets)}
        return {"type": "object", "properties": parts}
    return dict(PLAIN.get(kind.kind, {}))


PLAIN: dict[str, Json] = {
    "number": {
        "type": "string",
        "pattern": NUMBER,
        "description": "An exact decimal as text; a number may be sent too.",
    },
    "text": {"type": "string"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string"},
    "link": UUID,
    "member": UUID,
    "department": UUID,
    "file": UUID,
}


def _choice(found: Field) -> Json:
    """One of the options, unless others may be written in."""
    if not isinstance(found, Choice) or found.other or not found.options:
        return {"type": "string"}
    return {"type": "string", "enum": [o.id for o in found.options]}


def schema_of_input(found: Field, kind: Type, columns: list[tuple[Field, Type]] | None = None) -> Json:
    """What may be sent for the field: looser than what comes back, since every field reads what people type."""
    if isinstance(found, Rows):
        inner = {c.id: schema_of_input(c, t) for c, t in columns or ()}
        line: Json = {"type": "object", "properties": {"_id": {"type": ["string", "null"]}, **inner}}
        return {"type": ["array", "null"], "items": line}
    if kind.kind == "number":
        return {"type": ["string", "number", "null"]}
    if kind.kind == "array" and kind.of is not None:
        return {"type": ["array", "string", "null"], "items": schema_of_type(kind.of, found)}
    made = schema_of_type(kind, found)
    made.pop("enum", None) if kind.kind == "choice" and getattr(found, "source", None) else None
    return nullable(made)
