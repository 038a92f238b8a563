"""What a member wants to be remembered: columns and the like."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from runtime import models
from runtime.context import Context


def read(ctx: Context, key: str) -> Any:
    p = models.preference
    return ctx.conn.scalar(select(p.c.value).where(p.c.member_id == ctx.actor.id, p.c.key == key))


def write(ctx: Context, key: str, value: Any) -> None:
    p = models.preference
    statement = insert(p).values(member_id=ctx.actor.id, key=key, value=value)
    ctx.conn.execute(statement.on_conflict_do_update(index_elements=[p.c.member_id, p.c.key], set_={"value": value}))
