"""What publishing an edited app would change, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from builder.parts import KINDS, Json, Parts, split
from schemas.messages import Message, say
from schemas.text import Text

THINGS = {
    "tables": say("table"), "forms": say("form"), "views": say("view"), "flows": say("flow"),
    "dashboards": say("dashboard"), "access": say("grant"),
}  # fmt: skip


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[tuple[str, Message]]:
    """What publishing would change, in words: (added, removed or changed; message)."""
    old = split(before or {})
    new = split(after)
    found: list[tuple[str, Message]] = []
    if old["manifest"] != new["manifest"]:
        found.append(("changed", say("The app's title, navigation or roles")))
    for kind in KINDS:
        found += _object_differences(kind, old, new)
    return found


def _object_differences(kind: str, old: Parts, new: Parts) -> Iterator[tuple[str, Message]]:
    thing = THINGS[kind]
    for id in new[f"order/{kind}"]:
        item, previous = new[f"{kind}/{id}"], old.get(f"{kind}/{id}")
        if previous is None:
            yield "added", say("New {thing}: {name}", thing=thing, name=_name(item))
        elif kind == "tables" and item != previous:
            yield from _field_differences(previous, item)
        elif item != previous:
            yield "changed", say("Changed {thing}: {name}", thing=thing, name=_name(item))
    for id in old[f"order/{kind}"]:
        if f"{kind}/{id}" not in new:
            yield (
                "removed",
                say("Removed {thing}: {name} (its records are kept)", thing=thing, name=_name(old[f"{kind}/{id}"])),
            )


def _field_differences(before: Json, after: Json) -> Iterator[tuple[str, Message]]:
    table = _name(after)
    old, new = ({f["id"]: f for f in t["fields"]} for t in (before, after))
    for id, field in new.items():
        if id not in old:
            yield "added", say("New field “{name}” in {table}", name=_name(field), table=table)
        elif field != old[id]:
            yield "changed", say("Changed field “{name}” in {table}", name=_name(field), table=table)
    for id, field in old.items():
        if id not in new:
            yield (
                "removed",
                say("Removed field “{name}” from {table} (its values are kept)", name=_name(field), table=table),
            )
    if {k: v for k, v in before.items() if k != "fields"} != {k: v for k, v in after.items() if k != "fields"}:
        yield "changed", say("Changed {thing}: {name}", thing=THINGS["tables"], name=table)


def _name(item: Mapping[str, Any]) -> Text:
    return Text.of(item.get("title") or item.get("label") or item["id"])
