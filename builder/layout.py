"""Where the fields of a form stand: lines of fields side by side, on their own or in sections.

A line is known by a field on it, a section by the place of its block in the layout.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from builder.parts import Json, Parts, fresh, replaced
from schemas.errors import InvalidInput
from schemas.messages import say


def _lines(layout: list[Json]) -> list[tuple[int, list[str]]]:
    """(block, fields side by side) for every line of a form."""
    return [
        (n, line)
        for n, block in enumerate(layout)
        for line in ([block["row"]] if "row" in block else block.get("rows", []))
    ]


def layout_of(parts: Mapping[str, Any], form: str) -> list[Json]:
    """The form's layout; every field on a line of its own where it has none."""
    found = parts[f"forms/{form}"]
    if found.get("layout"):
        return list(deepcopy(found["layout"]))
    return [{"row": [f["id"]]} for f in parts[f"tables/{found['table']}"]["fields"]]


def place(parts: Parts, form: str, id: str, after: str) -> None:
    layout = layout_of(parts, form)
    layout = without_field(layout, id)
    for n, block in enumerate(layout):
        if block.get("row") and after in block["row"]:
            layout.insert(n + 1, {"row": [id]})
            break
        line = next((i for i, fields in enumerate(block.get("rows", ())) if after in fields), None)
        if line is not None:
            block["rows"] = [*block["rows"][: line + 1], [id], *block["rows"][line + 1 :]]
            break
    else:
        layout.append({"row": [id]})
    parts[f"forms/{form}"]["layout"] = layout


def without_field(layout: list[Json], id: str) -> list[Json]:
    """The layout without a field; lines that become empty go, sections stay."""
    made = []
    for block in layout:
        if "row" in block:
            row = [f for f in block["row"] if f != id]
            if row:
                made.append({**block, "row": row})
        elif "rows" in block:
            rows = [[f for f in line if f != id] for line in block["rows"]]
            made.append({**block, "rows": [line for line in rows if line]})
        elif "tabs" in block:
            tabs = [{**tab, "layout": without_field(tab.get("layout", []), id)} for tab in block["tabs"]]
            made.append({**block, "tabs": tabs})
        else:
            made.append(block)
    return made


def move_line(parts: Parts, form: str, id: str, section: int, position: int) -> Parts:
    """Move the line that a field stands on into a section, to a position among the other lines there."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    if not 0 <= section < len(layout) or not is_section(layout[section]):
        raise InvalidInput({"": [say("This section is no longer there.")]})
    line = _line_of(layout, id)
    layout = [_without_line(block, line) for block in layout]
    rows = layout[section].get("rows", [])
    layout[section] = {**layout[section], "rows": [*rows[:position], line, *rows[position:]]}
    made[f"forms/{form}"]["layout"] = [block for block in layout if block]
    return made


def move_line_out(parts: Parts, form: str, id: str, before: str | int | None) -> Parts:
    """Move the line that a field stands on out of any section: behind the line of another field, behind a section, or first."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    line = _line_of(layout, id)
    layout = [_without_line(block, line) for block in layout]
    place = next((n + 1 for n, block in enumerate(layout) if n == before or before in block.get("row", ())), 0)
    layout.insert(place, {"row": line})
    made[f"forms/{form}"]["layout"] = [block for block in layout if block]
    return made


def is_section(block: Mapping[str, Any]) -> bool:
    return "rows" in block or "section" in block


def _line_of(layout: list[Json], id: str) -> list[str]:
    line = next((fields for _, fields in _lines(layout) if id in fields), None)
    if line is None:
        raise InvalidInput({"": [say("This field is no longer there.")]})
    return list(line)


def _without_line(block: Json, line: list[str]) -> Json:
    """A block without a line; nothing is left of the line itself."""
    if block.get("row") == line:
        return {}
    return {**block, "rows": [one for one in block["rows"] if one != line]} if "rows" in block else block


def step_field(parts: Parts, form: str, id: str, by: int) -> Parts:
    """Move a field's line up (-1) or down (1) past its neighbour, into and out of sections on the way."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    flat = _lines(layout)
    at = next((n for n, (_, line) in enumerate(flat) if id in line), None)
    if at is None or not 0 <= at + by < len(flat):
        return made
    neighbour = flat[at + by][1]
    line = flat[at][1]
    for field in line:
        layout = without_field(layout, field)
    made[f"forms/{form}"]["layout"] = _beside_line(layout, line, neighbour[0], after=by > 0)
    return made


def _beside_line(layout: list[Json], line: list[str], neighbour: str, after: bool) -> list[Json]:
    made: list[Json] = []
    for block in layout:
        if "row" in block and neighbour in block["row"]:
            made += [block, {"row": line}] if after else [{"row": line}, block]
        elif "rows" in block and any(neighbour in fields for fields in block["rows"]):
            n = next(i for i, fields in enumerate(block["rows"]) if neighbour in fields) + (1 if after else 0)
            made.append({**block, "rows": [*block["rows"][:n], line, *block["rows"][n:]]})
        else:
            made.append(block)
    return made


def join_line(parts: Parts, form: str, id: str) -> Parts:
    """Put a field beside the one above it, or on a line of its own if it stands beside another."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    flat = _lines(layout)
    at = next((n for n, (_, line) in enumerate(flat) if id in line), None)
    if at is None:
        return made
    if len(flat[at][1]) > 1:
        rest = [f for f in flat[at][1] if f != id]
        layout = _beside_line(without_field(layout, id), [id], rest[0], after=True)
    elif at > 0 and len(flat[at - 1][1]) < 4:
        above = flat[at - 1][1]
        layout = [_joined(block, above, id) for block in without_field(layout, id)]
    made[f"forms/{form}"]["layout"] = layout
    return made


def _joined(block: Json, above: list[str], id: str) -> Json:
    if block.get("row") == above:
        return {**block, "row": [*above, id]}
    if above in block.get("rows", ()):
        return {**block, "rows": [[*line, id] if line == above else line for line in block["rows"]]}
    return block


def add_section(parts: Parts, form: str, title: Any) -> Parts:
    """A section at the end of the form."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    id = fresh("section", [b.get("id") for b in layout if b.get("id")])
    made[f"forms/{form}"]["layout"] = [*layout, {"id": id, "section": title, "rows": []}]
    return made


def change_block(parts: Parts, form: str, at: int, options: Mapping[str, Any]) -> Parts:
    """Rename a section (`section`), fold it, or with None for everything take it away: its fields move out."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    if not 0 <= at < len(layout) or not is_section(layout[at]):
        raise InvalidInput({"": [say("This section is no longer there.")]})
    if options.get("remove"):
        freed = [{"row": line} for line in layout[at].get("rows", [])]
        layout[at : at + 1] = freed
    else:
        layout[at] = replaced(layout[at], options)
    made[f"forms/{form}"]["layout"] = layout
    return made
