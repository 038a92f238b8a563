"""What machine steps do with records: find, create, change, delete. In the flow's name, within its rights.

Each hand is `hand(ctx, running, step)`, acts in the running transaction, and gives what later steps may read.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, text, true
from sqlalchemy.dialects.postgresql import insert

from runtime import absences, matching, query, records
from runtime.access import door
from runtime.context import Context
from runtime.models_flow import flow_turn
from runtime.query import Listing
from runtime.running import Running, people, values_of
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import Denied, InvalidInput
from schemas.formula import ErrorValue, Formula
from schemas.formula.types import BOOLEAN
from schemas.formula.values import fold
from schemas.messages import say
from schemas.steps.assign import Assign
from schemas.steps.binding import bind
from schemas.steps.create import Create
from schemas.steps.delete import Delete
from schemas.steps.find import Find
from schemas.steps.update import Update
from schemas.steps.upsert import Upsert

SEVERAL = say("Several records have this key. Choose a key that names only one, or tell them apart first.")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def fitted(live: LiveTable, values: Mapping[str, Formula], value: values_of) -> dict[str, Any]:
    """What is to be set, as the fields hold it. Raises InvalidInput for a formula that gives an error."""
    return {id: _fit(live, id, value(formula)) for id, formula in values.items()}


def _fit(live: LiveTable, id: str, value: Any) -> Any:
    if isinstance(value, ErrorValue):
        raise InvalidInput({id: [say("The formula gives {code}.", code=value.code)]})
    return filling.fit(live.table.by_id[id], value)


def ids_of(value: Any) -> list[UUID]:
    """The records that a formula gives, once each."""
    several = value if isinstance(value, list | tuple) else [value]
    return list(dict.fromkeys(one for one in several if isinstance(one, UUID)))


def table_of(running: Running, formula: Formula) -> LiveTable:
    """The table of the records that a formula gives; the linker has seen that it is one."""
    kind = running.expression(formula).type.element
    return running.live.sibling(kind.target or "")


# -- finding ---------------------------------------------------------------------------------------


def find(ctx: Context, running: Running, step: Any) -> Any:
    """One record, many, or a figure over those that the flow may read."""
    assert isinstance(step, Find)
    live = running.live.sibling(step.table)
    gate, condition = door(ctx, live), condition_of(ctx, running, live, step.where)
    if step.take not in ("one", "many"):
        return matching.figure(gate, step.take, step.value, condition)
    size = 1 if step.take == "one" else step.limit
    found = [r.id for r in query.page(gate, Listing(sort=step.sort, size=size), [condition]).records]
    return (found[0] if found else None) if step.take == "one" else found


def condition_of(ctx: Context, running: Running, live: LiveTable, where: Formula | None) -> ColumnElement[bool]:
    """A step's condition on other records; what it reads of the flow is given to it as plain values."""
    if where is None:
        return true()
    own = running.scope()
    bound, value = bind(where, own), values_of(ctx, running)
    expression = running.inst.app.analysis.expression(bound.formula, bound.scope(own, live.table), BOOLEAN)
    given = {name: (value(formula), bound.types[name]) for name, formula in bound.given.items()}
    return matching.holding(door(ctx, live), expression, given)


# -- writing ---------------------------------------------------------------------------------------


def create(ctx: Context, running: Running, step: Any) -> UUID:
    """A new record, which other flows see."""
    assert isinstance(step, Create)
    live = running.live.sibling(step.table)
    return _create(ctx, live, fitted(live, step.set or {}, values_of(ctx, running)))


def _create(ctx: Context, live: LiveTable, given: Mapping[str, Any]) -> UUID:
    from runtime import flows

    record = records.create(ctx, live, given)
    flows.record_saved(ctx, live, record, "created", None)
    return record


def change(ctx: Context, live: LiveTable, ids: Iterable[UUID], given: Mapping[str, Any]) -> None:
    """Set these fields of each of the records, and let other flows see it."""
    from runtime import flows

    for id in ids:
        changes = records.change(ctx, live, id, given)
        if changes:
            flows.record_saved(ctx, live, id, "changed", changes)


def update(ctx: Context, running: Running, step: Any) -> None:
    """Set fields of the flow's record, of one that it links to, or of those that a step found."""
    assert isinstance(step, Update)
    value = values_of(ctx, running)
    of = step.of or Formula.of(step.record or "this")
    live = table_of(running, of)
    change(ctx, live, ids_of(value(of)), fitted(live, step.set, value))


def upsert(ctx: Context, running: Running, step: Any) -> UUID:
    """The record with this key is changed, or there is a new one. Two at once wait for one another."""
    assert isinstance(step, Upsert)
    live = running.live.sibling(step.table)
    given = fitted(live, step.set or {}, values_of(ctx, running))
    key = tuple(fold(v) if isinstance(v := given[name], str) else v for name in step.key)
    if any(part is None for part in key):
        return _create(ctx, live, given)
    ctx.conn.execute(ONE_AT_A_TIME, {"key": f"{live.inst.id}.{live.id}:{key!r}"})
    found = query.by_key(door(ctx, live), step.key, {key}).get(key, [])
    if len(found) > 1:
        raise InvalidInput({step.key[0]: [SEVERAL]})
    if not found:
        return _create(ctx, live, given)
    change(ctx, live, found, given)
    return found[0]


def delete(ctx: Context, running: Running, step: Any) -> None:
    """The records go to the trash, and what ran for them is over; this very run goes on to its end."""
    assert isinstance(step, Delete)
    live, ids = table_of(running, step.of), ids_of(values_of(ctx, running)(step.of))
    if ids:
        records.trash(ctx, live, ids, but=running.id)


# -- assigning -------------------------------------------------------------------------------------


def assign(ctx: Context, running: Running, step: Any) -> UUID | None:
    """One of the people who are here gets the record. When nobody can take it, nobody does, or Denied is raised.

    By weight it is stride scheduling (Waldspurger 1995): whoever has spent least takes it, and spends 1 / weight; who
    is new begins where the one who has spent least stands.

    Those who choose at the same time wait for one another until the record is written.
    """
    assert isinstance(step, Assign)
    here = {"installation_id": running.live.inst.id, "flow": running.flow.id, "step": step.id}
    ctx.conn.execute(ONE_AT_A_TIME, {"key": f"assign {here!r}"})
    load = _load(ctx, running, step, _on_duty(ctx, running, step))
    free = [person for person, count in load.items() if step.most is None or count < step.most]
    if not free and step.if_nobody == "go_on":
        return None
    if not free:
        raise Denied(say("There is nobody who can take this now."))
    of_step = [flow_turn.c[name] == value for name, value in here.items()]
    before = {row.member_id: row for row in ctx.conn.execute(select(flow_turn).where(*of_step))}
    weights = _weights(ctx, running, step) if step.by == "weights" else {}
    least = min((before[p].spent for p in free if p in before), default=0.0)
    spent = {p: (before[p].spent if p in before else least) + 1 / weights.get(p, 1) for p in free}
    turns = {p: before[p].turn if p in before else 0 for p in free}
    first: dict[str, Mapping[UUID, float]] = {"load": load, "weights": spent, "turns": {}}
    chosen = min(free, key=lambda person: (first[step.by].get(person, 0), turns[person]))
    noted = {p: {"turn": 0, "spent": least} for p in free if p not in before}
    noted[chosen] = {"turn": max((row.turn for row in before.values()), default=0) + 1, "spent": spent[chosen]}
    made = insert(flow_turn).values([{**here, "member_id": p, **facts} for p, facts in noted.items()])
    fresh = {name: made.excluded[name] for name in ("turn", "spent")}
    ctx.conn.execute(made.on_conflict_do_update(index_elements=[*here, "member_id"], set_=fresh))
    if running.record is not None:
        change(ctx, running.live, [running.record], {step.field: chosen})
    return chosen


def _weights(ctx: Context, running: Running, step: Assign) -> dict[UUID, int]:
    """What each person's turns weigh, by the first way in which they are meant."""
    found: dict[UUID, int] = {}
    for who in step.among:
        for person in people(ctx, running, (who,)):
            found.setdefault(person, who.weight)
    return found


def _on_duty(ctx: Context, running: Running, step: Assign) -> list[UUID]:
    """Those meant who are not away, in order."""
    flow = f"{running.inst.slug}.{running.flow.id}"
    return [person for person in people(ctx, running, step.among) if not absences.stand_in(ctx, person, flow)]


def _load(ctx: Context, running: Running, step: Assign, some: Iterable[UUID]) -> dict[UUID, int]:
    """How many records each of them has, as far as that is asked."""
    if step.by != "load" and step.most is None:
        return dict.fromkeys(some, 0)
    gate, counted = door(ctx, running.live), condition_of(ctx, running, running.live, step.where)
    field = gate.source().column(step.field)
    return {person: matching.figure(gate, "count", None, and_(counted, field == person)) for person in some}
