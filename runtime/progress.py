"""How flows stand, made ready for pages: state, timeline, who holds it, what the reader may do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from runtime import running, tasks
from runtime.access import door, may_flow
from runtime.actors import Member
from runtime.context import Context
from runtime.models_flow import flow_instance
from runtime.people import Directory
from runtime.running import Running
from runtime.tables import LiveTable
from schemas.engine.offers import may_withdraw, offered
from schemas.engine.targets import return_targets
from schemas.engine.timeline import Holding, Moment, holding, stuck, timeline
from schemas.errors import NotFound
from schemas.flow import Flow
from schemas.messages import say
from schemas.steps.people import START, PeopleStep
from schemas.text import Sentence, Text

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

HANDED = ("transferred", "starter")
"""What goes from one member to another."""

WHY = {
    "self": say("the starter would have been asked"), "nobody": say("there was nobody to ask"),
    "retry": say("tried again"), "skip": say("passed by"), "handed_over": say("handed over by somebody who leaves"),
}  # fmt: skip

ACTIONS = {
    "approve": say("Approve"), "submit": say("Submit"), "reject": say("Reject"), "return": say("Return"),
    "transfer": say("Transfer"),
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


@dataclass(frozen=True)
class Held:
    """Somebody who is asked now."""

    name: str
    step: Sentence
    since: Sentence


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
    moments = timeline(running.log_of(ctx, run.id))
    holders = holding(run.state)
    names = _names(ctx, run, moments, holders)
    words, tone = STATES[run.state.state]
    admin = isinstance(ctx.actor, Member) and may_flow(ctx, run.live.inst, run.flow.id, "manage")
    return Progress(
        id=run.id, title=run.flow.title or Text.of(run.flow.id), state=run.state.state, words=words, tone=tone,
        starter=names.get(str(run.starter), ""), events=[_event(run.flow, m, names) for m in moments],
        held=[Held(names.get(h.member, ""), step_words(run.flow, h.step), duration(ctx.now - h.since)) for h in holders],
        stuck=[(token.id, step_words(run.flow, token.step)) for token in stuck(run.state)] if admin else (),
        task=task if task in run.task_ids.values() else None,
        may_withdraw=run.starter == ctx.actor.id and may_withdraw(run.flow, run.state),
        may_end=admin and run.state.open and not run.state.outcome,
    )  # fmt: skip


def _names(ctx: Context, run: Running, moments: Iterable[Moment], holders: Iterable[Holding]) -> Mapping[str, str]:
    ids = {who for m in moments for who in m.who} | {m.to for m in moments if m.what in HANDED}
    ids |= {h.member for h in holders} | ({str(run.starter)} if run.starter else set())
    return {str(id): name for id, name in Directory.of(ctx).names(UUID(id) for id in ids if id).items()}


def _event(flow: Flow, moment: Moment, names: Mapping[str, str]) -> Event:
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
    return Event(
        moment, named or words, icon, tone, [names.get(who, "") for who in moment.who], step_words(flow, moment.step), to,
        duration(moment.took) if moment.took is not None else None, moment.problem or WHY.get(moment.why),
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
        if a in ACTIONS and (a != "return" or targets)
    ]
