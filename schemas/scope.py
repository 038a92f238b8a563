"""What a token may be used for: in which apps and tables, which actions, and what besides.

A scope gives nothing: it narrows what its actor may do anyway.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.messages import Message, say
from schemas.options import load, option
from schemas.parsers import Id, Many, Object, Words

EVERY = "*"
ACTIONS = ("read", "create", "update", "delete", "history", "print")
"""What can be done with records through the API."""
TASKS, DECIDE, PEOPLE = "tasks", "decide", "people"
DEFINITIONS, CHANGE, PUBLISH = "definitions", "change", "publish"
BESIDES = (TASKS, DECIDE, PEOPLE, DEFINITIONS, CHANGE, PUBLISH)
BUILDING = frozenset({DEFINITIONS, CHANGE, PUBLISH})
"""What only administrators may give."""
IMPLIES = {DECIDE: TASKS, CHANGE: DEFINITIONS, PUBLISH: DEFINITIONS}


class Name(Id):
    """An id, or `*` for every one."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return EVERY if value == EVERY else super()._deserialize(value, attr, data, **kwargs)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What may be done with the records of an app, or with those of some of its tables."""

    app: str = option(Name(required=True), "App")
    tables: tuple[str, ...] = option(Many(Id(), most=500), "Tables", ())
    do: tuple[str, ...] = option(Many(Words(*ACTIONS), most=20), "May", ())

    def covers(self, app: str, table: str) -> bool:
        return self.app in (EVERY, app) and (not self.tables or table in self.tables)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """`data` adds up; `also` names what is not about records."""

    data: tuple[Reach, ...] = option(Many(Object(Reach), most=200), "Data", ())
    also: tuple[str, ...] = option(Many(Words(*BESIDES), most=20), "Besides", ())

    def problems(self) -> Iterator[tuple[str, Message]]:
        if not self.data and not self.also:
            yield "", say("Choose what the token may be used for.")

    def actions(self, app: str, table: str) -> frozenset[str]:
        """What may be done with a table's records."""
        return frozenset(action for reach in self.data if reach.covers(app, table) for action in reach.do)

    def reaches(self, app: str) -> bool:
        return any(reach.app in (EVERY, app) and reach.do for reach in self.data)

    def may(self, besides: str) -> bool:
        return besides in self.also or any(IMPLIES.get(word) == besides for word in self.also)

    def dump(self) -> dict[str, Any]:
        """As JSON; `Scope.of` reads it again."""
        data = [{"app": r.app, "tables": [*r.tables], "do": [*r.do]} for r in self.data]
        return {"data": data, "also": [*self.also]}

    @classmethod
    def of(cls, json: Any) -> "Scope":
        """Raises DefinitionError."""
        return load(cls, json)
