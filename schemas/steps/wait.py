"""Wait: for a span of time, until a moment, or until the record is so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, ClassVar

from schemas.errors import Problem
from schemas.formula import Formula, Type
from schemas.formula.types import BOOLEAN
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource
from schemas.spans import Span, SpanOf
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Wait(Step):
    """The flow sleeps, and goes on by itself. A moment that has passed already is not waited for."""

    type = "wait"
    title_word = "Wait"
    icon = "step-wait"
    starts_with: ClassVar[Mapping[str, Any]] = {"span": "1 days"}

    span: Span | None = option(SpanOf(allow_none=True), "For", help="4 hours, 3 days, 2 workdays")
    until: Formula | None = option(FormulaSource("any", allow_none=True), "Until", help="A date, or a date and time.")
    holds: Formula | None = option(
        FormulaSource("boolean", allow_none=True), "Until this is so",
        help="Of the record: the flow goes on when it changes so. With a time, at most so long; later steps know whether it came.",
    )  # fmt: skip

    def problems(self) -> Iterator[tuple[str, Message]]:
        if (self.span is None) == (self.until is None) and (self.holds is None or self.span is not None):
            yield "", say("name one of: span, until")

    def enter(self, run: "Run", token: "Token") -> None:
        moment = self._moment(run)
        if self.holds is not None:
            self._watch(run, token, moment)
        elif moment is None or moment <= run.facts.now:
            run.reach(token, self)
            run.go_on(token)
        else:
            run.sleep(token, self, moment)

    def _watch(self, run: "Run", token: "Token", moment: datetime | None) -> None:
        assert self.holds is not None
        if run.holds(self.holds):
            run.give(token, self, True)
        elif moment is not None and moment <= run.facts.now:
            run.give(token, self, False)
        else:
            run.watch(token, self, moment)

    def _moment(self, run: "Run") -> datetime | None:
        if self.span is not None:
            return self.span.after(run.facts.now, run.facts.zone, run.facts.calendar)
        value = run.facts.value(self.until) if self.until is not None else None
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=run.facts.zone)
        return datetime.combine(value, time(), tzinfo=run.facts.zone) if isinstance(value, date) else None

    def formulas(self) -> Iterator[Formula]:
        yield from (formula for formula in (self.until, self.holds) if formula is not None)

    def result(self, place: "Place") -> Type | None:
        return BOOLEAN if self.holds is not None else None

    def complaints(self, place: "Place") -> Iterator[Problem]:
        if self.until is not None:
            yield from place.moment("until", self.until)
        if self.holds is not None:
            yield from place.formula("holds", self.holds, BOOLEAN)
            if not place.table.id:
                yield place.problem("holds", say("this flow has no record that could change"))
