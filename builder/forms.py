"""Several forms over one table: another one is added, fields are put on it or taken off it, and it is removed.

The table keeps its fields and records whatever its forms do.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from builder.changes import without
from builder.grants import grants_of
from builder.layout import layout_of, stops_of
from builder.navigation import without_lines
from builder.parts import Json, Parts, fresh, of_table, put, take
from schemas.errors import InvalidInput
from schemas.messages import say

WAYS = ("copy", "required")
"""What another form begins with: all that this one has, or the fields that must be filled in."""


def forms_of(parts: Parts, table: str) -> list[Json]:
    """The forms of a table, in order; the first is the one that lists and links open."""
    return of_table(parts, "forms", table)


def add(parts: Parts, form: str, title: Any, way: str = "copy") -> tuple[Parts, str]:
    """Another form of the same table. Gives its id. Raises InvalidInput."""
    if way not in WAYS:
        raise InvalidInput({"way": [say("Choose what the form begins with.")]})
    made = deepcopy(parts)
    like = made[f"forms/{form}"]
    names = {key.partition("/")[2] for key in parts if key.partition("/")[0] in ("tables", "forms")}
    id = fresh(form, names)
    if way == "copy":
        put(made, "forms", {**deepcopy(like), "id": id, "title": title})
    else:
        rows = [{"row": [name]} for name in _first_fields(parts[f"tables/{like['table']}"])]
        put(made, "forms", {"id": id, "table": like["table"], "title": title, "layout": rows})
    return made, id


def _first_fields(table: Json) -> list[str]:
    """The fields that must be filled in; one field where none must."""
    required = [f["id"] for f in table["fields"] if f.get("required")]
    return required or [f["id"] for f in table["fields"][:1]]


def remove(parts: Parts, form: str) -> tuple[Parts, str]:
    """A form with its rights and lines of the navigation; lists that used it use the first one. Gives a form that stays."""
    gone = parts[f"forms/{form}"]
    others = [f["id"] for f in forms_of(parts, gone["table"]) if f["id"] != form]
    if not others:
        raise InvalidInput({"": [say("A table keeps one form. The whole is removed on the app's page.")]})
    made = deepcopy(parts)
    for grant in grants_of(made, "form", form):
        take(made, "access", grant["id"])
    for view in of_table(made, "views", gone["table"]):
        if view.get("form") == form:
            del view["form"]
    take(made, "forms", form)
    return without_lines(made, "form", [form]), others[0]


def unplaced(parts: Parts, form: str) -> Iterator[Json]:
    """The fields of the table that are not on this form."""
    placed = {f for stop in stops_of(layout_of(parts, form)) for f in stop.fields}
    table = parts[f"tables/{parts[f'forms/{form}']['table']}"]
    return (field for field in table["fields"] if field["id"] not in placed)


def take_off(parts: Parts, form: str, field: str) -> Parts:
    """A field taken off one form; its table and the other forms keep it. Raises InvalidInput for the last one."""
    made = deepcopy(parts)
    found = made[f"forms/{form}"]
    found["layout"] = layout_of(parts, form)
    without(found, field)
    if not any(stop.fields for stop in stops_of(found["layout"])):
        raise InvalidInput({"": [say("A form keeps at least one field.")]})
    return made
