"""Flows in action: what a save sets off, and what people do with their tasks.

Each run has one writer at a time, and one event and all that follows from it is one transaction.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import false, or_, select, true

from runtime import (
    definitions,
    effects,
    given,
    letters,
    notices,
    outbox,
    outside,
    progress,
    running,
    subflows,
    task_files,
    task_forms,
    timers,
)
from runtime.access import door, may_flow
from runtime.actors import Link, Member, System
from runtime.context import Context
from runtime.given import Changes
from runtime.ids import new_id
from runtime.models import member
from runtime.models_flow import flow_instance, flow_task
from runtime.people import Directory
from runtime.query import fetch
from runtime.running import Parent, Running
from runtime.tables import LiveTable
from schemas.engine import (
    Commented,
    Copied,
    Decided,
    Delegated,
    Effect,
    Ended,
    Event,
    HandedOver,
    Looked,
    Migrated,
    Perform,
    Reactivated,
    Remind,
    Retried,
    SignerAdded,
    Skipped,
    Spawn,
    Started,
    TakenBack,
    Tell,
    Transferred,
    Urged,
    Withdrawn,
)
from schemas.engine.events import Chosen
from schemas.engine.migration import Plan, plan
from schemas.engine.offers import offered
from schemas.engine.run import OUTSIDE
from schemas.engine.state import Entry, Task
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.flow import Flow, Trigger
from schemas.messages import Message, say
from schemas.steps.people import START, PeopleStep

AGREEING = ("approve", "submit")
GONE = "records whose runs are ended with them now"


@dataclass(frozen=True)
class Decision:
    """What a person does with a task. `values` are raw answers by field id, `seen` the record's version they saw.

    `action` is approve, submit, reject, return (`to` a step; `back` if it is to come straight back, where the person may
    say so), answer (what was delegated), choose (`people`), or save (the values only). Values are written with save, answer,
    approve and submit. `files` and `signature` are uploads for this task.
    """

    task: UUID
    action: str
    comment: str = ""
    to: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    seen: int | None = None
    people: tuple[UUID, ...] = ()
    back: bool | None = None
    files: tuple[UUID, ...] = ()
    signature: UUID | None = None


# -- what sets flows off ---------------------------------------------------------------------------


def record_saved(
    ctx: Context,
    live: LiveTable,
    record: UUID,
    event: str,
    changed: Changes | None = None,
    form: str | None = None,
) -> list[UUID]:
    """A record was created, changed, deleted or restored, in this transaction: start what waits for that. Gives the runs.

    `changed` says what each field was and is; `form` is the one that was submitted. A form sent by somebody who was asked to
    revise the record is their answer.
    """
    begun = []
    fields = frozenset(changed or ())
    for flow in live.inst.app.flows:
        matching = [t for t in flow.trigger if t.matches(live.id, form, event, fields)]
        if not matching:
            continue
        under_way = running.open_run(ctx, live, flow.id, record)
        if under_way is not None:
            _resubmit(ctx, under_way, form)
            continue
        about = any(t.changed for t in matching) and changed
        told = given.before(ctx, live, flow, record, changed or {}) if about else {}
        if any(holds(ctx, live, flow, record, t, told) for t in matching):
            begun += start(ctx, live, flow, record, given=told)
    if event == "changed":
        _look_again(ctx, live, record)
    return begun


def _look_again(ctx: Context, live: LiveTable, record: UUID) -> None:
    """Runs that wait for a change of this record look again; one that has made it looks by itself when that is done."""
    for flow in live.inst.app.flows:
        waiting = running.open_run(ctx, live, flow.id, record) if flow.watches else None
        if waiting is not None and waiting != ctx.actor.id:
            happen(ctx, running.load(ctx, waiting), Looked())


def holds(
    ctx: Context, live: LiveTable, flow: Flow, record: UUID | None, trigger: Trigger, told: Mapping[str, Any] | None = None
) -> bool:  # fmt: skip
    """Whether the condition of a trigger holds, for this record and with what the trigger gives."""
    if trigger.when is None:
        return True
    about = Running(new_id(), live.inst, flow, live, record, None, ctx.now)
    about.state.results |= told or {}
    return running.values_of(ctx, about)(trigger.when) is True


def _resubmit(ctx: Context, instance: UUID, form: str | None) -> None:
    """The form was sent while its sender has the task of revising: that is what the flow waits for."""
    if form is None:
        return
    run = running.load(ctx, instance)
    for task in run.state.live_tasks():
        if task.step == START and task.member == str(ctx.actor.id):
            happen(ctx, run, Decided(task.id, task.member, "submit"))
            return


def start(
    ctx: Context, live: LiveTable, flow: Flow, record: UUID | None, *, parent: Parent | None = None,
    starter: UUID | None = None, depth: int = 0, chosen: Chosen | None = None, given: Mapping[str, Any] | None = None,
    id: UUID | None = None,
) -> list[UUID]:  # fmt: skip
    """Begin a flow for a record or for none, unless it is under way for it. Gives its id.

    A subflow has its `parent`, and the parent's starter; `chosen` are the people picked beforehand, by step; `given` is
    what the trigger gives. Raises Denied for flows that chase each other.
    """
    if ctx.memo.get(effects.DEPTH, 0) >= effects.DEEPEST:
        raise Denied(say("Too many flows set one another off; '{flow}' was not started.", flow=flow.title or flow.id))
    starter = starter or (ctx.actor.id if isinstance(ctx.actor, Member) else None)
    run = running.create(ctx, live, flow, record, starter, parent, id)
    if run is None:
        return []
    happen(ctx, run, Started(str(starter or ""), chosen or {}, depth, given or {}))
    return [run.id]


def press(ctx: Context, live: LiveTable, flow: Flow, record: UUID) -> UUID:
    """Begin a flow by its button. Raises NotFound, or Denied when it is not offered now."""
    if flow.id not in {offered.id for offered in buttons(ctx, live, record)}:
        raise Denied(say("This cannot be started now."))
    begun = start(ctx, live, flow, record)
    if not begun:
        raise Denied(say("This is under way already."))
    return begun[0]


def buttons(ctx: Context, live: LiveTable, record: UUID) -> list[Flow]:
    """The flows that may be started by a button on this record now."""
    return [
        flow
        for flow in live.inst.app.flows
        for trigger in flow.trigger
        if trigger.button is not None and trigger.button.table == live.id
        and may_flow(ctx, live.inst, flow.id, "start")
        and running.open_run(ctx, live, flow.id, record) is None
        and holds(ctx, live, flow, record, trigger)
    ]  # fmt: skip


# -- what people do --------------------------------------------------------------------------------


def me(ctx: Context) -> str:
    """The actor as tasks know them: a member's id, or the address of somebody outside."""
    return f"{OUTSIDE}{ctx.actor.name}" if isinstance(ctx.actor, Link) else str(ctx.actor.id)


def decide(ctx: Context, decision: Decision) -> Running:
    """Do what a person does with their task, the fields they filled in included.

    Raises NotFound, Denied when the task is no longer theirs or open, Conflict when what they saw has changed,
    InvalidInput with every problem.
    """
    run, number = _task(ctx, decision.task)
    task = run.state.tasks[number]
    if not task.live or not run.state.open:
        raise Denied(say("This task is no longer open: somebody else has dealt with it, or it was taken back."))
    step = run.flow.people_step(task.step)
    sheet = task_forms.Sheet(ctx, run, step, decision.task)
    if decision.seen is not None:
        sheet.refuse_stale(decision.seen, decision.values)
    if decision.action not in offered(run.flow, task):
        raise Denied(say("This task does not offer that action."))
    missing = _missing(decision, step)
    if decision.action in (*AGREEING, "save", "answer", "choose"):
        _write(sheet, decision, missing, demanding=decision.action in AGREEING)
    if missing:
        raise InvalidInput(missing)
    if decision.action != "save":
        happen(ctx, run, _decided(ctx, run, number, decision))
    return run


def _decided(ctx: Context, run: Running, number: int, decision: Decision) -> Decided:
    uploads = [*decision.files, *([decision.signature] if decision.signature else [])]
    task_files.attach(ctx, run, uploads)
    return Decided(
        number, me(ctx), decision.action, decision.comment.strip(), decision.to, _known(ctx, decision.people),
        back=decision.back, files=tuple(map(str, decision.files)), signature=str(decision.signature or ""),
    )  # fmt: skip


def _known(ctx: Context, people: Collection[UUID]) -> tuple[str, ...]:
    """These members, as far as the actor may know of them."""
    known = Directory.of(ctx).known(people)
    return tuple(str(person) for person in people if person in known)


def _missing(decision: Decision, step: PeopleStep) -> dict[str, Any]:
    """What the step wants to have with this decision, and what is not there."""
    missing: dict[str, Any] = {}
    if decision.action in step.comment and not decision.comment.strip():
        missing["comment"] = [say("Add a comment.")]
    if decision.action in step.sign and decision.signature is None:
        missing["signature"] = [say("Please sign.")]
    return missing


def _write(sheet: task_forms.Sheet, decision: Decision, missing: Mapping[str, Any], demanding: bool) -> None:
    """Write the fields, or raise InvalidInput with their problems and what else is missing."""
    try:
        sheet.write(decision.values, decision.seen, demanding)
    except InvalidInput as err:
        raise InvalidInput({**err.errors, **missing}) from err


def transfer(ctx: Context, task: UUID, to: UUID, comment: str = "") -> Running:
    """Hand a task on; who manages the flow may do it for anybody. Raises NotFound, Denied, InvalidInput."""
    run, number = _task(ctx, task, also_managers=True)
    own = run.state.tasks[number].member == me(ctx)
    event = Transferred(number, me(ctx), _one(ctx, to), comment.strip(), by_admin=not own)
    happen(ctx, run, event)
    return run


def _one(ctx: Context, person: UUID) -> str:
    known = _known(ctx, [person])
    if not known:
        raise InvalidInput({"to": [say("Choose another member.")]})
    return known[0]


def delegate(ctx: Context, task: UUID, to: UUID, comment: str = "") -> Running:
    """Let somebody else prepare the answer; the task comes back. Raises NotFound, Denied, InvalidInput."""
    run, number = _task(ctx, task)
    happen(ctx, run, Delegated(number, me(ctx), _one(ctx, to), comment.strip()))
    return run


def add_signers(ctx: Context, task: UUID, to: Collection[UUID], side: str, comment: str = "") -> Running:
    """Let more people sign: before, after, or in parallel. Raises NotFound, Denied, InvalidInput."""
    run, number = _task(ctx, task)
    happen(ctx, run, SignerAdded(number, me(ctx), _known(ctx, to), side, comment.strip()))
    return run


def take_back(ctx: Context, task: UUID) -> Running:
    """Undo one's own decision, as long as nothing has come of it. Raises NotFound, Denied."""
    run, number = _task(ctx, task, decided=True)
    happen(ctx, run, TakenBack(number, me(ctx)))
    return run


def remark(ctx: Context, task: UUID, text: str, files: Collection[UUID] = ()) -> Running:
    """Say something without deciding. Raises NotFound, Denied, InvalidInput."""
    run, number = _task(ctx, task)
    held = run.state.tasks[number]
    if not held.live or "comment" not in offered(run.flow, held):
        raise Denied(say("This task does not offer that action."))
    task_files.attach(ctx, run, files)
    happen(ctx, run, Commented(me(ctx), text.strip(), held.step, tuple(map(str, files))))
    return run


def copy(ctx: Context, task: UUID, to: Collection[UUID], comment: str = "") -> Running:
    """Let others read along, with what the holder of the task may read. Raises NotFound, Denied, InvalidInput."""
    run, number = _task(ctx, task)
    held = run.state.tasks[number]
    if not held.live or "copy" not in offered(run.flow, held):
        raise Denied(say("This task does not offer that action."))
    if "copy" in run.flow.people_step(held.step).comment and not comment.strip():
        raise InvalidInput({"comment": [say("Add a comment.")]})
    happen(ctx, run, Copied(me(ctx), _known(ctx, to), held.step, comment.strip()))
    return run


def urge(ctx: Context, instance: UUID, comment: str = "") -> Running:
    """The starter, or who manages the flow, asks those who hold tasks to hurry. Raises NotFound, Denied."""
    run = running.load(ctx, instance)
    if run.starter != ctx.actor.id and not _manages(ctx, run):
        raise NotFound
    happen(ctx, run, Urged(me(ctx), comment.strip(), by_admin=run.starter != ctx.actor.id))
    return run


def waiting_runs(ctx: Context, member: UUID, tasks: bool = True, started: bool = True) -> list[UUID]:
    """The runs under way in which a member has tasks that are not decided, or which they started."""
    i, t = flow_instance, flow_task
    asked = select(t.c.instance_id).where(t.c.member_id == member, t.c.state.in_(("live", "waiting", "paused")))
    concerned = or_(*([i.c.id.in_(asked)] if tasks else []), *([i.c.starter_id == member] if started else []), false())
    return list(ctx.conn.scalars(select(i.c.id).where(i.c.ended_at.is_(None), concerned).order_by(i.c.id)))


def hand_over(ctx: Context, instance: UUID, member: UUID, to: UUID, tasks: bool = True, started: bool = True) -> None:
    """In one run, all that waits for a member goes to another one. May they do this? The caller knows."""
    run = running.load(ctx, instance)
    if run.state.open:
        happen(ctx, run, HandedOver(str(ctx.actor.id or ""), str(member), str(to), tasks, started))


def withdraw(ctx: Context, instance: UUID, comment: str = "") -> Running:
    """The starter takes it back. Raises NotFound, Denied."""
    run = running.load(ctx, instance)
    if run.starter != ctx.actor.id:
        raise NotFound
    happen(ctx, run, Withdrawn(me(ctx), comment.strip()))
    return run


def end(ctx: Context, instance: UUID, comment: str = "") -> Running:
    """Who manages the flow ends it. Raises NotFound, Denied."""
    run = _for_managers(ctx, instance)
    happen(ctx, run, Ended(me(ctx), comment.strip()))
    return run


def help_on(ctx: Context, instance: UUID, token: int, action: str) -> Running:
    """Who manages the flow tries a failed step again (`retry`) or passes it by (`skip`). Raises NotFound, Denied."""
    run = _for_managers(ctx, instance)
    by = me(ctx)
    happen(ctx, run, Skipped(token, by) if action == "skip" else Retried(token, by))
    return run


def _for_managers(ctx: Context, instance: UUID) -> Running:
    run = running.load(ctx, instance)
    if not _manages(ctx, run):
        raise NotFound
    return run


def _manages(ctx: Context, run: Running) -> bool:
    return isinstance(ctx.actor, Member) and may_flow(ctx, run.live.inst, run.flow.id, "manage")


def _task(ctx: Context, id: UUID, also_managers: bool = False, decided: bool = False) -> tuple[Running, int]:
    """The locked run of one of the actor's tasks (or of one they decided), and its number there. Raises NotFound."""
    t = flow_task
    row = ctx.conn.execute(select(t.c.instance_id, t.c.number).where(t.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    run = running.load(ctx, row.instance_id)
    task = run.state.tasks[row.number]
    holder = task.by if decided else task.member
    if holder != me(ctx) and not (also_managers and _manages(ctx, run)):
        raise NotFound
    return run, row.number


# -- what managers do ------------------------------------------------------------------------------


def hand_over_all(ctx: Context, leaver: UUID, to: UUID, comment: str = "", flow: str = "") -> int:
    """All tasks of a member go to another, in every flow or in one (`slug.flow`). For administrators. Gives how many.

    Raises NotFound, InvalidInput.
    """
    if not (isinstance(ctx.actor, Member) and ctx.actor.admin):
        raise NotFound
    if to == leaver:
        raise InvalidInput({"to": [say("Choose another member.")]})
    t = flow_task
    held = select(t.c.instance_id, t.c.number).where(
        t.c.member_id == leaver, t.c.state.in_(("live", "waiting", "paused"))
    )
    if flow:
        slug, _, name = flow.partition(".")
        held = held.where(t.c.flow == name, t.c.installation_id == definitions.installed(ctx, slug).id)
    rows = ctx.conn.execute(held.order_by(t.c.instance_id, t.c.number)).all()
    for row in rows:
        run = running.load(ctx, row.instance_id)
        if run.state.tasks[row.number].open:
            happen(ctx, run, Transferred(row.number, me(ctx), _one(ctx, to), comment.strip(), by_admin=True))
    return len(rows)


def reactivate(ctx: Context, instance: UUID, step: str, comment: str = "") -> Running:
    """Who manages the flow lets it go on at a step, whether it is over or not. Raises NotFound, Denied, InvalidInput."""
    run = _for_managers(ctx, instance)
    other = running.open_run(ctx, run.live, run.flow.id, run.record)
    if other not in (None, run.id):
        raise Denied(say("This flow is under way for the record already."))
    try:
        if run.record is not None:
            fetch(door(ctx.acting_as(System()), run.live), run.record)
    except NotFound:
        raise Denied(say("The record is in the trash.")) from None
    happen(ctx, run, Reactivated(me(ctx), step, comment.strip()))
    return run


@dataclass(frozen=True)
class Migration:
    """What moving a run to the published revision means, and the steps that it may be moved to."""

    run: Running
    flow: Flow
    plan: Plan


def migration(ctx: Context, instance: UUID, steps: Mapping[str, str]) -> Migration:
    """The dry run of `migrate`. Raises NotFound, Denied when there is no other revision to move to."""
    run = _for_managers(ctx, instance)
    now = run.live.inst
    flow = now.app.flow(run.flow.id)
    if flow is None or not run.state.open:
        raise Denied(say("This cannot be moved: it is over, or the flow is no longer there."))
    return Migration(run, flow, plan(run.flow, flow, run.state, {old: new for old, new in steps.items() if new}))


def migrate(ctx: Context, instance: UUID, steps: Mapping[str, str]) -> Running:
    """Move a run to the published revision of its flow. Raises NotFound, Denied, InvalidInput with what is in the way."""
    found = migration(ctx, instance, steps)
    if found.plan.problems:
        raise InvalidInput({"": list(found.plan.problems)})
    run = found.run
    run.flow, run.inst = found.flow, run.live.inst
    wanted = {old: new for old, new in steps.items() if new}
    happen(ctx, run, Migrated(me(ctx), run.inst.revision, wanted))
    return run


def record_deleted(ctx: Context, live: LiveTable, record: UUID, but: UUID | None = None) -> None:
    """A record went to the trash: what ran for it is over, `but` the run that did it, and nothing follows from that."""
    i = flow_instance
    under_way = (
        i.c.installation_id == live.inst.id,
        i.c.table_id == live.id,
        i.c.record_id == record,
        i.c.ended_at.is_(None),
        i.c.id != but if but else true(),
    )
    gone: set[UUID] = ctx.memo.setdefault(GONE, set())
    gone.add(record)
    for id in ctx.conn.scalars(select(i.c.id).where(*under_way)).all():
        happen(ctx, running.load(ctx, id), Ended(str(ctx.actor.id or "")))
    gone.discard(record)
    record_saved(ctx, live, record, "deleted")


def of_record(ctx: Context, live: LiveTable, record: UUID) -> progress.OfRecord | None:
    """What a record's page shows of its flows; None when there is nothing."""
    return progress.of_record(ctx, live, record)


# -- one event, and all that follows ---------------------------------------------------------------


def happen(ctx: Context, run: Running, event: Event) -> None:
    """Advance, do what is to be done, and advance again with that, until something outside is waited for."""
    waiting: deque[Event] = deque([event])
    log: list[Entry] = []
    was_open = run.state.open
    while waiting:
        result = running.decide(ctx, run, waiting.popleft())
        run.state = result.state
        running.keep(ctx, run, result.log)
        log += result.log
        for effect in result.effects:
            more = _follow(ctx, run, effect)
            waiting += [more] if more is not None else []
    _announce(ctx, run, log)
    outbox.note_flow(ctx, run, log)
    if was_open and not run.state.open:
        _over(ctx, run)


def _follow(ctx: Context, run: Running, effect: Effect) -> Event | None:
    """Do what a step wants done; gives what comes of it at once."""
    if isinstance(effect, Perform):
        return effects.perform(ctx, run, effect)
    if isinstance(effect, Spawn):
        with _spawning(ctx, run):
            return subflows.spawn(ctx, run, effect)
    if isinstance(effect, Tell):
        effects.tell(ctx, run, effect)
    elif isinstance(effect, Remind):
        effects.remind(ctx, run, effect)
    else:
        timers.wake(ctx, run, effect)
    return None


@contextmanager
def _spawning(ctx: Context, run: Running) -> Iterator[None]:
    """While a subflow is being started, its end is told by whoever starts it."""
    starting: set[UUID] = ctx.memo.setdefault(effects.SPAWNING, set())
    starting.add(run.id)
    try:
        yield
    finally:
        starting.discard(run.id)


def _over(ctx: Context, run: Running) -> None:
    """What this run waited for is over with it, and what waits for it goes on."""
    for child in subflows.children(ctx, run):
        happen(ctx, running.load(ctx, child), Ended(str(ctx.actor.id or "")))
    if run.parent is not None and run.parent.run not in ctx.memo.get(effects.SPAWNING, ()):
        subflows.ended(ctx, run)
    if run.record not in ctx.memo.get(GONE, ()):
        _start_followers(ctx, run)


def _start_followers(ctx: Context, run: Running) -> None:
    """The flows that wait for the end of this one. Those that chase each other are stopped, and that is told."""
    for flow in run.live.inst.app.flows:
        waiting = [t for t in flow.trigger if t.ended == run.flow.id]
        if any(holds(ctx, run.live, flow, run.record, t) for t in waiting):
            try:
                start(effects.as_flow(ctx, run), run.live, flow, run.record, starter=run.starter)
            except Denied as err:
                _tell(ctx, run, _in_charge(ctx, run), "failed", say("{reason}", reason=err.reason))


def _announce(ctx: Context, run: Running, log: list[Entry]) -> None:
    """Tell those concerned what has become of it, here and by mail: new tasks, the outcome, a failure."""
    flow = effects.title_of(run.flow)
    for task in _newly_asked(run, log):
        if task.member.startswith(OUTSIDE):
            outside.invite(ctx, run, task)
            continue
        asked = REVISE if task.step == START else TASK
        _tell(ctx, run, [UUID(task.member)], "task", say(asked, flow=flow), task)
    for entry in log:
        if entry["what"] == "outcome" and run.starter and run.starter != ctx.actor.id and entry["outcome"] in OUTCOMES:
            _tell(ctx, run, [run.starter], "outcome", say(OUTCOMES[entry["outcome"]], flow=flow))
        if entry["what"] == "failed":
            _tell(ctx, run, _in_charge(ctx, run), "failed", say("{flow} cannot go on and needs help", flow=flow))


def _tell(
    ctx: Context, run: Running, members: list[UUID], kind: str, sentence: Message, task: Task | None = None
) -> None:
    others = [member for member in members if member != ctx.actor.id or kind == "task"]
    about = {**effects.about(run), **({"task_id": run.task_ids[task.id]} if task else {})}
    notices.tell(ctx, others, kind, sentence, about)
    away = [member for member in others if member != ctx.actor.id]
    notices.send_mail(ctx, away, kind, sentence, about, letters.links(ctx, run, task) if task else ())


TASK = say("{flow}: a task for you").text
REVISE = say("{flow}: please revise and send again").text
OUTCOMES = {
    "approved": say("{flow} was approved").text,
    "rejected": say("{flow} was rejected").text,
    "ended": say("{flow} has ended").text,
}


def _newly_asked(run: Running, log: list[Entry]) -> list[Any]:
    """The live tasks that somebody got by these log entries."""
    numbers = {entry["task"] for entry in log if entry["what"] in ("asked", "turn", "transferred", "reopened")}
    return [task for task in run.state.live_tasks() if task.id in numbers]


def _in_charge(ctx: Context, run: Running) -> list[UUID]:
    """Who is told when a flow cannot go on: those the flow names, else the administrators."""
    if run.flow.owner:
        people = running.people(ctx, run, run.flow.owner)
        if people:
            return people
    return list(ctx.conn.scalars(select(member.c.id).where(member.c.admin, member.c.left_at.is_(None))))
