"""The to-do centre: what waits for a member, what they started, decided or were told; and the rights that gives."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, false, func, literal, or_, select, text, update

from runtime import definitions, notices, tables
from runtime.access import Right, door, may_flow
from runtime.actors import Member, System
from runtime.context import Context
from runtime.definitions import Installed
from runtime.models_flow import flow_instance, flow_reader, flow_task
from runtime.people import Directory
from runtime.plans import fact
from runtime.query import titled, titles
from runtime.tables import LiveTable
from schemas.errors import NotFound
from schemas.flow import Flow
from schemas.steps.notify import Notify
from schemas.steps.people import START, PeopleStep
from schemas.text import Text

INVOLVED = ("live", "paused", "decided")
"""The states of a task whose holder takes part: what is asked now, what waits for somebody they asked, what they did."""
TABS = ("todo", "started", "decided", "copies")
SHOWN = 50
MOST_COUNTED = 1_000
Parts = dict[str, list[tuple[Any, str, int, str]]]


@dataclass(frozen=True)
class Line:
    """One line of the to-do centre. `url` leads to the task, or to the run that it was."""

    id: UUID
    url: str
    title: str
    flow: Text
    app: Text
    step: Text
    state: str
    starter: str
    at: datetime
    ended_at: datetime | None
    unread: bool = False
    due: datetime | None = None
    kind: str = "ask"
    instead_of: str = ""
    simple: bool = False
    """Whether it can be decided together with others: nothing must be filled in, said or signed."""


@dataclass(frozen=True)
class Asked:
    """What to list: a tab, a flow (`slug.flow`) or all of an app (`slug.`), words in the title, only what is late, a page."""

    tab: str = "todo"
    flow: str = ""
    search: str = ""
    page: int = 1
    late: bool = False

    @property
    def narrowed(self) -> bool:
        return bool(self.flow or self.search or self.late)


# -- rights (asked by runtime.access) --------------------------------------------------------------


def rights(ctx: Context, live: LiveTable) -> list[Right]:
    """What the actor may read of a table through live tasks, through having decided, and through copies."""
    if not isinstance(ctx.actor, Member):
        return []
    return [
        Right(
            frozenset({"read"}),
            _records_of(source, ctx, live, flow, step),
            None,
            _reading(rules),
            through=f"step:{flow}.{step}",
        )
        for source, flow, revision, step in parts_taken(ctx, live.inst).get(live.id, ())
        if (rules := _rules(ctx, live, flow, revision, step)) is not None
    ]


def parts_taken(ctx: Context, inst: Installed) -> Parts:
    """(table, flow, revision, step) by table id, wherever the actor has or had a part in a flow of the app."""
    key = ("parts taken", inst.id)
    if key not in ctx.memo:
        kept: Parts = ctx.memo.setdefault(key, {})
        if not _has_flows(ctx, inst):
            return kept
        for row in ctx.conn.execute(PARTS_TAKEN, {"me": ctx.actor.id, "installation": inst.id}):
            source = flow_task if row.asked else flow_reader
            kept.setdefault(row.table_id, []).append((source, row.flow, row.revision, row.step))
    return ctx.memo[key]  # type: ignore[no-any-return]


def _has_flows(ctx: Context, inst: Installed) -> bool:
    """Whether anybody can have a part in a flow of the app; without a flow nobody gets one before the next revision."""
    facts, key = ctx.known.facts, ("flows", inst.id)
    if not inst.app.flows and key not in facts:
        there = [select(literal(1)).where(c.installation_id == inst.id).exists() for c in (flow_task.c, flow_reader.c)]
        facts[key] = ctx.conn.scalar(select(or_(*there)))
    return bool(inst.app.flows) or facts[key]


def _parts(table: str, own: str) -> str:
    """Each (table, flow, step) by a step of its own along the index, however many rows there are of it; and the newest
    revision of each."""
    mine = f"FROM {table} t WHERE t.member_id = :me AND t.installation_id = :installation AND {own}"
    first = f"SELECT t.table_id, t.flow, t.step {mine}"
    return (
        f"WITH RECURSIVE part AS (({first} ORDER BY 1, 2, 3 LIMIT 1) UNION ALL SELECT n.* FROM part p CROSS JOIN LATERAL "
        f"({first} AND (t.table_id, t.flow, t.step) > (p.table_id, p.flow, p.step) ORDER BY 1, 2, 3 LIMIT 1) n) "
        f"SELECT {str(table == 'flow_task').lower()} AS asked, p.*, (SELECT max(t.revision) {mine} AND "
        f"(t.table_id, t.flow, t.step) = (p.table_id, p.flow, p.step)) AS revision FROM part p"
    )


_ASKED = _parts("flow_task", "t.state IN ('live', 'paused', 'decided')")
_TOLD = _parts("flow_reader", "true")
PARTS_TAKEN = text("(" + _ASKED + ") UNION ALL (" + _TOLD + ")")
"""Every part that a member has or had in the flows of an app, read once in a transaction."""


WAITING = select(func.count()).where(flow_task.c.member_id == bindparam("me"), flow_task.c.state == "live")
COUNTS = select(WAITING.scalar_subquery().label("tasks"), notices.UNREAD.scalar_subquery().label("notices"))


def _counted(tab: str, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """How many there are, counted no further than is told."""
    some = select(literal(1)).where(*conditions).limit(MOST_COUNTED).subquery()
    return select(func.count()).select_from(some).scalar_subquery().label(tab)


_ME: ColumnElement[UUID] = bindparam("me")
TAB_COUNTS = select(
    _counted("todo", flow_task.c.member_id == _ME, flow_task.c.state == "live"),
    _counted("started", flow_instance.c.starter_id == _ME),
    _counted("decided", flow_task.c.member_id == _ME, flow_task.c.state == "decided", flow_task.c.automatic == 0),
    _counted("copies", flow_reader.c.member_id == _ME, flow_reader.c.read_at.is_(None)),
)


def _involved(ctx: Context) -> ColumnElement[bool]:
    return (flow_task.c.member_id == fact(ctx, "me")) & flow_task.c.state.in_(INVOLVED)


def _records_of(source: Any, ctx: Context, live: LiveTable, flow: str, step: str) -> Any:
    c = source.c
    own = _involved(ctx) if source is flow_task else c.member_id == fact(ctx, "me")
    mine = select(c.record_id).where(own, c.installation_id == live.inst.id, c.flow == flow, c.step == step)

    def rows(sql: FromClause) -> ColumnElement[bool]:
        return sql.c.id.in_(mine)

    return rows


def _rules(ctx: Context, live: LiveTable, flow: str, revision: int, step: str) -> PeopleStep | Notify | None:
    """The step whose field rules count; the starter's revising gives no right of its own."""
    if step == START:
        return None
    found = live.inst.app.flow(flow) or definitions.at_revision(ctx, live.inst, revision).app.flow(flow)
    at = found.step(step) if found else None
    if at is None:
        earlier = definitions.at_revision(ctx, live.inst, revision).app.flow(flow)
        at = earlier.step(step) if earlier else None
    return at if isinstance(at, PeopleStep | Notify) else None


def _reading(step: PeopleStep | Notify) -> Any:
    return lambda path: "hidden" if step.right(path) == "hidden" else "read"


def took_part(ctx: Context, live: LiveTable) -> Select[tuple[UUID]]:
    """The ids of the records of a table in whose flows the actor has a task, decided, or was told."""
    here = [t.c.installation_id == live.inst.id for t in (flow_task, flow_reader)]
    asked = select(flow_task.c.record_id).where(_involved(ctx), here[0], flow_task.c.table_id == live.id)
    told = select(flow_reader.c.record_id).where(
        flow_reader.c.member_id == ctx.actor.id, here[1], flow_reader.c.table_id == live.id
    )
    return asked.union(told)  # type: ignore[return-value]


def open_task_for(ctx: Context, live: LiveTable, record: UUID) -> UUID | None:
    """The actor's live task about a record, the oldest if there are several."""
    t = flow_task
    own = (
        t.c.member_id == ctx.actor.id,
        t.c.state == "live",
        t.c.record_id == record,
        t.c.table_id == live.id,
    )
    return ctx.conn.scalar(select(t.c.id).where(*own).order_by(t.c.asked_at).limit(1))


def place_of(ctx: Context, task: UUID) -> tuple[UUID, int, UUID]:
    """A task's run, its number there, and who holds it. Raises NotFound."""
    t = flow_task
    row = ctx.conn.execute(select(t.c.instance_id, t.c.number, t.c.member_id).where(t.c.id == task)).one_or_none()
    if row is None:
        raise NotFound
    return row.instance_id, row.number, row.member_id


# -- counts and lists ------------------------------------------------------------------------------


def counts(ctx: Context) -> dict[str, int]:
    """How many tasks wait for the actor, and how many notices are unread."""
    row = ctx.conn.execute(COUNTS, {"me": ctx.actor.id}).one()
    return {"tasks": row.tasks, "notices": row.notices}


def tab_counts(ctx: Context) -> dict[str, int]:
    """How many lines each tab has, up to `MOST_COUNTED`; of copies, how many are unread."""
    row = ctx.conn.execute(TAB_COUNTS, {"me": ctx.actor.id}).one()
    return {tab: int(getattr(row, tab)) for tab in TABS}


def listed(ctx: Context, asked: Asked) -> tuple[list[Line], bool]:
    """One page of a tab, newest first (tasks to do: oldest first), and whether there is more."""
    query = _narrowed(ctx, asked, _query(ctx, asked))
    order = {
        "todo": flow_task.c.asked_at,
        "started": flow_instance.c.started_at.desc(),
        "decided": flow_task.c.decided_at.desc(),
        "copies": flow_reader.c.told_at.desc(),
    }[asked.tab]
    first = SHOWN * (max(asked.page, 1) - 1)
    rows = list(ctx.conn.execute(query.order_by(order, flow_instance.c.id).offset(first).limit(SHOWN + 1)))
    return _lines(ctx, asked.tab, rows[:SHOWN]), len(rows) > SHOWN


def _narrowed(ctx: Context, asked: Asked, query: Select[Any]) -> Select[Any]:
    """Only the lines of the flow or app, that are late, and whose record's title has the words."""
    i = flow_instance
    if asked.flow:
        slug, _, flow = asked.flow.partition(".")
        query = query.where(i.c.installation_id == _installation(ctx, slug), *([i.c.flow == flow] if flow else []))
    if asked.late and asked.tab == "todo":
        query = query.where(flow_task.c.due_at < ctx.now)
    if asked.search:
        query = query.where(or_(false(), *_titled(ctx, query, asked.search)))
    return query


def _titled(ctx: Context, query: Select[Any], words: str) -> Iterator[ColumnElement[bool]]:
    """By table: the record's title, as far as the actor may see it, has the words."""
    i = flow_instance
    inner = query.subquery()
    for installation, table in ctx.conn.execute(select(inner.c.installation_id, inner.c.table_id).distinct()):
        inst = _installed(ctx, installation)
        if inst is None or inst.app.table(table) is None:
            continue
        gate = door(ctx, tables.live(ctx, inst, table))
        if gate.may("read"):
            here = (i.c.installation_id == installation) & (i.c.table_id == table)
            yield here & i.c.record_id.in_(titled(gate, words))


@dataclass(frozen=True)
class Waiting:
    """A task as the workbench shows it."""

    id: UUID
    title: Text
    step: Text
    since: str


def waiting(ctx: Context, limit: int = 6) -> list[Waiting]:
    """The actor's tasks that have waited longest."""
    lines, _ = listed(ctx, Asked())
    return [
        Waiting(line.id, Text.of(line.title) if line.title else line.flow, line.step or line.flow,
                line.at.astimezone(ctx.zone).strftime("%m-%d %H:%M"))
        for line in lines[:limit]
    ]  # fmt: skip


def flows_of(ctx: Context, tab: str) -> dict[tuple[str, Text], list[tuple[str, Text]]]:
    """The flows that occur in a tab, as (`slug.flow`, title), by app (slug and title), for its filter."""
    inner = _query(ctx, Asked(tab)).subquery()
    found: dict[tuple[str, Text], list[tuple[str, Text]]] = {}
    for installation, flow in ctx.conn.execute(select(inner.c.installation_id, inner.c.flow).distinct()):
        inst = _installed(ctx, installation)
        if inst is not None:
            app = (inst.slug, inst.app.title or Text.of(inst.slug))
            found.setdefault(app, []).append((f"{inst.slug}.{flow}", _flow_title(inst.app.flow(flow), flow)))
    return {app: sorted(flows, key=lambda pair: pair[0]) for app, flows in sorted(found.items(), key=lambda p: p[0][0])}


def _query(ctx: Context, asked: Asked) -> Select[Any]:
    i, t, r = flow_instance, flow_task, flow_reader
    run = (
        i.c.id.label("run"),
        i.c.installation_id,
        i.c.flow,
        i.c.revision,
        i.c.table_id,
        i.c.record_id,
        i.c.starter_id,
        i.c.state,
        i.c.started_at,
        i.c.ended_at,
    )
    me = ctx.actor.id
    if asked.tab == "started":
        return select(*run, i.c.id.label("id"), i.c.started_at.label("at")).where(i.c.starter_id == me)
    if asked.tab == "copies":
        lines = select(*run, i.c.id.label("id"), r.c.step, r.c.told_at.label("at"), r.c.read_at)
        return lines.join(r, r.c.instance_id == i.c.id).where(r.c.member_id == me)
    if asked.tab == "decided":
        lines = select(*run, t.c.id.label("id"), t.c.step, t.c.decided_at.label("at"))
        return lines.join(t, t.c.instance_id == i.c.id).where(
            t.c.member_id == me, t.c.state == "decided", t.c.automatic == 0
        )
    lines = select(*run, t.c.id.label("id"), t.c.step, t.c.asked_at.label("at"), t.c.due_at, t.c.kind, t.c.instead_of)
    return lines.join(t, t.c.instance_id == i.c.id).where(t.c.member_id == me, t.c.state == "live")


def _lines(ctx: Context, tab: str, rows: list[Any]) -> list[Line]:
    names = Directory.of(ctx).names(id for row in rows for id in (row.starter_id, getattr(row, "instead_of", None)))
    heads = record_titles(ctx, [(row.installation_id, row.table_id, row.record_id) for row in rows])
    lines = []
    for row in rows:
        inst = _installed(ctx, row.installation_id)
        if inst is None:
            continue
        flow = definitions.at_revision(ctx, inst, row.revision).app.flow(row.flow)
        step = getattr(row, "step", "")
        url = f"/tasks/{row.id}" if tab in ("todo", "decided") else f"/tasks/run/{row.run}"
        lines.append(Line(
            id=row.id, url=url, title=heads.get(row.record_id, ""), flow=_flow_title(flow, row.flow),
            app=inst.app.title or Text.of(inst.slug), step=step_title(flow, step), state=row.state,
            starter=names.get(row.starter_id, ""), at=row.at, ended_at=row.ended_at,
            unread=tab == "copies" and row.read_at is None, **(_asked(flow, row, names) if tab == "todo" else {}),
        ))  # fmt: skip
    return lines


def _asked(flow: Flow | None, row: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    """What only an open task has to show."""
    step = flow.step(row.step) if flow else None
    simple = isinstance(step, PeopleStep) and row.kind not in ("choose", "delegated") and row.step != START
    return {
        "due": row.due_at, "kind": row.kind, "instead_of": names.get(row.instead_of, ""),
        "simple": simple and isinstance(step, PeopleStep) and not step.require and step.agrees not in step.sign,
    }  # fmt: skip


def all_flows(ctx: Context) -> list[tuple[str, Text]]:
    """Every flow that asks people, as (`slug.flow`, title), of the apps that the actor may enter."""
    from runtime.access import may_enter

    found = [
        (f"{inst.slug}.{flow.id}", flow.title or Text.of(flow.id))
        for inst in definitions.all_installed(ctx)
        if may_enter(ctx, inst)
        for flow in inst.app.flows
        if any(p.step.for_people for p in flow.all_positions)
    ]
    return sorted(found, key=lambda pair: pair[0])


def holders(ctx: Context) -> list[tuple[UUID, str, int]]:
    """Who holds how many open tasks, the most first. For administrators."""
    t = flow_task
    count = func.count()
    query = select(t.c.member_id, count).where(t.c.state.in_(("live", "waiting", "paused")), t.c.member_id.is_not(None))
    rows = ctx.conn.execute(query.group_by(t.c.member_id).order_by(count.desc()).limit(SHOWN)).all()
    names = Directory.of(ctx).names(row[0] for row in rows)
    return [(row[0], names.get(row[0], ""), row[1]) for row in rows]


def _flow_title(flow: Flow | None, id: str) -> Text:
    return flow.title if flow and flow.title else Text.of(id)


def step_title(flow: Flow | None, id: str) -> Text:
    """What a step is called; the starter's revising has no name of its own."""
    step = flow.step(id) if flow and id else None
    return step.title if step and step.title else Text.of("" if id == START else id)


def names_of(ctx: Context, installation: UUID, revision: int, flow: str, step: str) -> tuple[Text, Text]:
    """What a flow and one of its steps were called when the run began."""
    inst = _installed(ctx, installation)
    found = definitions.at_revision(ctx, inst, revision).app.flow(flow) if inst else None
    return _flow_title(found, flow), step_title(found, step)


def record_titles(ctx: Context, places: Iterable[tuple[UUID, str, UUID]]) -> dict[UUID, str]:
    """Titles of records by (installation, table, record), of those that the actor may see."""
    by_table: dict[tuple[UUID, str], set[UUID]] = {}
    for installation, table, record in places:
        by_table.setdefault((installation, table), set()).add(record)
    found: dict[UUID, str] = {}
    for (installation, table), ids in by_table.items():
        inst = _installed(ctx, installation)
        if inst is not None and inst.app.table(table) is not None:
            found |= titles(ctx, tables.live(ctx, inst, table), ids)
    return found


def _installed(ctx: Context, installation: UUID) -> Any:
    """The app of this installation, or None when it was removed."""
    try:
        return definitions.by_id(ctx, installation)
    except NotFound:
        return None


def _installation(ctx: Context, slug: str) -> UUID | None:
    try:
        return definitions.installed(ctx, slug).id
    except NotFound:
        return None


# -- seeing a run ----------------------------------------------------------------------------------


def may_see(ctx: Context, instance: UUID) -> bool:
    """Whether the actor started this run, has or had a task in it, was told of it, or may see all runs of its flow."""
    if isinstance(ctx.actor, System) or (isinstance(ctx.actor, Member) and ctx.actor.admin):
        return True
    i, t, r, me = flow_instance, flow_task, flow_reader, ctx.actor.id
    started = select(i.c.id).where(i.c.id == instance, i.c.starter_id == me).exists()
    asked = select(t.c.id).where(t.c.instance_id == instance, _involved(ctx)).exists()
    told = select(r.c.step).where(r.c.instance_id == instance, r.c.member_id == me).exists()
    return bool(ctx.conn.scalar(select(or_(started, asked, told)))) or _sees_all(ctx, instance)


def _sees_all(ctx: Context, instance: UUID) -> bool:
    i = flow_instance
    row = ctx.conn.execute(select(i.c.installation_id, i.c.flow).where(i.c.id == instance)).one_or_none()
    inst = _installed(ctx, row.installation_id) if row else None
    return inst is not None and any(may_flow(ctx, inst, row.flow, verb) for verb in ("read", "manage"))  # type: ignore[union-attr]


def mark_seen(ctx: Context, instance: UUID) -> None:
    """The actor has looked at a run: its notices and their copy of it are read."""
    notices.mark_read_about(ctx, instance)
    r = flow_reader
    own = (r.c.instance_id == instance, r.c.member_id == ctx.actor.id, r.c.read_at.is_(None))
    ctx.conn.execute(update(r).where(*own).values(read_at=ctx.now))
