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

WORDS = ("starter", "previous", "deciders", "assignees", "assignee")
MOST_LEVELS = 20


@dataclass(frozen=True, kw_only=True)
class HeadOf:
    """Whose head is meant, when it is not the starter, the previous decider or the holder of a task."""

    field: Formula | None = option(FormulaSource("people", allow_none=True), "Member or department field")
    slot: str | None = option(Id(allow_none=True), "Slot")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if (self.field is None) == (self.slot is None):
            yield "", say("name one of: field, slot")


class StarterOrField(ma.Field[Any]):
    """`starter`, `previous`, `assignee`, `{"field": ...}` or `{"slot": ...}`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return Words("starter", "previous", "assignee").deserialize(value)
        return Object(HeadOf).deserialize(value)


@dataclass(frozen=True, kw_only=True)
class UpToRole:
    """The role at which going up level by level ends."""

    role: str = option(Id(required=True), "Role", "")


class UpTo(ma.Field[Any]):
    """The last level of heads, or `{"role": ...}`: the first head who has it is the last one asked."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, int):
            return Whole(1, MOST_LEVELS).deserialize(value)
        return Object(UpToRole).deserialize(value)


class Among(ma.Field[Any]):
    """The people who may be chosen."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return People().deserialize(value)


@dataclass(frozen=True, kw_only=True)
class Who:
    """Some people: exactly one of role, slot, field, head_of, chosen_by and link; or a `word`.

    The words are starter, previous (who decided the people's step before), deciders (everyone who decided
    so far), assignees (everyone who holds a task now) and assignee (the holder of the task that is late).
    `level` counts the heads upward from 1; with `up_to` every head from there up to a level or a role is meant.
    `weight` is what their voice counts in a percentage. A `link` is an e-mail address of somebody outside.
    """

    role: str | None = option(Id(allow_none=True), "Role")
    slot: str | None = option(Id(allow_none=True), "Slot")
    field: Formula | None = option(FormulaSource("people", allow_none=True), "Member or department field of the record")
    head_of: str | HeadOf | None = option(StarterOrField(allow_none=True), "Head of")
    level: int = option(Whole(1, MOST_LEVELS), "Level", 1)
    up_to: int | UpToRole | None = option(UpTo(allow_none=True), "Level by level up to")
    chosen_by: str | None = option(Words("starter", "previous", allow_none=True), "Chosen by")
    among: tuple["Who", ...] = option(Among(), "To choose among", ())
    link: Formula | None = option(FormulaSource("text", allow_none=True), "E-mail address of somebody outside")
    weight: int = option(Whole(1, 1_000), "Weight", 1)
    word: str = ""

    def problems(self) -> Iterator[tuple[str, Message]]:
        ways = (self.role, self.slot, self.field, self.head_of, self.chosen_by, self.link)
        if sum(part is not None for part in ways) != 1:
            yield "", say("name exactly one of: role, slot, field, head_of, chosen_by, link")
        if self.head_of is None and (self.level != 1 or self.up_to is not None):
            yield "level", say("'level' and 'up_to' go with 'head_of'")
        if isinstance(self.up_to, int) and self.up_to < self.level:
            yield "up_to", say("'up_to' is not below 'level'")
        if self.among and self.chosen_by is None:
            yield "among", say("'{name}' goes with '{other}'", name="among", other="chosen_by")

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas that this reads people from."""
        of = self.head_of.field if isinstance(self.head_of, HeadOf) else None
        inner = tuple(formula for who in self.among for formula in who.formulas)
        return (*(f for f in (self.field, of, self.link) if f is not None), *inner)

    def find(self, asker: "Asker") -> tuple[str, ...]:
        """The ids of the members meant, in order."""
        if self.word:
            return asker.present(asker.named(self.word))
        if self.role or self.slot:
            return asker.ask_who("role" if self.role else "slot", self.role or self.slot or "")
        if self.chosen_by is not None:
            return asker.present(asker.chosen())
        if self.link is not None:
            return asker.present(f"mailto:{address.strip()}" for address in asker.ids(self.link) if "@" in address)
        if self.head_of is None:
            return asker.present(asker.ids(self.field))
        return tuple(head for kind, one in self._below(asker) for head in self._heads(asker, kind, one))

    def _below(self, asker: "Asker") -> list[tuple[str, str]]:
        """Whose heads are meant: each with the kind of question to ask about them."""
        if not isinstance(self.head_of, HeadOf):
            return [("head", one) for one in asker.named(self.head_of or "")]
        if self.head_of.slot is not None:
            return [("slot_head", self.head_of.slot)]
        return [("head", one) for one in asker.ids(self.head_of.field)]

    def _heads(self, asker: "Asker", kind: str, one: str) -> tuple[str, ...]:
        if self.up_to is None:
            return asker.ask_who(kind, one, self.level)
        last = self.up_to if isinstance(self.up_to, int) else MOST_LEVELS
        holders = asker.ask_who("role", self.up_to.role) if isinstance(self.up_to, UpToRole) else ()
        found: list[str] = []
        for level in range(self.level, last + 1):
            heads = [head for head in asker.ask_who(kind, one, level) if head not in found]
            found += heads
            if not heads or any(head in holders for head in heads):
                break
        return tuple(found)


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


def weights(whos: tuple[Who, ...], asker: "Asker") -> dict[str, int]:
    """What each one's voice counts: as the first way says that means them."""
    found: dict[str, int] = {}
    for who in whos:
        for person in who.find(asker):
            found.setdefault(person, who.weight)
    return found
