"""What can happen to a flow. `by` is the id of the member who caused it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Something that happens to an instance."""


@dataclass(frozen=True)
class Started(Event):
    """The trigger was met."""

    by: str = ""


@dataclass(frozen=True)
class Decided(Event):
    """Somebody acted on their task: approve, submit, reject, or return (`to` a step, or `start`)."""

    task: int
    by: str
    action: str
    comment: str = ""
    to: str = ""


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
    """A machine step was done. Says nothing when its token has moved on since."""

    token: int
    round: int


@dataclass(frozen=True)
class Failed(Event):
    """A machine step could not be done; `problem` is a sentence with its values."""

    token: int
    round: int
    problem: str
    values: tuple[tuple[str, str], ...] = ()


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
