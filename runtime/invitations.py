"""Invitations into a workspace: a link to pass on, or one sent by mail; they expire, may be withdrawn and give what was said."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, func, insert, or_, select, update

from runtime import account_mail, accounts, audit, definitions, membership, models, people, tickets, workspaces
from runtime.actors import Member, System
from runtime.context import Context, Workspace
from runtime.ids import new_id
from runtime.jobs import job_apart
from runtime.models_accounts import invitation as i
from runtime.people import Directory
from runtime.tickets import digest
from schemas.errors import InvalidInput, NotFound
from schemas.formats import FORMATS
from schemas.messages import Message, say
from schemas.text import Text

LASTS = {"1": timedelta(days=1), "7": timedelta(days=7), "30": timedelta(days=30)}
"""Days that may be chosen."""
MOST_USES = 1_000
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Invitation:
    """An invitation as the workspace's administrators see it."""

    id: UUID
    email: str | None
    department: str
    roles: Sequence[Text]
    uses: int
    most_uses: int | None
    made_by: str
    made_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Offer:
    """What whoever has the link is offered."""

    id: UUID
    workspace: Workspace
    email: str | None
    by: str


# -- making and withdrawing ------------------------------------------------------------------------


def invite(ctx: Context, sent: Mapping[str, str], roles: Sequence[str]) -> list[str]:
    """Invite by mail those who are named, or make one link. Its token, or none where mails go. Raises InvalidInput."""
    emails = _emails(ctx, sent.get("emails", ""))
    lasts = LASTS.get(sent.get("lasts", "7"))
    department = _department(ctx, sent.get("department", ""))
    given = _roles(ctx, roles)
    if lasts is None:
        raise InvalidInput({"lasts": [say("Choose how long the invitation is good.")]})
    if not emails:
        return [_make(ctx, None, department, given, _uses(sent.get("uses", "")), lasts)]
    for email in emails:
        token = _make(ctx, email, department, given, 1, lasts)
        _write(ctx, email, f"/invite/{token}")
    return []


def _make(
    ctx: Context, email: str | None, department: UUID | None, roles: list[list[str]], uses: int | None, lasts: timedelta
) -> str:
    token, id = secrets.token_urlsafe(32), new_id()
    ctx.conn.execute(
        insert(i).values(
            id=id, digest=digest(token), workspace_id=ctx.workspace.id, email=email, department_id=department,
            roles=roles, most_uses=uses, made_by=ctx.actor.name, made_at=ctx.now, ends_at=ctx.now + lasts,
        )
    )  # fmt: skip
    audit.note(ctx, "member.invited", email or "", id, uses=uses, roles=[role for _, role in roles])
    return token


def _write(ctx: Context, email: str, path: str) -> None:
    account_mail.post(
        ctx.conn, email, ctx.workspace.language, say("Invitation to {workspace}", workspace=ctx.workspace.title),
        say("{name} invites you to work in {workspace}.", name=ctx.actor.name, workspace=ctx.workspace.title),
        say("Accept it here:"), account_mail.address_of(path),
    )  # fmt: skip


def _emails(ctx: Context, text: str) -> list[str]:
    emails = list(
        dict.fromkeys(
            accounts.canonical(e) for e in text.replace(",", " ").replace("，", " ").replace(";", " ").split()
        )
    )
    wrong = [email for email in emails if FORMATS["email"].problem(email)]
    if wrong:
        raise InvalidInput({"emails": [say("'{text}' is no e-mail address.", text=wrong[0][:60])]})
    if len(emails) > MOST_AT_ONCE:
        raise InvalidInput({"emails": [say("At most {n} at once.", n=MOST_AT_ONCE)]})
    return emails


def _uses(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal() or not 1 <= int(text[:6]) <= MOST_USES:
        raise InvalidInput({"uses": [say("A whole number from 1 to {n}, or nothing.", n=f"{MOST_USES:,}")]})
    return int(text)


def _department(ctx: Context, text: str) -> UUID | None:
    known = {str(u): u for u in Directory.of(ctx).units}
    if text and text not in known:
        raise InvalidInput({"department": [say("There is no such department.")]})
    return known.get(text)


def _roles(ctx: Context, chosen: Sequence[str]) -> list[list[str]]:
    known = {f"{inst}:{role}" for inst, role, _ in roles_offered(ctx)}
    return [one.split(":", 1) for one in dict.fromkeys(chosen) if one in known]


def roles_offered(ctx: Context) -> list[tuple[UUID, str, Text]]:
    """Every role of every app: its installation, its id, and its title with the app's."""
    return [
        (inst.id, role.id, Text.of(_titled(inst.app.title or Text.of(inst.slug), role.title or Text.of(role.id))))
        for inst in definitions.all_installed(ctx)
        for role in inst.app.roles
    ]


def _titled(app: Text, role: Text) -> dict[str, str]:
    return {language: f"{app.in_language(language)} · {role.in_language(language)}" for language in ("zh", "en")}


def listed(ctx: Context) -> list[Invitation]:
    """The invitations that are still good, the newest first."""
    units = Directory.of(ctx).units
    titles = {(str(inst), role): title for inst, role, title in roles_offered(ctx)}
    rows = ctx.conn.execute(
        select(i).where(i.c.workspace_id == ctx.workspace.id, *_open(ctx.now)).order_by(i.c.made_at.desc())
    )
    return [
        Invitation(
            row.id, row.email, units[row.department_id].name if row.department_id in units else "",
            [titles[inst, role] for inst, role in row.roles if (inst, role) in titles],
            row.uses, row.most_uses, row.made_by, row.made_at, row.ends_at,
        )
        for row in rows
    ]  # fmt: skip


def withdraw(ctx: Context, id: UUID) -> None:
    """Whoever has the link can no longer use it. Raises NotFound."""
    own = (i.c.id == id, i.c.workspace_id == ctx.workspace.id, i.c.revoked_at.is_(None))
    row = ctx.conn.execute(update(i).where(*own).values(revoked_at=ctx.now).returning(i.c.email)).one_or_none()
    if row is None:
        raise NotFound
    audit.note(ctx, "member.invitation_ended", row.email or "", id)


def _open(now: datetime) -> tuple[Any, ...]:
    return i.c.revoked_at.is_(None), i.c.ends_at > now, or_(i.c.most_uses.is_(None), i.c.uses < i.c.most_uses)


# -- accepting -------------------------------------------------------------------------------------


def offered(conn: Connection, token: str) -> Offer:
    """What a link is good for. Raises NotFound when it was withdrawn, used up, or is too old."""
    return _offer(conn, i.c.digest == digest(token))


def _offer(conn: Connection, which: Any) -> Offer:
    row = conn.execute(select(i).where(which, *_open(datetime.now(UTC)))).one_or_none()
    if row is None:
        raise NotFound
    return Offer(row.id, workspaces.find(conn, id=row.workspace_id), row.email, row.made_by)


def accept(engine: Engine, id: UUID, account: UUID) -> Workspace:
    """The account's owner becomes a member; once is enough. Raises NotFound when the link is no longer good."""
    with engine.connect() as conn:
        place = _offer(conn, i.c.id == id).workspace
    with workspaces.opened(engine, place) as ctx:
        if place.id in accounts.workspaces_of(ctx.conn, account):
            return place
        taken = (
            update(i)
            .where(i.c.id == id, *_open(ctx.now))
            .values(uses=i.c.uses + 1)
            .returning(i.c.department_id, i.c.roles)
        )
        row = ctx.conn.execute(taken).one_or_none()
        if row is None:
            raise NotFound
        _become_member(ctx, account, row.department_id, row.roles)
    return place


def join_directly(engine: Engine, account: UUID, workspace: UUID) -> None:
    """Whoever comes from the workspace's own sign-in provider is a member without an invitation."""
    with engine.connect() as conn:
        place = workspaces.find(conn, id=workspace)
    with workspaces.opened(engine, place) as ctx:
        if workspace not in accounts.workspaces_of(ctx.conn, account):
            _become_member(ctx, account, None, [])


def _become_member(ctx: Context, account: UUID, department: UUID | None, roles: list[list[str]]) -> None:
    """A member with what was promised; a former member, or one who is waiting under this address, is the same again."""
    known = accounts.account(ctx.conn, account)
    accounts.join(ctx.conn, account, ctx.workspace.id)
    m = models.member
    if not (known.verified and membership.adopt(ctx, known.email, account, admin=False)):
        unit = department if department in Directory.of(ctx).units else None
        people.add_member(ctx, known.name, email=known.email, account_id=account, department_id=unit)
    id = ctx.conn.scalar(select(m.c.id).where(m.c.account_id == account))
    present = {(str(inst), role): inst for inst, role, _ in roles_offered(ctx)}
    for inst, role in roles:
        if (inst, role) in present and id is not None:
            people.give_role(ctx, present[inst, role], role, id)
    audit.note(ctx.acting_as(Member(id=id, name=known.name, account_id=account)), "member.joined", known.email)


def leave(engine: Engine, account: UUID, workspace: UUID) -> None:
    """An account leaves a workspace of its own accord. Raises NotFound, InvalidInput for the last administrator."""
    with engine.connect() as conn:
        if workspace not in accounts.workspaces_of(conn, account):
            raise NotFound
        place = workspaces.find(conn, id=workspace)
    with workspaces.opened(engine, place) as ctx:
        actor = people.member_of(ctx, account)
        if actor.id is not None:
            membership.leave(ctx.acting_as(System(name=actor.name)), actor.id)
        audit.note(ctx.acting_as(actor), "member.went", actor.name, actor.id)


# -- accounts by mail ------------------------------------------------------------------------------


@job_apart("account.join")
def confirm_join(conn: Connection, email: str, language: str, invitation: str) -> None:
    """To somebody who followed a passed-on link: the proof that the address is theirs."""
    try:
        offer = _offer(conn, i.c.id == UUID(invitation))
    except NotFound:
        return
    _prove(
        conn,
        "join",
        email,
        language,
        say("Invitation to {workspace}", workspace=offer.workspace.title),
        invitation=invitation,
    )


@job_apart("account.sign_up")
def confirm_sign_up(conn: Connection, email: str, language: str) -> None:
    """To somebody who wants a workspace of their own."""
    _prove(conn, "sign_up", email, language, say("Your new workspace"))


def _prove(conn: Connection, kind: str, email: str, language: str, subject: Message, **more: Any) -> None:
    token = tickets.give(conn, kind, None, email=email, **more)
    account_mail.post(
        conn, email, language, subject, say("Go on here within a day:"), account_mail.address_of(f"/welcome/{token}"),
        account_mail.SIGNATURE,
    )  # fmt: skip


def free_slug(conn: Connection) -> str:
    """A short name for a workspace whose title gives none."""
    count = conn.scalar(select(func.count()).select_from(models.workspace)) or 0
    taken = set(conn.scalars(select(models.workspace.c.slug)))
    return next(slug for n in range(count + 1, 2 * count + 3) if (slug := f"team-{n}") not in taken)


def found_workspace(engine: Engine, account: UUID, title: str, language: str) -> Workspace:
    """A workspace of one's own, with its first administrator. Raises InvalidInput."""
    title = " ".join(title.split())
    if not 0 < len(title) <= workspaces.LONGEST_TITLE:
        raise InvalidInput(
            {"title": [say("Give the workspace a name of at most {n} characters.", n=workspaces.LONGEST_TITLE)]}
        )
    with engine.connect() as conn:
        slug = free_slug(conn)
    made = workspaces.create(engine, slug, title, language=language)
    with workspaces.opened(engine, made) as ctx:
        known = accounts.account(ctx.conn, account)
        accounts.join(ctx.conn, account, made.id)
        id = people.add_member(ctx, known.name, email=known.email, account_id=account, admin=True)
        audit.note(ctx.acting_as(Member(id=id, name=known.name, account_id=account)), "workspace.made", title, made.id)
    return made
