"""A round: the people asked when a token has come to their step, and what their answers amount to."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from schemas.engine import times
from schemas.engine.state import AGREED, State, Task, Token
from schemas.steps.people import START, PeopleStep

if TYPE_CHECKING:
    from schemas.engine.run import Run

LONGEST_CHAIN = 20


class Place(NamedTuple):
    """One voice of a round: yes, no, or nothing yet."""

    vote: str
    weight: int


def ask(run: "Run", token: Token, step: PeopleStep, people: Sequence[str], weights: Mapping[str, int]) -> None:
    """Give each a task, or whoever stands in for them; who stands in for one that is asked too is asked once."""
    places: dict[str, tuple[str, int]] = {}
    for person in people:
        holder = stand_in(run, step, person)
        known, weight = places.get(holder, (person, 0))
        places[holder] = (holder if person == holder else known, weight + weights.get(person, 1))
    for number, (holder, (person, weight)) in enumerate(places.items()):
        give(run, token, step, holder, number, live=number == 0 or not step.in_order, weight=weight, instead=person)
    agree_again(run, token, step, [task for task in run.state.round_of(token) if task.live])
    weigh(run, token, step)


def give(run: "Run", token: Token, step: PeopleStep, member: str, place: int, *, live: bool = True, kind: str = "ask",
         origin: int | None = None, weight: int = 1, instead: str = "") -> Task:  # fmt: skip
    """A new task in the token's round."""
    run.note(
        "asked",
        task=run.state.numbers + 1,
        token=token.id,
        step=step.id,
        round=token.round,
        member=member,
        sequence=place,
        live=live,
        kind=kind,
        origin=origin,
        weight=weight,
        instead_of=instead if instead != member else "",
        due=times.deadline(run, step) if live else "",
    )
    return run.state.tasks[run.state.numbers]


def stand_in(run: "Run", step: PeopleStep, person: str) -> str:
    """Who has the tasks of a person who is away; never the starter where a starter may not decide."""
    found, seen = person, {person}
    while step.id != START and len(seen) < LONGEST_CHAIN and not found.startswith("mailto:"):
        further = run.present(run.ask_who("stand_in", found))
        if not further or further[0] in seen or (step.if_self != "ask" and further[0] == run.state.starter):
            break
        found = further[0]
        seen.add(found)
    return found


def agree_again(run: "Run", token: Token, step: PeopleStep, opened: Sequence[Task]) -> None:
    """Approve for those just asked who have agreed before, where the step says so; never after a return."""
    if step.if_repeated == "ask" or run.state.returns:
        return
    agreed = set(_agreed_before(run.state, token, just_before=step.if_repeated == "approve_next"))
    for task in opened:
        if task.kind == "ask" and task.member in agreed:
            agree(run, task, step, task.member)


def agree(run: "Run", task: Task, step: PeopleStep, by: str, decision: str = "") -> None:
    """A decision that nobody made by hand."""
    run.note(
        "decided",
        task=task.id,
        step=step.id,
        decision=decision or step.agrees,
        by=by,
        comment="",
        automatic=True,
        since=task.since,
    )


def _agreed_before(state: State, token: Token, just_before: bool) -> Iterator[str]:
    earlier = [t for t in state.agreed() if t.step != START and (t.token, t.round) != (token.id, token.round)]
    last = (earlier[-1].token, earlier[-1].round) if earlier else None
    for task in earlier:
        if (task.token, task.round) == last if just_before else not task.automatic:
            yield task.member


# -- what the answers amount to --------------------------------------------------------------------


def weigh(run: "Run", token: Token, step: PeopleStep) -> None:
    """Go on or be rejected as soon as the round's outcome is certain; else it is the next one's turn."""
    while True:
        outcome = _outcome(run.state, token, step)
        if outcome is not None:
            run.settle_round(token)
            if outcome == "agreed":
                run.go_on(token)
            else:
                run.reject(token)
            return
        turned = _next_turns(run.state, token)
        for task in turned:
            turn(run, task, step)
        agree_again(run, token, step, turned)
        if all(task.live for task in turned):
            times.set_alarm(run, token, step)
            return


def _outcome(state: State, token: Token, step: PeopleStep) -> str | None:
    found = list(places(state, token, step))
    sizes = [place.weight if step.by_weight else 1 for place in found]
    yes = sum(size for place, size in zip(found, sizes, strict=True) if place.vote == "yes")
    no = sum(size for place, size in zip(found, sizes, strict=True) if place.vote == "no")
    return step.outcome(yes, no, sum(sizes))


def places(state: State, token: Token, step: PeopleStep) -> Iterator[Place]:
    """The voices of the open round. Signers added before or after a person share that person's voice."""
    tasks = sorted((t for t in state.round_of(token) if t.kind != "choose"), key=lambda task: task.sequence)
    for _, group in groupby(tasks, key=lambda task: task.sequence):
        voice = list(group)
        yield Place(_vote(voice, step), max(task.weight for task in voice))


def _vote(voice: Sequence[Task], step: PeopleStep) -> str:
    counting = [task for task in voice if task.votes]
    if any(task.decision == "reject" for task in counting):
        return "no"
    if step.vetoes and any(task.decision == "reject" for task in voice if task.kind == "before"):
        return "no"
    return "yes" if counting and all(task.decision in AGREED for task in counting) else ""


def _next_turns(state: State, token: Token) -> list[Task]:
    """Whose turn it is now: after those added before them, after those they follow, else the next in order."""
    tasks = state.round_of(token)
    waiting = [task for task in tasks if task.open and not task.live]
    busy = {task.origin for task in tasks if task.open and task.kind in ("before", "delegated")}
    resumed = [task for task in waiting if task.paused and task.id not in busy]
    agreed = {task.id for task in tasks if task.decision in AGREED}
    followed = [task for task in waiting if task.kind == "after" and task.origin in agreed]
    if resumed or followed or any(task.live for task in tasks):
        return [*resumed, *followed]
    return sorted((t for t in waiting if not t.paused and t.kind != "after"), key=lambda task: task.sequence)[:1]


def turn(run: "Run", task: Task, step: PeopleStep) -> None:
    """The task is open now; whoever went away in the meantime is stood in for."""
    holder = stand_in(run, step, task.member)
    run.note(
        "turn",
        task=task.id,
        step=step.id,
        member=holder,
        instead_of=task.member if holder != task.member else task.instead_of,
        due=times.deadline(run, step),
    )


# -- more people in a round ------------------------------------------------------------------------


def delegate(run: "Run", task: Task, step: PeopleStep, to: str) -> None:
    """Somebody else prepares the answer. What was delegated before goes to them, and comes back to the first."""
    token = run.state.tokens[task.token]
    first = task
    if task.kind == "delegated" and task.origin is not None:
        first = run.state.tasks[task.origin]
        run.note("closed", tasks=[task.id], why="delegated")
    else:
        run.note("paused", task=task.id)
    give(run, token, step, to, first.sequence, kind="delegated", origin=first.id)


def add_signers(run: "Run", task: Task, step: PeopleStep, people: Sequence[str], side: str) -> None:
    """More people sign: before or after the holder of this task within the same voice, or as voices of their own."""
    token = run.state.tokens[task.token]
    if side == "before":
        run.note("paused", task=task.id)
    for person in people:
        place = task.sequence
        if side == "parallel":
            place = max(t.sequence for t in run.state.round_of(token)) + 1
        holder = stand_in(run, step, person)
        give(run, token, step, holder, place, live=side != "after", kind=side, origin=task.id, instead=person)
