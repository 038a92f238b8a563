"""What a flow must know of the world to go on: the record's values and who is who."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol

from schemas.calendars import Calendar
from schemas.formula import Formula


@dataclass(frozen=True)
class Question:
    """A question about people, answered with the ids of members who are still here, in order.

    kind and key are one of: role and its id; slot and its id; people and the id of a member (that member) or
    of a department (its members); head and the id of a member or department (the head `level` steps up: the
    first one who is not the person, then the first above who is neither, and so on); slot_head and the id of a
    slot (the head of whoever fills it); stand_in and the id of a member (who takes their tasks now; nobody
    when they are here).
    """

    kind: str
    key: str
    level: int = 0


class Unanswered(Exception):
    """`advance` needs the answer to a question that the facts do not hold."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"{question.kind} {question.key} {question.level}")
        self.question = question


@dataclass(frozen=True)
class Facts:
    """The world at one moment. `value` evaluates a formula of the flow about its record.

    `hear` is told what the steps have given (as JSON, by step) before the next formula is asked for.
    `zone` and `calendar` say when days begin and which of them people work on.
    """

    now: datetime
    value: Callable[[Formula], Any]
    people: Mapping[Question, tuple[str, ...]] = field(default_factory=dict)
    zone: tzinfo = UTC
    calendar: Calendar = Calendar()
    hear: Callable[[Mapping[str, Any]], None] = lambda results: None

    def ask(self, question: Question) -> tuple[str, ...]:
        if question not in self.people:
            raise Unanswered(question)
        return self.people[question]


class Asker(Protocol):
    """Whoever can say who is meant: the running flow."""

    def ask_who(self, kind: str, key: str, level: int = 0) -> tuple[str, ...]:
        """The members that answer a question."""

    def named(self, word: str) -> tuple[str, ...]:
        """starter, previous, deciders, assignees or assignee."""

    def ids(self, formula: Formula | None) -> tuple[str, ...]:
        """The members and departments that a field holds."""

    def present(self, ids: Iterable[str]) -> tuple[str, ...]:
        """The members meant by ids of members and departments, without those who left."""

    def chosen(self) -> tuple[str, ...]:
        """The members who were chosen for the step that asks."""
