"""Whom a step asks or tells: roles, slots, fields, heads, and people met in the flow itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marshmallow import fields as ma

from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import load_object, option
from schemas.parsers import FormulaSource, Id, Object, Whole, Words, refuse

if TYPE_CHECKING:
    from schemas.engine.facts import Asker

WORDS = ("starter", "previous", "deciders", "assignees")


@dataclass(frozen=True, kw_only=True)
class HeadOf:
    """Whose head is meant, when it is not the starter or the previous decider."""

    field: Formula = option(FormulaSource("people", required=True), "Member or department field", None)


class StarterOrField(ma.Field[Any]):
    """`starter`, `previous`, or `{"field": ...}`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return Words("starter", "previous").deserialize(value)
        return Object(HeadOf).deserialize(value)


@dataclass(frozen=True, kw_only=True)
class Who:
    """Some people: exactly one of role, slot, field and head_of; or a `word`.

    The words are starter, previous (who decided the people's step before), deciders (everyone who decided
    so far) and assignees (everyone who holds a task now). `level` counts the heads upward from 1.
    """

    role: str | None = option(Id(allow_none=True), "Role")
    slot: str | None = option(Id(allow_none=True), "Slot")
    field: Formula | None = option(FormulaSource("people", allow_none=True), "Member or department field of the record")
    head_of: str | HeadOf | None = option(StarterOrField(allow_none=True), "Head of")
    level: int = option(Whole(1, 20), "Level", 1)
    word: str = ""

    def problems(self) -> Iterator[tuple[str, Message]]:
        if sum(part is not None for part in (self.role, self.slot, self.field, self.head_of)) != 1:
            yield "", say("name exactly one of: role, slot, field, head_of")
        if self.level != 1 and self.head_of is None:
            yield "level", say("'level' goes with 'head_of'")

    @property
    def formula(self) -> Formula | None:
        """The formula that this reads people from, if any."""
        return self.head_of.field if isinstance(self.head_of, HeadOf) else self.field

    def find(self, asker: "Asker") -> tuple[str, ...]:
        """The ids of the members meant, in order."""
        if self.word:
            return asker.present(asker.named(self.word))
        if self.role or self.slot:
            return asker.ask_who("role" if self.role else "slot", self.role or self.slot or "")
        if self.head_of is None:
            return asker.present(asker.ids(self.field))
        of = asker.ids(self.head_of.field) if isinstance(self.head_of, HeadOf) else asker.named(self.head_of)
        return tuple(head for one in of for head in asker.ask_who("head", one, self.level))


class People(ma.Field[tuple[Who, ...]]):
    """One way to name people, or a list of such ways."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[Who, ...]:
        ways = value if isinstance(value, list) else [value]
        if not ways or len(ways) > 50:
            raise refuse(say("name from 1 to {n} people, roles or fields", n=50))
        return tuple(self._one(way) for way in ways)

    def _one(self, way: Any) -> Who:
        if isinstance(way, str):
            return Who(word=Words(*WORDS).deserialize(way))
        made: Who = load_object(Who, way)
        return made


class Substitute(ma.Field[Any]):
    """`skip`, `stop`, or people who are asked instead."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if value in ("skip", "stop"):
            return value
        return People().deserialize(value)


def find(whos: tuple[Who, ...], asker: "Asker") -> tuple[str, ...]:
    """Everyone meant by these, once each, in order."""
    return tuple(dict.fromkeys(person for who in whos for person in who.find(asker)))
