"""What each kind of event does to a flow."""

from collections.abc import Callable
from typing import Any, NamedTuple

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
from schemas.engine.facts import Facts
from schemas.engine.run import Perform, Run, Tell
from schemas.engine.state import MAIN, Entry, State, Task, Token
from schemas.engine.targets import return_targets
from schemas.errors import Denied, InvalidInput
from schemas.flow import Flow
from schemas.messages import say
from schemas.steps.people import START


class Advance(NamedTuple):
    """The state after an event, the log lines that led there, and what is to be done outside."""

    state: State
    log: list[Entry]
    effects: list[Perform | Tell]


def advance(flow: Flow, state: State, event: Event, facts: Facts) -> Advance:
    """What happens next. The state given is not changed.

    Raises Denied when the event is not possible (any more), InvalidInput when a comment is missing, and
    Unanswered when a fact is missing.
    """
    run = Run(flow, state.copy(), facts)
    HAPPENS[type(event)](run, event)
    run.settle()
    return Advance(run.state, run.log, run.effects)


def may_withdraw(flow: Flow, state: State) -> bool:
    """Whether the starter may take this back now."""
    if not state.open or state.outcome or flow.withdraw == "never":
        return False
    decided = any(t.decision and not t.automatic and t.step != START for t in state.tasks.values())
    return flow.withdraw == "until_end" or not decided


def _start(run: Run, event: Started) -> None:
    run.note("started", by=event.by)
    run.begin(MAIN)


def _decide(run: Run, event: Decided) -> None:
    task = _live_task(run, event.task)
    step = run.flow.people_step(task.step)
    if event.by != task.member:
        raise Denied(say("This task is somebody else's."))
    if event.action not in step.allowed or event.action == "transfer":
        raise Denied(say("This task does not offer that action."))
    _require_comment(run, task, event.action, event.comment)
    if event.action == "return":
        _return(run, task, event)
        return
    _note_decision(run, task, event)
    run.weigh(run.state.tokens[task.token], step)


def _return(run: Run, task: Task, event: Decided) -> None:
    targets = return_targets(run.flow, run.state, task)
    target = event.to or (targets[0] if len(targets) == 1 else "")
    if target not in targets:
        raise InvalidInput({"to": [say("Choose the step to return to.")]})
    _note_decision(run, task, event, to=target)
    step = run.flow.people_step(task.step)
    run.send_back(run.state.tokens[task.token], target, step.id if step.after_return == "back" else "")


def _note_decision(run: Run, task: Task, event: Decided, **more: str) -> None:
    run.note(
        "decided",
        task=task.id,
        step=task.step,
        decision=event.action,
        by=event.by,
        comment=event.comment,
        automatic=False,
        since=task.since,
        **more,
    )


def _transfer(run: Run, event: Transferred) -> None:
    task = _live_task(run, event.task)
    step = run.flow.people_step(task.step)
    if not event.by_admin and event.by != task.member:
        raise Denied(say("This task is somebody else's."))
    if not event.by_admin and "transfer" not in step.allowed:
        raise Denied(say("This task does not offer that action."))
    if not run.present([event.to]) or event.to == task.member:
        raise InvalidInput({"to": [say("Choose another member.")]})
    asked = [
        t for t in run.state.round_of(run.state.tokens[task.token]) if t.live or not t.decision or t.by == event.to
    ]
    if any(t.member == event.to for t in asked):
        raise InvalidInput({"to": [say("This member is asked already.")]})
    _require_comment(run, task, "transfer", event.comment)
    run.note(
        "transferred",
        task=task.id,
        step=task.step,
        by=event.by,
        member=task.member,
        to=event.to,
        comment=event.comment,
        since=task.since,
    )


def _hand_over(run: Run, event: HandedOver) -> None:
    """Nobody is asked to decide: who is asked beside the successor may hold two tasks of a round, and decides both."""
    waiting = [t for token in run.state.live_tokens() for t in run.state.round_of(token) if not t.decision]
    for task in waiting if event.tasks else ():
        if task.member == event.member:
            run.note(
                "transferred", task=task.id, step=task.step, by=event.by, member=task.member, to=event.to, comment="",
                since=task.since, why="handed_over",
            )  # fmt: skip
    if event.start and run.state.starter == event.member:
        run.note("starter", by=event.by, member=event.member, to=event.to, why="handed_over")


def _withdraw(run: Run, event: Withdrawn) -> None:
    if event.by != run.state.starter:
        raise Denied(say("Only the person who started this may withdraw it."))
    if not may_withdraw(run.flow, run.state):
        raise Denied(say("This can no longer be withdrawn."))
    run.note("withdrawn", by=event.by, comment=event.comment)
    run.finish("withdrawn")


def _end(run: Run, event: Ended) -> None:
    if not run.state.open or run.state.outcome:
        raise Denied(say("This is over already."))
    run.note("stopped", by=event.by, comment=event.comment)
    run.finish("ended")


def _performed(run: Run, event: Performed) -> None:
    token = _waiting(run, event.token, event.round)
    if token is not None:
        run.note("performed", token=token.id, step=token.step)
        run.go_on(token)


def _machine_failed(run: Run, event: Failed) -> None:
    token = _waiting(run, event.token, event.round)
    if token is not None:
        run.note("failed", token=token.id, step=token.step, problem=event.problem, values=dict(event.values))


def _retry(run: Run, event: Retried) -> None:
    token = _problem(run, event.token)
    run.note("retried", step=token.step, by=event.by, action="retry")
    run.go_to(token, token.step, token.back)


def _skip(run: Run, event: Skipped) -> None:
    token = _problem(run, event.token)
    run.note("retried", step=token.step, by=event.by, action="skip")
    run.go_on(token)


def _live_task(run: Run, id: int) -> Task:
    task = run.state.tasks.get(id)
    if task is None or not task.live or not run.state.open:
        raise Denied(say("This task is no longer open: somebody else has dealt with it, or it was taken back."))
    return task


def _require_comment(run: Run, task: Task, action: str, comment: str) -> None:
    if action in run.flow.people_step(task.step).comment and not comment.strip():
        raise InvalidInput({"comment": [say("Add a comment.")]})


def _waiting(run: Run, token: int, round: int) -> Token | None:
    """The token that waits for this machine step; None when it has moved on."""
    found = run.state.tokens.get(token)
    return found if found and found.live and found.waits == "machine" and found.round == round else None


def _problem(run: Run, token: int) -> Token:
    found = run.state.tokens.get(token)
    if found is None or not found.live or found.waits != "problem":
        raise Denied(say("There is nothing to help with here (any more)."))
    return found


HAPPENS: dict[type[Event], Callable[[Run, Any], None]] = {
    Started: _start,
    Decided: _decide,
    Transferred: _transfer,
    HandedOver: _hand_over,
    Withdrawn: _withdraw,
    Ended: _end,
    Performed: _performed,
    Failed: _machine_failed,
    Retried: _retry,
    Skipped: _skip,
}
