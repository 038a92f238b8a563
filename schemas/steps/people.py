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
from schemas.parsers import Dictionary, Flag, Label, Many, Reference, Whole, Words
from schemas.steps.base import Step, field_right
from schemas.steps.due import Deadline, DeadlineOf
from schemas.steps.who import People, Substitute, Who, find, weights
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place

START = "start"
PREVIOUS = "previous"
ACTIONS = ("approve", "submit", "reject", "return", "transfer", "delegate", "add_signer", "copy", "save", "comment")
SIDES = ("before", "after", "parallel")


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
    sign: tuple[str, ...] = option(Many(Words(*ACTIONS[:4])), "Signature required for", ())
    attach: bool = option(Flag(), "Files may be attached to a comment", True)
    add_signers: tuple[str, ...] = option(Many(Words(*SIDES)), "Signers may be added", SIDES)
    return_to: tuple[str, ...] = option(
        Many(Reference("earlier step"), most=50),
        "May return to",
        (START,),
        help="start, previous, or the ids of earlier steps.",
    )
    after_return: str = option(
        Words("replay", "back", "ask"),
        "After a return",
        "replay",
        help="Replay the steps between, come straight back here, or let the one who returns say.",
    )
    if_self: str = option(Words("ask", "skip", "head"), "If the starter would be asked", "ask", section="rules")
    if_nobody: Any = option(Substitute(), "If there is nobody to ask", "stop", section="rules")
    if_repeated: str = option(
        Words("ask", "approve", "approve_next"),
        "If a person has agreed before",
        "ask",
        section="rules",
        help="Ask again, approve for them, or approve only if they agreed in the step just before.",
    )
    due: Deadline | None = option(DeadlineOf(allow_none=True), "To be done by", section="time")
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
        run.asking = self.id
        if chooser := self._chooser(run):
            run.ask_to_choose(token, self, chooser)
            return
        asked = find(self.who, run)
        people = self._without_starter(run, asked)
        if people:
            run.ask(token, self, people, weights(self.who, run) if self.by_weight else None)
        elif asked and self.if_self == "skip":
            run.skip(token, self, "self")
        else:
            self._ask_instead(run, token)

    def _chooser(self, run: "Run") -> str:
        """Who must first say whom to ask; nobody when that has been said, or when there is no such person."""
        words = [who.chosen_by for who in self.who if who.chosen_by is not None]
        if not words or run.present(run.chosen()):
            return ""
        return next(iter(run.present(run.named(words[0]))), "")

    def may_choose(self, run: "Run") -> tuple[str, ...] | None:
        """Among whom the people of this step are chosen; None for everybody."""
        pools = [who.among for who in self.who if who.chosen_by is not None]
        return find(pools[0], run) if pools and pools[0] else None

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

    @property
    def by_weight(self) -> bool:
        """Whether voices have weights."""
        return isinstance(self.quorum, Share) and self.quorum.percent is not None

    @property
    def vetoes(self) -> bool:
        """Whether one rejection is enough."""
        return False

    @property
    def sides(self) -> tuple[str, ...]:
        """Where signers may be added; in an order there is no beside."""
        return tuple(s for s in SIDES if s in self.add_signers and not (s == "parallel" and self.in_order))

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
        late = [who for one in (self.due.then if self.due else ()) for who in one.to]
        yield from (formula for who in (*self.who, *substitutes, *late) for formula in who.formulas)
        if self.due is not None and self.due.by is not None:
            yield self.due.by

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.people("who", self.who)
        if isinstance(self.if_nobody, tuple):
            yield from place.people("if_nobody", self.if_nobody)
        for path in self.fields or {}:
            if path != "*":
                yield from place.field(f"fields.{path}", path)
        yield from self._due_complaints(place)
        yield from self._action_complaints(place)
        yield from self._require_complaints(place)
        for index, target in enumerate(self.return_to):
            yield from place.earlier(f"return_to[{index}]", target)

    def _due_complaints(self, place: "Place") -> Iterator[Problem]:
        if self.due is None:
            return
        if self.due.by is not None:
            yield from place.moment("due.by", self.due.by)
        for index, late in enumerate(self.due.then):
            yield from place.people(f"due.then[{index}].to", late.to)
            if late.back_to is not None:
                yield from place.earlier(f"due.then[{index}].back_to", late.back_to)
            if late.do not in ("remind", "escalate", "return", "approve", *self.offered):
                yield place.problem(f"due.then[{index}]", say("this step does not offer '{action}'", action=late.do))

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
