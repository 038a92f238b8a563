"""What the steps that ask people have in common: who, how many, what they may do and see."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from marshmallow import fields as ma

from schemas.access import RIGHTS
from schemas.errors import Problem
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import load_object, option
from schemas.parsers import Dictionary, Id, Label, Many, Reference, Whole, Words
from schemas.steps.base import Step, field_right
from schemas.steps.who import People, Substitute, Who, find
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place

START = "start"
PREVIOUS = "previous"
ACTIONS = ("approve", "submit", "reject", "return", "transfer")


@dataclass(frozen=True, kw_only=True)
class Share:
    """A part of those asked that is enough: a percentage or a number."""

    percent: int | None = option(Whole(1, 100, allow_none=True), "Percent")
    count: int | None = option(Whole(1, 1_000, allow_none=True), "Number")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if (self.percent is None) == (self.count is None):
            yield "", say("name one of: percent, count")


class Quorum(ma.Field[Any]):
    """`any`, `all`, `in_order`, `{"percent": n}` or `{"count": n}`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return Words("any", "all", "in_order").deserialize(value)
        return load_object(Share, value)


@dataclass(frozen=True, kw_only=True)
class PeopleStep(Step):
    """Gives tasks to people and waits until the outcome is certain."""

    for_people: ClassVar[bool] = True
    agrees: ClassVar[str] = "approve"
    offered: ClassVar[tuple[str, ...]] = ACTIONS

    who: tuple[Who, ...] = option(People(required=True), "Who", ())
    quorum: str | Share = option(Quorum(), "How many must agree", "any")
    actions: tuple[str, ...] = option(Many(Words(*ACTIONS)), "Actions", ())
    rename: dict[str, Text] = option(Dictionary(Label()), "Names of actions", None)
    comment: tuple[str, ...] = option(Many(Words(*ACTIONS)), "Comment required for", ())
    return_to: tuple[str, ...] = option(
        Many(Id(), most=50), "May return to", (START,), help="start, previous, or the ids of earlier steps."
    )
    after_return: str = option(
        Words("replay", "back"),
        "After a return",
        "replay",
        help="Replay the steps between, or come straight back here.",
    )
    if_self: str = option(Words("ask", "skip", "head"), "If the starter would be asked", "ask", section="rules")
    if_nobody: Any = option(Substitute(), "If there is nobody to ask", "stop", section="rules")
    if_repeated: str = option(Words("ask", "approve"), "If a person has agreed before", "ask", section="rules")
    fields: dict[str, str] = option(Dictionary(Words(*RIGHTS), star=True), "Fields", None, section="access")
    require: tuple[str, ...] = option(Many(Reference("field")), "Must be filled in", (), section="access")

    # -- what a person may do and see ------------------------------------------------------------

    @property
    def allowed(self) -> tuple[str, ...]:
        """The actions offered on a task of this step, in the order shown."""
        return tuple(a for a in ACTIONS if a in (self.actions or self.offered))

    def right(self, path: str) -> str:
        """hidden, read or write for a field or a column while a person has a task of this step.

        A field that is not named follows `*`, and is read-only without one; a column follows its subform.
        """
        return field_right(self.fields or {}, path)

    def word(self, action: str) -> Text | None:
        """The definition's own name for an action."""
        return (self.rename or {}).get(action)

    # -- running ---------------------------------------------------------------------------------

    def enter(self, run: "Run", token: "Token") -> None:
        asked = find(self.who, run)
        people = self._without_starter(run, asked)
        if people:
            run.ask(token, self, people)
        elif asked and self.if_self == "skip":
            run.skip(token, self, "self")
        else:
            self._ask_instead(run, token)

    def _ask_instead(self, run: "Run", token: "Token") -> None:
        """What happens when there is nobody to ask."""
        people = find(self.if_nobody, run) if isinstance(self.if_nobody, tuple) else ()
        if people:
            run.ask(token, self, people)
        elif self.if_nobody == "skip":
            run.skip(token, self, "nobody")
        else:
            run.fail(token, self, say("There is nobody to ask."))

    def _without_starter(self, run: "Run", people: tuple[str, ...]) -> tuple[str, ...]:
        """Those to ask, once `if_self` has had its say."""
        starter = run.state.starter
        if self.if_self == "ask" or starter not in people:
            return people
        heads = run.ask_head(starter) if self.if_self == "head" else ()
        instead = [heads if person == starter else (person,) for person in people]
        return tuple(dict.fromkeys(person for group in instead for person in group))

    @property
    def in_order(self) -> bool:
        return self.quorum == "in_order"

    def needed(self, asked: int) -> int:
        """How many of those asked must agree."""
        if self.quorum == "any":
            return 1
        if isinstance(self.quorum, Share):
            if self.quorum.percent is not None:
                return max(1, math.ceil(asked * self.quorum.percent / 100))
            return min(asked, self.quorum.count or 1)
        return asked

    def outcome(self, yes: int, no: int, asked: int) -> str | None:
        """`agreed` or `rejected` as soon as it is certain, else None."""
        if yes >= self.needed(asked):
            return "agreed"
        return "rejected" if asked - no < self.needed(asked) else None

    # -- linking ---------------------------------------------------------------------------------

    def formulas(self) -> Iterator[Formula]:
        substitutes = self.if_nobody if isinstance(self.if_nobody, tuple) else ()
        yield from (who.formula for who in (*self.who, *substitutes) if who.formula is not None)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.people("who", self.who)
        if isinstance(self.if_nobody, tuple):
            yield from place.people("if_nobody", self.if_nobody)
        for path in self.fields or {}:
            if path != "*":
                yield from place.field(f"fields.{path}", path)
        yield from self._action_complaints(place)
        yield from self._require_complaints(place)
        for index, target in enumerate(self.return_to):
            yield from place.earlier(f"return_to[{index}]", target)

    def _action_complaints(self, place: "Place") -> Iterator[Problem]:
        for index, action in enumerate(self.actions):
            if action not in self.offered:
                yield place.problem(f"actions[{index}]", say("this step does not offer '{action}'", action=action))
        if self.agrees not in self.allowed:
            yield place.problem("actions", say("a task needs the action '{action}'", action=self.agrees))
        for action in self.rename or {}:
            if action not in ACTIONS:
                yield place.problem(f"rename.{action}", say("there is no action '{action}'", action=action))

    def _require_complaints(self, place: "Place") -> Iterator[Problem]:
        for index, path in enumerate(self.require):
            yield from place.field(f"require[{index}]", path)
            if self.right(path) != "write":
                yield place.problem(f"require[{index}]", say("'{id}' is required, so let it be written here", id=path))
