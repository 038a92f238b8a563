"""Deadlines of tasks, and what happens when they come near or have passed."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from schemas.engine.state import Task, Token
from schemas.steps.due import Deadline, Late
from schemas.steps.people import START, PeopleStep
from schemas.steps.who import find

if TYPE_CHECKING:
    from schemas.engine.run import Run

LOOK_AGAIN = timedelta(hours=1)


def deadline(run: "Run", step: PeopleStep) -> str:
    """Until when a task that opens now is to be dealt with, as ISO text; empty without a limit."""
    if step.due is None:
        return ""
    if step.due.span is not None:
        return step.due.span.after(run.facts.now, run.facts.zone, run.facts.calendar).isoformat()
    moment = _moment(run, step.due)
    return moment.isoformat() if moment else ""


def _moment(run: "Run", due: Deadline) -> datetime | None:
    """What the field says: a moment, or the end of a day."""
    value = run.facts.value(due.by) if due.by is not None else None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=run.facts.zone)
    if isinstance(value, date):
        return datetime.combine(value + timedelta(days=1), time(), tzinfo=run.facts.zone).astimezone(
            run.facts.now.tzinfo
        )
    return None


def schedule(run: "Run", step: PeopleStep, due: str) -> list[tuple[datetime, Late]]:
    """What is to be done about a task that is due then, in order of time."""
    if step.due is None or not due:
        return []
    planned = [one for late in step.due.then for one in _planned(run, late, datetime.fromisoformat(due))]
    return sorted(planned, key=lambda pair: pair[0])


def _planned(run: "Run", late: Late, due: datetime) -> Iterator[tuple[datetime, Late]]:
    zone, calendar = run.facts.zone, run.facts.calendar
    at = late.after.after(due, zone, calendar) if late.after else due
    at = late.before.before(due, zone, calendar) if late.before else at
    yield at, late
    for _ in range((late.times or 1) - 1 if late.every else 0):
        assert late.every is not None
        at = late.every.after(at, zone, calendar)
        yield at, late


# -- waking ----------------------------------------------------------------------------------------


def wake(run: "Run", token: Token, at: datetime) -> None:
    """Ask to be woken then; an earlier wish of this round means nothing any more."""
    from schemas.engine.run import Wake

    run.note("alarm", token=token.id, alarm=token.alarm + 1, when=at.isoformat())
    run.effects.append(Wake(token.id, token.round, token.alarm, at))


def look_later(run: "Run", token: Token) -> None:
    """What a record takes from others changes without it being written: look again by and by, or when the time is over."""
    later = run.facts.now + LOOK_AGAIN
    wake(run, token, min(later, datetime.fromisoformat(token.until)) if token.until else later)


def wake_again(run: "Run", token: Token) -> None:
    """The clock was ahead: ask for the same moment once more."""
    wake(run, token, datetime.fromisoformat(token.alarm_at))


def set_alarm(run: "Run", token: Token, step: PeopleStep, anew: bool = False) -> None:
    """Ask to be woken for the next thing that is to be done about the open tasks of this round."""
    if not token.live or token.waits != "people":
        return
    coming = [planned[0][0] for task in run.state.round_of(token) if task.live and (planned := _left(run, step, task))]
    if coming and (anew or min(coming).isoformat() != token.alarm_at):
        wake(run, token, min(coming))


def _left(run: "Run", step: PeopleStep, task: Task) -> list[tuple[datetime, Late]]:
    return schedule(run, step, task.due)[task.alarms :]


def strike(run: "Run", token: Token, step: PeopleStep) -> None:
    """It is time: do what is due about the open tasks. A clock that has jumped reminds once, not many times."""
    round, now = token.round, run.facts.now
    for task in [task for task in run.state.round_of(token) if task.live]:
        _follow_field(run, step, task)
        passed = [late for at, late in _left(run, step, task) if at <= now]
        if not passed:
            continue
        run.note("late", task=task.id, step=step.id, alarms=task.alarms + len(passed))
        for number, late in enumerate(passed):
            again = any(late is earlier for earlier in passed[:number])
            if not again and task.live and token.live and token.round == round:
                DOES[late.do](run, token, step, task, late)
    if token.live and token.round == round and token.waits == "people":
        set_alarm(run, token, step, anew=True)


def _follow_field(run: "Run", step: PeopleStep, task: Task) -> None:
    """A deadline that a field of the record names moves with the field."""
    if step.due is not None and step.due.by is not None and (due := deadline(run, step)) != task.due:
        run.note("late", task=task.id, step=step.id, alarms=0 if due > task.due else task.alarms, due=due)


def _remind(run: "Run", token: Token, step: PeopleStep, task: Task, late: Late) -> None:
    from schemas.engine.run import Remind

    run.holder = task.member
    others = find(late.to, run) if late.to else ()
    people = tuple(dict.fromkeys((task.member, *others)))
    run.note("reminded", step=step.id, people=list(people))
    run.effects.append(Remind("due", step.id, people))


def _escalate(run: "Run", token: Token, step: PeopleStep, task: Task, late: Late) -> None:
    """The task goes to somebody else, and the holder is told; without anybody there, it stays."""
    from schemas.engine.run import Remind

    run.holder = task.member
    asked = {t.member for t in run.state.round_of(token) if t.open}
    people = [person for person in find(late.to, run) if person not in asked]
    if not people:
        return _remind(run, token, step, task, late)
    before = task.member
    run.note("transferred", task=task.id, step=step.id, by="", member=before, to=people[0], comment="", since=task.since,
             automatic=True)  # fmt: skip
    run.effects.append(Remind("escalated", step.id, (before,)))
    return None


def _agree(run: "Run", token: Token, step: PeopleStep, task: Task, late: Late) -> None:
    _decide(run, token, step, task, step.agrees if task.votes or task.kind == "before" else "answer")


def _reject(run: "Run", token: Token, step: PeopleStep, task: Task, late: Late) -> None:
    _decide(run, token, step, task, "reject" if task.votes or task.kind == "before" else "answer")


def _decide(run: "Run", token: Token, step: PeopleStep, task: Task, decision: str) -> None:
    from schemas.engine import rounds

    if task.kind == "choose":
        return
    rounds.agree(run, task, step, "", decision)
    rounds.weigh(run, token, step)


def _return(run: "Run", token: Token, step: PeopleStep, task: Task, late: Late) -> None:
    from schemas.engine.targets import targets_of

    wanted = late.back_to or START
    targets = list(targets_of(run.flow, run.state, task, (wanted,)))
    if not targets:
        return _remind(run, token, step, task, late)
    run.note("decided", task=task.id, step=step.id, decision="return", by="", comment="", automatic=True,
             since=task.since, to=targets[0])  # fmt: skip
    run.send_back(token, targets[0], step.id if step.after_return == "back" else "")
    return None


DOES = {"remind": _remind, "escalate": _escalate, "approve": _agree, "reject": _reject, "return": _return}
