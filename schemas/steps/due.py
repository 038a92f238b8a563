"""Until when people are to deal with a task, and what happens when they do not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields as ma

from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import load_object, option
from schemas.parsers import FormulaSource, Many, Reference, Whole, Words
from schemas.spans import Span, SpanOf
from schemas.steps.who import People, Who

DOES = ("remind", "escalate", "approve", "reject", "return")
MOST = 10


@dataclass(frozen=True, kw_only=True)
class Late:
    """One thing that happens about a task that is (or soon will be) late."""

    do: str = option(Words(*DOES, required=True), "What happens", "remind")
    before: Span | None = option(SpanOf(allow_none=True), "So long before it is due")
    after: Span | None = option(SpanOf(allow_none=True), "So long after it was due")
    every: Span | None = option(SpanOf(allow_none=True), "Again every")
    times: int | None = option(Whole(1, 100, allow_none=True), "How many times")
    to: tuple[Who, ...] = option(People(), "Who is told, or asked instead", ())
    back_to: str | None = option(
        Reference("earlier step", allow_none=True), "Returned to", help="start, previous, or the id of an earlier step."
    )

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.before is not None and self.after is not None:
            yield "before", say("name either 'before' or 'after'")
        if self.do == "escalate" and not self.to:
            yield "to", say("say to whom")
        if (self.every is None) != (self.times is None):
            yield "every", say("'every' and 'times' go together")
        if self.every is not None and self.do != "remind":
            yield "every", say("only a reminder is repeated")
        if self.back_to is not None and self.do != "return":
            yield "back_to", say("'{name}' goes with '{other}'", name="back_to", other="return")


class LateOf(ma.Field[Late]):
    """`remind`, `{"escalate": who}`, or an object with `do` in it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Late:
        if isinstance(value, str):
            return load_object(Late, {"do": value})
        if isinstance(value, Mapping) and set(value) == {"escalate"}:
            return load_object(Late, {"do": "escalate", "to": value["escalate"]})
        return load_object(Late, value)


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A span from the moment the task opens, or a date or moment of the record; and what then happens."""

    span: Span | None = None
    by: Formula | None = option(FormulaSource("any", allow_none=True), "Date or time of the record")
    then: tuple[Late, ...] = option(Many(LateOf(), most=MOST), "When it is due", ())


class DeadlineOf(ma.Field[Deadline]):
    """`{"in": "2 workdays", "then": ["remind"]}` or `{"by": "needed_on"}`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Deadline:
        rest = dict(value) if isinstance(value, Mapping) else value
        given = rest.pop("in", None) if isinstance(rest, dict) else None
        span = SpanOf().deserialize(given) if given is not None else None
        made: Deadline = load_object(Deadline, rest)
        if (span is None) == (made.by is None):
            from schemas.parsers import refuse

            raise refuse(say("name one of: in, by"))
        return Deadline(span=span, by=made.by, then=made.then)
