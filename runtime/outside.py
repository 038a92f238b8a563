"""People outside who answer a task by a link sent to their address: they see its record and step, nothing else."""

import secrets
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select, update

from runtime import effects, letters, mail, notices, running
from runtime.actors import Link
from runtime.context import Context
from runtime.models_flow import flow_task
from runtime.running import Running
from runtime.settings import Settings
from schemas.engine.run import OUTSIDE
from schemas.engine.state import Task
from schemas.errors import NotFound
from schemas.messages import say


def invite(ctx: Context, run: Running, task: Task) -> None:
    """Send a fresh link to the task to whoever is asked; an earlier one does not hold any more."""
    address = task.member[len(OUTSIDE) :]
    secret = secrets.token_urlsafe(32)
    ctx.conn.execute(update(flow_task).where(flow_task.c.id == run.task_ids[task.id]).values(secret=hashed(secret)))
    where = f"{Settings.read().public_url}/reply/{ctx.workspace.slug}/{secret}"
    words = notices.spoken(say("{flow}: please answer", flow=effects.title_of(run.flow)), ctx.workspace.language)
    why = say("You are asked to look at this and to answer. The link is meant for you alone.")
    try:
        mail.post(ctx, address, words, f"{notices.spoken(why, ctx.workspace.language)}\n\n{where}")
    except ValueError:
        return


def hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def task_of(ctx: Context, secret: str) -> tuple[UUID, UUID, int, str]:
    """The task of a link: its id, its run, its number there, and the address. Raises NotFound when it does not hold."""
    t = flow_task
    query = select(t.c.id, t.c.instance_id, t.c.number, t.c.address).where(t.c.secret == hashed(secret))
    row = ctx.conn.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return row.id, row.instance_id, row.number, row.address


def as_link(ctx: Context, secret: str) -> tuple[Context, Running, int]:
    """The context of whoever has the link, the run, and the task's number. Raises NotFound."""
    if secret.startswith(letters.PREFIX):
        return letters.as_member(ctx, secret)
    id, run, number, address = task_of(ctx, secret)
    acting = ctx.acting_as(Link(id=id, name=address), origin=f"task {id}")
    return acting, running.load(acting, run, lock=False), number
