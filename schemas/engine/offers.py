"""What the holder of a task may do with it, and what others may do to a run."""

from datetime import datetime, timedelta

from schemas.engine.run import OUTSIDE
from schemas.engine.state import AGREED, State, Task
from schemas.flow import Flow
from schemas.steps.people import START

URGE_AGAIN = timedelta(minutes=10)
ALONE = ("transfer", "delegate", "add_signer", "copy")
"""What names other people, so that somebody outside cannot do it: they know nobody here."""


def offered(flow: Flow, task: Task) -> tuple[str, ...]:
    """The actions on a task, in the order shown. What was delegated is only answered; who chooses, chooses."""
    allowed = flow.people_step(task.step).allowed
    if task.kind == "delegated":
        return ("answer", *(a for a in allowed if a in ("delegate", "copy", "save", "comment")))
    if task.kind == "choose":
        return ("choose", *(a for a in allowed if a in ("transfer", "comment")))
    if task.member.startswith(OUTSIDE):
        return tuple(a for a in allowed if a not in ALONE)
    return allowed


def may_withdraw(flow: Flow, state: State) -> bool:
    """Whether the starter may take this back now."""
    if not state.open or state.outcome or flow.withdraw == "never":
        return False
    decided = any(t.decision and not t.automatic and t.step != START for t in state.tasks.values())
    return flow.withdraw == "until_end" or not decided


def may_take_back(flow: Flow, state: State, task: Task) -> bool:
    """Whether a decision may be undone: nobody has decided since, and nothing was done that stays."""
    return (
        flow.take_back
        and state.open
        and not state.outcome
        and state.last == task.id
        and task.decision in AGREED
        and state.tokens[task.token].live
    )


def may_urge(state: State, now: datetime) -> bool:
    """Whether the holders may be asked to hurry: not again at once."""
    soon = state.urged and now - datetime.fromisoformat(state.urged) < URGE_AGAIN
    return state.open and bool(state.live_tasks()) and not soon
