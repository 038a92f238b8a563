"""What a flow wants done at a moment: a job in the flow's transaction, that does nothing when it has gone on."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from runtime.actors import System
from runtime.context import Context
from runtime.jobs import enqueue, job
from runtime.running import Running
from schemas.engine import Due, Wake
from schemas.errors import NotFound


def wake(ctx: Context, run: Running, effect: Wake) -> None:
    """Let the flow be woken then."""
    about = {"run": str(run.id), "token": effect.token, "round": effect.round, "alarm": effect.alarm,
             "at": effect.at.isoformat()}  # fmt: skip
    enqueue(ctx.acting_as(System(), origin=f"flow {run.flow.id}"), "flow_due", about, at=effect.at)


@job("flow_due", queue="flows")
def due(ctx: Context, run: str, token: int, round: int, alarm: int, at: str) -> None:
    """The moment has come: so says the queue, whose clock counts where this machine's is behind."""
    from runtime import flows, running

    try:
        found = running.load(ctx, UUID(run))
    except NotFound:
        return
    then = replace(ctx, now=max(ctx.now, datetime.fromisoformat(at)))
    flows.happen(then, found, Due(token, round, alarm))
