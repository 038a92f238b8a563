"""What happens next in a flow: `advance` decides, `runtime/flows.py` acts.

    advance(flow, state, event, facts) -> Advance(state, log, effects)

The state is plain data and changes by log entries only, so a reader of the log can rebuild it (`replay`).
Facts are asked for one by one; a missing answer raises `Unanswered` with the question. Whoever acts answers
it and calls again with the same state and event.
"""

from schemas.engine.advance import Advance, advance
from schemas.engine.events import (
    Decided,
    Ended,
    Event,
    Failed,
    HandedOver,
    Performed,
    Retried,
    Skipped,
    Started,
    Transferred,
    Withdrawn,
)
from schemas.engine.facts import Facts, Question, Unanswered
from schemas.engine.run import Perform, Tell
from schemas.engine.state import State, Task, Token, replay
from schemas.engine.targets import return_targets

__all__ = [
    "Advance",
    "Decided",
    "Ended",
    "Event",
    "Facts",
    "Failed",
    "HandedOver",
    "Perform",
    "Performed",
    "Question",
    "Retried",
    "Skipped",
    "Started",
    "State",
    "Task",
    "Tell",
    "Token",
    "Transferred",
    "Unanswered",
    "Withdrawn",
    "advance",
    "replay",
    "return_targets",
]
