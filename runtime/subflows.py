"""Flows that a step of another flow starts: their records, and what comes back when they are over."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime import records, running
from runtime.context import Context
from runtime.models_flow import flow_instance
from runtime.running import Parent, Running, values_of
from runtime.tables import LiveTable
from schemas import filling
from schemas.engine import Failed, Spawn, SubflowEnded
from schemas.errors import Conflict, Denied, InvalidInput, NotFound
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue, Formula
from schemas.messages import say
from schemas.steps.subflow import Subflow


def spawn(ctx: Context, run: Running, effect: Spawn) -> SubflowEnded | Failed | None:
    """Start the other flow for one item. Gives its end when it is over at once, or why it could not begin."""
    from runtime import effects

    step = run.flow.step(effect.step)
    assert isinstance(step, Subflow)
    try:
        with ctx.conn.begin_nested():
            return _begin(effects.as_flow(ctx, run), run, step, effect)
    except (InvalidInput, Denied, NotFound, Conflict) as err:
        problem = effects.reason(err)
        values = tuple((name, str(value)) for name, value in problem.values.items())
        return Failed(effect.token, effect.round, problem.text, values)


def _begin(ctx: Context, run: Running, step: Subflow, effect: Spawn) -> SubflowEnded | None:
    from runtime import flows

    flow = run.live.inst.app.flow(step.flow)
    table = flow.table(run.live.inst.app) if flow is not None else None
    if flow is None or table is None:
        raise NotFound
    live = run.live.sibling(table)
    record, new = _record(ctx, run, step, effect.item, live)
    parent = Parent(run.id, effect.token, effect.round, effect.item, step.wait)
    begun = flows.start(ctx, live, flow, record, parent=parent, starter=run.starter, depth=effect.depth)
    if new:
        flows.record_saved(ctx, live, record, "created", None)
    if not begun:
        raise Denied(say("'{flow}' is under way for this record already.", flow=str(flow.title or flow.id)))
    child = running.load(ctx, begun[0])
    if child.state.open or not step.wait:
        return None
    write_back(ctx, run, step, child)
    return SubflowEnded(effect.token, effect.round, effect.item, child.state.state)


def _record(ctx: Context, run: Running, step: Subflow, item: int, live: LiveTable) -> tuple[UUID, bool]:
    """The record that the other flow is about, and whether it was made for it."""
    source = run.live.table.by_id.get(step.of or "")
    value = values_of(ctx, run)
    if source is not None and not isinstance(source, Rows):
        linked = value(Formula.of(source.id))
        found = linked if isinstance(linked, list) else [linked]
        return found[item], False
    found_rows = source if isinstance(source, Rows) else None
    row: Mapping[str, Any] = value(Formula.of(found_rows.id))[item] if found_rows is not None else {}
    given = {id: _fit(live, id, value.of_row(formula, found_rows, row)) for id, formula in (step.set or {}).items()}
    return records.create(ctx, live, given), True


def _fit(live: LiveTable, id: str, value: Any) -> Any:
    if isinstance(value, ErrorValue):
        raise InvalidInput({id: [say("The formula gives {code}.", code=value.code)]})
    return filling.fit(live.table.by_id[id], value)


# -- the end ---------------------------------------------------------------------------------------


def ended(ctx: Context, child: Running) -> None:
    """A subflow is over: what it found out is written back, and the flow that waits for it goes on."""
    from runtime import effects, flows

    if child.parent is None or not child.parent.waits:
        return
    run = running.load(ctx, child.parent.run)
    token = run.state.tokens.get(child.parent.token)
    if token is None or not token.live or token.round != child.parent.round or token.waits != "subflow":
        return
    step = run.flow.step(token.step)
    assert isinstance(step, Subflow)
    try:
        with ctx.conn.begin_nested():
            write_back(effects.as_flow(ctx, run), run, step, child)
    except (InvalidInput, Denied, NotFound, Conflict) as err:
        problem = effects.reason(err)
        values = tuple((name, str(value)) for name, value in problem.values.items())
        flows.happen(ctx, run, Failed(token.id, token.round, problem.text, values))
        return
    flows.happen(ctx, run, SubflowEnded(token.id, token.round, child.parent.item, child.state.state))


def write_back(ctx: Context, run: Running, step: Subflow, child: Running) -> None:
    """Set the fields of the first record (or the columns of the row) from the record of the subflow."""
    from runtime import flows

    if not step.results or child.parent is None:
        return
    value = values_of(ctx, child)
    source = run.live.table.by_id.get(step.of or "")
    if isinstance(source, Rows):
        rows = [dict(row) for row in values_of(ctx, run)(Formula.of(source.id))]
        if child.parent.item >= len(rows):
            return
        for name, formula in step.results.items():
            column = source.column(name)
            assert column is not None
            rows[child.parent.item][name] = filling.fit(column, value(formula))
        given: dict[str, Any] = {source.id: rows}
    else:
        given = {name: _fit(run.live, name, value(formula)) for name, formula in step.results.items()}
    changes = records.change(ctx, run.live, run.its_record, given)
    if changes:
        flows.record_saved(ctx, run.live, run.its_record, "changed", changes)


def children(ctx: Context, run: Running) -> list[UUID]:
    """The subflows under way that this run would wait for."""
    i = flow_instance
    query = select(i.c.id).where(i.c.parent_id == run.id, i.c.waited_for, i.c.ended_at.is_(None))
    return list(ctx.conn.scalars(query))
