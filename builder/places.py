"""Where a problem of an app is to be mended: which page of the builder, which input, and how to say so."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builder import grants
from builder.differences import THINGS
from builder.flow_words import title_of_step
from builder.layout import layout_of, stops_of, title_of
from builder.panel import input_name
from builder.parts import Parts
from schemas.errors import Problem
from schemas.fields import field_types
from schemas.flow import Flow
from schemas.form import Form
from schemas.messages import Message, say
from schemas.options import options_of
from schemas.steps import step_types
from schemas.table import Table
from schemas.text import Text
from schemas.views import view_types

KIND = re.compile(r"(tables|forms|views|flows|dashboards|documents|access)\[(\d+)\]\.?(.*)\Z", re.DOTALL)
FIELD = re.compile(r"fields\[(\d+)\](?:\.fields\[(\d+)\])?\.?(.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """Where something in a package stands: the object, the field or block in it, and the option.

    `trail` are the names on the way there.
    """

    kind: str = ""
    id: str = ""
    chosen: str = ""
    option: str = ""
    trail: Sequence[Message | Text] = ()

    @property
    def trail_key(self) -> tuple[str, ...]:
        return (self.kind, self.id, self.chosen, self.option.partition(".")[0])


@dataclass(frozen=True)
class Told:
    """A problem with the place where it is mended."""

    problem: Problem
    place: Place
    url: str


@dataclass(frozen=True)
class Use:
    """A place that uses a field."""

    place: Place
    url: str


def uses_at(parts: Parts, paths: Sequence[str], but: str) -> list[Use]:
    """The places that use a field, apart from those of the field itself, each once."""
    places = {place.trail_key: place for path in paths if (place := place_of(parts, path)).chosen != but}
    return [Use(place, url_of(parts, place)) for place in places.values()]


def told(parts: Parts, problem: Problem) -> Told:
    place = place_of(parts, problem.path)
    return Told(problem, place, url_of(parts, place))


def place_of(parts: Parts, path: str) -> Place:
    """What a path in the package's JSON (`tables[0].fields[3].default`) is about."""
    found = KIND.match(path)
    order = parts.get(f"order/{found[1]}") or () if found else ()
    if found is None or int(found[2]) >= len(order):
        return Place(option=path)
    kind, id, rest = found[1], order[int(found[2])], found[3]
    item = parts[f"{kind}/{id}"]
    name = grants.called(item, parts) if kind == "access" else Text.of(item.get("title") or id)
    trail = [name] if kind in ("tables", "forms") else [THINGS[kind], name]
    if kind == "tables" and (field := FIELD.match(rest)):
        return _field_place(item, id, field, trail)
    if kind == "forms" and rest.startswith("layout["):
        return _block_place(parts, id, rest, trail)
    if kind == "flows":
        return _flow_place(item, id, rest, trail)
    classes = {"tables": Table, "forms": Form, "views": view_types.get(item.get("type", "grid"))}
    option = _option_label(classes.get(kind), rest)
    return Place(kind, id, "", input_name(rest), [*trail, *option])


def _field_place(table: Mapping[str, Any], id: str, found: "re.Match[str]", trail: list[Any]) -> Place:
    field = table["fields"][int(found[1])]
    chosen, names = field["id"], [Text.of(field.get("label") or field["id"])]
    if found[2] is not None and int(found[2]) < len(field.get("fields", ())):
        field = field["fields"][int(found[2])]
        chosen, names = f"{chosen}.{field['id']}", [*names, Text.of(field.get("label") or field["id"])]
    option = _option_label(field_types.get(field["type"]), found[3])
    return Place("tables", id, chosen, input_name(found[3]), [*trail, *names, *option])


def _flow_place(flow: Mapping[str, Any], id: str, rest: str, trail: list[Any]) -> Place:
    """The innermost step, branch or trigger of a flow that a path lies in."""
    at: Any = flow
    chosen, names = "", list[Any]()
    while found := re.match(r"(trigger|steps|branches|after\.\w+)(?:\[(\d+)\])?(?:\.|\Z)", rest):
        if found[1] == "trigger":
            return Place(
                "flows", id, f"trigger:{found[2] or 0}", input_name(rest[found.end() :]), [*trail, say("Starts when")]
            )
        listed = (flow.get("after") or {}).get(found[1][6:]) if found[1].startswith("after.") else at.get(found[1])
        if found[2] is None or not isinstance(listed, list) or int(found[2]) >= len(listed):
            break
        at = listed[int(found[2])]
        if not isinstance(at, Mapping) or "id" not in at:
            break
        chosen = f"{chosen}.{at['id']}" if found[1] == "branches" else at["id"]
        names = [title_of_step(at)] if found[1] != "branches" else [*names, Text.of(at.get("title") or at["id"])]
        rest = rest[found.end() :]
    kind: Any = step_types.get(at.get("type", "")) if chosen and isinstance(at, Mapping) else Flow
    return Place("flows", id, chosen, input_name(rest), [*trail, *names, *_option_label(kind, rest)])


def _block_place(parts: Parts, id: str, rest: str, trail: list[Any]) -> Place:
    """The innermost section, tab or note that a place in the layout lies in."""
    steps = re.findall(r"(layout|tabs)\[(\d+)\]", rest)
    place = ".".join(f"t{n}" if step == "tabs" else n for step, n in steps)
    found = [s for s in stops_of(layout_of(parts, id)) if s.kind != "line" and f"{place}.".startswith(f"{s.place}.")]
    if not found:
        return Place("forms", id, "", "", trail)
    block = found[-1].block
    name = Text.of(block.get("section") or block.get("tab") or "") or title_of(block)
    return Place("forms", id, f"block:{found[-1].place}", "", [*trail, name])


def _option_label(kind: Any, rest: str) -> list[Message]:
    first = re.split(r"[.\[]", rest)[0]
    return [say(o.label) for o in options_of(kind) if o.name == first] if kind is not None and first else []


def url_of(parts: Parts, place: Place) -> str:
    """The page, below the app's own in the builder, where a place is edited; the app's page where there is none."""
    if place.kind == "access":
        return f"/rights/?grant={place.id}"
    if place.kind == "documents" and f"documents/{place.id}" in parts:
        return f"/document/{place.id}/?block={_block_in(parts, place)}"
    if place.kind == "dashboards" and f"dashboards/{place.id}" in parts:
        return f"/dashboard/{place.id}/?widget={_widget_in(parts, place)}"
    if place.kind == "flows" and f"flows/{place.id}" in parts:
        return f"/flow/{place.id}/?step={place.chosen}&at={place.option}"
    if place.kind == "views" and f"views/{place.id}" in parts:
        return f"/view/{place.id}/?at={place.option}"
    form = place.id if place.kind == "forms" else form_of(parts, place.id) if place.kind == "tables" else ""
    if not form:
        return "/"
    tab = "field" if place.chosen else "table" if place.kind == "tables" else "form"
    return f"/form/{form}/?field={place.chosen}&tab={tab}&at={place.option}"


def _widget_in(parts: Parts, place: Place) -> str:
    """The widget of a dashboard that an option (`widgets.3.measure`) belongs to."""
    widgets = parts[f"dashboards/{place.id}"].get("widgets") or ()
    number = place.option.split(".")[1:2]
    return (
        str(widgets[int(number[0])]["id"]) if number and number[0].isdigit() and int(number[0]) < len(widgets) else ""
    )


def _block_in(parts: Parts, place: Place) -> str:
    """The block of a print template that an option (`blocks.3.text`) belongs to."""
    blocks = parts[f"documents/{place.id}"].get("blocks") or ()
    number = place.option.split(".")[1:2] if place.option.startswith("blocks.") else []
    return str(blocks[int(number[0])]["id"]) if number and number[0].isdigit() and int(number[0]) < len(blocks) else ""


def form_of(parts: Parts, table: str) -> str:
    """The first form of a table, by which its fields are edited."""
    own = (id for id in parts["order/forms"] if parts[f"forms/{id}"].get("table") == table)
    return next(own, "")


def errors_at(found: Sequence[Told], kind: str, id: str, chosen: str = "") -> dict[str, list[Message]]:
    """The problems of one field, block, form or table, by the name of the input."""
    errors: dict[str, list[Message]] = {}
    for one in found:
        if (one.place.kind, one.place.id, one.place.chosen) == (kind, id, chosen):
            errors.setdefault(one.place.option, []).append(one.problem.message)
    return errors
