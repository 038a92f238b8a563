"""One advance of a flow: tokens walk, people are asked, branches fork and join."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.engine import rounds, times
from schemas.engine.facts import Facts, Question
from schemas.engine.state import MAIN, Entry, State, Task, Token, apply
from schemas.flow import Flow
from schemas.formula import Formula
from schemas.messages import Message
from schemas.steps.base import Step
from schemas.steps.people import START, PeopleStep

Way = Sequence[tuple[str, int]]
GIVES = ("performed", "item")
"""The entries by which a step gives something to those after it."""
EACH = "steps"
"""The one branch of a loop."""
OUTSIDE = "mailto:"
"""How the id of somebody begins who is no member, and answers by a link sent to this address."""


@dataclass(frozen=True)
class Perform:
    """A machine step to be done once; (token, round) is its idempotency key within the instance."""

    step: str
    token: int
    round: int


@dataclass(frozen=True)
class Tell:
    """A message to be sent; the step holds its words."""

    step: str
    round: int
    people: tuple[str, ...]


@dataclass(frozen=True)
class Remind:
    """Those who hold tasks are to be reminded; `why` is due, urged, escalated or copied."""

    why: str
    step: str
    people: tuple[str, ...]
    comment: str = ""


@dataclass(frozen=True)
class Wake:
    """A `Due` event is wanted at this moment, with the same token, round and alarm."""

    token: int
    round: int
    alarm: int
    at: datetime


@dataclass(frozen=True)
class Spawn:
    """A step starts another flow, for one of its items; its end is wanted as `SubflowEnded` if the step waits."""

    step: str
    token: int
    round: int
    item: int
    depth: int


Effect = Perform | Tell | Remind | Wake | Spawn


@dataclass(frozen=True)
class _Arrival:
    """A token that has come to a place; a longer way leads on into branches."""

    token: int
    way: Way
    back: str = ""


class Run:
    """The flow, its state, and what is written down and to be done on the way."""

    def __init__(self, flow: Flow, state: State, facts: Facts) -> None:
        self.flow, self.state, self.facts = flow, state, facts
        self.log: list[Entry] = []
        self.effects: list[Effect] = []
        self.asking = ""
        self.holder = ""
        self._arrivals: deque[_Arrival] = deque()
        self._back: dict[int, str] = {}
        facts.hear(state.results)

    def note(self, what: str, **values: Any) -> None:
        """Write a line of the log, which changes the state."""
        number = self.state.entries + 1
        entry = {"number": number, "at": self.facts.now.isoformat(), "what": what, **values}
        apply(self.state, entry)
        self.log.append(entry)
        if what in GIVES:
            self.facts.hear(self.state.results)

    # -- asking the world (steps.who.Asker) --------------------------------------------------------

    def holds(self, condition: Formula) -> bool:
        return self.facts.value(condition) is True

    def ask_who(self, kind: str, key: str, level: int = 0) -> tuple[str, ...]:
        return self.facts.ask(Question(kind, key, level))

    def ask_head(self, person: str) -> tuple[str, ...]:
        return self.ask_who("head", person, 1)

    def named(self, word: str) -> tuple[str, ...]:
        if word == "starter":
            return (self.state.starter,) if self.state.starter else ()
        if word == "assignee":
            return (self.holder,) if self.holder else ()
        if word == "assignees":
            return tuple(task.member for task in self.state.live_tasks())
        decided = [task.member for task in self.state.decided() if task.step != START]
        return tuple(decided[-1:] if word == "previous" else decided)

    def ids(self, formula: Formula | None) -> tuple[str, ...]:
        value = self.facts.value(formula) if formula is not None else None
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(str(one) for one in values if one is not None)

    def present(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(
            person for id in ids for person in ((id,) if id.startswith(OUTSIDE) else self.ask_who("people", id))
        )

    def chosen(self) -> tuple[str, ...]:
        return tuple(self.state.chosen.get(self.asking, ()))

    # -- walking -----------------------------------------------------------------------------------

    def begin(self, sequence: str) -> None:
        """A new token at the head of a sequence."""
        self._arrive(self._new_token(sequence, None), [(sequence, 0)])

    def settle(self) -> None:
        """Let every token walk until it waits, then say what has become of the whole."""
        while self._arrivals:
            arrival = self._arrivals.popleft()
            token = self.state.tokens[arrival.token]
            if token.live:
                self._follow(token, arrival)
        now = self._state_now()
        if now != self.state.state:
            self.note("state", state=now)

    def _state_now(self) -> str:
        live = self.state.live_tokens()
        if not live:
            return self.state.outcome
        return "failed" if any(token.waits == "problem" for token in live) else "running"

    def _new_token(self, sequence: str, parent: Token | None) -> Token:
        id = self.state.numbers + 1
        above, fork = (parent.id, parent.round) if parent else (None, 0)
        self.note("token", token=id, sequence=sequence, parent=above, fork=fork)
        return self.state.tokens[id]

    def _arrive(self, token: Token, way: Way, back: str = "") -> None:
        self._arrivals.append(_Arrival(token.id, way, back))

    def _follow(self, token: Token, arrival: _Arrival) -> None:
        (sequence, index), rest = arrival.way[0], arrival.way[1:]
        steps = self.flow.sequences[sequence]
        if index >= len(steps):
            self._complete(token)
            return
        step = self.flow.start if index < 0 else steps[index]
        if rest and step.resumable:
            self._resume(token, step, rest, arrival.back)
            return
        self._back[token.id] = "" if rest else arrival.back
        step.enter(self, token)

    def _resume(self, token: Token, step: Step, way: Way, back: str) -> None:
        """Go into the one branch that the way leads through."""
        self.reach(token, step, "branches", needed=1)
        self._arrive(self._new_token(way[0][0], token), way, back)

    def go_on(self, token: Token) -> None:
        """The token's step is done."""
        if token.back:
            self.go_to(token, token.back)
        else:
            self._arrive(token, [(token.sequence, self.flow.index(token.step) + 1)])

    def keep_way_back(self, token: Token) -> None:
        """The step is entered once more: where to go straight back to still holds."""
        self._back[token.id] = token.back

    def restart(self, step: str) -> None:
        """Go on at a step, out of everything that goes on now."""
        self._leave(self.state.live_tokens())
        self._arrive(self._new_token(MAIN, None), self.flow.way(step))

    def go_to(self, token: Token, target: str, back: str = "") -> None:
        """Jump to another step: out of the branches that do not hold it, and into those that do."""
        way = self.flow.way(target)
        depth = {sequence: number for number, (sequence, _) in enumerate(way)}
        holder = next(t for t in self.state.line(token) if t.sequence in depth)
        self._clear(holder)
        self._arrive(holder, way[depth[holder.sequence] :], back)

    def _complete(self, token: Token) -> None:
        self.note("completed", token=token.id)
        if token.parent is not None:
            self._join(self.state.tokens[token.parent])
        elif token.sequence == MAIN:
            self.finish("approved" if self.flow.asks_approval else "ended")

    def _join(self, parent: Token) -> None:
        if sum(child.done for child in self.state.children(parent)) < parent.needed:
            return
        if parent.at + 1 < len(parent.items):
            self._next_item(parent)
            return
        self._clear(parent)
        self.go_on(parent)

    def _next_item(self, parent: Token) -> None:
        inner = self.state.children(parent)[0]
        self.note("item", token=parent.id, step=parent.step, item=parent.at + 1, again=inner.id)
        self._arrive(inner, [(inner.sequence, 0)])

    # -- leaving -----------------------------------------------------------------------------------

    def _clear(self, token: Token) -> None:
        """Close what goes on at this token and below it; the token itself lives."""
        below = [t for t in self.state.live_tokens() if t.id != token.id and token in self.state.line(t)]
        self._leave(below, also=token)

    def _wanted(self, task: Task) -> bool:
        return task.open and task.round == self.state.tokens[task.token].round

    def _leave(self, tokens: list[Token], also: Token | None = None) -> None:
        gone = {t.id for t in tokens} | ({also.id} if also else set())
        self._close([task for task in self.state.tasks.values() if task.token in gone and self._wanted(task)])
        if tokens:
            self.note("left", tokens=[t.id for t in tokens])

    def _close(self, tasks: list[Task], why: str = "left") -> None:
        if tasks:
            self.note("closed", tasks=[task.id for task in tasks], why=why)

    def settle_round(self, token: Token) -> None:
        """The round's outcome is certain: what it still asks is no longer wanted."""
        self._close([task for task in self.state.round_of(token) if task.open], "settled")

    def clear(self, token: Token) -> None:
        self._clear(token)

    def finish(self, outcome: str) -> None:
        """The outcome is decided: nobody is asked any more; the steps after it begin."""
        if self.state.outcome:
            return
        self._leave(self.state.live_tokens())
        self.note("outcome", outcome=outcome)
        self.begin_after(outcome)

    def begin_after(self, name: str) -> None:
        if f"after:{name}" in self.flow.sequences:
            self.begin(f"after:{name}")

    # -- what steps do -----------------------------------------------------------------------------

    def reach(self, token: Token, step: Step, waits: str = "", needed: int = 0) -> None:
        """The token is at the step, in a new round."""
        back = self._back.pop(token.id, "")
        round = self.state.numbers + 1
        self.note("entered", token=token.id, step=step.id, round=round, waits=waits, needed=needed, back=back)

    def ask(
        self, token: Token, step: PeopleStep, people: Sequence[str], weights: Mapping[str, int] | None = None
    ) -> None:
        """Give a task to each, in a new round; with `in_order` one after the other."""
        self.reach(token, step, "people")
        rounds.ask(self, token, step, people, weights or {})

    def ask_to_choose(self, token: Token, step: PeopleStep, chooser: str) -> None:
        """Let somebody say who is asked at this step."""
        self.reach(token, step, "people")
        rounds.give(self, token, step, chooser, 0, kind="choose")
        times.set_alarm(self, token, step)

    def reject(self, token: Token) -> None:
        """What a rejection does in this flow."""
        if self.flow.on_reject == START:
            self.send_back(token, START, "")
        else:
            self.finish("rejected")

    def send_back(self, token: Token, target: str, back: str) -> None:
        """Return to an earlier step; `back` is the step to come straight back to."""
        self.note("returned", step=token.step, to=target)
        if target == START:
            self.begin_after("returned")
        self.go_to(token, target, back)

    def skip(self, token: Token, step: Step, why: str) -> None:
        """Pass a step by; `why` is self or nobody."""
        self.reach(token, step)
        self.note("skipped", token=token.id, step=step.id, why=why)
        self.go_on(token)

    def fail(self, token: Token, step: Step, problem: Message) -> None:
        """Stop here until somebody in charge helps."""
        self.reach(token, step)
        self.note("failed", token=token.id, step=step.id, problem=problem.text, values=dict(problem.values))

    def fork(self, token: Token, step: Step, branches: Sequence[str], needed: int) -> None:
        """Send a new token down each branch, and wait for as many as needed."""
        self.reach(token, step, "branches", needed=needed)
        for branch in branches:
            sequence = f"{step.id}.{branch}"
            self._arrive(self._new_token(sequence, token), [(sequence, 0)])
        if not branches:
            self.go_on(token)

    def repeat(self, token: Token, step: Step, items: Sequence[Any]) -> None:
        """Go through the steps inside once for each item (JSON), one after the other."""
        self.reach(token, step, "branches", needed=1)
        if not items:
            self.go_on(token)
            return
        sequence = f"{step.id}.{EACH}"
        self.note("items", token=token.id, step=step.id, items=list(items))
        self.note("item", token=token.id, step=step.id, item=0)
        self._arrive(self._new_token(sequence, token), [(sequence, 0)])

    def give(self, token: Token, step: Step, result: Any) -> None:
        """The step is done at once, and this (JSON) is what it gives."""
        self.reach(token, step)
        self.note("performed", token=token.id, step=step.id, result=result)
        self.go_on(token)

    def perform(self, token: Token, step: Step) -> None:
        """Wait until a machine step has been done."""
        self.reach(token, step, "machine")
        self.effects.append(Perform(step.id, token.id, token.round))

    def sleep(self, token: Token, step: Step, until: datetime) -> None:
        """Wait for the clock."""
        self.reach(token, step, "time")
        times.wake(self, token, until)

    def watch(self, token: Token, step: Step, until: datetime | None) -> None:
        """Wait for a change of the record, until then at most."""
        self.reach(token, step, "change")
        self.note("watched", token=token.id, until=until.isoformat() if until else "")
        times.look_later(self, token)

    def spawn(self, token: Token, step: Step, items: int, wait: bool) -> None:
        """Start another flow for each item, and wait until all of them are over, or not."""
        self.reach(token, step, "subflow" if wait and items else "", needed=items)
        for item in range(items):
            self.note("spawned", token=token.id, step=step.id, round=token.round, item=item)
            self.effects.append(Spawn(step.id, token.id, token.round, item, self.state.depth + 1))
        if not wait or not items:
            self.go_on(token)

    def tell(self, token: Token, step: Step, people: Sequence[str], anyway: bool = False) -> None:
        """Send a step's message to these people; `anyway` where it goes elsewhere too."""
        self.note("told", step=step.id, people=list(people))
        if people or anyway:
            self.effects.append(Tell(step.id, token.round, tuple(people)))
