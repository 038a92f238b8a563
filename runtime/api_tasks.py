"""Tasks as the API tells them, and what a program does with them in its member's name."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime import api, definitions, flows, progress, running, task_forms, tasks
from runtime.context import Context
from runtime.flows import Decision
from runtime.models_flow import flow_task
from runtime.running import Running
from runtime.scopes import within
from runtime.tasks import Asked
from schemas.access import WRITES
from schemas.api import Decide
from schemas.api_fields import writable
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.text import Text

Json = dict[str, Any]
STATES = ("todo", "decided")


def listed(ctx: Context, state: str, after: str) -> Json:
    """The member's tasks: those to do (the oldest first) or those decided (the newest first)."""
    page = read_whole(after or "1")
    if state not in STATES:
        raise InvalidInput(
            {"state": [say("'{word}' is not known here (one of: {known})", word=state[:60], known=", ".join(STATES))]}
        )
    if not page:
        raise InvalidInput({"after": [say("This page of the list no longer exists. Begin again from the first.")]})
    lines, more = tasks.listed(ctx, Asked(state, page=page))
    places = _places(ctx, [line.id for line in lines])
    told = [_told(ctx, line, places[line.id]) for line in lines if line.id in places and _reached(ctx, places[line.id])]
    return {"tasks": told, "next": str(page + 1) if more else None}


def _places(ctx: Context, ids: list[UUID]) -> dict[UUID, Any]:
    t = flow_task
    columns = (t.c.id, t.c.instance_id, t.c.installation_id, t.c.table_id, t.c.record_id, t.c.flow, t.c.step)
    return {row.id: row for row in ctx.conn.execute(select(*columns).where(t.c.id.in_(ids)))}


def _reached(ctx: Context, place: Any) -> bool:
    return within(ctx, definitions.by_id(ctx, place.installation_id).slug)


def _told(ctx: Context, line: tasks.Line, place: Any) -> Json:
    return {
        "id": str(line.id), "run": str(place.instance_id), "app": definitions.by_id(ctx, place.installation_id).slug,
        "table": place.table_id, "record": str(place.record_id), "title": line.title, "flow": place.flow,
        "flow_title": api.label(ctx, line.flow), "step": place.step, "step_title": api.label(ctx, line.step),
        "state": line.state, "starter": line.starter, "at": api.plain_json(line.at), "ended_at": api.plain_json(line.ended_at),
    }  # fmt: skip


def read(ctx: Context, id: UUID) -> Json:
    """A task with its record as its holder sees it, and what they may do. Raises NotFound."""
    run, number = _own(ctx, id)
    task = run.state.tasks[number]
    step = run.flow.people_step(task.step)
    sheet = task_forms.Sheet(ctx, run, step, id)
    record = sheet.record()
    fields = run.live.table.by_id
    live = task.live and run.state.open
    actions = progress.actions(run, number) if live else []
    starter = api.names_of_people(ctx, [run.starter])
    return {
        "id": str(id), "run": str(run.id), "app": run.inst.slug, "table": run.live.id, "record": str(run.record),
        "title": record.title, "flow": run.flow.id, "flow_title": api.label(ctx, run.flow.title or Text.of(run.flow.id)),
        "step": task.step, "step_title": api.label(ctx, tasks.step_title(run.flow, task.step)), "state": run.state.state,
        "starter": starter.get(run.starter, "") if run.starter else "", "at": api.plain_json(run.started_at), "ended_at": None,
        "actions": [a.id for a in actions], "return_to": [target for a in actions for target, _ in a.targets],
        "version": record.version, "fields": {f: api.dump(fields[f], v) for f, v in record.values.items() if f in fields},
        "writable": [f for f, found in fields.items() if live and writable(found) and record.rights.get(f) in WRITES],
    }  # fmt: skip


def _own(ctx: Context, id: UUID) -> tuple[Running, int]:
    """The run of a task that the actor holds or held. Raises NotFound."""
    run_id, number, holder = tasks.place_of(ctx, id)
    if holder != ctx.actor.id:
        raise NotFound
    run = running.load(ctx, run_id, lock=False)
    if not within(ctx, run.inst.slug):
        raise NotFound
    return run, number


def decide(ctx: Context, id: UUID, sent: Decide) -> Json:
    """Raises NotFound, Denied, Conflict, InvalidInput."""
    run, _ = _own(ctx, id)
    for name in sent.fields or {}:
        if name not in run.live.table.by_id:
            raise InvalidInput({name: [say("There is no field '{id}'.", id=name[:60])]})
    if sent.action == "transfer":
        return _outcome(flows.transfer(ctx, id, _member(sent.to), sent.comment))
    if sent.action == "delegate":
        return _outcome(flows.delegate(ctx, id, _member(sent.to), sent.comment))
    if sent.action == "take_back":
        return _outcome(flows.take_back(ctx, id))
    return _outcome(
        flows.decide(ctx, Decision(id, sent.action, sent.comment, sent.to, sent.fields or {}, sent.version))
    )


def _member(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput({"to": [say("Choose another member.")]}) from None


def _outcome(run: Running) -> Json:
    return {"run": str(run.id), "state": run.state.state}
