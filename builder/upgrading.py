"""Upgrading an installed app: what a newer package would add, change and take away, and where both sides changed.

The result becomes the app's draft, so that it is seen, can be undone, and is published like any other change.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from builder import centre, drafts
from builder.centre import Offer
from builder.check import understand
from builder.differences import CLASSES, THINGS
from builder.drafts import Draft
from builder.merging import ABSENT, Item, Merge, merge
from builder.parts import Parts, split
from runtime import audit, definitions
from runtime.context import Context
from runtime.definitions import Installed
from schemas.app import App
from schemas.errors import DefinitionError, InvalidInput, Problem
from schemas.fields import field_types
from schemas.messages import Message, say
from schemas.options import options_of
from schemas.text import Sentence, Text
from schemas.views import view_types

LONGEST = 160


@dataclass(frozen=True)
class Line:
    """An item of a plan in words: what it is about, and what stands on each side."""

    item: Item
    trail: list[Sentence]
    yours: Sentence
    theirs: Sentence


@dataclass(frozen=True)
class Plan:
    """What an upgrade would do. `kept` counts the changes made here that stay."""

    merge: Merge
    lines: list[Line]
    problems: list[Problem]
    before: str
    after: str

    def of(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line.item.kind == kind]

    @property
    def kept(self) -> int:
        return len(self.merge.kept)


def available(ctx: Context, inst: Installed) -> list[Offer]:
    """The packages to which an app can be upgraded, the newest version first."""
    base = definitions.base_of(ctx, inst.id)
    found = [
        o for o in centre.offers(ctx)
        if o.of(inst, base) and o.package != base and version_of(o.package) >= version_of(base or {})
    ]  # fmt: skip
    return sorted(found, key=lambda o: version_of(o.package), reverse=True)


def version_of(package: Mapping[str, Any]) -> tuple[tuple[int, str], ...]:
    """A version in an order that people expect: 1.10 comes after 1.9."""
    parts = str(package.get("version") or "1.0.0").split(".")
    return tuple((int(p), "") if p.isdecimal() else (-1, p) for p in parts)


def plan(ctx: Context, draft: Draft, package: Mapping[str, Any], choices: Mapping[str, str]) -> Plan:
    """What comes of an app, as its draft stands, when a package is merged into it. Raises InvalidInput."""
    base = definitions.base_of(ctx, draft.kept.installation) or {"app": package.get("app")}
    if base.get("app") != package.get("app"):
        words = say(
            "This is a package of “{other}”, another app.",
            other=Text.of(package.get("title") or str(package.get("app"))),
        )
        raise InvalidInput({"": [words]})
    yours = draft.package
    done = merge(base, yours, {**package, "app": yours.get("app")}, choices)
    _, problems = understand(done.package)
    lines = [_line(item, package, yours, base) for item in done.items]
    return Plan(done, lines, problems, str(base.get("version", "")), str(package.get("version", "")))


def stage(ctx: Context, slug: str, counter: int | None, package: Mapping[str, Any], choices: Mapping[str, str]) -> Plan:
    """Make the upgraded app the draft; nothing is published. Raises InvalidInput, Conflict."""
    made = plan(ctx, drafts.open_draft(ctx, slug), package, choices)

    def upgraded(parts: Parts) -> Parts:
        return Parts({**split(made.merge.package), "bin": parts.get("bin", {}), "upgrade": {"base": dict(package)}})

    words = say("Upgrade to version {version}", version=made.after or "–")
    drafts.edit(ctx, slug, counter, words, upgraded)
    audit.note(ctx, "app.upgraded", slug, version=made.after)
    return made


def upgrade(ctx: Context, slug: str, package: Mapping[str, Any], choices: Mapping[str, str]) -> tuple[Plan, Any]:
    """Upgrade and publish at once, as the command does. Raises DefinitionError with every problem."""
    made = stage(ctx, slug, None, package, choices)
    if wrong := [p for p in made.problems if p.severity == "error"]:
        raise DefinitionError(wrong)
    note = say("Upgrade to version {version}", version=made.after or "–")
    return made, drafts.publish(ctx, slug, str(note)[:200])


# -- words -----------------------------------------------------------------------------------------


def _line(item: Item, *packages: Mapping[str, Any]) -> Line:
    sides = (item.yours, item.theirs)
    return Line(item, list(_trail(item.path, *packages)), *(_shown(one) for one in sides))


def _trail(path: tuple[str, ...], *packages: Mapping[str, Any]) -> Iterator[Sentence]:
    """The names on the way to something in a package: Table, Loan, Due, Label."""
    places: list[Any] = list(packages)
    declared: Any = App
    for depth, name in enumerate(path):
        inner = [found for place in places if (found := _inside(place, name)) is not ABSENT]
        parent = next((p for p in places if p is not ABSENT), None)
        if isinstance(parent, list):
            thing = next((i for i in inner if isinstance(i, dict)), None)
            yield Text.of(_name(thing) if thing else name)
            declared = _declared(path, depth, thing)
        elif depth == 0 and name in THINGS:
            yield THINGS[name]
        elif name not in ("fields", "steps", "widgets") or depth == len(path) - 1:
            yield _option(declared, name)
        places = inner


def _inside(place: Any, name: str) -> Any:
    if isinstance(place, dict):
        return place.get(name, ABSENT)
    if isinstance(place, list):
        return next((i for i in place if i == name or isinstance(i, dict) and i.get("id") == name), ABSENT)
    return ABSENT


def _name(thing: Mapping[str, Any]) -> Any:
    return thing.get("title") or thing.get("label") or thing.get("name") or thing.get("id", "")


def _declared(path: tuple[str, ...], depth: int, thing: Any) -> Any:
    """The class that declares a thing's options, where it is one that people know by their labels."""
    kind = thing.get("type", "") if isinstance(thing, dict) else ""
    if depth >= 1 and path[depth - 1] == "fields":
        return field_types.get(kind)
    if path[0] == "views" and depth == 1:
        return view_types.get(kind or "grid")
    return CLASSES.get(path[0]) if depth == 1 else None


def _option(declared: Any, name: str) -> Sentence:
    labels = {o.name: o.label for o in options_of(declared)} if declared is not None else {}
    return say(labels[name]) if name in labels else Text.of(name)


def _shown(value: Any) -> Sentence:
    if value is ABSENT:
        return say("(not there)")
    if isinstance(value, str):
        return Text.of(value)
    if isinstance(value, dict) and (name := _name(value)):
        return Text.of(name)
    if isinstance(value, dict) and value and all(isinstance(v, str) and len(k) <= 5 for k, v in value.items()):
        return Text.of(value)
    if isinstance(value, bool):
        return say("Yes") if value else say("No")
    text = json.dumps(value, ensure_ascii=False)
    return Text.of(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def words_of(line: Line) -> Message:
    """A line as one sentence, for a terminal."""
    names = {f"n{n}": part for n, part in enumerate(line.trail)}
    return Message(" · ".join("{" + key + "}" for key in names), names)
