"""Digests by mail: what was not told at once, gathered for a day or a week, at the hour that each member chose."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, delete, func, select

from runtime import mail, notices, tasks, ways
from runtime.context import Context
from runtime.jobs import periodic
from runtime.models_flow import digest_line
from runtime.people import Directory
from runtime.ways import Ways
from runtime.workspaces import all_workspaces, opened
from schemas.messages import say

MOST_LINES = 100


def last_due(chosen: Ways, often: str, now: datetime) -> datetime:
    """The latest moment not after `now` (which is on the member's clock) at which a digest was to be sent."""
    due = now.replace(hour=chosen.hour, minute=0, second=0, microsecond=0)
    due -= timedelta(days=1) if due > now else timedelta()
    return due - timedelta(days=(due.weekday() - chosen.weekday) % 7) if often == "weekly" else due


@periodic("digests", "3 * * * *")
def send_all(engine: Engine, moment: datetime) -> None:
    """Every hour: the digests that have become due; what an hour without workers left out is made up for."""
    with engine.connect() as conn:
        found = all_workspaces(conn)
    for workspace in found:
        with opened(engine, workspace, now=moment) as ctx:
            send_due(ctx)


def send_due(ctx: Context) -> int:
    """Send what is due in a workspace; how many digests that were."""
    d, now = digest_line.c, ctx.now.astimezone(ctx.zone)
    kept = ctx.conn.execute(
        select(d.member_id, d.often, func.min(d.at).label("first")).group_by(d.member_id, d.often)
    ).all()
    chosen = ways.of_members(ctx, [row.member_id for row in kept])
    ready: dict[UUID, list[str]] = {}
    for row in kept:
        if row.first <= last_due(chosen[row.member_id], row.often, now):
            ready.setdefault(row.member_id, []).append(row.often)
    people = Directory.of(ctx).persons(ready)
    for member, often in ready.items():
        lines = _taken(ctx, member, often)
        person = people.get(member)
        if person is not None and person.email and not person.left:
            _send(ctx, member, person.email, lines)
    return len(ready)


def _taken(ctx: Context, member: UUID, often: Iterable[str]) -> Sequence[Any]:
    """What has gathered, oldest first; it goes with the transaction that sends it."""
    d = digest_line.c
    gone = delete(digest_line).where(d.member_id == member, d.often.in_(list(often))).returning(d.body, d.address, d.at)
    return sorted(ctx.conn.execute(gone), key=lambda row: row.at)


def _send(ctx: Context, member: UUID, to: str, lines: Sequence[Any]) -> None:
    language = ctx.workspace.language
    waiting = ctx.conn.scalar(tasks.WAITING, {"me": member}) or 0
    head = say("{title}: {n} messages, {tasks} tasks to do", title=ctx.workspace.title, n=len(lines), tasks=waiting)
    told = [
        f"{row.at.astimezone(ctx.zone):%m-%d %H:%M}  {notices.spoken(notices.read(row.body), language)}\n"
        f"{notices.page_address(ctx, row.address)}"
        for row in lines[-MOST_LINES:]
    ]
    todo = f"{notices.spoken(say('To do'), language)}: {waiting}\n{notices.page_address(ctx, '/tasks/')}"
    mail.post(ctx, to, notices.spoken(head, language), "\n\n".join([todo, *told]))
