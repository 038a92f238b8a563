"""What a button of a record or of a row does: starts a flow, or opens a form with values from where it stands."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from runtime import flows, prefill, query, records
from runtime.access import door
from runtime.answers import answering
from runtime.context import Context
from runtime.query import Record
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import Denied, NotFound
from schemas.fields.button import Button
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue, Formula, evaluate
from schemas.messages import say


@dataclass(frozen=True)
class _Pressed:
    """A button where it stands: on its record, or in one of the record's rows."""

    button: Button
    found: Record
    values: dict[str, Any]
    rows: Rows | None = None


def press(
    ctx: Context, live: LiveTable, record: UUID, path: str, action: str, secret: str, row: UUID | None = None
) -> str:
    """Where the person is led; `path` is a field, or a subform's column with the `row` that it was pressed in.

    Raises NotFound, or Denied when the button is not offered now.
    """
    pressed = _pressed(ctx, live, record, path, row)
    if pressed.button.action != action:
        raise NotFound
    if pressed.values.get(pressed.button.id) is not True:
        raise Denied(say("This is not offered now."))
    return _form(ctx, live, pressed, secret) if action == "form" else _flow(ctx, live, pressed)


def _pressed(ctx: Context, live: LiveTable, record: UUID, path: str, row: UUID | None) -> _Pressed:
    top, _, column = path.partition(".")
    field = live.table.by_id.get(top)
    rows = field if isinstance(field, Rows) else None
    button = rows.column(column) if rows else field
    if not isinstance(button, Button) or (rows is None and column):
        raise NotFound
    found = query.fetch(door(ctx, live), record)
    if "hidden" in (found.rights.get(top), found.rights.get(path)):
        raise NotFound
    values = {**found.system, **found.values, "this": found.id}
    return _Pressed(button, found, {**values, **_row(found, rows, row)} if rows else values, rows)


def _row(found: Record, rows: Rows, row: UUID | None) -> dict[str, Any]:
    """The row as this person sees it."""
    for line in found.values.get(rows.id) or ():
        if row is not None and str(line.get("_id")) == str(row):
            return dict(line)
    raise NotFound


def _flow(ctx: Context, live: LiveTable, pressed: _Pressed) -> str:
    """Start the flow, once the record holds what the button sets: as far as this person may write it."""
    flow = live.inst.app.flow(pressed.button.flow or "")
    if flow is None:
        raise NotFound
    record = pressed.found.id
    given = {id: filling.fit(live.table.by_id[id], value) for id, value in _set(ctx, live, pressed).items()}
    if given and (changes := records.change(ctx, live, record, given)):
        flows.record_saved(ctx, live, record, "changed", changes)
    flows.press(ctx, live, flow, record)
    return f"/a/{live.inst.slug}/t/{live.id}/{record}"


def _form(ctx: Context, live: LiveTable, pressed: _Pressed, secret: str) -> str:
    app, form = live.inst.slug, pressed.button.form or ""
    target = live.sibling(live.inst.app.all_forms[form].table)
    given = _set(ctx, live, pressed)
    known = {id: target.table.by_id[id].dump(value) for id, value in given.items() if value is not None}
    known = {id: value for id, value in known.items() if value is not None}
    locked = [id for id in pressed.button.lock if id in known]
    return f"/a/{app}/f/{form}/new?_with={prefill.signed(secret, app, form, known, locked)}"


def _set(ctx: Context, live: LiveTable, pressed: _Pressed) -> dict[str, Any]:
    return {id: _value(ctx, live, pressed, value) for id, value in (pressed.button.set or {}).items()}


def _value(ctx: Context, live: LiveTable, pressed: _Pressed, value: Any) -> Any:
    """A value as it is written, or what a formula gives about the record and the row as this person sees them."""
    if not isinstance(value, Formula):
        return value
    expression = live.analysis.expression(value, live.analysis.scope(live.table, pressed.rows))
    world = answering(ctx, live, pressed.found.id)(pressed.values, expression.needs, pressed.rows)
    made = evaluate(expression, pressed.values, world)
    return None if isinstance(made, ErrorValue) else made
