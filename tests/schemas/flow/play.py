"""A flow played out on a table top: events in words, people by name, no database."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.engine import (
    Decided,
    Due,
    Effect,
    Ended,
    Event,
    Facts,
    Failed,
    Perform,
    Performed,
    Question,
    Retried,
    Skipped,
    Started,
    State,
    Transferred,
    Unanswered,
    Wake,
    Withdrawn,
    advance,
    return_targets,
)
from schemas.engine.state import Entry, Task, apply
from schemas.flow import Flow
from schemas.options import load


def flow_of(*steps: dict[str, Any], **options: Any) -> Flow:
    return load(Flow, {"id": "f", "trigger": {"submit": "claim_form"}, "steps": list(steps), **options})


def approve(id: str, *people: str, **options: Any) -> dict[str, Any]:
    """A step that asks these people: roles named after them in the facts of `Play`."""
    return {"id": id, "type": "approve", "who": [{"role": person} for person in people], **options}


class Play:
    """One run. Roles are people of the same name unless `roles` says otherwise; `true` lists the conditions that hold."""

    def __init__(self, flow: Flow, starter: str = "amy", *, true: tuple[str, ...] = (), gone: tuple[str, ...] = (),
                 roles: Mapping[str, tuple[str, ...]] | None = None, heads: Mapping[str, str] | None = None,
                 values: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        self.flow, self.true, self.gone, self.roles = flow, true, gone, roles or {}
        self.heads, self.values = heads or {}, values or {}
        self.away: dict[str, tuple[str, ...]] = {}
        self.alarms: dict[int, Wake] = {}
        self.state, self.reader = State(), State()
        self.log, self.effects = list[Entry](), list[Effect]()
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.happen(Started(starter))

    def happen(self, event: Event) -> None:
        """Advance by one event, and check what must always hold."""
        self.now += timedelta(minutes=10)
        known: dict[Question, tuple[str, ...]] = {}
        while True:
            try:
                done = advance(self.flow, self.state, event, Facts(self.now, self._value, known))
                break
            except Unanswered as missing:
                known[missing.question] = self._answer(missing.question)
        assert advance(self.flow, self.state, event, Facts(self.now, self._value, known)) == done
        self.state, self.effects = done.state, self.effects + done.effects
        self.log += done.log
        self.alarms |= {effect.token: effect for effect in done.effects if isinstance(effect, Wake)}
        for entry in done.log:
            apply(self.reader, entry)
        assert self.reader == self.state, "the log leads to the state"
        check(self.state, self.log)

    def _value(self, formula: Any) -> Any:
        return self.values.get(formula.source, formula.source in self.true)

    def _answer(self, question: Question) -> tuple[str, ...]:
        if question.kind == "stand_in":
            found: tuple[str, ...] = self.away.get(question.key, ())
        elif question.kind == "head":
            person = question.key
            for _ in range(question.level):
                person = self.heads.get(person, "")
            found = (person,) if person else ()
        else:
            found = self.roles.get(question.key, (question.key,))
        return tuple(person for person in found if person not in self.gone)

    def wait(self, time: timedelta, jump: bool = False) -> None:
        """The clock moves; who asked to be woken is, at the moment asked for or (when it jumps) late."""
        until = self.now + time
        while coming := sorted((w.at, w.token) for w in self.alarms.values() if w.at <= until):
            wake = self.alarms.pop(coming[0][1])
            self.now = until if jump else max(self.now, wake.at)
            self.happen(Due(wake.token, wake.round, wake.alarm))
        self.now = max(self.now, until)

    # -- in words ----------------------------------------------------------------------------------

    @property
    def asked(self) -> dict[str, list[str]]:
        """Who has a live task, by step."""
        found: dict[str, list[str]] = {}
        for task in self.state.live_tasks():
            found.setdefault(task.step, []).append(task.member)
        return found

    def task(self, member: str) -> Task:
        return next(task for task in self.state.live_tasks() if task.member == member)

    def approve(self, *members: str) -> "Play":
        for member in members:
            self.do(member, "approve")
        return self

    def reject(self, member: str) -> "Play":
        return self.do(member, "reject")

    def submit(self, member: str) -> "Play":
        return self.do(member, "submit")

    def send_back(self, member: str, to: str = "") -> "Play":
        return self.do(member, "return", to=to)

    def do(self, member: str, action: str, comment: str = "", to: str = "") -> "Play":
        self.happen(Decided(self.task(member).id, member, action, comment, to))
        return self

    def transfer(self, member: str, to: str, **more: Any) -> "Play":
        self.happen(Transferred(self.task(member).id, member, to, **more))
        return self

    def withdraw(self, by: str = "amy") -> "Play":
        self.happen(Withdrawn(by))
        return self

    def end(self) -> "Play":
        self.happen(Ended("admin"))
        return self

    def targets(self, member: str) -> tuple[str, ...]:
        return return_targets(self.flow, self.state, self.task(member))

    def waiting(self) -> Perform:
        """The machine step that was asked for last."""
        return [effect for effect in self.effects if isinstance(effect, Perform)][-1]

    def performed(self, ok: bool = True) -> "Play":
        wanted = self.waiting()
        self.happen(Performed(wanted.token, wanted.round) if ok else Failed(wanted.token, wanted.round, "It broke."))
        return self

    def help(self, action: str) -> "Play":
        token = next(token for token in self.state.live_tokens() if token.waits == "problem")
        self.happen(Retried(token.id, "admin") if action == "retry" else Skipped(token.id, "admin"))
        return self


def check(state: State, log: list[Entry]) -> None:
    """What holds in every state of every run."""
    live = state.live_tokens()
    assert state.open == bool(live), "an instance is open as long as a token lives"
    assert bool(live) or state.state == state.outcome != ""
    for task in state.live_tasks():
        token = state.tokens[task.token]
        assert token.live, "a live task belongs to a live token"
        assert token.round == task.round, "only the open round's tasks are live"
        assert token.waits == "people"
        assert not task.decision, "what is decided is not open"
    for token in live:
        tasks = [task for task in state.live_tasks() if task.token == token.id]
        children = [child for child in state.children(token) if child.live]
        waits = {"people": bool(tasks), "branches": bool(children), "machine": True, "problem": True,
                 "time": bool(token.alarm_at), "change": bool(token.alarm_at), "subflow": len(token.ended) < token.needed}  # fmt: skip
        assert waits.get(token.waits, False), f"a stuck token: {token}"
        assert bool(tasks) == (token.waits == "people")
        assert bool(children) == (token.waits == "branches")
        assert token.parent is None or state.tokens[token.parent].live, "a branch does not outlive its fork"
    decided: set[int] = set()
    for entry in log:
        if entry["what"] == "decided":
            assert entry["task"] not in decided, "a task is decided once"
            decided.add(entry["task"])
        if entry["what"] == "reopened":
            decided -= set(entry["tasks"])
    again = sum(entry["what"] == "reactivated" for entry in log)
    assert sum(entry["what"] == "outcome" for entry in log) <= 1 + again, "an instance ends once"
    assert State.from_json(state.to_json()) == state, "every state reloads from its JSON"
    assert [entry["number"] for entry in log] == list(range(1, len(log) + 1))
