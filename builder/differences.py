"""What publishing an edited app would change, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from builder import grants
from builder.parts import KINDS, Json, Parts, apart
from schemas.fields import field_types
from schemas.form import Form
from schemas.messages import Message, say
from schemas.options import meaning, options_of
from schemas.table import Table
from schemas.text import Sentence, Text
from schemas.views import view_types

THINGS = {
    "tables": say("table"), "forms": say("form"), "views": say("view"), "flows": say("flow"),
    "dashboards": say("dashboard"), "documents": say("print template"), "access": say("grant"),
}  # fmt: skip
CLASSES: dict[str, type[Any]] = {"tables": Table, "forms": Form}
Difference = tuple[str, Message]


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Difference]:
    """What publishing would change, in words: (added, removed or changed; message)."""
    return between(apart(before or {}), apart(after))


def between(old: Parts, new: Parts) -> list[Difference]:
    """The same of two packages that are in parts already; nothing is changed in them."""
    found: list[Difference] = []
    found += _manifest_differences(old["manifest"], new["manifest"])
    for kind in KINDS:
        found += grants.differences(old, new) if kind == "access" else _object_differences(kind, old, new)
    return found


def _manifest_differences(old: Json, new: Json) -> Iterator[Difference]:
    """The navigation apart from what else is said of the whole app."""
    if old.get("navigation") != new.get("navigation"):
        yield "changed", say("The navigation")
    if {**old, "navigation": None} != {**new, "navigation": None}:
        yield "changed", say("The app's title or roles")


def _object_differences(kind: str, old: Parts, new: Parts) -> Iterator[Difference]:
    thing = THINGS[kind]
    for id in new[f"order/{kind}"]:
        item, previous = new[f"{kind}/{id}"], old.get(f"{kind}/{id}")
        if previous is None:
            yield "added", say("New {thing}: {name}", thing=thing, name=_name(item))
        elif kind == "tables" and item != previous:
            yield from _field_differences(previous, item)
        elif item != previous:
            yield "changed", _changed(thing, _name(item), item, previous, _class_of(kind, item))
    for id in old[f"order/{kind}"]:
        if f"{kind}/{id}" not in new:
            yield "removed", _removed(kind, thing, _name(old[f"{kind}/{id}"]))


def _class_of(kind: str, item: Json) -> type[Any] | None:
    return view_types.get(item.get("type", "grid")) if kind == "views" else CLASSES.get(kind)


def _removed(kind: str, thing: Message, name: Sentence) -> Message:
    if kind == "tables":
        return say("Removed {thing}: {name} (its records are kept)", thing=thing, name=name)
    return say("Removed {thing}: {name}", thing=thing, name=name)


def _changed(thing: Message, name: Sentence, after: Json, before: Json, kind: type[Any] | None) -> Message:
    what = _options(before, after, kind)
    if what is None:
        return say("Changed {thing}: {name}", thing=thing, name=name)
    return say("Changed {thing} “{name}”: {what}", thing=thing, name=name, what=what)


def _field_differences(before: Json, after: Json) -> Iterator[Difference]:
    yield from _fields(before, after, _name(after))
    rest = [{k: v for k, v in t.items() if k != "fields"} for t in (before, after)]
    if rest[0] != rest[1]:
        yield "changed", _changed(THINGS["tables"], _name(after), rest[1], rest[0], Table)


def _fields(before: Json, after: Json, holder: Text) -> Iterator[Difference]:
    """What became of the fields of a table, or of the columns of a subform."""
    old, new = ({f["id"]: f for f in t.get("fields", ())} for t in (before, after))
    for id, field in new.items():
        if id not in old:
            yield "added", say("New field “{name}” in {table}", name=_name(field), table=holder)
        elif field != old[id]:
            yield from _field(old[id], field, holder)
    for id, field in old.items():
        if id not in new:
            yield (
                "removed",
                say("Removed field “{name}” from {table} (its values are kept)", name=_name(field), table=holder),
            )
    kept = [id for id in new if id in old]
    if kept != [id for id in old if id in new]:
        yield "changed", say("The order of the fields in {table}", table=holder)


def _field(before: Json, after: Json, holder: Text) -> Iterator[Difference]:
    own = [{k: v for k, v in f.items() if k != "fields"} for f in (before, after)]
    if own[0] != own[1]:
        name, what = _name(after), _options(own[0], own[1], field_types.get(after["type"]))
        if what is None:
            yield "changed", say("Changed field “{name}” in {table}", name=name, table=holder)
        else:
            yield "changed", say("Changed field “{name}” in {table}: {what}", name=name, table=holder, what=what)
    if before.get("fields") != after.get("fields"):
        yield from _fields(before, after, _name(after))


def _options(before: Json, after: Json, kind: type[Any] | None) -> Message | None:
    """The options that differ, by their labels."""
    declared: Any = kind
    known = {o.name: o for o in options_of(declared)} if kind is not None else {}
    changed = [k for k in {**before, **after} if before.get(k) != after.get(k)]
    return listed([say(known[k].label) for k in changed if k in known and meaning(known[k], before) != meaning(known[k], after)])


def listed(names: Sequence[Message]) -> Message | None:
    """Several names as one sentence."""
    values = {f"name{n}": name for n, name in enumerate(names)}
    return Message(" · ".join("{" + key + "}" for key in values), values) if values else None


def _name(item: Mapping[str, Any]) -> Text:
    return Text.of(item.get("title") or item.get("label") or item["id"])
