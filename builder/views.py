"""Edits of an app's views: made of what the table offers, copied, put in another order, taken away."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from builder.navigation import without_lines
from builder.parts import Json, Parts, fresh, of_table, put, take
from schemas.errors import InvalidInput, NotFound
from schemas.fields import field_types
from schemas.messages import Message, say
from schemas.views import view_types

CARD = 4
MOMENTS = ("date", "datetime")


def the_view(parts: Parts, view: str) -> Json:
    """The view's JSON. Raises NotFound."""
    found = parts.get(f"views/{view}")
    if found is None:
        raise NotFound
    return dict(found)


def add(parts: Parts, table: str, type: str, title: Any) -> tuple[Parts, str]:
    """A new view of a table, sound at once: its fields are the first that fit. Gives its id.

    Raises NotFound without the table, InvalidInput for a kind that there is not or that the table has no field for.
    """
    if f"tables/{table}" not in parts:
        raise NotFound
    if type not in view_types:
        raise InvalidInput({"": [view_types.unknown(type)]})
    made = deepcopy(parts)
    fields = made[f"tables/{table}"]["fields"]
    item = {"id": fresh(f"{table}_{type}", _taken(made)), "table": table, "type": type, "title": title}
    put(made, "views", {**item, "icon": view_types[type].symbol, **BEGINNINGS.get(type, _grid)(fields)})
    return made, item["id"]


def _taken(parts: Parts) -> set[str]:
    return {*parts["order/views"], *parts["order/tables"]}


def copy(parts: Parts, view: str) -> tuple[Parts, str]:
    """The same once more, behind it."""
    found, made = the_view(parts, view), deepcopy(parts)
    id = fresh(view, _taken(made))
    put(made, "views", {**found, "id": id})
    order = [v for v in made["order/views"] if v != id]
    order.insert(order.index(view) + 1, id)
    made["order/views"] = order
    return made, id


def remove(parts: Parts, view: str) -> tuple[Parts, str]:
    """Take a view away, from the navigation too. Gives another view of the table. Raises InvalidInput for the last one."""
    found, made = the_view(parts, view), deepcopy(parts)
    others = [v["id"] for v in of_table(made, "views", found["table"]) if v["id"] != view]
    if not others:
        raise InvalidInput({"": [say("A table needs at least one view.")]})
    take(made, "views", view)
    return without_lines(made, "view", [view]), others[0]


def move(parts: Parts, view: str, position: int) -> Parts:
    """Put a view in another place among those of its table, as its tabs stand."""
    made = deepcopy(parts)
    table = the_view(parts, view)["table"]
    own = [v["id"] for v in of_table(made, "views", table)]
    others = [id for id in own if id != view]
    others.insert(max(0, min(position, len(others))), view)
    places = iter(others)
    made["order/views"] = [next(places) if id in own else id for id in made["order/views"]]
    return made


# -- what a new view begins with -------------------------------------------------------------------


def _first(fields: list[Json], *types: str) -> str | None:
    return next((f["id"] for f in fields if f["type"] in types), None)


def _needed(fields: list[Json], problem: Message, *types: str) -> str:
    found = _first(fields, *types)
    if found is None:
        raise InvalidInput({"": [problem]})
    return found


def _listed(fields: list[Json], most: int) -> list[str]:
    kinds = ((f["id"], field_types.get(f["type"])) for f in fields)
    return [id for id, kind in kinds if kind and kind.storage != "child" and kind.type not in NOT_ON_CARDS][:most]


NOT_ON_CARDS = ("long_text", "rich_text", "query", "button", "signature")


def _grid(fields: list[Json]) -> Json:
    return {"columns": _listed(fields, 10), "sort": ["-created_at"]}


def _kanban(fields: list[Json]) -> Json:
    group = _needed(fields, say("A board needs a choice field to make lanes of. Add one to the form first."), "choice")
    return {"group": group, "card": [f for f in _listed(fields, CARD + 1) if f != group][:CARD]}


def _calendar(fields: list[Json]) -> Json:
    start = _needed(fields, say("A calendar needs a date field. Add one to the form first."), *MOMENTS)
    return {"start": start, **_coloured(fields), "card": [f for f in _listed(fields, CARD) if f != start][:2]}


def _gantt(fields: list[Json]) -> Json:
    days = [f["id"] for f in fields if f["type"] in MOMENTS]
    if len(days) < 2:
        raise InvalidInput({"": [say("A time line needs two date fields: begin and end. Add them to the form first.")]})
    return {"start": days[0], "end": days[1], **_coloured(fields), "card": _listed(fields, 2)}


def _coloured(fields: list[Json]) -> Json:
    return {"color": found} if (found := _first(fields, "choice")) else {}


def _gallery(fields: list[Json]) -> Json:
    cover = _first(fields, "image")
    return {**({"cover": cover} if cover else {}), "card": [f for f in _listed(fields, CARD + 1) if f != cover][:CARD]}


BEGINNINGS: Mapping[str, Callable[[list[Json]], Json]] = {
    "grid": _grid, "kanban": _kanban, "calendar": _calendar, "gantt": _gantt, "gallery": _gallery,
}  # fmt: skip
