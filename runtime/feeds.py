"""A calendar of one's tasks that are to be done by a time, at a secret address which can be taken back."""

import hmac
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select

from runtime import models, notices, people, preferences, tasks
from runtime.context import Context
from runtime.models_flow import flow_instance, flow_task
from runtime.settings import Settings
from schemas.errors import NotFound

KEY = "calendar"
MOST = 500
WIDTH = 73
"""Bytes in a line; longer ones are folded, as iCalendar wants it."""


def make(ctx: Context) -> str:
    """A new address for the actor's calendar; an earlier one does not hold any more."""
    assert ctx.actor.id is not None
    secret = secrets.token_urlsafe(32)
    preferences.write(ctx, KEY, {"hash": _hashed(secret), "made": ctx.now.isoformat()})
    return f"{Settings.read().public_url}/calendar/{ctx.workspace.slug}/{ctx.actor.id.hex}-{secret}.ics"


def revoke(ctx: Context) -> None:
    preferences.write(ctx, KEY, {})


def made_at(ctx: Context) -> datetime | None:
    kept = preferences.read(ctx, KEY)
    return datetime.fromisoformat(kept["made"]) if kept else None


def as_member(ctx: Context, name: str) -> Context:
    """The context of the member whose calendar has this name. Raises NotFound."""
    member, _, secret = name.partition("-")
    p = models.preference
    try:
        id = UUID(member)
    except ValueError:
        raise NotFound from None
    kept = ctx.conn.scalar(select(p.c.value).where(p.c.key == KEY, p.c.member_id == id)) or {}
    if not hmac.compare_digest(kept.get("hash", ""), _hashed(secret)):
        raise NotFound
    return ctx.acting_as(people.member_by_id(ctx, id), origin="calendar")


def _hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def calendar(ctx: Context) -> str:
    """The actor's open tasks with a deadline, as iCalendar; titles as far as the actor may see them."""
    i, t = flow_instance.c, flow_task.c
    query = (
        select(t.id, t.step, t.asked_at, t.due_at, i.flow, i.revision, i.installation_id, i.table_id, i.record_id)
        .join(flow_instance, i.id == t.instance_id)
        .where(t.member_id == ctx.actor.id, t.state == "live", t.due_at.is_not(None))
        .order_by(t.due_at)
        .limit(MOST)
    )
    rows = ctx.conn.execute(query).all()
    titles = tasks.record_titles(ctx, [(row.installation_id, row.table_id, row.record_id) for row in rows])
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Mortise//Tasks//EN", "METHOD:PUBLISH",
             f"X-WR-CALNAME:{_escaped(ctx.workspace.title)}"]  # fmt: skip
    for row in rows:
        flow, step = tasks.names_of(ctx, row.installation_id, row.revision, row.flow, row.step)
        words = [part.in_language(ctx.workspace.language) for part in (flow, step)]
        lines += _event(ctx, row, ": ".join(filter(None, [titles.get(row.record_id, ""), *words])))
    return "".join(part for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _event(ctx: Context, row: object, title: str) -> Iterator[str]:
    due, id = row.due_at, row.id  # type: ignore[attr-defined]
    url = notices.page_address(ctx, f"/tasks/{id}")
    yield from ("BEGIN:VEVENT", f"UID:{id}@mortise", f"DTSTAMP:{_stamp(row.asked_at)}")  # type: ignore[attr-defined]
    yield from (f"DTSTART:{_stamp(due)}", "DURATION:PT15M", f"SUMMARY:{_escaped(title)}")
    yield from (f"URL:{url}", f"DESCRIPTION:{_escaped(url)}", "TRANSP:TRANSPARENT", "END:VEVENT")


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for sign in "\\;,":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.splitlines())


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of so many bytes, no character torn apart; those after the first begin with a space."""
    piece, size = "", 0
    for sign in line:
        wide = len(sign.encode())
        if size + wide > WIDTH:
            yield f"{piece}\r\n"
            piece, size = " ", 1
        piece, size = piece + sign, size + wide
    yield f"{piece}\r\n"
