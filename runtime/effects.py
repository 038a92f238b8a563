"""What a flow's steps may do outside the flow: write records, tell people. One function for each kind of step."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert

from runtime import ai, machine, notices, paperwork, requesting, robots
from runtime.actors import FlowActor
from runtime.context import Context
from runtime.models_flow import flow_reader
from runtime.phrases import worded
from runtime.running import Running
from schemas.engine import Event, Failed, Perform, Performed, Remind, Tell
from schemas.engine.run import OUTSIDE
from schemas.errors import Conflict, Denied, InvalidInput, NotFound
from schemas.flow import Flow
from schemas.messages import Message, say
from schemas.results import dump
from schemas.steps.notify import Notify
from schemas.text import Text

DEPTH = "flow depth"
SPAWNING = "runs that start a subflow now"
DEEPEST = 8
"""How many flows may set one another off by what they write."""

MOST_TOLD, LONGEST_TOLD = 20, 300
REFUSALS = (InvalidInput, Denied, NotFound, Conflict)


def perform(ctx: Context, running: Running, effect: Perform) -> Event | None:
    """Do a machine step in the running transaction; what it wrote is taken back when it is refused.

    Gives nothing for a step that a job does later; the job then tells what came of it.
    """
    step = running.flow.step(effect.step)
    assert step is not None
    began, running.heard = time.monotonic(), {}
    try:
        with ctx.conn.begin_nested():
            if step.type in ERRANDS:
                running.heard = None
                ERRANDS[step.type](ctx, running, step, effect, ctx.memo.get(DEPTH, 0))
                return None
            result = HANDS[step.type](as_flow(ctx, running), running, step)
    except REFUSALS as err:
        problem = reason(err)
        values = tuple((name, str(value)) for name, value in problem.values.items())
        return Failed(effect.token, effect.round, problem.text, values, _told(running, began))
    return Performed(effect.token, effect.round, dump(result), _told(running, began))


def _told(running: Running, began: float) -> dict[str, Any]:
    """For the log: how many milliseconds a step took, and what its formulas came to, cut short."""
    heard, running.heard = running.heard or {}, None
    given = {source[:200]: _shown(value)[:LONGEST_TOLD] for source, value in list(heard.items())[:MOST_TOLD]}
    return {"took": round((time.monotonic() - began) * 1000), **({"given": given} if given else {})}


def _shown(value: Any) -> str:
    """A value as a log shows it."""
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value)
    return "" if value is None else str(value)


def as_flow(ctx: Context, running: Running) -> Context:
    """The same transaction in the flow's own name, one deeper in the chain of flows that set one another off."""
    actor = FlowActor(id=running.id, name=str(running.flow.title), flow=running.flow.id, app=running.inst.slug)
    made = ctx.acting_as(actor, origin=f"flow {running.flow.id}")
    made.memo[DEPTH] = ctx.memo.get(DEPTH, 0) + 1
    made.memo[SPAWNING] = ctx.memo.setdefault(SPAWNING, set())
    return made


def reason(err: Exception) -> Message:
    """The first thing that a refusal says."""
    if isinstance(err, InvalidInput):
        path, messages = next(iter(err.errors.items()))
        return (
            say("{field}: {problem}", field=path, problem=messages[0])
            if path
            else say("{problem}", problem=messages[0])
        )
    if isinstance(err, Denied):
        return err.reason
    return say("The record is not there, or the flow may not change it.")


Hand = Callable[[Context, Running, Any], Any]
HANDS: dict[str, Hand] = {
    "update": machine.update, "create": machine.create, "upsert": machine.upsert, "delete": machine.delete,
    "find": machine.find, "assign": machine.assign, "document": paperwork.document,
}  # fmt: skip
"""What each machine step does. It acts in the flow's name, within the flow's rights, and gives what it found."""

ERRANDS: dict[str, Callable[[Context, Running, Any, Perform, int], None]] = {"request": requesting.ask_later, "ai": ai.ask_later}
"""What is done outside by a job, after the transaction; the last argument says how many flows set one another off."""


# -- telling ---------------------------------------------------------------------------------------


def tell(ctx: Context, running: Running, effect: Tell) -> None:
    """Send what a notify step says, and let those told see the record."""
    step = running.flow.step(effect.step)
    assert isinstance(step, Notify)
    people = [UUID(person) for person in effect.people if not person.startswith(OUTSIDE)]
    let_read(ctx, running, step.id, people)
    sentence = worded(ctx, running, step.text) or say("{flow}: a copy for you", flow=title_of(running.flow))
    if "inbox" in step.channels:
        notices.tell(ctx, people, "told", sentence, about(running))
    if "mail" in step.channels:
        notices.send_mail(ctx, people, "told", sentence, about(running))
    robots.tell(ctx, step.robots, sentence, about(running))


def let_read(ctx: Context, running: Running, step: str, people: list[UUID]) -> None:
    """These members may see the record as the step says; whether they have read it is noted."""
    line = {**running.key(), "step": step, "told_at": ctx.now}
    if people and running.record is not None:
        again = upsert(flow_reader).values([{**line, "member_id": person} for person in people])
        ctx.conn.execute(
            again.on_conflict_do_update(
                index_elements=["instance_id", "step", "member_id"], set_={"told_at": ctx.now, "read_at": None}
            )
        )


REMINDERS = {
    "due": say("{flow}: a task waits for you and is due").text,
    "urged": say("{flow}: {name} asks you to hurry").text,
    "escalated": say("{flow}: your task was overdue and went to somebody else").text,
    "copied": say("{flow}: a copy for you").text,
}


def remind(ctx: Context, running: Running, effect: Remind) -> None:
    """Remind those who hold tasks, or let those who were sent a copy see the record."""
    people = [UUID(person) for person in effect.people if not person.startswith(OUTSIDE)]
    if effect.why == "copied":
        let_read(ctx, running, effect.step, people)
    sentence = say(REMINDERS[effect.why], flow=title_of(running.flow), name=ctx.actor.name)
    for person in people:
        task = task_of(running, person) if effect.why in ("due", "urged") else None
        where = {**about(running), **({"task_id": task} if task else {})}
        kind = "told" if effect.why == "copied" else "task"
        notices.tell(ctx, [person], kind, sentence, where)
        notices.send_mail(ctx, [person], kind, sentence, where)


def task_of(running: Running, person: UUID) -> UUID | None:
    """The task that somebody holds in this run."""
    held = [task.id for task in running.state.live_tasks() if task.member == str(person)]
    return running.task_ids.get(held[0]) if held else None


def title_of(flow: Flow) -> Text:
    return flow.title or Text.of(flow.id)


def about(running: Running) -> dict[str, Any]:
    """What a notice is about."""
    return {
        "installation_id": running.inst.id,
        "table_id": running.live.id or None,
        "record_id": running.record,
        "instance_id": running.id,
    }
