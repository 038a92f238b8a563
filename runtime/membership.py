"""Who belongs to a workspace: its list of members, letting one in, changing one, and their leaving."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, true, update

from runtime import accounts, audit, models, people
from runtime.context import Context
from runtime.people import Directory
from schemas.errors import InvalidInput, NotFound
from schemas.formats import FORMATS
from schemas.messages import Message, say

FACTS = ("name", "email", "phone", "title")
LONGEST = 120
MOST_SHOWN = 200


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


def listed(ctx: Context, text: str = "", limit: int = MOST_SHOWN) -> tuple[list[Listed], int]:
    """Members by name, those whose name, e-mail or title contains the text; and how many there are of them."""
    m = models.member
    found: list[Any] = [m.c.left_at.is_(None)]
    if text:
        found.append(or_(*(m.c[fact].icontains(text, autoescape=True) for fact in ("name", "email", "title"))))
    total = ctx.conn.scalar(select(func.count()).select_from(m).where(*found)) or 0
    rows = ctx.conn.execute(select(m).where(*found).order_by(m.c.name, m.c.id).limit(limit))
    return [_listed(ctx, row) for row in rows], total


def one(ctx: Context, id: UUID) -> Listed:
    """Raises NotFound."""
    m = models.member
    row = ctx.conn.execute(select(m).where(m.c.id == id, m.c.left_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound
    return _listed(ctx, row)


def _listed(ctx: Context, row: Any) -> Listed:
    unit = Directory.of(ctx).units.get(row.department_id)
    return Listed(
        row.id, row.name, row.email or "", row.phone or "", row.title or "", row.department_id,
        unit.name if unit else "", row.admin, row.account_id is not None,
    )  # fmt: skip


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
    """A member goes: they can no longer sign in here, their records and tasks stay. Raises InvalidInput."""
    name = one(ctx, id).name
    if id == ctx.actor.id:
        raise InvalidInput({"": [say("You cannot remove yourself.")]})
    _keep_an_administrator(ctx, id)
    m, joined = models.member, models.membership
    account = ctx.conn.scalar(
        update(m).where(m.c.id == id).values(left_at=ctx.now, admin=False).returning(m.c.account_id)
    )
    if account is not None:
        here = (joined.c.account_id == account, joined.c.workspace_id == ctx.workspace.id)
        ctx.conn.execute(delete(joined).where(*here))
        ctx.conn.execute(update(m).where(m.c.id == id).values(account_id=None))
    audit.note(ctx, "member.left", name, id)
    Directory.of(ctx).forget()


# -- departments -----------------------------------------------------------------------------------


def tree(ctx: Context) -> list[tuple[int, people.Unit]]:
    """Every department with its depth, parents before those under them."""
    units = Directory.of(ctx).units
    found: list[tuple[int, people.Unit]] = []

    def walk(parent: UUID | None, depth: int) -> None:
        for unit in units.values():
            if unit.parent == parent:
                found.append((depth, unit))
                walk(unit.id, depth + 1)

    walk(None, 0)
    return found


def add_department(ctx: Context, name: str, parent: str) -> UUID:
    """Raises InvalidInput."""
    name = " ".join(name.split())
    known = {str(u): u for u in Directory.of(ctx).units}
    if not name or len(name) > LONGEST:
        raise InvalidInput({"name": [say("Give the department a name.")]})
    if parent and parent not in known:
        raise InvalidInput({"parent": [say("There is no such department.")]})
    return people.add_department(ctx, name, known.get(parent))


# -- what an app asks for: slots and roles ---------------------------------------------------------


def members_here(ctx: Context, ids: list[str]) -> list[UUID]:
    """Those ids that are members of this workspace, in order."""
    m = models.member
    present = {str(id): id for id in ctx.conn.scalars(select(m.c.id).where(m.c.left_at.is_(None)))}
    return [present[id] for id in dict.fromkeys(ids) if id in present]


def found_by(ctx: Context, text: str, kind: str) -> UUID:
    """The member or department of this e-mail address or name. Raises InvalidInput when there is not exactly one."""
    wanted = text.strip().casefold()
    if kind == "department":
        found = [u.id for u in Directory.of(ctx).units.values() if u.name.casefold() == wanted]
    else:
        m = models.member
        same = or_(func.lower(m.c.email) == wanted, func.lower(m.c.name) == wanted)
        found = list(ctx.conn.scalars(select(m.c.id).where(same, m.c.left_at.is_(None))))
    if len(found) != 1:
        words = say("'{text}' was not found.", text=text) if not found else say("'{text}' names several.", text=text)
        raise InvalidInput({"": [words]})
    return found[0]
