"""Who belongs to a workspace: its list of members, letting one in, changing one, and their leaving."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, true, update

from runtime import accounts, audit, keyring, models, people, powers, roles
from runtime.actors import unlimited
from runtime.context import Context
from runtime.models_people import duty
from runtime.people import Directory
from schemas.errors import InvalidInput, NotFound
from schemas.formats import FORMATS
from schemas.messages import Message, say

FACTS = ("name", "email", "phone", "title")
LONGEST = 120
SIZE = 50
STATES: dict[str, Message] = {
    "here": say("Active members"), "external": say("External contacts"), "waiting": say("Cannot sign in yet"),
    "admin": say("Administrators"), "left": say("Left"),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """Which members to list: words in their name, e-mail, phone or title; a department with those below; a role; a state."""

    text: str = ""
    department: UUID | None = None
    role: roles.Key | None = None
    state: str = "here"
    page: int = 1


@dataclass(frozen=True)
class Listed:
    """A member as administrators see them."""

    id: UUID
    name: str
    email: str
    phone: str
    title: str
    department_id: UUID | None
    department: str
    admin: bool
    enters: bool
    others: tuple[UUID, ...] = ()
    external: bool = False
    company: str = ""
    avatar: UUID | None = None
    left_at: datetime | None = None
    erased: bool = False


def found(ctx: Context, asked: Asked) -> tuple[list[Listed], int]:
    """One page of the members that are asked for and that the actor manages, by name; and how many there are."""
    m = models.member
    wanted = and_(*_conditions(ctx, asked))
    total = ctx.conn.scalar(select(func.count()).select_from(m).where(wanted)) or 0
    first = SIZE * (max(asked.page, 1) - 1)
    rows = ctx.conn.execute(select(m).where(wanted).order_by(m.c.name, m.c.id).offset(first).limit(SIZE)).all()
    Directory.of(ctx).persons(row.id for row in rows)
    return [_listed(ctx, row) for row in rows], total


def _conditions(ctx: Context, asked: Asked) -> Iterator[ColumnElement[bool]]:
    m = models.member
    yield m.c.left_at.is_not(None) if asked.state == "left" else m.c.left_at.is_(None)
    if asked.state in ("here", "external"):
        yield m.c.external.is_(asked.state == "external")
    if asked.state == "admin":
        yield or_(m.c.admin, m.c.id.in_(select(duty.c.member_id)))
    if asked.state == "waiting":
        yield m.c.account_id.is_(None)
    if asked.text:
        columns = (m.c[fact] for fact in (*FACTS, "company"))
        yield or_(*(column.icontains(asked.text, autoescape=True) for column in columns))
    if asked.department:
        yield roles.in_departments(Directory.of(ctx).below(asked.department))
    if asked.role:
        yield roles.condition(ctx, asked.role)
    if (units := powers.departments(ctx)) is not None:
        yield m.c.department_id.in_(units)


def listed(ctx: Context, text: str = "") -> tuple[list[Listed], int]:
    """The first of the members of these words, and how many there are."""
    return found(ctx, Asked(text))


def one(ctx: Context, id: UUID) -> Listed:
    """A member who is here. Raises NotFound."""
    member = anybody(ctx, id)
    if member.left_at is not None:
        raise NotFound
    return member


def anybody(ctx: Context, id: UUID) -> Listed:
    """A member, also one who has left. Raises NotFound."""
    m = models.member
    row = ctx.conn.execute(select(m).where(m.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return _listed(ctx, row)


def _listed(ctx: Context, row: Any) -> Listed:
    unit = Directory.of(ctx).units.get(row.department_id)
    person = Directory.of(ctx).person(row.id)
    others = tuple(d for d in (person.departments if person else ()) if d != row.department_id)
    return Listed(
        row.id, row.name, row.email or "", row.phone or "", row.title or "", row.department_id,
        unit.name if unit else "", row.admin, row.account_id is not None, others, row.external, row.company or "",
        row.avatar, row.left_at, row.erased_at is not None,
    )  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What a form says of a member: columns of the member table, and the departments beside the main one."""

    facts: dict[str, Any]
    others: tuple[UUID, ...] = ()


def given(ctx: Context, sent: Any, but: UUID | None = None, external: bool = False) -> Given:
    """What a form says of a member. Raises InvalidInput by field. `but` is the member it is of."""
    facts = facts_of(ctx, sent, but)
    company = " ".join(sent.get("company", "").split())
    if len(company) > LONGEST:
        raise InvalidInput({"company": [say("at most {n} characters", n=LONGEST)]})
    if external:
        return Given({**facts, "department_id": None, "external": True, "company": company or None})
    known = {str(u): u for u in Directory.of(ctx).units}
    others = [known[u] for u in sent.getlist("others") if u in known and known[u] != facts["department_id"]]
    return Given(facts, tuple(dict.fromkeys(others)))


def facts_of(ctx: Context, sent: Mapping[str, str], but: UUID | None = None) -> dict[str, Any]:
    """What a form says of a member as columns. Raises InvalidInput by field. `but` is the member it is of."""
    facts: dict[str, Any] = {f: " ".join(sent.get(f, "").split()) or None for f in FACTS}
    errors: dict[str, list[Message]] = {
        f: [say("at most {n} characters", n=LONGEST)] for f in FACTS if len(facts[f] or "") > LONGEST
    }
    if not facts["name"]:
        errors["name"] = [say("A member needs a name.")]
    if facts["email"]:
        facts["email"] = facts["email"].casefold()
        if wrong := _wrong_email(ctx, facts["email"], but):
            errors["email"] = [wrong]
    unit = sent.get("department", "")
    known = {str(u): u for u in Directory.of(ctx).units}
    if unit and unit not in known:
        errors["department"] = [say("There is no such department.")]
    if errors:
        raise InvalidInput(errors)
    return {**facts, "department_id": known.get(unit)}


def add(ctx: Context, said: Given, admin: bool = False) -> UUID:
    """A new member. Raises InvalidInput when the actor may not bring about what they would be."""
    units = [u for u in (said.facts["department_id"], *said.others) if u]
    if powers.departments(ctx) is not None and not units:
        raise InvalidInput({"department": [say("Choose a department that you manage.")]})
    powers.refuse_departments(ctx, units)
    id = people.add_member(ctx, **said.facts, admin=admin and unlimited(ctx.actor))
    _set_others(ctx, id, said.others)
    powers.refuse_gained(ctx, id, ())
    return id


def save(ctx: Context, id: UUID, said: Given, admin: bool) -> None:
    """Change a member whom the actor manages. Raises NotFound, InvalidInput."""
    powers.require_member(ctx, id)
    person = Directory.of(ctx).person(id)
    had, held = set(person.departments if person else ()), powers.roles_of(ctx, id)
    powers.refuse_departments(ctx, {u for u in (said.facts["department_id"], *said.others) if u}, had)
    free = unlimited(ctx.actor)
    change(ctx, id, said.facts, admin if free else bool(person and person.admin))
    _set_others(ctx, id, said.others)
    powers.refuse_gained(ctx, id, held)


def _set_others(ctx: Context, id: UUID, others: Iterable[UUID]) -> None:
    d = models.member_department
    ctx.conn.execute(delete(d).where(d.c.member_id == id))
    for unit in others:
        ctx.conn.execute(insert(d).values(member_id=id, department_id=unit))
    Directory.of(ctx).forget()


def _wrong_email(ctx: Context, email: str, but: UUID | None) -> Message | None:
    m = models.member
    if wrong := FORMATS["email"].problem(email):
        return wrong
    other = select(m.c.name).where(m.c.email == email, m.c.left_at.is_(None), m.c.id.is_distinct_from(but))
    name = ctx.conn.scalar(other.limit(1))
    return say("{name} has this e-mail address already.", name=name) if name else None


def change(ctx: Context, id: UUID, facts: Mapping[str, Any], admin: bool) -> None:
    """Raises InvalidInput when nobody would administer the workspace."""
    m = models.member
    if not admin:
        _keep_an_administrator(ctx, id)
    before = ctx.conn.execute(select(m).where(m.c.id == id)).one()
    ctx.conn.execute(update(m).where(m.c.id == id).values(**facts, admin=admin))
    if changed := [name for name, value in facts.items() if getattr(before, name) != value]:
        audit.note(ctx, "member.changed", before.name, id, fields=changed)
    if admin != before.admin:
        audit.note(ctx, "rights.admin_given" if admin else "rights.admin_taken", before.name, id)
    Directory.of(ctx).forget()


def _keep_an_administrator(ctx: Context, but: UUID) -> None:
    """Raises InvalidInput when this member is the last one who administers and can sign in."""
    m = models.member
    others = select(m.c.id).where(m.c.admin, m.c.left_at.is_(None), m.c.account_id.is_not(None), m.c.id != but)
    was = ctx.conn.scalar(select(m.c.admin).where(m.c.id == but))
    if was and ctx.conn.scalar(others.limit(1)) is None:
        raise InvalidInput(
            {"admin": [say("Somebody must administer the workspace. Make another member administrator first.")]}
        )


def let_in(ctx: Context, id: UUID) -> str:
    """Give a member an account by their e-mail address; their first password, or "" for one who has an account.

    Raises InvalidInput.
    """
    powers.require_member(ctx, id)
    member = one(ctx, id)
    if member.enters:
        return ""
    if not member.email:
        raise InvalidInput({"email": [say("Give the member an e-mail address first; they sign in by it.")]})
    account, password = accounts.find_account(ctx.conn, member.email), ""
    if account is None:
        password = accounts.new_password()
        account = accounts.add_account(ctx.conn, member.email, member.name, password)
    m = models.member
    if ctx.conn.scalar(select(m.c.id).where(m.c.account_id == account)):
        raise InvalidInput({"email": [say("This account belongs to another member here.")]})
    if ctx.workspace.id not in accounts.workspaces_of(ctx.conn, account):
        accounts.join(ctx.conn, account, ctx.workspace.id)
    ctx.conn.execute(update(m).where(m.c.id == id).values(account_id=account))
    audit.note(ctx, "member.let_in", member.name, id, email=member.email)
    return password


def adopt(ctx: Context, email: str, account: UUID, admin: bool) -> bool:
    """Give an account to the member of this e-mail address who has none; whether there is one."""
    m = models.member
    waiting = (func.lower(m.c.email) == email.strip().casefold(), m.c.account_id.is_(None), m.c.left_at.is_(None))
    id = ctx.conn.scalar(select(m.c.id).where(*waiting).limit(1))
    if id is not None:
        ctx.conn.execute(update(m).where(m.c.id == id).values(account_id=account, admin=true() if admin else m.c.admin))
    return id is not None


def renew_password(ctx: Context, id: UUID) -> str:
    """A new password for a member; where they were signed in they no longer are. Raises InvalidInput, NotFound."""
    if not unlimited(ctx.actor):
        raise NotFound
    account = _account(ctx, id)
    if accounts.workspaces_of(ctx.conn, account) != {ctx.workspace.id}:
        raise InvalidInput(
            {"": [say("This account is used in other workspaces too. Only its owner changes the password.")]}
        )
    password = accounts.new_password()
    accounts.set_password(ctx.conn, account, password)
    audit.note(ctx, "member.password_renewed", one(ctx, id).name, id)
    return password


def _account(ctx: Context, id: UUID) -> UUID:
    m = models.member
    account: UUID | None = ctx.conn.scalar(select(m.c.account_id).where(m.c.id == id, m.c.left_at.is_(None)))
    if account is None:
        raise NotFound
    return account


def leave(ctx: Context, id: UUID) -> None:
    """A member goes: they can no longer sign in here, their records and tasks stay. Raises NotFound, InvalidInput."""
    name = one(ctx, id).name
    if id == ctx.actor.id:
        raise InvalidInput({"": [say("You cannot remove yourself.")]})
    powers.require_member(ctx, id)
    _keep_an_administrator(ctx, id)
    m, joined = models.member, models.membership
    account = ctx.conn.scalar(select(m.c.account_id).where(m.c.id == id))
    gone = {"left_at": ctx.now, "admin": False, "account_id": None, "former_account_id": account}
    ctx.conn.execute(update(m).where(m.c.id == id).values(gone))
    if account is not None:
        here = (joined.c.account_id == account, joined.c.workspace_id == ctx.workspace.id)
        ctx.conn.execute(delete(joined).where(*here))
    audit.note(ctx, "member.left", name, id)
    Directory.of(ctx).forget()


def come_back(ctx: Context, id: UUID) -> None:
    """Undo a leaving: the member is here again and signs in as before. What was handed over stays where it is.

    Raises NotFound, InvalidInput.
    """
    m = models.member
    row = ctx.conn.execute(select(m).where(m.c.id == id, m.c.left_at.is_not(None))).one_or_none()
    if row is None or row.erased_at is not None:
        raise NotFound
    powers.require_member(ctx, id)
    if row.email and (wrong := _wrong_email(ctx, row.email, id)):
        raise InvalidInput({"email": [wrong]})
    account = _account_again(ctx, row.former_account_id)
    ctx.conn.execute(update(m).where(m.c.id == id).values(left_at=None, account_id=account, former_account_id=None))
    audit.note(ctx, "member.came_back", row.name, id)
    Directory.of(ctx).forget()


def _account_again(ctx: Context, account: UUID | None) -> UUID | None:
    """The account, let into the workspace again; None when there is none, or another member has it by now."""
    m, a = models.member, models.account
    there = ctx.conn.scalar(select(a.c.id).where(a.c.id == account)) if account else None
    if there is None or ctx.conn.scalar(select(m.c.id).where(m.c.account_id == there)):
        return None
    if ctx.workspace.id not in accounts.workspaces_of(ctx.conn, there):
        accounts.join(ctx.conn, there, ctx.workspace.id)
    return there  # type: ignore[no-any-return]


# -- what an app asks for: slots and roles ---------------------------------------------------------


def members_here(ctx: Context, ids: list[str]) -> list[UUID]:
    """Those ids that are members of this workspace, in order."""
    return people.here(ctx, ids)


def found_by(ctx: Context, text: str, kind: str) -> UUID:
    """The member, department or secret of this e-mail address or name. Raises InvalidInput when there is not exactly one."""
    wanted = text.strip().casefold()
    if kind == "secret":
        found = [id for id, name in keyring.names(ctx).items() if name.casefold() == wanted]
    elif kind == "department":
        found = [u.id for u in Directory.of(ctx).units.values() if u.name.casefold() == wanted]
    else:
        m = models.member
        same = or_(func.lower(m.c.email) == wanted, func.lower(m.c.name) == wanted)
        found = list(ctx.conn.scalars(select(m.c.id).where(same, m.c.left_at.is_(None))))
    if len(found) != 1:
        words = say("'{text}' was not found.", text=text) if not found else say("'{text}' names several.", text=text)
        raise InvalidInput({"": [words]})
    return found[0]
