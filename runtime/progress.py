"""How flows stand, made ready for pages: state, timeline, who holds it, what the reader may do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from runtime import courses, running, task_files, tasks
from runtime.access import door, may_flow
from runtime.actors import Member
from runtime.context import Context
from runtime.files import Kept
from runtime.models_flow import flow_instance, flow_reader
from runtime.people import Directory
from runtime.running import Running
from runtime.tables import LiveTable
from schemas.engine.offers import may_take_back, may_urge, may_withdraw, offered
from schemas.engine.run import OUTSIDE
from schemas.engine.targets import return_targets
from schemas.engine.timeline import Holding, Moment, holding, stuck, timeline
from schemas.errors import NotFound
from schemas.flow import Flow
from schemas.messages import say
from schemas.steps.people import START, PeopleStep
from schemas.text import Sentence, Text

if TYPE_CHECKING:
    from runtime.flows import Migration

STATES = {
    "running": (say("Running"), "blue"), "failed": (say("Needs help"), "amber"), "approved": (say("Approved"), "green"),
    "rejected": (say("Rejected"), "red"), "withdrawn": (say("Withdrawn"), "gray"), "ended": (say("Ended"), "gray"),
}  # fmt: skip
"""Each state's words and tone."""

DONE = {
    "started": (say("Started"), "play", "gray"), "approve": (say("Approved"), "approve", "green"),
    "submit": (say("Submitted"), "check", "green"), "reject": (say("Rejected"), "reject", "red"),
    "return": (say("Returned"), "return", "amber"), "transferred": (say("Transferred"), "transfer", "gray"),
    "starter": (say("What was started goes on with"), "transfer", "gray"),
    "withdrawn": (say("Withdrawn"), "withdraw", "gray"), "stopped": (say("Ended by an administrator"), "stop", "gray"),
    "skipped": (say("Skipped"), "forward", "gray"), "told": (say("Copy sent"), "send", "gray"),
    "failed": (say("Could not go on"), "warn", "red"), "retried": (say("Helped on"), "refresh", "gray"),
    "outcome": (say("Finished"), "flag", "gray"), "answer": (say("Handed back"), "return", "gray"),
    "choose": (say("Chose whom to ask"), "people", "gray"), "chosen": (say("Chosen"), "people", "gray"),
    "delegated": (say("Delegated"), "transfer", "gray"), "added": (say("Signers added"), "people", "gray"),
    "reopened": (say("Taken back"), "undo", "amber"), "commented": (say("Comment"), "comment", "gray"),
    "copied": (say("Copy sent"), "send", "gray"), "urged": (say("Urged"), "bell", "amber"),
    "reminded": (say("Reminded"), "bell", "gray"), "spawned": (say("Subflow started"), "play", "gray"),
    "sub_ended": (say("Subflow over"), "flag", "gray"), "reactivated": (say("Taken up again"), "refresh", "blue"),
    "migrated": (say("Moved to another version"), "refresh", "gray"),
}  # fmt: skip
"""What happened, in words, with an icon and a tone."""

HANDED = ("transferred", "delegated", "starter")
"""What goes from one member to another."""

WHY = {
    "before": say("to sign beforehand"), "after": say("to sign afterwards"), "parallel": say("to sign beside the others"),
    "self": say("the starter would have been asked"), "nobody": say("there was nobody to ask"),
    "retry": say("tried again"), "skip": say("passed by"), "handed_over": say("handed over by somebody who leaves"),
}  # fmt: skip

ACTIONS = {
    "approve": say("Approve"), "submit": say("Submit"), "answer": say("Hand back"), "choose": say("Ask these people"),
    "reject": say("Reject"), "return": say("Return"), "transfer": say("Transfer"), "delegate": say("Delegate"),
    "add_signer": say("Add signers"), "copy": say("Send a copy"), "save": say("Save without deciding"), "comment": say("Leave a comment"),
}  # fmt: skip

KINDS = {
    "before": say("signs beforehand"), "after": say("signs afterwards"), "parallel": say("added signer"),
    "delegated": say("prepares the answer"), "choose": say("chooses whom to ask"),
}  # fmt: skip
"""What a task is, if it is not simply that somebody is asked."""

SIDES = {
    "before": say("Before me: they sign first, then it is my turn"), "after": say("After me: they sign when I have agreed"),
    "parallel": say("Beside me: their voice counts like mine"),
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """A line of the timeline, with names."""

    moment: Moment
    words: Sentence
    icon: str
    tone: str
    who: Sequence[str]
    step: Sentence
    to: Sentence
    took: Sentence | None
    why: Sentence | None
    people: Sequence[str] = ()
    instead_of: str = ""
    files: Sequence[Kept] = ()
    signature: str = ""
    read: Sequence[tuple[str, bool]] = ()
    """Who was sent a copy, and whether they have looked at it."""


@dataclass(frozen=True)
class Held:
    """Somebody who is asked now."""

    name: str
    step: Sentence
    since: Sentence
    what: Sentence | None = None
    instead_of: str = ""
    due: Sentence | None = None
    late: bool = False
    task: UUID | None = None


@dataclass(frozen=True)
class Progress:
    """One run as its reader sees it."""

    id: UUID
    title: Text
    state: str
    words: Sentence
    tone: str
    starter: str
    events: Sequence[Event]
    held: Sequence[Held]
    stuck: Sequence[tuple[int, Sentence]] = ()
    task: UUID | None = None
    may_withdraw: bool = False
    may_end: bool = False
    may_urge: bool = False
    may_manage: bool = False
    take_back: UUID | None = None
    """The reader's own decision that may be undone now."""
    steps: Sequence[tuple[str, Sentence]] = ()
    """Where who manages the flow may let it go on."""
    course: Sequence[courses.DrawnLane] = ()
    """The diagram: what is behind, where it stands, and what may follow."""


@dataclass(frozen=True)
class OfRecord:
    """All of a record's runs, the newest first, and the flows that a button offers."""

    runs: Sequence[Progress]
    buttons: Sequence[tuple[str, Text]]


def of_record(ctx: Context, live: LiveTable, record: UUID) -> OfRecord | None:
    """What a record's page shows of its flows; None when there is nothing. The record itself is the caller's to check."""
    from runtime import flows

    i = flow_instance
    query = select(i.c.id).where(i.c.installation_id == live.inst.id, i.c.table_id == live.id, i.c.record_id == record)
    everything = door(ctx, live).may("history") or door(ctx, live).free
    ids = [id for id in ctx.conn.scalars(query.order_by(i.c.started_at.desc())) if everything or tasks.may_see(ctx, id)]
    offered = [(flow.id, _button(flow)) for flow in flows.buttons(ctx, live, record)]
    if not ids and not offered:
        return None
    own = tasks.open_task_for(ctx, live, record)
    return OfRecord([of_run(ctx, running.load(ctx, id, lock=False), own) for id in ids], offered)


def _button(flow: Flow) -> Text:
    return next((t.button.label for t in flow.trigger if t.button), flow.title)


def seen_run(ctx: Context, instance: UUID) -> Running:
    """A run that the actor may look at. Raises NotFound."""
    if not tasks.may_see(ctx, instance):
        raise NotFound
    return running.load(ctx, instance, lock=False)


def of_run(ctx: Context, run: Running, task: UUID | None = None) -> Progress:
    """One run with names and words. `task` is the reader's own task in it, if they have one."""
    log = running.log_of(ctx, run.id)
    moments = timeline(log)
    holders = holding(run.state)
    names = _names(ctx, run, moments, holders)
    words, tone = STATES[run.state.state]
    manages = isinstance(ctx.actor, Member) and may_flow(ctx, run.live.inst, run.flow.id, "manage")
    uploads = task_files.of_run(ctx, run, [f for m in moments for f in (*m.files, m.signature) if f])
    read = _copies(ctx, run, names) if any(m.what in ("told", "copied") for m in moments) else {}
    return Progress(
        id=run.id, title=run.flow.title or Text.of(run.flow.id), state=run.state.state, words=words, tone=tone,
        starter=names.get(str(run.starter), ""), events=[_event(run.flow, m, names, uploads, read) for m in moments],
        held=[_held(ctx, run, h, names) for h in holders],
        stuck=[(token.id, step_words(run.flow, token.step)) for token in stuck(run.state)] if manages else (),
        task=task if task in run.task_ids.values() else None,
        may_withdraw=run.starter == ctx.actor.id and may_withdraw(run.flow, run.state),
        may_end=manages and run.state.open and not run.state.outcome, may_manage=manages,
        may_urge=(manages or run.starter == ctx.actor.id) and may_urge(run.state, ctx.now),
        take_back=_own_decision(ctx, run), steps=restarts(run.flow) if manages else (),
        course=courses.drawn(ctx, run, log, names, manages),
    )  # fmt: skip


def words_of_run(run: Running) -> Progress:
    """What may be said of a run to somebody outside: its name."""
    words, tone = STATES[run.state.state]
    title = run.flow.title or Text.of(run.flow.id)
    return Progress(run.id, title, run.state.state, words, tone, "", (), ())


def _own_decision(ctx: Context, run: Running) -> UUID | None:
    last = run.state.tasks.get(run.state.last)
    mine = last is not None and last.by == str(ctx.actor.id) and may_take_back(run.flow, run.state, last)
    return run.task_ids.get(run.state.last) if mine else None


def restarts(flow: Flow) -> list[tuple[str, Sentence]]:
    """The steps at which a run may go on again: all but those that come afterwards."""
    return [(p.step.id, step_words(flow, p.step.id)) for p in flow.all_positions if not p.path.startswith("after.")]


def people_steps(flow: Flow) -> list[tuple[str, Sentence]]:
    """The steps of a flow that ask people."""
    inside = [p.step.id for p in flow.all_positions if p.step.for_people and not p.path.startswith("after.")]
    return [(id, step_words(flow, id)) for id in inside]


def _held(ctx: Context, run: Running, held: Holding, names: Mapping[str, str]) -> Held:
    task = next((t.id for t in run.state.live_tasks() if (t.member, t.step) == (held.member, held.step)), 0)
    return Held(
        name_of(names, held.member), step_words(run.flow, held.step), duration(ctx.now - held.since), KINDS.get(held.kind),
        names.get(held.instead_of, ""), remaining(held.due, ctx.now), bool(held.due and held.due < ctx.now),
        run.task_ids.get(task),
    )  # fmt: skip


def name_of(names: Mapping[str, str], id: str) -> str:
    """A member's name, or the address of somebody outside."""
    return id[len(OUTSIDE) :] if id.startswith(OUTSIDE) else names.get(id, "")


def remaining(due: datetime | None, now: datetime) -> Sentence | None:
    """How long there still is, or by how much it is too late."""
    if due is None:
        return None
    words = duration(abs(due - now))
    return say("overdue by {time}", time=words) if due < now else say("{time} left", time=words)


def _copies(ctx: Context, run: Running, names: Mapping[str, str]) -> dict[str, list[tuple[str, bool]]]:
    """Who has a copy, by step, and whether they have read it."""
    r = flow_reader
    found: dict[str, list[tuple[str, bool]]] = {}
    query = select(r.c.step, r.c.member_id, r.c.read_at).where(r.c.instance_id == run.id).order_by(r.c.told_at)
    for row in ctx.conn.execute(query):
        found.setdefault(row.step, []).append((names.get(str(row.member_id), ""), row.read_at is not None))
    return found


def _names(ctx: Context, run: Running, moments: Iterable[Moment], holders: Iterable[Holding]) -> Mapping[str, str]:
    ids = {who for m in moments for who in (*m.who, *m.people, m.instead_of)}
    ids |= {m.to for m in moments if m.what in HANDED}
    ids |= (
        {h.member for h in holders} | {h.instead_of for h in holders} | ({str(run.starter)} if run.starter else set())
    )
    known = [UUID(id) for id in ids if id and not id.startswith(OUTSIDE)]
    return {str(id): name for id, name in Directory.of(ctx).names(known).items()}


def _event(
    flow: Flow, moment: Moment, names: Mapping[str, str], uploads: Mapping[str, Kept],
    read: Mapping[str, list[tuple[str, bool]]],
) -> Event:  # fmt: skip
    words, icon, tone = DONE[moment.what]
    to: Sentence = Text()
    if moment.what == "outcome":
        words, tone = STATES[moment.to]
    elif moment.what == "return":
        to = step_words(flow, moment.to)
    elif moment.what in HANDED:
        to = Text.of(names.get(moment.to, ""))
    step = flow.step(moment.step)
    named = step.word(moment.what) if isinstance(step, PeopleStep) else None
    told = moment.what in ("told", "copied")
    return Event(
        moment, named or words, icon, tone, [name_of(names, who) for who in moment.who if not (told and not moment.people)],
        step_words(flow, moment.step), to, duration(moment.took) if moment.took is not None else None,
        moment.problem or WHY.get(moment.why), [] if told else [name_of(names, who) for who in moment.people],
        names.get(moment.instead_of, ""), [uploads[id] for id in moment.files if id in uploads], moment.signature,
        read.get(moment.step, []) if told else (),
    )  # fmt: skip


def step_words(flow: Flow, id: str) -> Sentence:
    """What a step is called."""
    if id == START:
        return say("Revise and send again")
    step = flow.step(id) if id else None
    return (step.title or Text.of(step.id)) if step else Text.of(id)


def duration(took: timedelta) -> Sentence:
    """A length of time in words, roughly."""
    minutes = int(took.total_seconds() // 60)
    if minutes < 1:
        return say("less than a minute")
    if minutes < 120:
        return say("{n} min", n=minutes)
    return say("{n} h", n=minutes // 60) if minutes < 48 * 60 else say("{n} days", n=minutes // 1440)


# -- a task ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Action:
    """A button on a task: its words, whether a comment is needed, and for a return the steps to choose from."""

    id: str
    words: Sentence
    needs_comment: bool
    targets: Sequence[tuple[str, Sentence]] = ()


def actions(run: Running, number: int) -> list[Action]:
    """What the holder of a task may do now."""
    task = run.state.tasks[number]
    step = run.flow.people_step(task.step)
    targets = [(id, step_words(run.flow, id)) for id in return_targets(run.flow, run.state, task)]
    return [
        Action(a, step.word(a) or ACTIONS[a], a in step.comment, targets if a == "return" else ())
        for a in offered(run.flow, task)
        if a != "return" or targets
    ]


def sides(step: PeopleStep) -> list[tuple[str, Sentence]]:
    """Where signers may be added, in words."""
    return [(side, SIDES[side]) for side in step.sides]


def held_by(ctx: Context, run: Running, number: int) -> Held:
    """How the reader's own task stands: until when, and for whom they stand in."""
    task = run.state.tasks[number]
    due = datetime.fromisoformat(task.due) if task.due else None
    holder = Holding(task.step, task.member, datetime.fromisoformat(task.since), due, task.kind, task.instead_of)
    names = Directory.of(ctx).names([UUID(task.instead_of)] if task.instead_of else [])
    return _held(ctx, run, holder, {str(id): name for id, name in names.items()})


def to_be_mapped(found: "Migration") -> list[tuple[str, Sentence]]:
    """The steps of a run's own revision that it stands at now."""
    run = found.run
    at = dict.fromkeys(token.step for token in run.state.live_tokens() if token.step and token.step != START)
    return [(id, step_words(run.flow, id)) for id in at]
