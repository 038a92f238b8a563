"""Several fields of a form changed at once: one edit, one step back."""

from collections.abc import Callable, Sequence
from typing import Any

from builder import changes, forms
from builder.parts import Json, Parts
from schemas.errors import InvalidInput
from schemas.fields import field_types
from schemas.form import WIDTHS
from schemas.messages import Message, say
from schemas.options import options_of

MOST = 200
ACTS: dict[str, Message] = {
    "require": say("Must be filled in"), "unrequire": say("May be left empty"), "readonly": say("Read-only"),
    "writable": say("May be changed"), "width": say("Width changed"), "take_off": say("Taken off the form"),
    "delete": say("Fields deleted"),
}  # fmt: skip


def change(parts: Parts, form: str, ids: Sequence[str], act: str, value: str = "") -> Parts:
    """Do the same to each of these fields of the form. Raises InvalidInput."""
    table = parts[f"forms/{form}"]["table"]
    known = [f["id"] for f in parts[f"tables/{table}"]["fields"] if f["id"] in set(ids)]
    if not known or len(ids) > MOST or act not in ACTS:
        raise InvalidInput({"": [say("Choose fields of the form.")]})
    return DONE[act](parts, form, table, known, value)


def _required(parts: Parts, form: str, table: str, ids: Sequence[str], required: bool) -> Parts:
    for id in ids:
        if _has(parts, table, id, "required"):
            parts = changes.change_field(parts, table, id, {"required": True if required else None})
    return _listed(parts, form, "require", ids, False) if not required else parts


def _has(parts: Parts, table: str, id: str, option: str) -> bool:
    kind: Any = field_types[next(f["type"] for f in parts[f"tables/{table}"]["fields"] if f["id"] == id)]
    return not kind.computed and option in {o.name for o in options_of(kind)}


def _listed(parts: Parts, form: str, option: str, ids: Sequence[str], listed: bool) -> Parts:
    """The fields on, or off, a list of the form's."""
    found: Json = parts[f"forms/{form}"]
    rest = [id for id in found.get(option) or () if id not in set(ids)]
    return changes.change_object(parts, "forms", form, {option: [*rest, *ids] if listed else rest or None})


def _sized(parts: Parts, form: str, ids: Sequence[str], width: str) -> Parts:
    if width and width not in WIDTHS:
        raise InvalidInput({"": [say("Choose a width.")]})
    widths = {**(parts[f"forms/{form}"].get("widths") or {}), **dict.fromkeys(ids, width)}
    return changes.change_object(parts, "forms", form, {"widths": {k: v for k, v in widths.items() if v} or None})


def _each(parts: Parts, ids: Sequence[str], one: Callable[[Parts, str], Parts]) -> Parts:
    for id in ids:
        parts = one(parts, id)
    return parts


DONE: dict[str, Callable[[Parts, str, str, Sequence[str], str], Parts]] = {
    "require": lambda parts, form, table, ids, _: _required(parts, form, table, ids, True),
    "unrequire": lambda parts, form, table, ids, _: _required(parts, form, table, ids, False),
    "readonly": lambda parts, form, table, ids, _: _listed(parts, form, "readonly", ids, True),
    "writable": lambda parts, form, table, ids, _: _listed(parts, form, "readonly", ids, False),
    "width": lambda parts, form, table, ids, width: _sized(parts, form, ids, width),
    "take_off": lambda parts, form, table, ids, _: _each(parts, ids, lambda p, id: forms.take_off(p, form, id)),
    "delete": lambda parts, form, table, ids, _: _each(parts, ids, lambda p, id: changes.delete_field(p, table, id)),
}
