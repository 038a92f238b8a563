"""What can happen to a flow. `by` is the id of the member who caused it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Chosen = Mapping[str, tuple[str, ...]]
"""The people chosen beforehand, by the id of the step that will ask them."""


@dataclass(frozen=True)
class Event:
    """Something that happens to an instance."""


@dataclass(frozen=True)
class Started(Event):
    """The trigger was met. `depth` counts the flows that this one is a part of.

    `given` is what the trigger gives to the steps (JSON, see `schemas.results`): before, planned, payload.
    """

    by: str = ""
    chosen: Chosen = field(default_factory=dict)
    depth: int = 0
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided(Event):
    """Somebody acted on their task.

    `action` is approve, submit, reject, return (`to` a step, or `start`), answer (what was delegated), or choose
    (`people` for the step). `back` says whether a return leads straight back, where the step lets its people say.
    `files` and `signature` are ids of uploads.
    """

    task: int
    by: str
    action: str
    comment: str = ""
    to: str = ""
    people: tuple[str, ...] = ()
    chosen: Chosen = field(default_factory=dict)
    back: bool | None = None
    files: tuple[str, ...] = ()
    signature: str = ""


@dataclass(frozen=True)
class Transferred(Event):
    """A task goes to another member; `by_admin` when it was not its holder who did it."""

    task: int
    by: str
    to: str
    comment: str = ""
    by_admin: bool = False


@dataclass(frozen=True)
class HandedOver(Event):
    """All that waits for a member goes to another one: their tasks, with `tasks`, and with `start` what they started."""

    by: str
    member: str
    to: str
    tasks: bool = True
    start: bool = True


@dataclass(frozen=True)
class Delegated(Event):
    """Somebody else is to prepare the answer; the task comes back."""

    task: int
    by: str
    to: str
    comment: str = ""


@dataclass(frozen=True)
class SignerAdded(Event):
    """More people are to sign: `before` or `after` the task's holder, or in `parallel`."""

    task: int
    by: str
    to: tuple[str, ...]
    side: str
    comment: str = ""


@dataclass(frozen=True)
class TakenBack(Event):
    """Somebody takes back what they agreed to, as long as nothing has come of it."""

    task: int
    by: str


@dataclass(frozen=True)
class Commented(Event):
    """Somebody who takes part says something."""

    by: str
    comment: str
    step: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Copied(Event):
    """Somebody who takes part lets others read along."""

    by: str
    to: tuple[str, ...]
    step: str
    comment: str = ""


@dataclass(frozen=True)
class Urged(Event):
    """The starter, or an administrator, asks those who hold tasks to hurry."""

    by: str
    comment: str = ""
    by_admin: bool = False


@dataclass(frozen=True)
class Looked(Event):
    """The record may be another: what waits for that looks again."""


@dataclass(frozen=True)
class Due(Event):
    """The clock has reached what a token waits for. Says nothing when the token has moved on since."""

    token: int
    round: int
    alarm: int


@dataclass(frozen=True)
class Reactivated(Event):
    """An administrator lets the flow go on at a step, whether it is over or not."""

    by: str
    step: str
    comment: str = ""


@dataclass(frozen=True)
class Migrated(Event):
    """An administrator moves the run to another revision of its flow; `steps` maps old ids to new ones."""

    by: str
    revision: int
    steps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SubflowEnded(Event):
    """One of the flows that a step started is over."""

    token: int
    round: int
    item: int
    outcome: str


@dataclass(frozen=True)
class Withdrawn(Event):
    """The starter takes the whole thing back."""

    by: str
    comment: str = ""


@dataclass(frozen=True)
class Ended(Event):
    """An administrator ends it."""

    by: str
    comment: str = ""


@dataclass(frozen=True)
class Performed(Event):
    """A machine step was done. Says nothing when its token has moved on since.

    `result` (JSON, see `schemas.results`) is there for those that give one; `told` is for the log: what was
    given in, and how many milliseconds it took.
    """

    token: int
    round: int
    result: Any = None
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed(Event):
    """A machine step could not be done; `problem` is a sentence with its values."""

    token: int
    round: int
    problem: str
    values: tuple[tuple[str, str], ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    """For the log: what was given in."""


@dataclass(frozen=True)
class Retried(Event):
    """Somebody in charge tries the failed step again."""

    token: int
    by: str


@dataclass(frozen=True)
class Skipped(Event):
    """Somebody in charge lets the flow go on after the failed step."""

    token: int
    by: str
