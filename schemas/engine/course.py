"""Where a run stands in its flow: for every step whether it is behind, going on now, still to come, or was not taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.engine.state import Entry, State, Token
from schemas.flow import MAIN, Flow
from schemas.steps.base import Step

PASSED, HERE, COMING, LEFT_OUT, STOPPED = "passed", "here", "coming", "left_out", "stopped"
"""Behind; going on now; may follow; a branch that was not taken, or a step passed by; where the run ended too early."""


@dataclass(frozen=True)
class Said:
    """Who decided what at a step, and when."""

    who: str
    what: str
    at: datetime
    automatic: bool = False


@dataclass(frozen=True)
class Stop:
    """One step of the course. `trouble` is set where somebody in charge must help; `since` is when it was last entered."""

    step: Step
    standing: str
    since: datetime | None = None
    said: Sequence[Said] = ()
    branches: Sequence["Lane"] = ()
    trouble: bool = False


@dataclass(frozen=True)
class Lane:
    """A list of steps: the flow's own, a branch, or what follows an outcome."""

    sequence: str
    standing: str
    stops: Sequence[Stop] = ()


def course(flow: Flow, state: State, log: Iterable[Entry]) -> list[Lane]:
    """The lane of the flow itself, and of what follows its outcome once that has begun."""
    reader = _Reader(flow, state, list(log))
    lanes = [reader.lane(MAIN, COMING)]
    begun = {t.sequence for t in state.tokens.values() if t.sequence.startswith("after:")}
    return lanes + [reader.lane(name, COMING) for name in flow.sequences if name in begun]


class _Reader:
    def __init__(self, flow: Flow, state: State, log: Sequence[Entry]) -> None:
        self.flow, self.state = flow, state
        self.since: dict[str, datetime] = {}
        self.said: dict[str, list[Said]] = {}
        self.skipped: set[str] = set()
        for entry in log:
            self._note(entry)
        self.current = _latest(state.tokens)

    def _note(self, entry: Entry) -> None:
        step, at = entry.get("step", ""), datetime.fromisoformat(entry["at"])
        if entry["what"] == "entered":
            self.since[step], self.said[step] = at, []
            self.skipped.discard(step)
        elif entry["what"] == "skipped":
            self.since[step] = at
            self.skipped.add(step)
        elif entry["what"] == "decided" and step:
            what = Said(entry.get("by", ""), entry["decision"], at, bool(entry.get("automatic")))
            self.said.setdefault(step, []).append(what)

    def lane(self, sequence: str, if_empty: str) -> Lane:
        """The steps of a sequence; where no token has come to it, all of them stand as `if_empty` says."""
        steps, token = self.flow.sequences[sequence], self.current.get(sequence)
        if token is None or if_empty == LEFT_OUT:
            return Lane(sequence, if_empty, [self._untouched(s, if_empty) for s in steps])
        at = _index(steps, token)
        stops = [self._stop(step, self._standing(token, at, n)) for n, step in enumerate(steps)]
        return Lane(sequence, HERE if token.live else PASSED if token.done else STOPPED, stops)

    def _standing(self, token: Token, at: int, n: int) -> str:
        if token.done or n < at:
            return PASSED
        if token.live:
            return HERE if n == at else COMING
        return STOPPED if n == at else LEFT_OUT

    def _stop(self, step: Step, standing: str) -> Stop:
        if standing in (COMING, LEFT_OUT):
            return self._untouched(step, standing)
        if standing == PASSED and (step.id in self.skipped or step.id not in self.since):
            return self._untouched(step, LEFT_OUT)
        trouble = any(t.waits == "problem" and t.step == step.id for t in self.state.live_tokens())
        branches = [
            self.lane(f"{step.id}.{key}", LEFT_OUT if self._is_untaken(f"{step.id}.{key}") else COMING)
            for key in step.inner
        ]
        return Stop(step, standing, self.since.get(step.id), self.said.get(step.id, ()), branches, trouble)

    def _is_untaken(self, sequence: str) -> bool:
        return sequence not in self.current

    def _untouched(self, step: Step, standing: str) -> Stop:
        lanes = [Lane(name := f"{step.id}.{key}", standing, [self._untouched(s, standing) for s in self.flow.sequences[name]])
                 for key in step.inner]  # fmt: skip
        return Stop(step, standing, branches=lanes)


def _latest(tokens: Mapping[int, Token]) -> dict[str, Token]:
    """The token that was in each sequence last; of a step with branches, those of its last forking."""
    last: dict[str, int] = {}
    for token in tokens.values():
        owner = token.sequence.partition(".")[0]
        last[owner] = max(last.get(owner, 0), token.fork)
    return {
        t.sequence: t
        for t in sorted(tokens.values(), key=lambda t: t.id)
        if t.fork == last[t.sequence.partition(".")[0]]
    }


def _index(steps: Sequence[Step], token: Token) -> int:
    """At which step of its sequence a token is; -1 before the first, as when the starter revises."""
    return next((n for n, step in enumerate(steps) if step.id == token.step), -1)
