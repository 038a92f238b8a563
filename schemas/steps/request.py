"""Request: ask another program over HTTP, and go on with its answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula, Type
from schemas.request import Request
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class RequestStep(Step, Request):
    """Sends values to another program, and waits for what it answers: later steps know `status` and `body` by this step's id.

    Where nobody answers it is tried again a few times, with the same Idempotency-Key.
    """

    type = "request"
    title_word = "Ask another program"
    icon = "step-request"
    starts_with = {"address": "https://"}

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def formulas(self) -> Iterator[Formula]:
        yield from (formula for _, formula in self.asked())

    def result(self, place: "Place") -> Type | None:
        return self.answer(self.id)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        for path, formula in self.asked():
            yield from place.formula(path, formula)
        yield from self.unready(place.app)
