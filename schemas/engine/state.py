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
    """A place in the flow.

    `waits` is for: people, machine, branches, time, change, subflow, or a person in charge (problem). `round` is new with
    every step entered; children of a fork carry the round of their parent in `fork`. `alarm` numbers the
    wakings that were asked for in this round; only the last, at `alarm_at`, means anything. `ended` are
    the subflows that are over, `needed` how many of them (or of the branches) must be. `items` are what a
    loop goes through, as JSON, and `at` the number of the one whose turn it is. A change is waited for `until` then.
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
    alarm: int = 0
    alarm_at: str = ""
    ended: list[int] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    at: int = 0
    until: str = ""


@dataclass
class Task:
    """What a member is asked. Live while a decision is wanted; a decided one keeps its decision.

    `sequence` is the place in the round: what was added before or after a task, or delegated from it, shares
    it. `kind` is ask, before, after, parallel, delegated or choose; `origin` the task that it was made from.
    A `paused` task waits for those. `closed` says why nothing is wanted any more: settled or left.
    `instead_of` is the member who is away; `alarms` counts what has been done about its being late; `back`
    is where the token was to go straight after this round.
    """

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
    kind: str = "ask"
    origin: int | None = None
    weight: int = 1
    instead_of: str = ""
    due: str = ""
    alarms: int = 0
    paused: bool = False
    closed: str = ""
    back: str = ""

    @property
    def open(self) -> bool:
        """Whether an answer is wanted, now or when its turn comes."""
        return not self.decision and not self.closed

    @property
    def votes(self) -> bool:
        """Whether its decision counts."""
        return self.kind in ("ask", "parallel", "after")


@dataclass
class State:
    """One run: running, failed (somebody in charge must help), approved, rejected, withdrawn or ended.

    `outcome` is set as soon as it is decided; the state follows when the steps after it are done. `chosen` are
    the people picked for a step. `last` is the task that a person agreed to last, while that may be taken back.
    `results` are what steps gave to those after them, by step, as `schemas.results` writes it.
    """

    state: str = "running"
    outcome: str = ""
    starter: str = ""
    numbers: int = 0
    entries: int = 0
    returns: int = 0
    depth: int = 0
    last: int = 0
    urged: str = ""
    chosen: dict[str, list[str]] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
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
        """The tasks on which a person agreed and that count, oldest decision first."""
        return [t for t in self.agreed() if not t.automatic]

    def agreed(self) -> list[Task]:
        """The tasks agreed on, by a person or of themselves, oldest decision first."""
        return [t for t in self.tasks.values() if t.decision in AGREED and t.votes]


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
    state.starter, state.depth = entry["by"], entry.get("depth", 0)
    state.results |= entry.get("given", {})


def _token(state: State, entry: Entry) -> None:
    state.numbers = entry["token"]
    token = Token(entry["token"], entry["sequence"], entry["parent"], entry["fork"])
    state.tokens[token.id] = token


def _entered(state: State, entry: Entry) -> None:
    token = state.tokens[entry["token"]]
    state.numbers = token.round = entry["round"]
    token.step, token.waits = entry["step"], entry["waits"]
    token.needed, token.back = entry.get("needed", 0), entry.get("back", "")
    token.alarm, token.alarm_at, token.ended = 0, "", []
    token.items, token.at = [], 0


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
        kind=entry.get("kind", "ask"),
        origin=entry.get("origin"),
        weight=entry.get("weight", 1),
        instead_of=entry.get("instead_of", ""),
        due=entry.get("due", ""),
        back=token.back,
    )


def _paused(state: State, entry: Entry) -> None:
    task = state.tasks[entry["task"]]
    task.live, task.paused = False, True


def _turn(state: State, entry: Entry) -> None:
    task = state.tasks[entry["task"]]
    task.live, task.paused, task.since, task.alarms = True, False, entry["at"], 0
    task.member, task.instead_of = entry["member"], entry.get("instead_of", task.instead_of)
    task.due = entry.get("due", "")


def _decided(state: State, entry: Entry) -> None:
    task = state.tasks.pop(entry["task"])
    task.live, task.decision, task.by = False, entry["decision"], entry["by"]
    task.automatic = entry["automatic"]
    state.tasks[task.id] = task
    if not task.automatic:
        state.last = task.id if task.decision in AGREED and task.votes else 0


def _closed(state: State, entry: Entry) -> None:
    for id in entry["tasks"]:
        state.tasks[id].live = False
        state.tasks[id].closed = entry.get("why", "left")


def _reopened(state: State, entry: Entry) -> None:
    """A round is open again: the decision taken back is wanted once more, and so is what it had closed."""
    token = state.tokens[entry["token"]]
    token.step, token.round, token.waits = entry["step"], entry["round"], "people"
    token.needed, token.back, token.alarm_at = 0, entry["back"], ""
    for id in entry["tasks"]:
        task = state.tasks[id]
        task.live, task.closed, task.decision, task.by = id in entry["live"], "", "", ""
        task.paused = task.paused and not task.live
    state.last = 0


def _transferred(state: State, entry: Entry) -> None:
    task = state.tasks[entry["task"]]
    task.member, task.since, task.instead_of = entry["to"], entry["at"], ""
    state.last = 0


def _alarm(state: State, entry: Entry) -> None:
    token = state.tokens[entry["token"]]
    token.alarm, token.alarm_at = entry["alarm"], entry["when"]


def _watched(state: State, entry: Entry) -> None:
    state.tokens[entry["token"]].until = entry["until"]


def _late(state: State, entry: Entry) -> None:
    task = state.tasks[entry["task"]]
    task.alarms, task.due = entry["alarms"], entry.get("due", task.due)


def _chosen(state: State, entry: Entry) -> None:
    state.chosen[entry["step"]] = list(entry["people"])


def _urged(state: State, entry: Entry) -> None:
    state.urged = entry["at"]


def _sub_ended(state: State, entry: Entry) -> None:
    state.tokens[entry["token"]].ended.append(entry["item"])


def _reactivated(state: State, entry: Entry) -> None:
    state.state, state.outcome, state.last = "running", "", 0


def _unreturnable(state: State, entry: Entry) -> None:
    """Something was done that taking back a decision would not undo."""
    state.last = 0


def _performed(state: State, entry: Entry) -> None:
    """A machine step was done. What it did, taking back a decision would not undo."""
    state.last = 0
    if "result" in entry:
        state.results[entry["step"]] = entry["result"]


def _items(state: State, entry: Entry) -> None:
    state.tokens[entry["token"]].items = list(entry["items"])


def _item(state: State, entry: Entry) -> None:
    """It is an item's turn in a loop: the same token goes through the steps once more."""
    token = state.tokens[entry["token"]]
    token.at = entry["item"]
    state.results[token.step] = token.items[token.at]
    if (inner := entry.get("again")) is not None:
        state.tokens[inner].live, state.tokens[inner].done = True, False


def _migrated(state: State, entry: Entry) -> None:
    names: dict[str, str] = entry["steps"]
    for token in state.tokens.values():
        token.step, token.back = names.get(token.step, token.step), names.get(token.back, token.back)
        owner, dot, branch = token.sequence.partition(".")
        token.sequence = f"{names.get(owner, owner)}{dot}{branch}"
    for task in state.tasks.values():
        task.step = names.get(task.step, task.step)
    state.chosen = {names.get(step, step): people for step, people in state.chosen.items()}
    state.results = {names.get(step, step): result for step, result in state.results.items()}
    state.last = 0


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
    "paused": _paused,
    "turn": _turn,
    "decided": _decided,
    "closed": _closed,
    "reopened": _reopened,
    "chosen": _chosen,
    "alarm": _alarm,
    "watched": _watched,
    "late": _late,
    "urged": _urged,
    "sub_ended": _sub_ended,
    "spawned": _unreturnable,
    "reactivated": _reactivated,
    "migrated": _migrated,
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
    "added": _nothing,
    "delegated": _nothing,
    "reminded": _nothing,
    "commented": _nothing,
    "copied": _nothing,
    "performed": _performed,
    "items": _items,
    "item": _item,
    "retried": _nothing,
    "withdrawn": _nothing,
    "stopped": _nothing,
}
