"""Tokens of the API: made, listed, revoked; and whom one of them speaks for. What is kept is a digest."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, and_, case, insert, or_, select, true, update

from runtime import audit, models
from runtime.actors import Actor, Member, Token, administers
from runtime.context import Context, Workspace
from runtime.ids import new_id
from runtime.models_api import token as t
from runtime.settings import Settings
from schemas.errors import DefinitionError, InvalidInput, NotFound
from schemas.messages import say
from schemas.parsers import ID
from schemas.scope import BUILDING, Scope

MARK = "mrt_"
SHOWN = 10
LONGEST_NAME = 80
LONGEST_LIFE = timedelta(days=366 * 5)
WINDOW = 60
FORM = re.compile(r"mrt_[A-Za-z0-9_-]{20,80}\Z")


@dataclass(frozen=True)
class Spoken:
    """Whom a token speaks for, and how much of this minute is left to it."""

    id: UUID
    name: str
    workspace: Workspace
    member: UUID | None
    word: str
    roles: tuple[str, ...]
    scope: Scope
    made_by: UUID | None
    limit: int
    used: int
    seconds: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def exhausted(self) -> bool:
        return self.used > self.limit


def resolve(engine: Engine, text: str, address: str, settings: Settings) -> Spoken | None:
    """What this token opens now, its use counted in the same statement: for all processes alike. None for no good one."""
    if not FORM.match(text):
        return None
    now = datetime.now(UTC)
    minute, w = int(now.timestamp()) // WINDOW, models.workspace
    counted = (
        update(t)
        .where(
            t.c.digest == digest(text), t.c.revoked_at.is_(None), or_(t.c.ends_at.is_(None), t.c.ends_at > now),
            w.c.id == t.c.workspace_id,
        )
        .values(minute=minute, used=case((t.c.minute == minute, t.c.used + 1), else_=1), used_at=now, used_from=address[:64])
        .returning(t.c.id, t.c.name, t.c.member_id, t.c.word, t.c.roles, t.c.scope, t.c.made_by, t.c.used, w.c.id.label("wid"),
                   w.c.slug, w.c.title, w.c.schema, w.c.zone, w.c.language)
    )  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        row = conn.execute(counted).one_or_none()
    if row is None:
        return None
    workspace = Workspace(row.wid, row.slug, row.title, row.schema, ZoneInfo(row.zone), row.language)
    return Spoken(
        row.id, row.name, workspace, row.member_id, row.word or "", tuple(row.roles), _scope(row.scope), row.made_by,
        settings.api_rate, row.used, WINDOW - int(now.timestamp()) % WINDOW,
    )  # fmt: skip


_scopes: dict[str, Scope] = {}


def _scope(kept: Mapping[str, Any]) -> Scope:
    """The scope as an object, made once."""
    key = repr(kept)
    if key not in _scopes:
        if len(_scopes) > 1_000:
            _scopes.clear()
        _scopes[key] = Scope.of(kept)
    return _scopes[key]


def actor_of(ctx: Context, spoken: Spoken) -> Actor:
    """The actor that a token is, with the rights they have now. Raises NotFound when its member may not sign in any more."""
    if spoken.member is None:
        return Token(id=spoken.id, name=spoken.name, scope=spoken.scope, token=spoken.word, roles=spoken.roles)
    m, a = models.member, models.account
    query = (
        select(m, a.c.language)
        .join(a, a.c.id == m.c.account_id)
        .where(m.c.id == spoken.member, m.c.left_at.is_(None), a.c.disabled_at.is_(None))
    )
    row = ctx.conn.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return Member(
        row.id, row.name, spoken.scope, account_id=row.account_id, admin=row.admin, external=row.external,
        language=row.language,
    )  # fmt: skip


def builds(ctx: Context) -> bool:
    """Whether the actor may see and change definitions, as far as a scope lets them."""
    return administers(ctx.actor) or isinstance(ctx.actor, Token)


# -- making and revoking -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """A token as it is shown: never itself."""

    id: UUID
    prefix: str
    name: str
    word: str
    member: UUID | None
    roles: tuple[str, ...]
    scope: Scope
    made_by: UUID | None
    made_at: datetime
    ends_at: datetime | None
    used_at: datetime | None
    used_from: str
    now: datetime

    @property
    def ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= self.now


def make(
    ctx: Context, name: str, scope: Any, *, personal: bool, word: str = "", roles: Sequence[str] = (), days: int | None = None,
) -> str:  # fmt: skip
    """A new token, which is told this once. A personal one acts as the member who makes it; a program's is for
    administrators to make, and has the roles it is given and what grants say of its `word`.

    Raises InvalidInput with every problem.
    """
    errors: dict[str, list[Any]] = {}
    name = name.strip()[:LONGEST_NAME]
    if not name or not name.isprintable():
        errors["name"] = [say("Give the token a name.")]
    if not personal:
        if not administers(ctx.actor):
            raise NotFound
        if not ID.match(word):
            errors["word"] = [say("A short name is made of a-z, 0-9 and _, a letter first.")]
        elif ctx.conn.scalar(select(t.c.id).where(*_here(ctx), t.c.word == word)):
            errors["word"] = [say("There is a token with this short name already.")]
    if days is not None and not 0 < days <= LONGEST_LIFE.days:
        errors["days"] = [say("Choose from 1 to {n} days.", n=LONGEST_LIFE.days)]
    found = _checked(ctx, scope, errors)
    if errors:
        raise InvalidInput(errors)
    text = MARK + secrets.token_urlsafe(32)
    ctx.conn.execute(
        insert(t).values(
            id=new_id(), digest=digest(text), prefix=text[:SHOWN], workspace_id=ctx.workspace.id, name=name,
            member_id=ctx.actor.id if personal else None, word=None if personal else word,
            roles=[] if personal else list(roles), scope=found.dump() if found else {}, made_by=ctx.actor.id, made_at=ctx.now,
            ends_at=None if days is None else ctx.now + timedelta(days=days),
        )
    )  # fmt: skip
    audit.note(ctx, "token.made", name, personal=personal)
    return text


def _checked(ctx: Context, scope: Any, errors: dict[str, list[Any]]) -> Scope | None:
    try:
        found = Scope.of(scope)
    except DefinitionError as err:
        errors["scope"] = [p.message for p in err.problems]
        return None
    if BUILDING & set(found.also) and not administers(ctx.actor):
        errors["scope"] = [say("Only administrators may give rights to definitions.")]
    return found


def _here(ctx: Context) -> tuple[Any, ...]:
    return (t.c.workspace_id == ctx.workspace.id, t.c.revoked_at.is_(None))


def listed(ctx: Context) -> list[Listed]:
    """The actor's own tokens; for an administrator those of programs, and everybody's, too. Newest first."""
    seen = true() if administers(ctx.actor) else t.c.member_id == ctx.actor.id
    columns = (t.c.id, t.c.prefix, t.c.name, t.c.word, t.c.member_id, t.c.roles, t.c.scope, t.c.made_by, t.c.made_at)
    query = select(*columns, t.c.ends_at, t.c.used_at, t.c.used_from).where(*_here(ctx), seen)
    rows = ctx.conn.execute(query.order_by(t.c.made_at.desc()))
    return [
        Listed(
            r.id, r.prefix, r.name, r.word or "", r.member_id, tuple(r.roles), _scope(r.scope), r.made_by, r.made_at,
            r.ends_at, r.used_at, r.used_from or "", ctx.now,
        )
        for r in rows
    ]  # fmt: skip


def revoke(ctx: Context, id: UUID) -> str:
    """From now on the token opens nothing; gives its name. Raises NotFound for somebody else's, except to administrators."""
    own = [*_here(ctx), t.c.id == id]
    if not administers(ctx.actor):
        own.append(t.c.member_id == ctx.actor.id)
    name = ctx.conn.scalar(update(t).where(and_(*own)).values(revoked_at=ctx.now).returning(t.c.name))
    if name is None:
        raise NotFound
    audit.note(ctx, "token.revoked", str(name), id)
    return str(name)


def names(ctx: Context, ids: set[UUID]) -> dict[UUID, str]:
    """What the programs are called that acted."""
    if not ids:
        return {}
    wanted = select(t.c.id, t.c.name).where(t.c.id.in_(ids), t.c.workspace_id == ctx.workspace.id)
    return {row.id: row.name for row in ctx.conn.execute(wanted)}


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
