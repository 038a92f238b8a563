"""The state of one run of a flow, and the log entries that are the only thing to change it."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

Entry = dict[str, Any]
"""One line of the log: `number`, `at` (ISO), `what`, and what that kind of entry needs. JSON all through."""

MAIN = "main"
OPEN = ("running", "failed")
AGREED = ("approve", "submit")


@dataclass
class Token:
    """A place in the flow. `waits` is for: people, machine, branches, or a person in charge (problem).

    `round` is new with every step entered; children of a fork carry the round of their parent in `fork`.
    """

    id: int
    sequence: str
    parent: int | None = None
    fork: int = 0
    step: str = ""
    round: int = 0
    waits: str = ""
    needed: int = 0
    back: str = ""
    live: bool = True
    done: bool = False


@dataclass
class Task:
    """What a member is asked. Live while a decision is wanted; a decided one keeps its decision."""

    id: int
    token: int
    step: str
    round: int
    member: str
    sequence: int
    live: bool
    since: str
    decision: str = ""
    by: str = ""
    automatic: bool = False


@dataclass
class State:
    """One run: running, failed (somebody in charge must help), approved, rejected, withdrawn or ended.

    `outcome` is set as soon as it is decided; the state follows when the steps after it are done.
    """

    state: str = "running"
    outcome: str = ""
    starter: str = ""
    numbers: int = 0
    entries: int = 0
    returns: int = 0
    tokens: dict[int, Token] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it again."""
        return {
            **asdict(self),
            "tokens": [asdict(t) for t in self.tokens.values()],
            "tasks": [asdict(t) for t in self.tasks.values()],
        }

    @classmethod
    def from_json(cls, json: dict[str, Any]) -> "State":
        tokens = {t["id"]: Token(**t) for t in json["tokens"]}
        return cls(**{**json, "tokens": tokens, "tasks": {t["id"]: Task(**t) for t in json["tasks"]}})

    def copy(self) -> "State":
        return deepcopy(self)

    def live_tokens(self) -> list[Token]:
        return [t for t in self.tokens.values() if t.live]

    def live_tasks(self) -> list[Task]:
        return [t for t in self.tasks.values() if t.live]

    def children(self, token: Token) -> list[Token]:
        """The tokens of the fork that this token waits for now."""
        return [t for t in self.tokens.values() if t.parent == token.id and t.fork == token.round]

    def round_of(self, token: Token) -> list[Task]:
        """The tasks of the round that is open at this token, in order."""
        return [t for t in self.tasks.values() if t.token == token.id and t.round == token.round]

    def line(self, token: Token) -> Iterator[Token]:
        """The token, its parent, and so on to the root."""
        at: Token | None = token
        while at is not None:
            yield at
            at = self.tokens[at.parent] if at.parent is not None else None

    def decided(self) -> list[Task]:
        """The tasks on which a person agreed, oldest decision first."""
        return [t for t in self.tasks.values() if t.decision in AGREED and not t.automatic]


def apply(state: State, entry: Entry) -> None:
    """Change the state by one log entry: there is no other way."""
    state.entries = entry["number"]
    CHANGES[entry["what"]](state, entry)


def replay(log: Iterable[Entry]) -> State:
    """The state that a log leads to."""
    state = State()
    for entry in log:
        apply(state, entry)
    return state


def _started(state: State, entry: Entry) -> None:
    state.starter = entry["by"]


def _token(state: State, entry: Entry) -> None:
    state.numbers = entry["token"]
    token = Token(entry["token"], entry["sequence"], entry["parent"], entry["fork"])
    state.tokens[token.id] = token


def _entered(state: State, entry: Entry) -> None:
    token = state.tokens[entry["token"]]
    state.numbers = token.round = entry["round"]
    token.step, token.waits = entry["step"], entry["waits"]
    token.needed, token.back = entry.get("needed", 0), entry.get("back", "")


def _asked(state: State, entry: Entry) -> None:
    state.numbers = entry["task"]
    token = state.tokens[entry["token"]]
    state.tasks[entry["task"]] = Task(
        entry["task"],
        token.id,
        token.step,
        token.round,
        entry["member"],
        entry["sequence"],
        entry["live"],
        entry["at"],
    )


def _turn(state: State, entry: Entry) -> None:
    task = state.tasks[entry["task"]]
    task.live, task.since = True, entry["at"]


def _decided(state: State, entry: Entry) -> None:
    task = state.tasks.pop(entry["task"])
    task.live, task.decision, task.by = False, entry["decision"], entry["by"]
    task.automatic = entry["automatic"]
    state.tasks[task.id] = task


def _closed(state: State, entry: Entry) -> None:
    for id in entry["tasks"]:
        state.tasks[id].live = False


def _transferred(state: State, entry: Entry) -> None:
    task = state.tasks[entry["task"]]
    task.member, task.since = entry["to"], entry["at"]


def _starter(state: State, entry: Entry) -> None:
    state.starter = entry["to"]


def _left(state: State, entry: Entry) -> None:
    for id in entry["tokens"]:
        state.tokens[id].live = False


def _completed(state: State, entry: Entry) -> None:
    token = state.tokens[entry["token"]]
    token.live, token.done = False, True


def _returned(state: State, entry: Entry) -> None:
    state.returns += 1


def _failed(state: State, entry: Entry) -> None:
    state.tokens[entry["token"]].waits = "problem"


def _outcome(state: State, entry: Entry) -> None:
    state.outcome = entry["outcome"]


def _state(state: State, entry: Entry) -> None:
    state.state = entry["state"]


def _nothing(state: State, entry: Entry) -> None:
    """An entry for people only."""


CHANGES: dict[str, Callable[[State, Entry], None]] = {
    "started": _started,
    "token": _token,
    "entered": _entered,
    "asked": _asked,
    "turn": _turn,
    "decided": _decided,
    "closed": _closed,
    "transferred": _transferred,
    "starter": _starter,
    "left": _left,
    "completed": _completed,
    "returned": _returned,
    "failed": _failed,
    "outcome": _outcome,
    "state": _state,
    "skipped": _nothing,
    "told": _nothing,
    "performed": _nothing,
    "retried": _nothing,
    "withdrawn": _nothing,
    "stopped": _nothing,
}
