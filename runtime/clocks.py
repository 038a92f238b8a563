"""Flows that the clock starts: on a schedule, or when the date of a record is reached.

Each such trigger has a row that says when it is looked at next, and one job that waits for that moment. Whatever is due
is written down and the next moment set in one transaction: it starts once, whichever worker, after whatever downtime.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from runtime import definitions, given, matching, query, tables, working_days
from runtime.access import door
from runtime.actors import System
from runtime.context import Context
from runtime.definitions import Installed
from runtime.jobs import enqueue, job, periodic
from runtime.models_flow import flow_clock
from runtime.workspaces import all_workspaces, opened
from schemas.errors import NotFound
from schemas.flow import Flow, Trigger
from schemas.schedules import Schedule, reckon

AT_ONCE = 50
"""How many records' flows begin in one transaction."""
SOON = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
c = flow_clock.c


# -- winding up ------------------------------------------------------------------------------------


def arm(ctx: Context, inst: Installed) -> None:
    """The clocks of an app as it is published now: new ones begin now, changed ones anew, the others go on."""
    wanted = dict(_clocked(inst))
    known = {(r.flow, r.trigger): r for r in ctx.conn.execute(select(flow_clock).where(c.installation_id == inst.id))}
    for flow, number in set(known) - set(wanted):
        ctx.conn.execute(delete(flow_clock).where(*_here(inst.id, flow, number)))
    for (flow, number), trigger in wanted.items():
        before = known.get((flow, number))
        if before is None or before.mark != _mark(trigger):
            _set(ctx, inst, flow, number, trigger)


def _clocked(inst: Installed) -> Iterator[tuple[tuple[str, int], Trigger]]:
    for flow in inst.app.flows:
        for number, trigger in enumerate(flow.trigger):
            if trigger.schedule is not None or trigger.reached is not None:
                yield (flow.id, number), trigger


def _mark(trigger: Trigger) -> str:
    return repr(trigger.schedule or trigger.reached)


def _here(installation: UUID, flow: str, number: int) -> list[Any]:
    return [c.installation_id == installation, c.flow == flow, c.trigger == number]


def _set(ctx: Context, inst: Installed, flow: str, number: int, trigger: Trigger) -> None:
    coming = next_look(ctx, inst, trigger, ctx.now)
    values = {"mark": _mark(trigger), "next_at": coming, "since": ctx.now}
    made = insert(flow_clock).values(installation_id=inst.id, flow=flow, trigger=number, **values)
    ctx.conn.execute(made.on_conflict_do_update(index_elements=["installation_id", "flow", "trigger"], set_=values))
    _wake(ctx, inst.id, flow, number, coming)


def next_look(ctx: Context, inst: Installed, trigger: Trigger, after: datetime) -> datetime | None:
    """When a trigger is looked at after a moment: at its own time, of a date that may be due any minute in a minute."""
    plan = trigger.schedule
    if trigger.reached is not None:
        table = inst.app.table(trigger.reached.table)
        assert table is not None
        clock = trigger.reached.once_a_day(inst.app.analysis.type_of(table, table.by_id[trigger.reached.field]).kind)
        if clock is None:
            return after.replace(second=0, microsecond=0) + MINUTE
        plan = Schedule(every="day", at=clock)
    return plan.after(after, ctx.zone, working_days.of_workspace(ctx)) if plan is not None else None


def _wake(ctx: Context, installation: UUID, flow: str, number: int, at: datetime | None) -> None:
    if at is not None:
        about = {"installation": str(installation), "flow": flow, "trigger": number, "at": at.isoformat()}
        enqueue(
            ctx.acting_as(System(), origin=f"flow {flow}"),
            "flow_clock",
            about,
            at=at,
            key="|".join(map(str, about.values())),
        )


@periodic("flow_clocks", "*/10 * * * *")
def wake_all(engine: Engine, moment: datetime) -> None:
    """Clocks whose job is gone (after a restore, or when it was discarded) are wound up again."""
    with engine.connect() as conn:
        found = all_workspaces(conn)
    for workspace in found:
        with opened(engine, workspace) as ctx:
            for row in ctx.conn.execute(select(flow_clock).where(c.next_at <= ctx.now + SOON)):
                _wake(ctx, row.installation_id, row.flow, row.trigger, row.next_at)


# -- striking --------------------------------------------------------------------------------------


@job("flow_clock", queue="flows")
def strike(ctx: Context, installation: str, flow: str, trigger: int, at: str) -> None:
    """The moment has come: so says the queue, whose clock counts where this machine's is behind."""
    here = _here(UUID(installation), flow, trigger)
    row = ctx.conn.execute(select(flow_clock).where(*here).with_for_update()).one_or_none()
    if row is None or row.next_at != datetime.fromisoformat(at):
        return
    try:
        inst = definitions.by_id(ctx, row.installation_id)
    except NotFound:
        ctx.conn.execute(delete(flow_clock).where(*here))
        return
    found = dict(_clocked(inst)).get((flow, trigger))
    if found is None or _mark(found) != row.mark:
        arm(ctx, inst)
        return
    now = max(ctx.now, row.next_at)
    started, coming = (
        _plan(ctx, inst, row, found.schedule, now) if found.schedule else _dates(ctx, inst, row, found, now)
    )
    ran = {"ran_at": now} if started else {}
    ctx.conn.execute(update(flow_clock).where(*here).values(next_at=coming, since=now, **ran))
    _wake(ctx, inst.id, flow, trigger, coming)


def _plan(
    ctx: Context, inst: Installed, row: Any, plan: Schedule, now: datetime
) -> tuple[bool, datetime | None]:  # fmt: skip
    reckoned = reckon(plan, row.next_at, now, ctx.zone, working_days.of_workspace(ctx))
    for moment in reckoned.runs:
        _begin(ctx, row, moment, [])
    return bool(reckoned.runs), reckoned.next


def _dates(ctx: Context, inst: Installed, row: Any, trigger: Trigger, now: datetime) -> tuple[bool, datetime | None]:
    """Every record whose moment lies between the last look and now; of several of one record the last counts."""
    due: dict[datetime, list[UUID]] = {}
    for record, moment in _reached(ctx, inst, trigger, row.since, now):
        due.setdefault(moment, []).append(record)
    for moment, records in sorted(due.items()):
        for start in range(0, len(records), AT_ONCE):
            _begin(ctx, row, moment, records[start : start + AT_ONCE])
    return bool(due), next_look(ctx, inst, trigger, now)


def _reached(
    ctx: Context, inst: Installed, trigger: Trigger, since: datetime, now: datetime
) -> Iterator[tuple[UUID, datetime]]:  # fmt: skip
    reached = trigger.reached
    assert reached is not None
    live, calendar = tables.live(ctx, inst, reached.table), working_days.of_workspace(ctx)
    first, last = reached.bases(since, now, ctx.zone)
    for record, value in matching.dated(door(ctx, live), reached.field, first, last):
        moments = reached.moments(value, since, now, ctx.zone, calendar)
        if moments:
            yield record, moments[-1]


def _begin(ctx: Context, row: Any, moment: datetime, records: Iterable[UUID]) -> None:
    about = {"installation": str(row.installation_id), "flow": row.flow, "trigger": row.trigger,
             "planned": moment.isoformat(), "records": [str(id) for id in records]}  # fmt: skip
    enqueue(ctx, "flow_begin", about)


@job("flow_begin", queue="flows")
def begin(ctx: Context, installation: str, flow: str, trigger: int, planned: str, records: list[str]) -> None:
    """Start what was due: for each of these records, or for none."""
    try:
        inst = definitions.by_id(ctx, UUID(installation))
    except NotFound:
        return
    found = inst.app.flow(flow)
    if found is None or trigger >= len(found.trigger):
        return
    about: list[UUID | None] = [UUID(id) for id in records] or [None]
    _start_each(ctx, inst, found, found.trigger[trigger], datetime.fromisoformat(planned), about)


def _start_each(
    ctx: Context, inst: Installed, flow: Flow, trigger: Trigger, moment: datetime, records: list[UUID | None]
) -> None:
    from runtime import flows

    live = tables.of_flow(ctx, inst, flow.table(inst.app) or "")
    named = [id for id in records if id is not None]
    there = query.known(door(ctx, live), named) if named else set()
    told = given.planned(moment)
    for record in records:
        if (record is None or record in there) and flows.holds(ctx, live, flow, record, trigger, told):
            flows.start(ctx, live, flow, record, given=told)
