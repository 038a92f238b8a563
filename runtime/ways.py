"""Which messages reach a member, and by which way: at once, gathered into a digest, only in the browser, or not at all."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime import models, preferences
from runtime.context import Context
from schemas.errors import InvalidInput
from schemas.messages import Message, say
from schemas.numbers import read_whole

KINDS: dict[str, Message] = {
    "task": say("Tasks for me, and reminders of them"), "outcome": say("What became of what I started"),
    "told": say("Copies that a flow sends me"), "comment": say("Comments that name me or answer me"),
    "failed": say("Flows in my charge that cannot go on"), "file": say("Files that I asked for are ready"),
}  # fmt: skip
MAILS: dict[str, Message] = {
    "at_once": say("At once"), "daily": say("In a daily digest"), "weekly": say("In a weekly digest"), "never": say("Never"),
}  # fmt: skip
DIGESTS = ("daily", "weekly")
KEY = "notices"


def _mails() -> dict[str, str]:
    return {kind: "never" if kind in ("comment", "file") else "at_once" for kind in KINDS}


@dataclass(frozen=True)
class Ways:
    """One member's choice. `weekday` counts from Monday, 0; `links` lets mails have links that decide without signing in."""

    inbox: Mapping[str, bool] = field(default_factory=lambda: dict.fromkeys(KINDS, True))
    mail: Mapping[str, str] = field(default_factory=_mails)
    hour: int = 8
    weekday: int = 0
    links: bool = True

    @classmethod
    def of(cls, kept: Any) -> "Ways":
        """As it was kept; a kind that came later stands as it does for everybody."""
        if not kept:
            return cls()
        own = cls()
        return cls(
            {**own.inbox, **kept["inbox"]}, {**own.mail, **kept["mail"]}, kept["hour"], kept["weekday"], kept["links"]
        )


def of_members(ctx: Context, members: Iterable[UUID]) -> dict[UUID, Ways]:
    wanted = list(dict.fromkeys(members))
    p = models.preference
    query = select(p.c.member_id, p.c.value).where(p.c.key == KEY, p.c.member_id.in_(wanted))
    kept = {row.member_id: row.value for row in ctx.conn.execute(query)} if wanted else {}
    return {member: Ways.of(kept.get(member)) for member in wanted}


def mine(ctx: Context) -> Ways:
    return Ways.of(preferences.read(ctx, KEY))


def choose(ctx: Context, sent: Mapping[str, str]) -> None:
    """Keep what a member chose: `inbox.task`, `mail.task` and so on, `hour`, `weekday`, `links`. Raises InvalidInput."""
    hour, weekday = read_whole(sent.get("hour", "")), read_whole(sent.get("weekday", ""))
    mail = {kind: sent.get(f"mail.{kind}", "") for kind in KINDS}
    if hour is None or hour > 23 or weekday is None or weekday > 6 or not set(mail.values()) <= set(MAILS):
        raise InvalidInput({"": [say("Choose from the lists.")]})
    inbox = {kind: f"inbox.{kind}" in sent for kind in KINDS}
    preferences.write(ctx, KEY, asdict(Ways(inbox, mail, hour, weekday, "links" in sent)))
