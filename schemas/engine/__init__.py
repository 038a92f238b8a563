"""What happens next in a flow: `advance` decides, `runtime/flows.py` acts.

    advance(flow, state, event, facts) -> Advance(state, log, effects)

The state is plain data and changes by log entries only, so a reader of the log can rebuild it (`replay`).
Facts are asked for one by one; a missing answer raises `Unanswered` with the question. Whoever acts answers
it and calls again with the same state and event.

A kind of step is added as one file in `schemas/steps` (see there). When a token comes to it, the engine
calls its `enter(run, token)`, which does exactly one of these and is then done:

    run.reach(token, step); run.go_on(token)   nothing to wait for
    run.perform(token, step)                   a machine does it: `Perform` is asked for, then `Performed` or `Failed`
    run.sleep(token, step, moment)             the clock is waited for: `Wake` is asked for, then `Due`
    run.spawn(token, step, items, wait)        other flows: `Spawn` for each item, then `SubflowEnded`
    run.ask(token, step, people)               people are asked, as `PeopleStep` does
    run.fork(token, step, branches, needed)    branches that it owns (`inner`) run
    run.skip / run.fail / run.finish           passed by, stopped until somebody helps, the whole is over

What a machine step does outside is one function in `runtime/effects.py` (`HANDS`), by the step's type. Events that
carry (token, round) say nothing when the token has moved on; (instance, step, round, item) is the idempotency key.
"""

from schemas.engine.advance import Advance, advance
from schemas.engine.events import (
    Commented,
    Copied,
    Decided,
    Delegated,
    Due,
    Ended,
    Event,
    Failed,
    HandedOver,
    Looked,
    Migrated,
    Performed,
    Reactivated,
    Retried,
    SignerAdded,
    Skipped,
    Started,
    SubflowEnded,
    TakenBack,
    Transferred,
    Urged,
    Withdrawn,
)
from schemas.engine.facts import Facts, Question, Unanswered
from schemas.engine.run import Effect, Perform, Remind, Spawn, Tell, Wake
from schemas.engine.state import State, Task, Token, replay
from schemas.engine.targets import return_targets

__all__ = [
    "Advance",
    "Commented",
    "Copied",
    "Decided",
    "Delegated",
    "Due",
    "Effect",
    "Ended",
    "Event",
    "Facts",
    "Failed",
    "HandedOver",
    "Looked",
    "Migrated",
    "Perform",
    "Performed",
    "Question",
    "Reactivated",
    "Remind",
    "Retried",
    "SignerAdded",
    "Skipped",
    "Spawn",
    "Started",
    "State",
    "SubflowEnded",
    "TakenBack",
    "Task",
    "Tell",
    "Token",
    "Transferred",
    "Unanswered",
    "Urged",
    "Wake",
    "Withdrawn",
    "advance",
    "replay",
    "return_targets",
]
