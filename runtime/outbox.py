"""What webhooks will tell: noted in the writer's transaction, whoever writes, sent by a job after it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import insert, select

from runtime.context import Context
from runtime.ids import new_id
from runtime.models_api import webhook as w
from runtime.models_api import webhook_delivery as d

if TYPE_CHECKING:
    from runtime.running import Running
    from runtime.tables import LiveTable

CREATED, CHANGED, DELETED, RESTORED = "record.created", "record.changed", "record.deleted", "record.restored"
ASKED, DECIDED, ENDED = "task.created", "task.decided", "flow.ended"
EVENTS = (CREATED, CHANGED, DELETED, RESTORED, ASKED, DECIDED, ENDED)
OF_ACTION = {"create": CREATED, "update": CHANGED, "delete": DELETED, "restore": RESTORED}
OF_ENTRY = {"asked": ASKED, "turn": ASKED, "transferred": ASKED, "decided": DECIDED, "outcome": ENDED}


def know(ctx: Context, installation: UUID, webhooks: int) -> None:
    """How many webhooks an app has: told by who has read it anyway, so that a write need not ask."""
    ctx.memo[("webhooks", installation)] = None if webhooks else ()


def _listening(ctx: Context, installation: UUID) -> Sequence[Any]:
    key = ("webhooks", installation)
    if ctx.memo.get(key) is None:
        columns = (w.c.id, w.c.tables, w.c.events, w.c.fields)
        query = select(*columns).where(w.c.installation_id == installation, w.c.paused_at.is_(None))
        ctx.memo[key] = ctx.conn.execute(query).all()
    return ctx.memo[key]  # type: ignore[no-any-return]


def note_records(
    ctx: Context, live: "LiveTable", action: str, entries: Iterable[tuple[UUID, int, Mapping[str, Any]]]
) -> None:
    """Records were written: what each webhook that listens will be told."""
    hooks, event = _listening(ctx, live.inst.id), OF_ACTION[action]
    if not hooks:
        return
    noted: list[dict[str, Any]] = []
    written = list(entries)
    for hook in hooks:
        if event in hook.events and (not hook.tables or live.id in hook.tables):
            for record, version, changes in written:
                if event != CHANGED or not hook.fields or set(hook.fields) & set(changes):
                    noted.append(_row(ctx, hook.id, event, live.id, record, {"version": version}))
    _keep(ctx, noted)


def note_flow(ctx: Context, run: "Running", log: Iterable[Mapping[str, Any]]) -> None:
    """A flow went on: tasks given and decided, the end."""
    hooks = _listening(ctx, run.inst.id) if run.record is not None else []
    if not hooks:
        return
    noted: list[dict[str, Any]] = []
    for entry in log:
        event = OF_ENTRY.get(entry["what"], "")
        about: dict[str, Any] = {"flow": run.flow.id, "run": str(run.id)}
        if event == ENDED:
            about["outcome"] = entry.get("outcome")
        elif event:
            about |= _task(run, entry)
        for hook in hooks if event else ():
            if event in hook.events and (not hook.tables or run.live.id in hook.tables):
                noted.append(_row(ctx, hook.id, event, run.live.id, run.record, about))
    _keep(ctx, noted)


def _task(run: "Running", entry: Mapping[str, Any]) -> dict[str, Any]:
    number = entry.get("task")
    task = run.state.tasks.get(number) if isinstance(number, int) else None
    if task is None:
        return {}
    id = run.task_ids.get(task.id)
    return {
        "task": str(id) if id else None,
        "step": task.step,
        "member": task.member,
        "decision": task.decision or None,
    }


def _row(
    ctx: Context, hook: UUID, event: str, table: str, record: UUID | None, about: Mapping[str, Any]
) -> dict[str, Any]:
    actor = {"kind": ctx.actor.kind, "id": str(ctx.actor.id) if ctx.actor.id else None, "name": ctx.actor.name}
    return {
        "id": new_id(), "webhook_id": hook, "event": event, "table_id": table, "record_id": record,
        "about": {**about, "actor": actor}, "at": ctx.now,
    }  # fmt: skip


def _keep(ctx: Context, noted: Sequence[dict[str, Any]]) -> None:
    if not noted:
        return
    from runtime.jobs import enqueue

    ctx.conn.execute(insert(d), noted)
    for hook in {row["webhook_id"] for row in noted}:
        enqueue(ctx, "webhooks.send", {"webhook": str(hook)}, key=str(hook))
