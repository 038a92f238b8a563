"""The log of a run as people read it: who did what at which step, when, and how long they had it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.engine.state import Entry, State, Token
from schemas.messages import Message

SHOWN = (
    "started",
    "decided",
    "transferred",
    "starter",
    "delegated",
    "added",
    "reopened",
    "commented",
    "copied",
    "urged",
    "reminded",
    "chosen",
    "spawned",
    "sub_ended",
    "reactivated",
    "migrated",
    "withdrawn",
    "stopped",
    "skipped",
    "told",
    "failed",
    "retried",
    "outcome",
)
"""The entries that mean something to people; the others move tokens."""


@dataclass(frozen=True)
class Moment:
    """One line of the timeline.

    `what` is a decision (approve, submit, reject, return, answer, choose) or an entry of `SHOWN`; `who` are ids of
    members; `to` a step's id (return), a member's (transfer) or an outcome, `people` those added or told; `took`
    how long the task had been with its holder, `instead_of` whom they stood in for. `files` and `signature` are uploads.
    """

    what: str
    at: datetime
    step: str = ""
    who: tuple[str, ...] = ()
    comment: str = ""
    to: str = ""
    took: timedelta | None = None
    automatic: bool = False
    why: str = ""
    problem: Message | None = None
    people: tuple[str, ...] = ()
    instead_of: str = ""
    files: tuple[str, ...] = ()
    signature: str = ""


@dataclass(frozen=True)
class Holding:
    """Who is asked at a step now, since when and until when; of what kind the task is, and for whom they stand in."""

    step: str
    member: str
    since: datetime
    due: datetime | None = None
    kind: str = "ask"
    instead_of: str = ""


def timeline(log: Iterable[Entry]) -> list[Moment]:
    """The lines that people read, oldest first."""
    return [_moment(entry) for entry in log if entry["what"] in SHOWN]


def _moment(entry: Entry) -> Moment:
    at = datetime.fromisoformat(entry["at"])
    since = entry.get("since")
    problem = entry.get("problem")
    return Moment(
        what=entry.get("decision") or entry["what"],
        at=at,
        step=entry.get("step", ""),
        who=tuple([entry["by"]] if entry.get("by") else entry.get("people") or ()),
        comment=entry.get("comment", ""),
        to=entry.get("to") or entry.get("outcome", ""),
        took=at - datetime.fromisoformat(since) if since and not entry.get("automatic") else None,
        automatic=bool(entry.get("automatic")),
        why=entry.get("why") or entry.get("action") or entry.get("side", ""),
        problem=Message(problem, dict(entry.get("values") or {})) if problem else None,
        people=tuple(entry.get("people") or ()) if entry.get("by") else (),
        instead_of=entry.get("instead_of", ""),
        files=tuple(entry.get("files") or ()),
        signature=entry.get("signature", ""),
    )


def holding(state: State) -> list[Holding]:
    """Everybody who is asked now."""
    return [
        Holding(
            task.step,
            task.member,
            datetime.fromisoformat(task.since),
            datetime.fromisoformat(task.due) if task.due else None,
            task.kind,
            task.instead_of,
        )
        for task in state.live_tasks()
    ]


def stuck(state: State) -> list[Token]:
    """The tokens that wait for somebody in charge."""
    return [token for token in state.live_tokens() if token.waits == "problem"]
