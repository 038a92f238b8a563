"""What a button of a record does: starts its flow, or opens a form with values from the record."""

from typing import Any
from uuid import UUID

from runtime import flows, prefill, query
from runtime.access import door
from runtime.answers import answering
from runtime.context import Context
from runtime.query import Record
from runtime.tables import LiveTable
from schemas.errors import Denied, NotFound
from schemas.fields.button import Button
from schemas.formula import ErrorValue, Formula, evaluate
from schemas.messages import say


def press(ctx: Context, live: LiveTable, record: UUID, path: str, action: str, secret: str) -> str:
    """Where the person is led. Raises NotFound, or Denied when the button is not offered now."""
    button = live.table.by_id.get(path)
    if not isinstance(button, Button) or button.action != action:
        raise NotFound
    found = query.fetch(door(ctx, live), record)
    if found.rights.get(path) == "hidden":
        raise NotFound
    if found.values.get(path) is not True:
        raise Denied(say("This is not offered now."))
    if button.action == "form":
        return _form(ctx, live, button, found, secret)
    flow = live.inst.app.flow(button.flow or "")
    if flow is None:
        raise NotFound
    flows.press(ctx, live, flow, record)
    return f"/a/{live.inst.slug}/t/{live.id}/{record}"


def _form(ctx: Context, live: LiveTable, button: Button, found: Record, secret: str) -> str:
    app, form = live.inst.slug, button.form or ""
    target = live.sibling(live.inst.app.all_forms[form].table)
    given = {id: _value(ctx, live, found, value) for id, value in (button.set or {}).items()}
    dumped = {id: target.table.by_id[id].dump(value) if value is not None else None for id, value in given.items()}
    known = {id: value for id, value in dumped.items() if value is not None}
    return f"/a/{app}/f/{form}/new?_with={prefill.signed(secret, app, form, known, [i for i in button.lock if i in known])}"


def _value(ctx: Context, live: LiveTable, found: Record, value: Any) -> Any:
    """A value for the form: as it is written, or what a formula gives about the record as this person sees it."""
    if not isinstance(value, Formula):
        return value
    expression = live.analysis.expression(value, live.analysis.scope(live.table))
    values = {**found.system, **found.values, "this": found.id}
    made = evaluate(expression, values, answering(ctx, live, found.id)(values, expression.needs, None))
    return None if isinstance(made, ErrorValue) else made
