"""Who asks, written into a job as JSON, and a context made from that again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select

from runtime import models
from runtime.actors import Actor, Member, Token
from runtime.context import Context
from runtime.workspaces import find, opened
from schemas.scope import Scope


def identity(ctx: Context) -> dict[str, Any]:
    """Workspace, actor, language and origin as JSON; `opened_again` is the way back."""
    actor = {f.name: getattr(ctx.actor, f.name) for f in fields(ctx.actor)}
    written = {name: str(value) if isinstance(value, UUID) else value for name, value in actor.items()}
    written["scope"] = ctx.actor.scope and ctx.actor.scope.dump()
    return {
        "workspace": str(ctx.workspace.id),
        "actor": {"kind": ctx.actor.kind, **written},
        "language": ctx.language,
        "origin": ctx.origin,
    }


@contextmanager
def opened_again(engine: Engine, who: Mapping[str, Any]) -> Iterator[Context]:
    """One transaction in the name of whoever enqueued the job, with the rights they have now."""
    with engine.connect() as conn:
        workspace = find(conn, id=UUID(who["workspace"]))
    with opened(engine, workspace, language=who["language"], origin=who["origin"]) as ctx:
        yield ctx.acting_as(actor_of(ctx, **who["actor"]))


def actor_of(ctx: Context, kind: str, **written: Any) -> Actor:
    for name in ("id", "account_id"):
        written[name] = written.get(name) and UUID(written[name])
    if kind == Member.kind:
        m = models.member
        present = select(m.c.id).where(m.c.id == written["id"], m.c.admin, m.c.left_at.is_(None))
        written["admin"] = ctx.conn.execute(present).first() is not None
    written["scope"] = Scope.of(written["scope"]) if written.get("scope") else None
    if kind == Token.kind:
        written["roles"] = tuple(written["roles"])
    kinds: list[type[Actor]] = [Actor, *Actor.__subclasses__()]
    made = {actor.kind: actor for actor in kinds}[kind]
    return made(**{f.name: written[f.name] for f in fields(made)})
