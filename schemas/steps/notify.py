"""Notify: tell people, and let them see the record (cc)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Label, Line, Many, Words
from schemas.steps.base import Step, field_right, step_types
from schemas.steps.who import People, Who, find
from schemas.text import Text
from schemas.wording import formulas_in

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Notify(Step):
    """Sends a message to people, who may then read the record, and to group chats. The flow does not wait."""

    type = "notify"
    title_word = "Notify"
    icon = "send"
    starts_with = {"to": ["starter"]}

    to: tuple[Who, ...] = option(People(), "To", ())
    channels: tuple[str, ...] = option(Many(Words("inbox", "mail"), most=2), "By", ("inbox",))
    robots: tuple[str, ...] = option(
        Many(Line(60), most=10), "Chat robots", (),
        help="Group chats that get the message too: the names of their robots, as in the settings of the workspace.",
    )  # fmt: skip
    text: Text = option(Label(), "Message", Text(), help="Formulas in braces are filled in: {no}.")

    fields: dict[str, str] = option(
        Dictionary(Words("hidden", "read"), star=True), "Fields they may read", None, section="access"
    )

    def right(self, path: str) -> str:
        """hidden or read, for a field or a column, of those who were told; read unless said otherwise."""
        return field_right(self.fields or {}, path)

    def enter(self, run: "Run", token: "Token") -> None:
        run.reach(token, self)
        run.tell(token, self, find(self.to, run), anyway=bool(self.robots))
        run.go_on(token)

    def problems(self) -> Iterator[tuple[str, Message]]:
        if not self.to and not self.robots:
            yield "to", say("name somebody to tell, or a chat robot")

    def formulas(self) -> Iterator[Formula]:
        yield from (formula for who in self.to for formula in who.formulas)
        yield from formulas_in(self.text)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.people("to", self.to)
        yield from place.wording("text", self.text)
        yield from self._told_though_hidden(place)
        for path in self.fields or {}:
            if path != "*":
                yield from place.field(f"fields.{path}", path)

    def _told_though_hidden(self, place: "Place") -> Iterator[Problem]:
        """Fields that this very step hides from those whom its message tells them."""
        for path in place.fields_in(self.text):
            if self.right(path) == "hidden":
                yield Problem("text", say("the message tells '{id}', which this step hides from its readers", id=path))
