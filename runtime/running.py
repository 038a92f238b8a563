"""A run of a flow as it is kept: locked, loaded, advanced and written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from runtime import absences, answers, definitions, records, rows, tables, working_days
from runtime.actors import System
from runtime.context import Context
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.models import member
from runtime.models_flow import flow_instance, flow_log, flow_task
from runtime.people import Directory
from runtime.signals import touched as touched_members
from runtime.tables import LiveTable
from schemas.engine import Advance, Event, Facts, Question, State, Unanswered, advance
from schemas.engine.run import OUTSIDE, Run
from schemas.engine.state import Entry, Task
from schemas.errors import NotFound
from schemas.fields.rows import Rows
from schemas.flow import Flow
from schemas.formula import Expression, Formula, evaluate
from schemas.results import read
from schemas.scopes import TableScope
from schemas.steps.people import PeopleStep
from schemas.steps.who import Who, find
from schemas.table import NOTHING


@dataclass(frozen=True)
class Parent:
    """The run that started this one as a subflow, at which token and round, and for which of its items."""

    run: UUID
    token: int
    round: int
    item: int
    waits: bool


@dataclass
class Running:
    """One run: its flow (of the revision it began with), its record, and its state."""

    id: UUID
    inst: Installed
    flow: Flow
    live: LiveTable
    record: UUID | None
    starter: UUID | None
    started_at: datetime
    parent: Parent | None = None
    state: State = field(default_factory=State)
    task_ids: dict[int, UUID] = field(default_factory=dict)
    heard: dict[str, Any] | None = None
    """What formulas came to, by their source, while somebody listens."""

    @property
    def its_record(self) -> UUID:
        """The record that it is about. Raises NotFound for a run without one."""
        if self.record is None:
            raise NotFound
        return self.record

    def scope(self, rows: Rows | None = None) -> TableScope:
        """The names that its formulas know: the record's, and what its steps give."""
        analysis = self.inst.app.analysis
        table = self.inst.app.table(self.live.id) if self.live.id else NOTHING
        assert table is not None
        return analysis.scope(table, rows, **analysis.results(self.flow))

    def expression(self, formula: Formula, rows: Rows | None = None) -> Expression:
        return self.inst.app.analysis.expression(formula, self.scope(rows))

    def key(self) -> dict[str, Any]:
        """The columns by which tasks and readers are found without their run."""
        return {
            "instance_id": self.id, "installation_id": self.inst.id, "flow": self.flow.id,
            "revision": self.inst.revision, "table_id": self.live.id, "record_id": self.record,
        }  # fmt: skip


# -- loading ---------------------------------------------------------------------------------------


def load(ctx: Context, id: UUID, lock: bool = True) -> Running:
    """The run with this id, locked so that it has one writer at a time. Raises NotFound."""
    query = select(flow_instance).where(flow_instance.c.id == id)
    row = ctx.conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound
    now = definitions.by_id(ctx, row.installation_id)
    inst = definitions.at_revision(ctx, now, row.revision)
    flow = inst.app.flow(row.flow)
    if flow is None:
        raise NotFound
    running = Running(
        row.id, inst, flow, tables.of_flow(ctx, now, row.table_id), row.record_id, row.starter_id, row.started_at
    )
    if row.parent_id is not None:
        running.parent = Parent(row.parent_id, row.parent_token, row.parent_round, row.parent_item, row.waited_for)
    running.state = State.from_json(row.body)
    t = flow_task
    numbers = ctx.conn.execute(select(t.c.number, t.c.id).where(t.c.instance_id == id))
    running.task_ids = {row.number: row.id for row in numbers}
    return running


def create(
    ctx: Context, live: LiveTable, flow: Flow, record: UUID | None, starter: UUID | None, parent: Parent | None = None,
    id: UUID | None = None,
) -> Running | None:  # fmt: skip
    """A new run, or None when this flow is running for the record already, or there is a run with this id."""
    made = Running(id or new_id(), live.inst, flow, live, record, starter, ctx.now, parent)
    values = {
        "id": made.id, "installation_id": live.inst.id, "flow": flow.id, "revision": live.inst.revision,
        "table_id": live.id, "record_id": record, "starter_id": starter, "state": "running",
        "body": made.state.to_json(), "started_at": ctx.now,
    }  # fmt: skip
    if parent is not None:
        values |= {"parent_id": parent.run, "parent_token": parent.token, "parent_round": parent.round,
                   "parent_item": parent.item, "waited_for": parent.waits}  # fmt: skip
    statement = upsert(flow_instance).values(values).on_conflict_do_nothing().returning(flow_instance.c.id)
    return made if ctx.conn.scalar(statement) else None


def open_run(ctx: Context, live: LiveTable, flow: str, record: UUID | None) -> UUID | None:
    """The run of this flow that is under way for a record."""
    if record is None:
        return None
    i = flow_instance
    under_way = (
        i.c.installation_id == live.inst.id,
        i.c.flow == flow,
        i.c.record_id == record,
        i.c.ended_at.is_(None),
    )
    return ctx.conn.scalar(select(i.c.id).where(*under_way))


# -- deciding --------------------------------------------------------------------------------------


def decide(ctx: Context, running: Running, event: Event) -> Advance:
    """What `advance` says, with its questions answered one after the other."""
    known: dict[Question, tuple[str, ...]] = {}
    value = values_of(ctx, running)
    while True:
        try:
            return advance(running.flow, running.state, event, facts(ctx, value, known))
        except Unanswered as missing:
            known[missing.question] = answer(ctx, running, missing.question)


def facts(ctx: Context, value: "values_of", known: Mapping[Question, tuple[str, ...]]) -> Facts:
    return Facts(ctx.now, value, known, ctx.zone, working_days.of_workspace(ctx), value.hear)


class values_of:
    """Formulas of a flow about its record: everything stored, nothing masked, read when first needed."""

    def __init__(self, ctx: Context, running: Running) -> None:
        self.ctx, self.running = ctx, running
        self._values: dict[str, Any] | None = None
        self._types = running.inst.app.analysis.results(running.flow)
        self._given: dict[str, Any] = {}
        self.hear(running.state.results)

    def hear(self, results: Mapping[str, Any]) -> None:
        """What the steps have given so far."""
        self._given = {name: read(result) for name, result in results.items() if name in self._types}

    def __call__(self, formula: Formula) -> Any:
        """A formula about the record; a subform's name stands for its rows."""
        values = self._read()
        if isinstance(self.running.live.table.by_id.get(formula.source), Rows):
            return values.get(formula.source) or []
        return self.of_row(formula, None, {})

    def of_row(self, formula: Formula, found: Rows | None, row: Mapping[str, Any]) -> Any:
        """A formula about one row of a subform, whose columns come before the record's fields."""
        expression = self.running.expression(formula, found)
        asked = answers.answering(self.ctx, self.running.live, self.running.record, self._types)
        values = {**self._read(), **row, **self._given}
        result = evaluate(expression, values, asked(values, expression.needs, found))
        if self.running.heard is not None:
            self.running.heard[formula.source] = result
        return result

    def _read(self) -> dict[str, Any]:
        if self._values is None and self.running.record is None:
            self._values = {}
        if self._values is None:
            record = self.running.its_record
            found = rows.child_values(self.ctx, self.running.live, [record])
            self._values = found.get(record, {})
            self._values |= {"flow": {"state": self._values.get("flow.state")}, "this": record}
        return self._values


def people(ctx: Context, running: Running, whos: tuple[Who, ...]) -> list[UUID]:
    """The members that a flow means, as it now stands."""
    known: dict[Question, tuple[str, ...]] = {}
    while True:
        run = Run(running.flow, running.state, facts(ctx, values_of(ctx, running), known))
        try:
            return [UUID(person) for person in find(whos, run) if not person.startswith(OUTSIDE)]
        except Unanswered as missing:
            known[missing.question] = answer(ctx, running, missing.question)


def to_choose_among(ctx: Context, running: Running, step: PeopleStep) -> set[UUID] | None:
    """The members who may be chosen for a step; None for everybody."""
    pools = [who.among for who in step.who if who.chosen_by is not None and who.among]
    return set(people(ctx, running, pools[0])) if pools else None


def answer(ctx: Context, running: Running, question: Question) -> tuple[str, ...]:
    """The members that answer a question, without those who left."""
    return tuple(str(id) for id in present(ctx, _people(ctx, running, question)))


def _people(ctx: Context, running: Running, question: Question) -> list[UUID]:
    directory, inst = Directory.of(ctx), running.inst
    if question.kind == "role":
        return directory.with_role(inst.id, question.key)
    if question.kind in ("slot", "slot_head"):
        target = definitions.slots(ctx, inst).get(question.key)
        if target is None:
            return []
        return _members(directory, target) if question.kind == "slot" else _head(directory, target, question.level)
    one = UUID(question.key)
    if question.kind == "stand_in":
        return absences.stand_in(ctx, one, f"{inst.slug}.{running.flow.id}")
    return _members(directory, one) if question.kind == "people" else _head(directory, one, question.level)


def _head(directory: Directory, one: UUID, level: int) -> list[UUID]:
    """The head so many steps above a member or a department."""
    head = directory.head_above(one) if one in directory.units else directory.head_of(one)
    for _ in range(level - 1):
        head = directory.head_of(head)
    return [head] if head else []


def _members(directory: Directory, id: UUID) -> list[UUID]:
    """The member with this id, or the members of the department with this id."""
    return directory.members_of(id) if id in directory.units else [id]


def present(ctx: Context, ids: Iterable[UUID]) -> list[UUID]:
    """Those of these members who are still here, in the same order."""
    wanted = list(dict.fromkeys(ids))
    here = select(member.c.id).where(member.c.id.in_(wanted), member.c.left_at.is_(None))
    found = set(ctx.conn.scalars(here)) if wanted else set()
    return [id for id in wanted if id in found]


# -- writing down ----------------------------------------------------------------------------------


def keep(ctx: Context, running: Running, log: list[Entry]) -> None:
    """Write the run as it now stands, its tasks, its log, and the record's flow state."""
    state = running.state
    ended = None if state.open else ctx.now
    starter = UUID(state.starter) if state.starter else None
    values = {"state": state.state, "body": state.to_json(), "ended_at": ended, "starter_id": starter,
              "revision": running.inst.revision}  # fmt: skip
    ctx.conn.execute(update(flow_instance).where(flow_instance.c.id == running.id).values(values))
    if log:
        lines = [{"instance_id": running.id, "number": entry["number"], "entry": entry} for entry in log]
        ctx.conn.execute(insert(flow_log), lines)
    _keep_tasks(ctx, running, log)
    if running.record is not None:
        records.set_flow_state(ctx.acting_as(System()), running.live, running.record, state.state)


def _keep_tasks(ctx: Context, running: Running, log: list[Entry]) -> None:
    touched = {entry["task"] for entry in log if "task" in entry}
    touched |= {id for entry in log if entry["what"] in ("closed", "reopened") for id in entry["tasks"]}
    if any(entry["what"] == "migrated" for entry in log):
        touched |= set(running.state.tasks)
    if not touched:
        return
    lines = [_task_row(ctx, running, running.state.tasks[number]) for number in sorted(touched)]
    for line in lines:
        statement = upsert(flow_task).values(line)
        fresh = {name: line[name] for name in FRESH}
        ctx.conn.execute(statement.on_conflict_do_update(index_elements=["instance_id", "number"], set_=fresh))
    before = {UUID(entry["by"]) for entry in log if entry["what"] == "transferred" and _is_member(entry.get("by"))}
    touched_members(ctx, {line["member_id"] for line in lines if line["member_id"]} | before)


def _is_member(id: str | None) -> bool:
    return bool(id) and not str(id).startswith(OUTSIDE)


FRESH = (
    "step",
    "member_id",
    "state",
    "decision",
    "automatic",
    "asked_at",
    "decided_at",
    "due_at",
    "instead_of",
    "revision",
)


def _task_row(ctx: Context, running: Running, task: Task) -> dict[str, Any]:
    id = running.task_ids.setdefault(task.id, new_id())
    return {
        "id": id, **running.key(), "number": task.id, "step": task.step, **_holder(task),
        "state": _task_state(running.state, task), "decision": task.decision or None, "automatic": int(task.automatic),
        "asked_at": datetime.fromisoformat(task.since), "decided_at": ctx.now if task.decision else None,
        "due_at": datetime.fromisoformat(task.due) if task.due else None, "kind": task.kind,
        "instead_of": UUID(task.instead_of) if task.instead_of else None,
    }  # fmt: skip


def _holder(task: Task) -> dict[str, Any]:
    outside = task.member.startswith(OUTSIDE)
    return {
        "member_id": None if outside else UUID(task.member),
        "address": task.member[len(OUTSIDE) :] if outside else None,
    }


def _task_state(state: State, task: Task) -> str:
    if task.decision:
        return "decided"
    if task.live:
        return "live"
    if task.paused and not task.closed:
        return "paused"
    token = state.tokens[task.token]
    if task.closed:
        return "closed"
    return "waiting" if token.live and token.round == task.round and token.waits == "people" else "closed"


def log_of(ctx: Context, id: UUID) -> list[Entry]:
    """The whole log of a run, oldest first."""
    query = select(flow_log.c.entry).where(flow_log.c.instance_id == id).order_by(flow_log.c.number)
    return list(ctx.conn.scalars(query))
