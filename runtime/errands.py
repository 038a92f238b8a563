"""Steps of flows that are done outside: a job in the flow's transaction, which tells the flow afterwards what came of it.

The job holds no transaction while it waits for the other side. Where the flow has gone on meanwhile, nothing is told.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from runtime import egress
from runtime.actors import System
from runtime.context import Context
from runtime.jobs import enqueue
from runtime.running import Running
from schemas.engine import Failed, Perform, Performed
from schemas.errors import NotFound
from schemas.messages import say
from schemas.results import dump
from schemas.steps import Step
from schemas.text import Sentence, Text


@dataclass(frozen=True)
class Errand:
    """What a job needs to know to act in the name of a step, as JSON."""

    run: str
    step: str
    token: int
    round: int
    hops: int
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for every try of this round of the step."""
        return f"{self.run}-{self.token}-{self.round}"


def later(ctx: Context, running: Running, job: str, effect: Perform, hops: int, given: Mapping[str, Any]) -> None:
    """Leave it to a job, once the transaction is kept."""
    errand = Errand(str(running.id), effect.step, effect.token, effect.round, hops, dict(given))
    enqueue(ctx.acting_as(System(), origin=f"flow {running.flow.id}"), job, asdict(errand))


def waiting(ctx: Context, errand: Errand, lock: bool = False) -> tuple[Running, Step] | None:
    """The run and the step, if they still wait for this errand."""
    from runtime import running

    try:
        found = running.load(ctx, UUID(errand.run), lock)
    except NotFound:
        return None
    token, step = found.state.tokens.get(errand.token), found.flow.step(errand.step)
    there = token is not None and token.live and token.round == errand.round
    return (found, step) if there and step is not None else None


def done(ctx: Context, errand: Errand, result: Any, told: Mapping[str, Any]) -> None:
    """The flow goes on with what came of it."""
    from runtime import flows

    if (found := waiting(ctx, errand, lock=True)) is not None:
        flows.happen(ctx, found[0], Performed(errand.token, errand.round, dump(result), told))


def failed(ctx: Context, errand: Errand, reason: Sentence) -> None:
    """The flow stands still until somebody in charge helps on."""
    from runtime import flows

    if (found := waiting(ctx, errand, lock=True)) is not None:
        told = say("{reason}", reason=str(reason)) if isinstance(reason, Text) else reason
        values = tuple((name, str(value)) for name, value in told.values.items())
        flows.happen(ctx, found[0], Failed(errand.token, errand.round, told.text, values))


def given_up(ctx: Context, error: Exception, **arguments: Any) -> None:
    """What jobs of this kind do when their last try has failed."""
    reason = error.reason if isinstance(error, egress.Unreachable) else say("{reason}", reason=str(error))
    failed(ctx, Errand(**arguments), reason)
