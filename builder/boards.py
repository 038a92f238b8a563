"""Edits of dashboards: widgets made, set, copied, taken away, and put in their places on the grid."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from builder.navigation import without_lines
from builder.parts import Json, Parts, fresh, put, replaced, take, word_of
from schemas.dashboard import COLUMNS
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.widgets import widget_types

At = tuple[int, int, int, int]
"""x, y, width and height on twelve columns."""
DEEPEST, TALLEST = 400, 40


def the_board(parts: Parts, board: str) -> Json:
    """The dashboard's JSON. Raises NotFound."""
    found = parts.get(f"dashboards/{board}")
    if found is None:
        raise NotFound
    return dict(found)


def the_widget(parts: Parts, board: str, widget: str) -> Json:
    """A widget's JSON. Raises NotFound."""
    found = next((w for w in the_board(parts, board).get("widgets") or () if w["id"] == widget), None)
    if found is None:
        raise NotFound
    return dict(found)


def add_board(parts: Parts, title: str) -> tuple[Parts, str]:
    """A new, empty dashboard, at the head of the navigation. Gives its id. Raises InvalidInput without a title."""
    title = title.strip()[:80]
    if not title:
        raise InvalidInput({"title": [say("Give the dashboard a name.")]})
    made = deepcopy(parts)
    id = fresh(word_of(title, "dashboard"), made["order/dashboards"])
    put(made, "dashboards", {"id": id, "title": title, "widgets": []})
    made["manifest"]["navigation"] = [{"dashboard": id}, *(made["manifest"].get("navigation") or [])]
    return made, id


def remove_board(parts: Parts, board: str) -> Parts:
    """A dashboard with its grants and its line in the navigation."""
    the_board(parts, board)
    made = deepcopy(parts)
    for grant in [g for g in made["order/access"] if made[f"access/{g}"].get("dashboard") == board]:
        take(made, "access", grant)
    take(made, "dashboards", board)
    return without_lines(made, "dashboard", [board])


def add_widget(parts: Parts, board: str, type: str, table: str, title: Any) -> tuple[Parts, str]:
    """A new widget below the others, sound at once where the table has what it needs. Gives its id."""
    if type not in widget_types:
        raise InvalidInput({"": [widget_types.unknown(type)]})
    if f"tables/{table}" not in parts:
        raise InvalidInput({"table": [say("Choose a form.")]})
    made, found = deepcopy(parts), the_board(parts, board)
    places = places_of(found)
    id = fresh(type, [w["id"] for w in found.get("widgets") or ()])
    width, height = widget_types[type].shape
    below = max((y + h for _, y, _, h in places.values()), default=0)
    item = {
        "id": id,
        "type": type,
        "title": title,
        "table": table,
        **_beginning(type, made[f"tables/{table}"]["fields"]),
    }
    _set(made, board, [*_placed(found, places), {**item, "at": [0, below, width, height]}])
    return made, id


def _beginning(type: str, fields: Sequence[Json]) -> Json:
    flat = [
        f for f in fields if f["type"] not in ("rows", "query", "long_text", "rich_text", "file", "image", "signature")
    ]
    if type == "table":
        return {"columns": [f["id"] for f in flat[:5]]}
    if type in ("number", "target"):
        return {"measure": "COUNT()", **({"goal": "100"} if type == "target" else {})}
    group = next((f["id"] for f in flat if f["type"] == ("date" if type == "line" else "choice")), None)
    by = {"by": "month"} if type == "line" else {}
    return {"group": [{"field": group or "created_at", **(by if group else {"by": "month"})}], "measure": "COUNT()"}


def change_widget(parts: Parts, board: str, widget: str, options: Mapping[str, Any]) -> Parts:
    the_widget(parts, board, widget)
    return _each(parts, board, lambda w: replaced(w, options) if w["id"] == widget else w)


def copy_widget(parts: Parts, board: str, widget: str) -> tuple[Parts, str]:
    found, item = the_board(parts, board), the_widget(parts, board, widget)
    made, places = deepcopy(parts), places_of(found)
    id = fresh(widget, [w["id"] for w in found["widgets"]])
    x, y, width, height = places[widget]
    settled_places = settled({**places, id: (x, y + height, width, height)}, id)
    _set(made, board, _placed({"widgets": [*found["widgets"], {**item, "id": id}]}, settled_places))
    return made, id


def remove_widget(parts: Parts, board: str, widget: str) -> Parts:
    the_widget(parts, board, widget)
    made = deepcopy(parts)
    _set(made, board, [w for w in made[f"dashboards/{board}"]["widgets"] if w["id"] != widget])
    return made


def place_widget(parts: Parts, board: str, widget: str, at: At) -> Parts:
    """Put a widget there; those in its way move down, and everything then up as far as there is room."""
    found = the_board(parts, board)
    the_widget(parts, board, widget)
    made = deepcopy(parts)
    _set(made, board, _placed(found, settled({**places_of(found), widget: bounded(at)}, widget)))
    return made


def _set(parts: Parts, board: str, widgets: list[Json]) -> None:
    parts[f"dashboards/{board}"] = {**parts[f"dashboards/{board}"], "widgets": widgets}


def _each(parts: Parts, board: str, change: Callable[[Json], Json]) -> Parts:
    made = deepcopy(parts)
    _set(made, board, [change(w) for w in made[f"dashboards/{board}"]["widgets"]])
    return made


# -- places ----------------------------------------------------------------------------------------


def places_of(board: Mapping[str, Any]) -> dict[str, At]:
    """Where every widget stands: as it says, or after the one before where there is room."""
    found: dict[str, At] = {}
    x = y = tallest = 0
    for widget in board.get("widgets") or ():
        at = widget.get("at")
        if isinstance(at, list) and len(at) == 4 and all(isinstance(n, int) for n in at):
            found[widget["id"]] = bounded((at[0], at[1], at[2], at[3]))
            continue
        kind = widget_types.get(widget.get("type", ""))
        width, height = kind.shape if kind else (6, 4)
        if x + width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        found[widget["id"]] = (x, y, width, height)
        x, tallest = x + width, max(tallest, height)
    return found


def bounded(at: At) -> At:
    """The nearest place that is on the grid."""
    x, y, width, height = at
    width, height = max(1, min(width, COLUMNS)), max(1, min(height, TALLEST))
    return max(0, min(x, COLUMNS - width)), max(0, min(y, DEEPEST - TALLEST)), width, height


def settled(places: Mapping[str, At], first: str) -> dict[str, At]:
    """No two widgets over one another: `first` stands where it was put, the others make room, downwards as little as
    they must, and move up where there is room above them.
    """
    order = sorted(places, key=lambda id: (id != first, places[id][1], places[id][0]))
    found: dict[str, At] = {}
    for id in order:
        x, y, width, height = places[id]
        if id != first:
            while y > 0 and not _hit((x, y - 1, width, height), found.values()):
                y -= 1
            while _hit((x, y, width, height), found.values()):
                y += 1
        found[id] = (x, y, width, height)
    return found


def _hit(at: At, others: Any) -> bool:
    x, y, width, height = at
    return any(x < ox + ow and ox < x + width and y < oy + oh and oy < y + height for ox, oy, ow, oh in others)


def _placed(board: Mapping[str, Any], places: Mapping[str, At]) -> list[Json]:
    return [{**w, "at": list(places[w["id"]])} for w in board.get("widgets") or ()]
