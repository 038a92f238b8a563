"""Where the fields of a form stand: lines of fields side by side, on their own, in sections and on tabs.

Every edit walks the form in reading order, as a list of stops: lines, whole blocks such as a note, and the places
where a section, tabs or one tab opens and closes. Moving a stop past its neighbour is then all there is to moving.
A block is known by its place: `3` is the fourth of the form, `3.t0.1` the second on the first tab of that.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from builder.parts import Json, Parts, fresh, replaced
from schemas.errors import InvalidInput
from schemas.messages import Message, say

MOST_BESIDE = 6
SIDES = ("before", "after", "left", "right", "into")
NEW_BLOCKS: dict[str, Json] = {
    "section": {"section": {"zh": "分组", "en": "Section"}, "rows": []},
    "tabs": {
        "tabs": [
            {"id": "tab", "tab": {"zh": "标签页 1", "en": "Tab 1"}, "layout": []},
            {"id": "tab", "tab": {"zh": "标签页 2", "en": "Tab 2"}, "layout": []},
        ]
    },
    "divider": {"divider": True},
    "note": {"note": {"zh": "说明文字", "en": "A note for whoever fills this in"}},
}
TITLES = {
    "section": say("Section"),
    "tabs": say("Tabs"),
    "tab": say("Tab"),
    "divider": say("Divider"),
    "note": say("Note"),
}
MAY_STAND_IN = {
    "line": ("", "section", "tab"), "section": ("", "tab"), "note": ("", "tab"), "divider": ("", "tab"), "tabs": ("",),
    "tab": ("tabs",),
}  # fmt: skip


@dataclass(frozen=True)
class Stop:
    """One stop on the way through a form. `kind` is line, open, close or block; `part` says of what, `place` where it was."""

    kind: str
    part: str
    place: str
    block: Json
    fields: tuple[str, ...] = ()


# -- the form as stops, and back -------------------------------------------------------------------


def layout_of(parts: Mapping[str, Any], form: str) -> list[Json]:
    """The form's layout; every field on a line of its own where it has none."""
    found = parts[f"forms/{form}"]
    if found.get("layout"):
        return list(deepcopy(found["layout"]))
    return [{"row": [f["id"]]} for f in parts[f"tables/{found['table']}"]["fields"]]


def part_of(block: Mapping[str, Any]) -> str:
    """What kind of block this is."""
    for part in ("tabs", "tab", "divider", "note"):
        if part in block:
            return part
    return "section" if "rows" in block or "section" in block else "line"


def stops_of(layout: list[Json], prefix: str = "") -> list[Stop]:
    return [stop for place, block in enumerate(layout) for stop in _stops(f"{prefix}{place}", block)]


def _stops(place: str, block: Json) -> Iterator[Stop]:
    part = part_of(block)
    if part == "line":
        yield Stop("line", "line", place, block, tuple(block.get("row", ())))
    elif part in ("divider", "note"):
        yield Stop("block", part, place, block)
    else:
        yield Stop("open", part, place, block)
        yield from _inside(place, part, block)
        yield Stop("close", part, place, block)


def _inside(place: str, part: str, block: Json) -> Iterator[Stop]:
    if part == "section":
        yield from (Stop("line", "line", place, {}, tuple(line)) for line in block.get("rows", ()))
    elif part == "tab":
        yield from stops_of(block.get("layout", []), f"{place}.")
    else:
        for n, tab in enumerate(block["tabs"]):
            yield from _stops(f"{place}.t{n}", tab)


def layout_from(stops: list[Stop]) -> list[Json]:
    """The layout that stops make; lines without fields are passed over."""
    top: list[Any] = []
    holders: list[tuple[str, list[Any]]] = [("", top)]
    for stop in stops:
        part, inside = holders[-1]
        if stop.kind == "open":
            name = {"section": "rows", "tabs": "tabs", "tab": "layout"}[stop.part]
            held: list[Any] = []
            inside.append({**stop.block, name: held})
            holders.append((stop.part, held))
        elif stop.kind == "close":
            holders.pop()
        elif stop.kind == "block":
            inside.append(stop.block)
        elif stop.fields:
            inside.append(list(stop.fields) if part == "section" else {**stop.block, "row": list(stop.fields)})
    return top


def _kept(parts: Parts, form: str, stops: list[Stop]) -> Parts:
    made = deepcopy(parts)
    made[f"forms/{form}"]["layout"] = layout_from(stops)
    return made


def _line(stops: list[Stop], id: str) -> int:
    """Where the line of a field is. Raises InvalidInput."""
    found = next((n for n, stop in enumerate(stops) if id in stop.fields), None)
    if found is None:
        raise InvalidInput({"": [say("This field is no longer there.")]})
    return found


def _block(stops: list[Stop], place: str) -> tuple[int, int]:
    """The first and last stop of a block that is no line. Raises InvalidInput."""
    own = [n for n, s in enumerate(stops) if s.place == place and s.kind != "line"]
    if not own:
        raise InvalidInput({"": [say("This part of the form is no longer there.")]})
    return own[0], own[-1]


def _holder(stops: list[Stop], at: int) -> str:
    """What something put before this stop would stand in: a section, a tab, tabs, or nothing."""
    open_parts: list[str] = []
    for stop in stops[:at]:
        if stop.kind == "open":
            open_parts.append(stop.part)
        elif stop.kind == "close":
            open_parts.pop()
    return open_parts[-1] if open_parts else ""


def _allowed(stops: list[Stop], at: int, part: str, by: int) -> int | None:
    """The nearest stop in this direction before which such a part may stand."""
    while 0 <= at <= len(stops):
        if _holder(stops, at) in MAY_STAND_IN[part]:
            return at
        at += by
    return None


# -- fields coming and going -----------------------------------------------------------------------


def place(parts: Parts, form: str, id: str, after: str) -> None:
    """Put a field on a line of its own behind that of another, or at the end."""
    stops = stops_of(without_field(layout_of(parts, form), id))
    at = next((n + 1 for n, stop in enumerate(stops) if after in stop.fields), len(stops))
    parts[f"forms/{form}"]["layout"] = layout_from([*stops[:at], _own_line(id), *stops[at:]])


def _own_line(id: str) -> Stop:
    return Stop("line", "line", "", {}, (id,))


def without_field(layout: list[Json], id: str) -> list[Json]:
    """The layout without a field; lines that become empty go, sections stay."""
    return layout_from([replace(s, fields=tuple(f for f in s.fields if f != id)) for s in stops_of(layout)])


# -- moving ----------------------------------------------------------------------------------------


def drop(parts: Parts, form: str, what: str, target: str, side: str) -> Parts:
    """A field (`field:amount`) or block (`block:2`) dropped at a side of another one, or into a section or tab.

    Left and right of a field are places on its line; without a target it goes to the end. Raises InvalidInput.
    """
    stops = stops_of(layout_of(parts, form))
    kind, _, name = what.partition(":")
    if what == target:
        return deepcopy(parts)
    if kind == "field":
        _known(parts, form, name)
        return _kept(parts, form, _with_field(stops, name, target, side))
    first, last = _block(stops, name)
    moving, rest = stops[first : last + 1], stops[:first] + stops[last + 1 :]
    at = _edge(rest, target, side, stops[first].part)
    return _kept(parts, form, [*rest[:at], *moving, *rest[at:]])


def _known(parts: Parts, form: str, id: str) -> None:
    """Raises InvalidInput where the table has no such field; one that is not on the form yet is put on it."""
    if all(field["id"] != id for field in parts[f"tables/{parts[f'forms/{form}']['table']}"]["fields"]):
        raise InvalidInput({"": [say("This field is no longer there.")]})


def _with_field(stops: list[Stop], id: str, target: str, side: str) -> list[Stop]:
    if target == f"field:{id}":
        return stops
    rest = [replace(s, fields=tuple(f for f in s.fields if f != id)) for s in stops]
    if side in ("left", "right") and target.startswith("field:"):
        return _beside(rest, id, target.partition(":")[2], side)
    edge = _edge(rest, target, side, "line")
    return [*rest[:edge], _own_line(id), *rest[edge:]]


def _beside(stops: list[Stop], id: str, neighbour: str, side: str) -> list[Stop]:
    at = _line(stops, neighbour)
    line = list(stops[at].fields)
    if len(line) >= MOST_BESIDE:
        raise InvalidInput({"": [say("At most {n} fields stand side by side.", n=MOST_BESIDE)]})
    line.insert(line.index(neighbour) + (side == "right"), id)
    return [*stops[:at], replace(stops[at], fields=tuple(line)), *stops[at + 1 :]]


def _edge(stops: list[Stop], target: str, side: str, part: str) -> int:
    """Before which stop such a part goes that is dropped there: there, or the nearest place where it may stand."""
    kind, _, name = target.partition(":")
    if kind not in ("field", "block"):
        return len(stops)
    first, last = (_line(stops, name),) * 2 if kind == "field" else _block(stops, name)
    if side == "into" and stops[last].kind == "close" and stops[last].part != "tabs":
        at, by = last, 1
    else:
        at, by = (last + 1, 1) if side in ("after", "right", "into") else (first, -1)
    found = _allowed(stops, at, part, by)
    return len(stops) if found is None else found


def step_field(parts: Parts, form: str, id: str, by: int) -> Parts:
    """Move a field's line up (-1) or down (1) past its neighbour, into and out of sections and tabs on the way."""
    stops = stops_of(layout_of(parts, form))
    at = next((n for n, stop in enumerate(stops) if id in stop.fields), None)
    return deepcopy(parts) if at is None else _stepped(parts, form, stops, at, at, by)


def step_block(parts: Parts, form: str, place: str, by: int) -> Parts:
    """Move a section, note or divider past its neighbour; what it may not stand in is passed as a whole."""
    stops = stops_of(layout_of(parts, form))
    return _stepped(parts, form, stops, *_block(stops, place), by)


def _stepped(parts: Parts, form: str, stops: list[Stop], first: int, last: int, by: int) -> Parts:
    moving, rest = stops[first : last + 1], stops[:first] + stops[last + 1 :]
    at = _allowed(rest, first + by, stops[first].part, by)
    return deepcopy(parts) if at is None else _kept(parts, form, [*rest[:at], *moving, *rest[at:]])


def shift_field(parts: Parts, form: str, id: str, by: int) -> Parts:
    """Move a field left (-1) or right (1) on its line."""
    stops = stops_of(layout_of(parts, form))
    at = _line(stops, id)
    line = list(stops[at].fields)
    place = line.index(id)
    if not 0 <= place + by < len(line):
        return deepcopy(parts)
    line[place], line[place + by] = line[place + by], line[place]
    stops[at] = replace(stops[at], fields=tuple(line))
    return _kept(parts, form, stops)


def join_line(parts: Parts, form: str, id: str) -> Parts:
    """Put a field beside the one above it, or on a line of its own if it stands beside another."""
    stops = stops_of(layout_of(parts, form))
    at = next((n for n, stop in enumerate(stops) if id in stop.fields), None)
    if at is None:
        return deepcopy(parts)
    if len(stops[at].fields) > 1:
        rest = replace(stops[at], fields=tuple(f for f in stops[at].fields if f != id))
        return _kept(parts, form, [*stops[:at], rest, _own_line(id), *stops[at + 1 :]])
    if at == 0 or stops[at - 1].kind != "line" or len(stops[at - 1].fields) >= MOST_BESIDE:
        return deepcopy(parts)
    above = replace(stops[at - 1], fields=(*stops[at - 1].fields, id))
    return _kept(parts, form, [*stops[: at - 1], above, *stops[at + 1 :]])


# -- sections, tabs, notes, dividers ---------------------------------------------------------------


def add_block(parts: Parts, form: str, kind: str, target: str = "", side: str = "after") -> tuple[Parts, str]:
    """A new section, tabs, note or divider, beside what is named or at the end. Gives its place."""
    if kind not in NEW_BLOCKS:
        raise InvalidInput({"": [say("There is no part of a form called '{kind}'.", kind=kind)]})
    layout = layout_of(parts, form)
    block = _with_ids(deepcopy(NEW_BLOCKS[kind]), kind, layout)
    stops = stops_of(layout)
    try:
        at = _edge(stops, target, side, kind)
    except InvalidInput:
        at = len(stops)
    made = _kept(parts, form, [*stops[:at], *_stops("new", block), *stops[at:]])
    return made, place_of(layout_of(made, form), block)


def _with_ids(block: Json, kind: str, layout: list[Json]) -> Json:
    """A new block with ids that no other part of the form has."""
    taken = [s.block["id"] for s in stops_of(layout) if s.block.get("id")]
    if kind == "section":
        return {"id": fresh("section", taken), **block}
    for tab in block.get("tabs", ()):
        tab["id"] = fresh("tab", taken)
        taken.append(tab["id"])
    return block


def place_of(layout: list[Json], block: Json) -> str:
    """Where a block stands now; of equal ones the last."""
    return next((s.place for s in reversed(stops_of(layout)) if s.kind != "line" and s.block == block), "")


def block_at(parts: Mapping[str, Any], form: str, place: str) -> Json:
    """A section, tabs, one tab, note or divider. Raises InvalidInput when it is not there."""
    stops = stops_of(layout_of(parts, form))
    return stops[_block(stops, place)[0]].block


def change_block(parts: Parts, form: str, place: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of a block; None takes one away. The fields of a tab that is taken away move to the end."""
    stops = stops_of(layout_of(parts, form))
    first, last = _block(stops, place)
    changed = replaced(stops[first].block, options)
    inner = list(_stops(place, changed))
    if "tabs" not in options:
        inner = [replace(stops[first], block=changed), *stops[first + 1 : last + 1]]
    left = {f for s in inner for f in s.fields}
    freed = [_own_line(f) for s in stops[first : last + 1] for f in s.fields if f not in left]
    return _kept(parts, form, [*stops[:first], *inner, *stops[last + 1 :], *freed])


def remove_block(parts: Parts, form: str, place: str) -> Parts:
    """Take a section, tabs, one tab, a note or a divider away; the fields in it move out, and the last tab takes the tabs along."""
    stops = stops_of(layout_of(parts, form))
    first, last = _block(stops, place)
    if stops[first].part == "tab" and stops[first - 1].part == stops[last + 1].part == "tabs":
        first, last = first - 1, last + 1
    fields = [s for s in stops[first : last + 1] if s.kind == "line"]
    if stops[first].part == "tab":
        return _kept(parts, form, [*stops[:first], *stops[last + 1 :], *fields])
    return _kept(parts, form, [*stops[:first], *fields, *stops[last + 1 :]])


def title_of(block: Mapping[str, Any]) -> Message:
    """What kind of block this is, in words."""
    return TITLES[part_of(block)]
