"""The refusals that the outer rooms know how to answer, each in exactly one place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.messages import Message
from schemas.text import Sentence


@dataclass(frozen=True)
class Problem:
    """What is wrong with a definition, and where: `tables[0].fields[3].minimum`.

    `severity` is "error" (cannot be published) or "warning" (published, but shown).
    """

    path: str
    message: Message
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else str(self.message)


class DefinitionError(Exception):
    """A definition says something we cannot run; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class BadValue(ValueError):
    """One value cannot be read; the message is shown beside its field."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class InvalidInput(Exception):
    """A person's answers break the rules.

    `errors` maps a field's id (in a subform `items[2].price`; the empty string for the whole record)
    to messages.
    """

    def __init__(self, errors: Mapping[str, Sequence[Sentence]]) -> None:
        self.errors = {path: list(messages) for path, messages in errors.items()}
        super().__init__("; ".join(f"{p}: {m}" for p, ms in self.errors.items() for m in ms))


class Denied(Exception):
    """The actor may not do this; `reason` is fit to show them."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(str(reason))


class NotFound(Exception):
    """There is no such thing, or not for this actor: the two look the same."""


class Conflict(Exception):
    """What the actor read has changed since. `fields` names the fields; `theirs` holds the present values."""

    def __init__(self, fields: Sequence[str], theirs: Mapping[str, Any], version: int) -> None:
        self.fields = tuple(fields)
        self.theirs = dict(theirs)
        self.version = version
        super().__init__(f"changed since: {', '.join(self.fields)}")
