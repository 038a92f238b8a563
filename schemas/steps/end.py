"""End: the flow is over here, whatever follows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.options import option
from schemas.parsers import Words
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token


@step_types.register
@dataclass(frozen=True, kw_only=True)
class End(Step):
    """Ends the flow with an outcome, without asking anybody."""

    type = "end"
    title_word = "End"
    icon = "circle-stop"

    outcome: str = option(Words("approved", "rejected", "ended"), "Outcome", "ended")

    def enter(self, run: "Run", token: "Token") -> None:
        run.reach(token, self)
        run.finish(self.outcome)
