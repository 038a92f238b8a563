"""Out of office: who takes a member's tasks for a time, in all flows or in one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, or_, select

from runtime.actors import Member
from runtime.context import Context
from runtime.ids import new_id
from runtime.models_flow import absence
from runtime.people import Directory, member_by_id
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

MOST = 50


@dataclass(frozen=True)
class Absence:
    """A time in which somebody stands in. `flow` is `slug.flow`, or empty for all flows."""

    id: UUID
    member: UUID
    stand_in: UUID
    flow: str
    start: datetime
    end: datetime


def stand_in(ctx: Context, member: UUID, flow: str) -> list[UUID]:
    """Who takes the member's tasks of this flow now: what was arranged for the flow comes first, then the newest."""
    a = absence
    now = (a.c.member_id == member, a.c.from_at <= ctx.now, a.c.until_at > ctx.now)
    query = select(a.c.stand_in_id).where(*now, or_(a.c.flow.is_(None), a.c.flow == flow))
    return list(ctx.conn.scalars(query.order_by(a.c.flow.is_(None), a.c.made_at.desc()).limit(1)))


def of_member(ctx: Context, member: UUID) -> list[Absence]:
    """What a member has arranged and that is not over, the soonest first. For themselves and administrators."""
    _own(ctx, member)
    a = absence
    query = select(a).where(a.c.member_id == member, a.c.until_at > ctx.now).order_by(a.c.from_at, a.c.made_at)
    return [
        Absence(r.id, r.member_id, r.stand_in_id, r.flow or "", r.from_at, r.until_at) for r in ctx.conn.execute(query)
    ]


def arrange(
    ctx: Context, member: UUID, to: UUID | None, start: datetime | None, end: datetime | None, flow: str = ""
) -> UUID:
    """Somebody stands in for a member from then until then. Raises NotFound, InvalidInput with every problem."""
    _own(ctx, member)
    problems = {}
    if to is None or to == member or not _here(ctx, to):
        problems["to"] = [say("Choose another member.")]
    if start is None:
        problems["from"] = [say("Say from when.")]
    if end is None or (start is not None and end <= start) or end <= ctx.now:
        problems["until"] = [say("Say until when: later than the beginning, and later than now.")]
    if len(of_member(ctx, member)) >= MOST:
        problems[""] = [say("At most {n} of these are possible; take one away first.", n=MOST)]
    if problems:
        raise InvalidInput(problems)
    id = new_id()
    line = {"id": id, "member_id": member, "stand_in_id": to, "flow": flow or None, "from_at": start, "until_at": end,
            "made_by": ctx.actor.id, "made_at": ctx.now}  # fmt: skip
    ctx.conn.execute(insert(absence).values(line))
    return id


def cancel(ctx: Context, id: UUID) -> None:
    """It does not hold any more. Raises NotFound."""
    member = ctx.conn.scalar(select(absence.c.member_id).where(absence.c.id == id))
    if member is None:
        raise NotFound
    _own(ctx, member)
    ctx.conn.execute(delete(absence).where(absence.c.id == id))


def _here(ctx: Context, id: UUID) -> bool:
    try:
        member_by_id(ctx, id)
    except NotFound:
        return False
    return Directory.of(ctx).person(id) is not None


def _own(ctx: Context, member: UUID) -> None:
    if not (isinstance(ctx.actor, Member) and (ctx.actor.id == member or ctx.actor.admin)):
        raise NotFound
