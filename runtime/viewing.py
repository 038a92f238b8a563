"""Looking at apps as somebody else would see them: an administrator borrows their sight, never their hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import InternalError

from runtime import definitions, membership, people
from runtime.actors import Member
from runtime.context import Context
from runtime.wording import translate
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.messages import say
from schemas.text import Text

ONLY_LOOKING = say("You are looking as somebody else: apps can be looked at, nothing can be changed. End it first.")
READ_ONLY = "25006"
"""What PostgreSQL calls a write in a transaction that only reads."""
NOBODY = UUID(int=0)
"""Who has a role and is nobody in particular."""


def wish(ctx: Context, app: str, member: str = "", role: str = "") -> dict[str, str]:
    """What the session keeps of looking as a member, or as one who has only a role of an app. Raises InvalidInput."""
    made = {"workspace": str(ctx.workspace.id), "app": app}
    inst = definitions.installed(ctx, app)
    if role in {r.id for r in inst.app.roles}:
        return {**made, "role": role}
    here = membership.members_here(ctx, [member])
    if not here:
        raise InvalidInput({"member": [say("Choose a member or a role.")]})
    return {**made, "member": str(here[0])}


def as_wished(ctx: Context, own: Member, wish: Mapping[str, Any] | None) -> Member:
    """The member whose sight an administrator has asked for, in a transaction that can write nothing; else themselves."""
    if not wish or not own.admin or wish.get("workspace") != str(ctx.workspace.id):
        return own
    try:
        seen = _seen(ctx, wish)
    except (NotFound, ValueError):
        return own
    ctx.conn.execute(text("SET TRANSACTION READ ONLY"))
    return replace(seen, viewed_by=own.id)


@contextmanager
def only_looking(actor: Member) -> Iterator[None]:
    """What would write while somebody only looks is refused by the database; that is told in words. Raises Denied."""
    try:
        yield
    except InternalError as err:
        if actor.viewed_by is not None and getattr(err.orig, "sqlstate", "") == READ_ONLY:
            raise Denied(ONLY_LOOKING) from err
        raise


def name_of(ctx: Context, wish: Mapping[str, Any]) -> str:
    """As whom somebody looks."""
    return _seen(ctx, wish).name


def _seen(ctx: Context, wish: Mapping[str, Any]) -> Member:
    if "member" in wish:
        return people.member_by_id(ctx, UUID(str(wish["member"])))
    inst = definitions.installed(ctx, str(wish.get("app")))
    role = next((r for r in inst.app.roles if r.id == wish.get("role")), None)
    if role is None:
        raise NotFound
    name = translate(role.title or Text.of(role.id))
    return Member(id=NOBODY, name=name, only_roles=frozenset({f"{inst.slug}.{role.id}"}))
