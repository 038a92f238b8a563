"""Links in mails by which a member decides a task without signing in: bound to the task and the member, and expiring.

Opening one changes nothing, so that scanners of mail may: it shows the task, and a button decides.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from runtime import people, progress, running, sealing, tasks
from runtime.context import Context
from runtime.running import Running
from runtime.settings import Settings
from schemas.engine.offers import offered
from schemas.engine.state import Task
from schemas.errors import NotFound
from schemas.messages import say
from schemas.steps.people import START, PeopleStep
from schemas.text import Sentence

PREFIX = "m."
PURPOSE = "decide by mail"
HOLDS = timedelta(days=14)
BY_MAIL = ("approve", "submit", "reject")


def links(ctx: Context, run: Running, task: Task) -> Sequence[tuple[Sentence, str]]:
    """What the holder of a task may decide by mail, each with its address; nothing where more than a comment is wanted.

    A workspace whose members need a second factor sends none: a mail is only one.
    """
    step = run.flow.step(task.step)
    if ctx.workspace.second_factor or not isinstance(step, PeopleStep) or not _is_simple(step, task):
        return []
    where = (
        f"{Settings.read().public_url}/reply/{ctx.workspace.slug}/{secret_of(ctx, run.task_ids[task.id], task.member)}"
    )
    return [
        (say("{action} (this link is for you alone, for {n} days):", action=step.word(act) or progress.ACTIONS[act], n=HOLDS.days),
         f"{where}?do={act}")
        for act in offered(run.flow, task)
        if act in BY_MAIL
    ]  # fmt: skip


def _is_simple(step: PeopleStep, task: Task) -> bool:
    return (
        task.live
        and task.step != START
        and task.kind not in ("choose", "delegated")
        and not step.require
        and not step.sign
    )


def secret_of(ctx: Context, task: UUID, member: str) -> str:
    until = (ctx.now + HOLDS).isoformat()
    return PREFIX + sealing.seal(json.dumps([ctx.workspace.slug, str(task), member, until]), PURPOSE)


def as_member(ctx: Context, secret: str) -> tuple[Context, Running, int]:
    """The context of the member to whom a link was sent, the run, and the task's number. Raises NotFound.

    It does not hold when it is too old, when the task has gone to somebody else, or when the member has left.
    """
    told = sealing.opened(secret.removeprefix(PREFIX), PURPOSE)
    workspace, task, member, until = json.loads(told) if told else ("", "", "", "")
    if workspace != ctx.workspace.slug or datetime.fromisoformat(until) < ctx.now or ctx.workspace.second_factor:
        raise NotFound
    run_id, number, holder = tasks.place_of(ctx, UUID(task))
    if holder != UUID(member):
        raise NotFound
    acting = ctx.acting_as(people.member_by_id(ctx, UUID(member)), origin=f"mail {task}")
    return acting, running.load(acting, run_id, lock=False), number
