"""What each kind of event does to a flow."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from schemas.engine import rounds, times
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
from schemas.engine.facts import Facts
from schemas.engine.offers import ALONE, may_take_back, may_urge, may_withdraw, offered
from schemas.engine.run import Effect, Remind, Run
from schemas.engine.state import MAIN, Entry, State, Task, Token
from schemas.engine.targets import return_targets
from schemas.errors import Denied, InvalidInput
from schemas.flow import Flow
from schemas.messages import say
from schemas.steps.people import PeopleStep
from schemas.steps.wait import Wait

MOST_SIGNERS = 50


class Advance(NamedTuple):
    """The state after an event, the log lines that led there, and what is to be done outside."""

    state: State
    log: list[Entry]
    effects: list[Effect]


def advance(flow: Flow, state: State, event: Event, facts: Facts) -> Advance:
    """What happens next. The state given is not changed.

    Raises Denied when the event is not possible (any more), InvalidInput when a comment is missing, and
    Unanswered when a fact is missing.
    """
    run = Run(flow, state.copy(), facts)
    HAPPENS[type(event)](run, event)
    _look(run)
    run.settle()
    return Advance(run.state, run.log, run.effects)


def _start(run: Run, event: Started) -> None:
    given = {"given": dict(event.given)} if event.given else {}
    run.note("started", by=event.by, depth=event.depth, **given)
    run.facts.hear(run.state.results)
    _keep_chosen(run, event.chosen)
    run.begin(MAIN)


def _keep_chosen(run: Run, chosen: Mapping[str, Iterable[str]]) -> None:
    """People picked beforehand, for steps whose people may be picked."""
    for id, people in chosen.items():
        step = run.flow.step(id)
        if isinstance(step, PeopleStep) and any(who.chosen_by for who in step.who):
            _note_choice(run, step, tuple(people))


def _note_choice(run: Run, step: PeopleStep, people: tuple[str, ...]) -> None:
    among = step.may_choose(run)
    here = run.present(dict.fromkeys(people))
    if not here or len(here) > MOST_SIGNERS or (among is not None and not set(here) <= set(among)):
        raise InvalidInput({"people": [say("Choose from those who are offered.")]})
    run.note("chosen", step=step.id, people=list(here))


# -- what the holder of a task does ----------------------------------------------------------------


def _decide(run: Run, event: Decided) -> None:
    task = _own_task(run, event.task, event.by, event.action, DECISIONS)
    step = run.flow.people_step(task.step)
    _require(step, event)
    if event.action == "return":
        _return(run, task, event)
        return
    if event.action == "choose":
        _choose(run, task, step, event)
        return
    _keep_chosen(run, event.chosen)
    _note_decision(run, task, event)
    rounds.weigh(run, run.state.tokens[task.token], step)


DECISIONS = ("approve", "submit", "reject", "return", "answer", "choose")


def _own_task(run: Run, id: int, by: str, action: str, among: tuple[str, ...]) -> Task:
    task = _live_task(run, id)
    if by != task.member:
        raise Denied(say("This task is somebody else's."))
    if action not in offered(run.flow, task) or action not in among:
        raise Denied(say("This task does not offer that action."))
    return task


def _require(step: PeopleStep, event: Decided) -> None:
    """What the step wants to have with a decision."""
    missing = {}
    if event.action in step.comment and not event.comment.strip():
        missing["comment"] = [say("Add a comment.")]
    if event.action in step.sign and not event.signature:
        missing["signature"] = [say("Please sign.")]
    if event.files and not step.attach:
        missing["files"] = [say("No files may be attached here.")]
    if missing:
        raise InvalidInput(missing)


def _return(run: Run, task: Task, event: Decided) -> None:
    targets = return_targets(run.flow, run.state, task)
    target = event.to or (targets[0] if len(targets) == 1 else "")
    if target not in targets:
        raise InvalidInput({"to": [say("Choose the step to return to.")]})
    _note_decision(run, task, event, to=target)
    step = run.flow.people_step(task.step)
    back = step.after_return == "back" or (step.after_return == "ask" and event.back is True)
    run.send_back(run.state.tokens[task.token], target, step.id if back else "")


def _choose(run: Run, task: Task, step: PeopleStep, event: Decided) -> None:
    """The people are known now, so the step begins with them."""
    _note_choice(run, step, event.people)
    _note_decision(run, task, event)
    token = run.state.tokens[task.token]
    run.settle_round(token)
    run.keep_way_back(token)
    step.enter(run, token)


def _note_decision(run: Run, task: Task, event: Decided, **more: Any) -> None:
    kept = {"files": list(event.files), "signature": event.signature, "instead_of": task.instead_of}
    run.note(
        "decided",
        task=task.id,
        step=task.step,
        decision=event.action,
        by=event.by,
        comment=event.comment,
        automatic=False,
        since=task.since,
        **{name: value for name, value in kept.items() if value},
        **more,
    )


def _transfer(run: Run, event: Transferred) -> None:
    task = _any_task(run, event.task) if event.by_admin else _own_task(run, event.task, event.by, "transfer", ALONE)
    if not event.by_admin:
        _require_comment(run, task, "transfer", event.comment)
    if not run.present([event.to]) or event.to == task.member:
        raise InvalidInput({"to": [say("Choose another member.")]})
    if not event.by_admin:
        _refuse_asked(run, task, [event.to])
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
    waiting = [
        t for token in run.state.live_tokens() for t in run.state.round_of(token) if not (t.decision or t.closed)
    ]
    for task in waiting if event.tasks else ():
        if task.member == event.member:
            run.note(
                "transferred", task=task.id, step=task.step, by=event.by, member=task.member, to=event.to, comment="",
                since=task.since, why="handed_over",
            )  # fmt: skip
    if event.start and run.state.starter == event.member:
        run.note("starter", by=event.by, member=event.member, to=event.to, why="handed_over")


def _refuse_asked(run: Run, task: Task, people: Iterable[str]) -> None:
    """Nobody has two voices in a round."""
    for other in run.state.round_of(run.state.tokens[task.token]):
        if other.closed or (other.decision and other.by != other.member):
            continue
        if other.member in people:
            raise InvalidInput({"to": [say("This member is asked already.")]})


def _delegate(run: Run, event: Delegated) -> None:
    task = _own_task(run, event.task, event.by, "delegate", ALONE)
    _require_comment(run, task, "delegate", event.comment)
    if not run.present([event.to]) or event.to == task.member:
        raise InvalidInput({"to": [say("Choose another member.")]})
    _refuse_asked(run, task, [event.to])
    run.note(
        "delegated", task=task.id, step=task.step, by=event.by, to=event.to, comment=event.comment, since=task.since
    )
    step = run.flow.people_step(task.step)
    rounds.delegate(run, task, step, event.to)
    times.set_alarm(run, run.state.tokens[task.token], step)


def _add_signer(run: Run, event: SignerAdded) -> None:
    task = _own_task(run, event.task, event.by, "add_signer", ALONE)
    step = run.flow.people_step(task.step)
    _require_comment(run, task, "add_signer", event.comment)
    if event.side not in step.sides:
        raise InvalidInput({"side": [say("Choose where they are added.")]})
    people = tuple(dict.fromkeys(event.to))
    if not people or len(people) > MOST_SIGNERS or set(run.present(people)) != set(people):
        raise InvalidInput({"to": [say("Choose another member.")]})
    _refuse_asked(run, task, people)
    run.note(
        "added", task=task.id, step=step.id, by=event.by, people=list(people), side=event.side, comment=event.comment
    )
    rounds.add_signers(run, task, step, people, event.side)
    times.set_alarm(run, run.state.tokens[task.token], step)


def _take_back(run: Run, event: TakenBack) -> None:
    task = run.state.tasks.get(event.task)
    if task is None or event.by != task.by:
        raise Denied(say("This task is somebody else's."))
    if not may_take_back(run.flow, run.state, task):
        raise Denied(say("This can no longer be taken back."))
    token, step = run.state.tokens[task.token], run.flow.people_step(task.step)
    again, live = [task.id], [task.id]
    if token.round == task.round:
        again += [t.id for t in run.state.round_of(token) if t.live and (step.in_order or t.origin == task.id)]
    else:
        run.clear(token)
        closed = [t for t in run.state.tasks.values() if t.token == token.id and t.round == task.round]
        again += [t.id for t in closed if t.closed == "settled"]
        live += [t.id for t in closed if t.closed == "settled" and not t.paused and not step.in_order]
    run.note("reopened", token=token.id, task=task.id, step=task.step, round=task.round, back=task.back, by=event.by,
             tasks=again, live=live)  # fmt: skip
    times.set_alarm(run, token, step)


# -- what others do --------------------------------------------------------------------------------


def _comment(run: Run, event: Commented) -> None:
    if not event.comment.strip():
        raise InvalidInput({"comment": [say("Add a comment.")]})
    run.note("commented", by=event.by, step=event.step, comment=event.comment, files=list(event.files))


def _copy(run: Run, event: Copied) -> None:
    people = run.present(dict.fromkeys(event.to))
    if not people:
        raise InvalidInput({"to": [say("Choose another member.")]})
    run.note("copied", by=event.by, step=event.step, people=list(people), comment=event.comment)
    run.effects.append(Remind("copied", event.step, people, event.comment))


def _urge(run: Run, event: Urged) -> None:
    if not event.by_admin and event.by != run.state.starter:
        raise Denied(say("Only the person who started this may urge."))
    if not may_urge(run.state, run.facts.now):
        raise Denied(say("They have been asked to hurry a moment ago, or nobody is asked now."))
    people = tuple(dict.fromkeys(task.member for task in run.state.live_tasks()))
    run.note("urged", by=event.by, people=list(people), comment=event.comment)
    run.effects.append(Remind("urged", "", people, event.comment))


def _reactivate(run: Run, event: Reactivated) -> None:
    if run.flow.step(event.step) is None or run.flow.way(event.step)[0][0] != MAIN:
        raise InvalidInput({"step": [say("Choose the step to go on at.")]})
    if run.state.open and run.state.outcome:
        raise Denied(say("This is over already."))
    run.note("reactivated", by=event.by, step=event.step, comment=event.comment)
    run.restart(event.step)


def _migrate(run: Run, event: Migrated) -> None:
    """The flow of this run is the new one already; what stands in the way was found out by `migration.plan`."""
    run.note("migrated", by=event.by, revision=event.revision, steps=dict(event.steps))
    for token in run.state.live_tokens():
        step = run.flow.step(token.step) if token.step else None
        if token.live and step is not None and _out_of_place(token, step):
            run.go_to(token, step.id, token.back)


def _out_of_place(token: Token, step: Any) -> bool:
    """Whether what the token waits for is not what its step would wait for."""
    return token.waits in ("people", "machine") and (token.waits == "people") != step.for_people


def _due(run: Run, event: Due) -> None:
    token = run.state.tokens.get(event.token)
    if token is None or not token.live or (token.round, token.alarm) != (event.round, event.alarm):
        return
    if token.waits == "time":
        _wake_up(run, token)
    elif token.waits == "change":
        _look_in_vain(run, token)
    elif token.waits == "people":
        times.strike(run, token, run.flow.people_step(token.step))


def _look(run: Run) -> None:
    """Whatever waits for a change of the record goes on where it has come."""
    for token in list(run.state.live_tokens()):
        step = run.flow.step(token.step)
        if token.live and token.waits == "change" and isinstance(step, Wait) and step.holds is not None and run.holds(step.holds):
            run.note("performed", token=token.id, step=token.step, result=True)
            run.go_on(token)


def _look_in_vain(run: Run, token: Token) -> None:
    """It was looked whether the change has come, and it has not: the time is over, or it goes on waiting."""
    step = run.flow.step(token.step)
    if not isinstance(step, Wait) or step.holds is None or run.holds(step.holds):
        return
    if token.until and run.facts.now >= datetime.fromisoformat(token.until):
        run.note("performed", token=token.id, step=token.step, result=False)
        run.go_on(token)
    else:
        times.look_later(run, token)


def _wake_up(run: Run, token: Token) -> None:
    if run.facts.now < datetime.fromisoformat(token.alarm_at):
        times.wake_again(run, token)
        return
    run.note("performed", token=token.id, step=token.step)
    run.go_on(token)


def _subflow_ended(run: Run, event: SubflowEnded) -> None:
    token = run.state.tokens.get(event.token)
    if token is None or not token.live or token.waits != "subflow" or token.round != event.round:
        return
    if event.item in token.ended or not 0 <= event.item < token.needed:
        return
    run.note("sub_ended", token=token.id, step=token.step, item=event.item, outcome=event.outcome)
    step = run.flow.step(token.step)
    if event.outcome != "approved" and getattr(step, "if_rejected", "") == "reject":
        run.reject(token)
    elif len(token.ended) == token.needed:
        run.go_on(token)


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
        given = {"result": event.result} if event.result is not None else {}
        run.note("performed", token=token.id, step=token.step, **given, **event.told)
        run.go_on(token)


def _machine_failed(run: Run, event: Failed) -> None:
    token = _waiting(run, event.token, event.round)
    if token is not None:
        run.note("failed", token=token.id, step=token.step, problem=event.problem, values=dict(event.values), **event.told)


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


def _any_task(run: Run, id: int) -> Task:
    """A task that is open, or will be when its turn comes."""
    task = run.state.tasks.get(id)
    waiting = task is not None and task.open and task.round == run.state.tokens[task.token].round
    return task if task is not None and waiting and run.state.open else _live_task(run, id)


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
    Delegated: _delegate,
    SignerAdded: _add_signer,
    TakenBack: _take_back,
    Commented: _comment,
    Copied: _copy,
    Urged: _urge,
    Reactivated: _reactivate,
    Migrated: _migrate,
    Due: _due,
    Looked: lambda run, event: None,
    SubflowEnded: _subflow_ended,
    Withdrawn: _withdraw,
    Ended: _end,
    Performed: _performed,
    Failed: _machine_failed,
    Retried: _retry,
    Skipped: _skip,
}
