"""A member leaves, and everything that stood in their name goes to others: shown before, done in one act.

Records, tasks, runs they started, departments they head, posts, roles, settings and drafts. What is little is done in
one transaction; what is much by a job, a chunk in a transaction, which says how far it is and goes on where it stopped.
The history of every record tells it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from runtime import audit, definitions, flows, mentions, models, people, powers, records, roles
from runtime.actors import unlimited
from runtime.context import Context
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.mentions import Mention
from runtime.models_flow import flow_instance, flow_task
from runtime.models_forms import form_draft
from runtime.models_people import duty, hand_over, role_part
from runtime.people import Directory
from schemas.errors import InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.text import Sentence, Text

ORIGIN = "hand_over"
AT_ONCE = 400
"""Up to so many records and runs are done while the person waits."""
CHUNK = 100
STAY = "stay"

Taking = Callable[[Context, UUID, UUID], int]


@dataclass(frozen=True)
class Line:
    """Something that goes to a successor. `detail` says which, `place` the app and table of records."""

    key: str
    title: Sentence
    count: int
    place: tuple[Sentence, ...] = ()
    detail: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Who gets what: a successor for each line's key, the others stay as they are."""

    to: Mapping[str, UUID] = field(default_factory=dict)


# -- what there is ---------------------------------------------------------------------------------


def preview(ctx: Context, member: UUID) -> list[Line]:
    """Everything that stands in a member's name, and that the actor may hand over."""
    return [*_records(ctx, member), *(line for line in _others(ctx, member) if line.count)]


def _records(ctx: Context, member: UUID) -> Iterator[Line]:
    for mention in mentions.all_fields(ctx, "member"):
        if count := mentions.count(ctx, mention, member):
            app, table, label = mention.titles
            yield Line(f"records:{mention.key}", label, count, (app, table))


def _others(ctx: Context, member: UUID) -> Iterator[Line]:
    i, t = flow_instance, flow_task
    asked = select(func.count()).where(t.c.member_id == member, t.c.state.in_(("live", "waiting")))
    started = select(func.count()).where(i.c.starter_id == member, i.c.ended_at.is_(None))
    yield Line("tasks", say("Tasks that wait for them"), ctx.conn.scalar(asked) or 0)
    yield Line("runs", say("Flows under way that they started"), ctx.conn.scalar(started) or 0)
    if unlimited(ctx.actor):
        headed = tuple(Text.of(u.name) for u in Directory.of(ctx).units.values() if u.head == member)
        yield Line("heads", say("Departments that they head"), len(headed), detail=headed)
        slots = tuple(_slots(ctx, member))
        yield Line("slots", say("Posts in apps"), len(slots), detail=slots)
        listed = tuple(_lists(ctx, member))
        yield Line("roles", say("Places on lists of roles"), len(listed), detail=listed)
        yield Line("duties", say("What they administer"), len(powers.of_member(ctx, member)))
    p, d = models.preference, form_draft
    views = select(func.count()).select_from(p).where(p.c.member_id == member)
    drafts = select(func.count()).select_from(d).where(d.c.member_id == member)
    yield Line("views", say("Settings of lists"), ctx.conn.scalar(views) or 0)
    yield Line("drafts", say("Forms that they began to fill in"), ctx.conn.scalar(drafts) or 0)


def _slots(ctx: Context, member: UUID) -> Iterator[Sentence]:
    s = models.slot
    for row in ctx.conn.execute(select(s).where(s.c.target_id == member)):
        inst = _installed(ctx, row.installation_id)
        slot = next((one for one in inst.app.slots if one.id == row.slot), None) if inst else None
        if slot is not None:
            yield say("{app}: {role}", app=inst.app.title or inst.slug, role=slot.title or slot.id)


def _lists(ctx: Context, member: UUID) -> Iterator[Sentence]:
    r, p = models.role_member, role_part
    listed = select(r.c.installation_id, r.c.role).where(r.c.member_id == member)
    named = select(p.c.installation_id, p.c.role).where(p.c.kind == "member", p.c.target_id == member)
    for row in ctx.conn.execute(listed.union_all(named)).all():
        title = roles.title_of(ctx, roles.Key(row.installation_id, row.role))
        if title is not None:
            yield title


def _installed(ctx: Context, id: UUID) -> Any:
    try:
        return definitions.by_id(ctx, id)
    except NotFound:
        return None


# -- planning --------------------------------------------------------------------------------------


def plan(ctx: Context, member: UUID, chosen: Mapping[str, str], otherwise: str) -> Plan:
    """What a form says: for each line a successor, "" for the one who gets everything else, or `stay`.

    Raises InvalidInput for a successor who is not there or not the actor's to choose.
    """
    to: dict[str, UUID] = {}
    for line in preview(ctx, member):
        said = chosen.get(line.key, "") or otherwise
        if said != STAY:
            to[line.key] = _successor(ctx, member, said)
    return Plan(to)


def _successor(ctx: Context, member: UUID, said: str) -> UUID:
    found = next(iter(people.here(ctx, [said])), None)
    person = Directory.of(ctx).person(found)
    if person is None or person.id == member or person.external:
        raise InvalidInput({"to": [say("Choose who takes over, or let it stay as it is.")]})
    if not unlimited(ctx.actor) and not powers.manages(ctx, person.id):
        raise InvalidInput({"to": [say("Choose a successor among the members whom you manage.")]})
    return person.id


def begin(ctx: Context, member: UUID, wanted: Plan, kind: str = "member") -> UUID:
    """Hand over by this plan: now where it is little, else by a job. Gives the run."""
    id, total = new_id(), _total(ctx, member, wanted, kind)
    targets = {key: str(to) for key, to in wanted.to.items()}
    ctx.conn.execute(
        insert(hand_over).values(
            id=id, kind=kind, subject_id=member, by_id=ctx.actor.id, plan=targets, state="waiting", total=total,
            told={}, begun_at=ctx.now,
        )
    )  # fmt: skip
    names = Directory.of(ctx).names([member, *wanted.to.values()])
    if kind == "member":
        to = ", ".join(dict.fromkeys(names.get(one, "") for one in wanted.to.values()))
        audit.note(ctx, "member.handed_over", names.get(member, ""), member, to=to, plan=targets)
    if total > AT_ONCE:
        enqueue(ctx, "hand_over", {"run": str(id)})
    else:
        while step(ctx, id):
            pass
    return id


def _total(ctx: Context, member: UUID, wanted: Plan, kind: str) -> int:
    fields = {f"records:{m.key}": m for m in mentions.all_fields(ctx, kind)}
    counted = sum(mentions.count(ctx, fields[key], member) for key in wanted.to if key in fields)
    others = len([key for key in wanted.to if key not in fields and key not in ("tasks", "runs")])
    return counted + others + len(_runs(ctx, member, wanted))


def _runs(ctx: Context, member: UUID, wanted: Plan) -> list[UUID]:
    tasks, started = "tasks" in wanted.to, "runs" in wanted.to
    return flows.waiting_runs(ctx, member, tasks, started) if tasks or started else []


def run_of(ctx: Context, id: UUID) -> Any:
    """Raises NotFound."""
    row = ctx.conn.execute(select(hand_over).where(hand_over.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def runs_of(ctx: Context, member: UUID) -> list[Any]:
    """Earlier hand-overs of a member, the newest first."""
    h = hand_over
    return list(ctx.conn.execute(select(h).where(h.c.subject_id == member).order_by(h.c.begun_at.desc()).limit(20)))


# -- doing it --------------------------------------------------------------------------------------


def step(ctx: Context, id: UUID) -> bool:
    """Do the next chunk of a run; whether there was one."""
    row = ctx.conn.execute(select(hand_over).where(hand_over.c.id == id).with_for_update()).one_or_none()
    if row is None or row.state not in ("waiting", "running"):
        return False
    wanted, told = Plan({key: UUID(to) for key, to in row.plan.items()}), dict(row.told or {})
    inner = replace(ctx, origin=ORIGIN)
    done = _next(inner, row.kind, row.subject_id, wanted, told)
    values: dict[str, Any] = {"state": "running", "done": row.done + done, "told": told}
    if not done:
        values |= {"state": "done", "ended_at": ctx.now, "done": row.total}
    ctx.conn.execute(update(hand_over).where(hand_over.c.id == id).values(values))
    return bool(done)


def _next(ctx: Context, kind: str, member: UUID, wanted: Plan, told: dict[str, Any]) -> int:
    """The next records, runs or whole line; how many. `told` remembers what is done."""
    for mention in mentions.all_fields(ctx, kind):
        key = f"records:{mention.key}"
        if key in wanted.to and (done := _some_records(ctx, mention, member, wanted.to[key], told, key)):
            return done
    if done := _some_runs(ctx, member, wanted, told):
        return done
    for key, take in TAKING.items():
        if key in wanted.to and key not in told:
            told[key] = take(ctx, member, wanted.to[key])
            return 1
    return 0


def _some_records(ctx: Context, mention: Mention, member: UUID, to: UUID, told: dict[str, Any], key: str) -> int:
    after = told.get("after", {}).get(key)
    ids = mentions.some(ctx, mention, member, CHUNK, UUID(after) if after else None)
    if not ids:
        return 0
    kept = records.replace_people(ctx, mention.live, ids, [mention.path], member, to)
    told[key] = told.get(key, 0) + len(ids) - len(kept)
    told["after"] = {**told.get("after", {}), key: str(ids[-1])}
    if kept:
        told["kept"] = [*told.get("kept", []), *({"key": mention.key, "id": str(id)} for id in kept)][:500]
    return len(ids)


def _some_runs(ctx: Context, member: UUID, wanted: Plan, told: dict[str, Any]) -> int:
    """A task and a start may go to different people: one event for each."""
    runs = _runs(ctx, member, wanted)[:CHUNK]
    for id in runs:
        if "tasks" in wanted.to:
            flows.hand_over(ctx, id, member, wanted.to["tasks"], tasks=True, started=False)
        if "runs" in wanted.to:
            flows.hand_over(ctx, id, member, wanted.to["runs"], tasks=False, started=True)
    if runs:
        told["flows"] = told.get("flows", 0) + len(runs)
    return len(runs)


def _heads(ctx: Context, member: UUID, to: UUID) -> int:
    d = models.department
    done = ctx.conn.execute(update(d).where(d.c.head_id == member).values(head_id=to)).rowcount
    Directory.of(ctx).forget()
    return done


def _take_slots(ctx: Context, member: UUID, to: UUID) -> int:
    s = models.slot
    return ctx.conn.execute(update(s).where(s.c.target_id == member).values(target_id=to)).rowcount


def _take_roles(ctx: Context, member: UUID, to: UUID) -> int:
    r, p = models.role_member, role_part
    listed = ctx.conn.execute(select(r.c.installation_id, r.c.role).where(r.c.member_id == member)).all()
    for row in listed:
        people.give_role(ctx, row.installation_id, row.role, to)
    ctx.conn.execute(delete(r).where(r.c.member_id == member))
    there = select(p.c.role).where(p.c.kind == "member", p.c.target_id == to)
    named = (p.c.kind == "member", p.c.target_id == member)
    ctx.conn.execute(delete(p).where(*named, p.c.role.in_(there)))
    done = len(listed) + ctx.conn.execute(update(p).where(*named).values(target_id=to)).rowcount
    Directory.of(ctx).forget()
    return done


def _take_duties(ctx: Context, member: UUID, to: UUID) -> int:
    own = powers.of_member(ctx, member)
    for one in own:
        before = next((d for d in powers.of_member(ctx, to) if (d.kind, d.target) == (one.kind, one.target)), None)
        wanted = {*one.powers, *(before.powers if before else ())}
        powers.give(ctx, to, one.kind, one.target, wanted, {*one.gives, *(before.gives if before else ())})
    ctx.conn.execute(delete(duty).where(duty.c.member_id == member))
    return len(own)


def _take_views(ctx: Context, member: UUID, to: UUID) -> int:
    """What the successor has not set themselves."""
    p = models.preference
    rows = ctx.conn.execute(select(p.c.key, p.c.value).where(p.c.member_id == member)).all()
    for row in rows:
        ctx.conn.execute(upsert(p).values(member_id=to, key=row.key, value=row.value).on_conflict_do_nothing())
    return len(rows)


def _take_drafts(ctx: Context, member: UUID, to: UUID) -> int:
    d = form_draft
    rows = ctx.conn.execute(select(d).where(d.c.member_id == member)).all()
    done = 0
    for row in rows:
        made = upsert(d).values({**row._mapping, "member_id": to}).on_conflict_do_nothing()
        if ctx.conn.execute(made).rowcount:
            same = (d.c.installation_id == row.installation_id, d.c.form == row.form, d.c.about == row.about)
            ctx.conn.execute(delete(d).where(d.c.member_id == member, *same))
            done += 1
    return done


TAKING: dict[str, Taking] = {
    "heads": _heads, "slots": _take_slots, "roles": _take_roles, "duties": _take_duties, "views": _take_views,
    "drafts": _take_drafts,
}  # fmt: skip


def _give_up(ctx: Context, error: str, run: str) -> None:
    values = {"state": "failed", "ended_at": ctx.now, "problem": error[:500]}
    ctx.conn.execute(update(hand_over).where(hand_over.c.id == UUID(run)).values(values))


@job("hand_over", chunked=True, failed=_give_up)
def hand_over_in_chunks(opened: Callable[[], AbstractContextManager[Context]], run: str) -> None:
    """The job: a chunk in a transaction, with the progress written in the same one."""
    more = True
    while more:
        with opened() as ctx:
            more = step(ctx, UUID(run))


# -- telling it ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One line of what has been done."""

    title: Sentence
    count: int
    to: str
    place: tuple[Sentence, ...] = ()


TITLES: dict[str, Message] = {
    "tasks": say("Tasks and flows"), "heads": say("Departments that they head"), "slots": say("Posts in apps"),
    "roles": say("Places on lists of roles"), "duties": say("What they administer"), "views": say("Settings of lists"),
    "drafts": say("Forms that they began to fill in"),
}  # fmt: skip


def told(ctx: Context, row: Any) -> list[Told]:
    """What a run has done so far, in words."""
    names = Directory.of(ctx).names(UUID(to) for to in row.plan.values())
    counts: Mapping[str, Any] = row.told or {}
    fields = {f"records:{m.key}": m for m in mentions.all_fields(ctx, row.kind)}
    lines = []
    for key, to in row.plan.items():
        name = names.get(UUID(to), "")
        if key in fields:
            app, table, label = fields[key].titles
            lines.append(Told(label, counts.get(key, 0), name, (app, table)))
        elif key in TITLES:
            lines.append(Told(TITLES[key], counts.get("flows" if key == "tasks" else key, 0), name))
        elif key.startswith("records:"):
            lines.append(Told(Text.of(key.removeprefix("records:")), counts.get(key, 0), name))
    return lines
