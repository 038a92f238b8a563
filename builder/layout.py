"""Where the fields of a form stand: lines of fields side by side, on their own or in sections.

Every edit walks the form in reading order, as a list of stops: lines, whole blocks such as a note, and the places
where a section opens and closes. Moving a stop past its neighbour is then all there is to moving.
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
    "divider": {"divider": True},
    "note": {"note": {"zh": "说明文字", "en": "A note for whoever fills this in"}},
}


@dataclass(frozen=True)
class Stop:
    """One stop on the way through a form. `place` is the block of the layout that it came from."""

    kind: str  # line, open, close, block
    place: int
    block: Json
    fields: tuple[str, ...] = ()


# -- the form as stops, and back -------------------------------------------------------------------


def layout_of(parts: Mapping[str, Any], form: str) -> list[Json]:
    """The form's layout; every field on a line of its own where it has none."""
    found = parts[f"forms/{form}"]
    if found.get("layout"):
        return list(deepcopy(found["layout"]))
    return [{"row": [f["id"]]} for f in parts[f"tables/{found['table']}"]["fields"]]


def is_section(block: Mapping[str, Any]) -> bool:
    return "rows" in block or "section" in block


def stops_of(layout: list[Json]) -> list[Stop]:
    return [stop for place, block in enumerate(layout) for stop in _stops(place, block)]


def _stops(place: int, block: Json) -> Iterator[Stop]:
    if "row" in block:
        yield Stop("line", place, block, tuple(block["row"]))
    elif is_section(block):
        yield Stop("open", place, block)
        yield from (Stop("line", place, {}, tuple(line)) for line in block.get("rows", ()))
        yield Stop("close", place, block)
    else:
        yield Stop("block", place, block)


def layout_from(stops: list[Stop]) -> list[Json]:
    made: list[Json] = []
    rows: list[list[str]] | None = None
    for stop in stops:
        if stop.kind == "open":
            rows = []
            made.append({**stop.block, "rows": rows})
        elif stop.kind == "close":
            rows = None
        elif stop.kind == "block":
            made.append(stop.block)
        elif stop.fields and rows is not None:
            rows.append(list(stop.fields))
        elif stop.fields:
            made.append({**stop.block, "row": list(stop.fields)})
    return made


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
    """The first and last stop of a section, note or divider. Raises InvalidInput."""
    own = [n for n, s in enumerate(stops) if str(s.place) == place and s.kind in ("open", "close", "block")]
    if not own:
        raise InvalidInput({"": [say("This part of the form is no longer there.")]})
    return own[0], own[-1]


# -- fields coming and going -----------------------------------------------------------------------


def place(parts: Parts, form: str, id: str, after: str) -> None:
    """Put a field on a line of its own behind that of another, or at the end."""
    stops = stops_of(without_field(layout_of(parts, form), id))
    at = next((n + 1 for n, stop in enumerate(stops) if after in stop.fields), len(stops))
    parts[f"forms/{form}"]["layout"] = layout_from([*stops[:at], Stop("line", -1, {}, (id,)), *stops[at:]])


def without_field(layout: list[Json], id: str) -> list[Json]:
    """The layout without a field; lines that become empty go, sections stay."""
    stops = [replace(s, fields=tuple(f for f in s.fields if f != id)) for s in stops_of(layout)]
    return layout_from(stops)


# -- moving ----------------------------------------------------------------------------------------


def drop(parts: Parts, form: str, what: str, target: str, side: str) -> Parts:
    """A field (`field:amount`) or block (`block:2`) dropped at a side of another one, or into a section.

    Left and right of a field are places on its line; without a target it goes to the end. Raises InvalidInput.
    """
    stops = stops_of(layout_of(parts, form))
    kind, _, name = what.partition(":")
    if what == target:
        return deepcopy(parts)
    if kind == "field":
        return _kept(parts, form, _with_field(stops, name, target, side))
    first, last = _block(stops, name)
    moving, rest = stops[first : last + 1], stops[:first] + stops[last + 1 :]
    at = _edge(rest, target, side, outside=True)
    return _kept(parts, form, [*rest[:at], *moving, *rest[at:]])


def _with_field(stops: list[Stop], id: str, target: str, side: str) -> list[Stop]:
    at = _line(stops, id)
    if stops[at].fields == (id,) and target == f"field:{id}":
        return stops
    rest = [replace(s, fields=tuple(f for f in s.fields if f != id)) for s in stops]
    if side in ("left", "right") and target.startswith("field:"):
        return _beside(rest, id, target.partition(":")[2], side)
    place = _edge(rest, target, side)
    return [*rest[:place], Stop("line", -1, {}, (id,)), *rest[place:]]


def _beside(stops: list[Stop], id: str, neighbour: str, side: str) -> list[Stop]:
    at = _line(stops, neighbour)
    line = list(stops[at].fields)
    if len(line) >= MOST_BESIDE:
        raise InvalidInput({"": [say("At most {n} fields stand side by side.", n=MOST_BESIDE)]})
    line.insert(line.index(neighbour) + (side == "right"), id)
    return [*stops[:at], replace(stops[at], fields=tuple(line)), *stops[at + 1 :]]


def _edge(stops: list[Stop], target: str, side: str, outside: bool = False) -> int:
    """Before which stop something goes that is dropped there; `outside` keeps it out of sections."""
    kind, _, name = target.partition(":")
    if kind not in ("field", "block"):
        return len(stops)
    first = last = 0
    if kind == "field":
        first = last = _line(stops, name)
    else:
        first, last = _block(stops, name)
        if side == "into" and not outside and stops[last].kind == "close":
            return last
    at = last + 1 if side in ("after", "right", "into") else first
    return _out_of_section(stops, at, side) if outside else at


def _out_of_section(stops: list[Stop], at: int, side: str) -> int:
    opened = next((n for n in range(at - 1, -1, -1) if stops[n].kind in ("open", "close")), None)
    if opened is None or stops[opened].kind == "close":
        return at
    closing = next(n for n in range(at, len(stops)) if stops[n].kind == "close")
    return opened if side in ("before", "left") else closing + 1


def step_field(parts: Parts, form: str, id: str, by: int) -> Parts:
    """Move a field's line up (-1) or down (1) past its neighbour, into and out of sections on the way."""
    stops = stops_of(layout_of(parts, form))
    at = next((n for n, stop in enumerate(stops) if id in stop.fields), None)
    if at is None or not 0 <= at + by < len(stops):
        return deepcopy(parts)
    stops[at], stops[at + by] = stops[at + by], stops[at]
    return _kept(parts, form, stops)


def step_block(parts: Parts, form: str, place: str, by: int) -> Parts:
    """Move a section, note or divider past its neighbour; other sections are passed as a whole."""
    stops = stops_of(layout_of(parts, form))
    first, last = _block(stops, place)
    moving, rest = stops[first : last + 1], stops[:first] + stops[last + 1 :]
    at = first + by
    if not 0 <= at <= len(rest):
        return deepcopy(parts)
    at = _out_of_section(rest, at, "before" if by < 0 else "after")
    return _kept(parts, form, [*rest[:at], *moving, *rest[at:]])


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
        return _kept(parts, form, [*stops[:at], rest, Stop("line", -1, {}, (id,)), *stops[at + 1 :]])
    if at == 0 or stops[at - 1].kind != "line" or len(stops[at - 1].fields) >= MOST_BESIDE:
        return deepcopy(parts)
    above = replace(stops[at - 1], fields=(*stops[at - 1].fields, id))
    return _kept(parts, form, [*stops[: at - 1], above, *stops[at + 1 :]])


# -- sections, notes, dividers ---------------------------------------------------------------------


def add_block(parts: Parts, form: str, kind: str, after: str = "") -> tuple[Parts, int]:
    """A new section, note or divider: behind what is chosen (`field:amount`, `block:2`), or at the end. Gives its place."""
    if kind not in NEW_BLOCKS:
        raise InvalidInput({"": [say("There is no part of a form called '{kind}'.", kind=kind)]})
    layout = layout_of(parts, form)
    block = deepcopy(NEW_BLOCKS[kind])
    if is_section(block):
        block = {"id": fresh("section", [b.get("id") for b in layout if b.get("id")]), **block}
    stops = stops_of(layout)
    try:
        at = _edge(stops, after, "after", outside=True)
    except InvalidInput:
        at = len(stops)
    own = list(_stops(len(layout), block))
    made = _kept(parts, form, [*stops[:at], *own, *stops[at:]])
    return made, next(n for n, b in enumerate(made[f"forms/{form}"]["layout"]) if b == block)


def block_at(parts: Mapping[str, Any], form: str, at: int) -> Json:
    """A section, note or divider. Raises InvalidInput when it is not there."""
    layout = layout_of(parts, form)
    if not 0 <= at < len(layout) or "row" in layout[at]:
        raise InvalidInput({"": [say("This part of the form is no longer there.")]})
    return layout[at]


def change_block(parts: Parts, form: str, at: int, options: Mapping[str, Any]) -> Parts:
    """Replace options of a section or note; None takes one away."""
    block = replaced(block_at(parts, form, at), options)
    layout = layout_of(parts, form)
    layout[at] = block
    made = deepcopy(parts)
    made[f"forms/{form}"]["layout"] = layout
    return made


def remove_block(parts: Parts, form: str, at: int) -> Parts:
    """Take a section, note or divider away; the fields of a section move out."""
    block_at(parts, form, at)
    stops = [s for s in stops_of(layout_of(parts, form)) if s.place != at or s.kind == "line"]
    return _kept(parts, form, stops)


def title_of(block: Mapping[str, Any]) -> Message:
    """What kind of block this is."""
    if is_section(block):
        return say("Section")
    return say("Divider") if block.get("divider") else say("Note")
