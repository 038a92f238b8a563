"""What a person is told when a form has been sent, and where they are led."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from runtime import query
from runtime.access import Door, door, views_for
from runtime.actors import System
from runtime.answers import answering
from runtime.context import Context
from runtime.phrases import show
from runtime.tables import LiveTable
from schemas.errors import NotFound
from schemas.form import Form
from schemas.formula import Formula, evaluate
from schemas.messages import Message, say
from schemas.text import Text
from schemas.wording import fill_in


def message(ctx: Context, live: LiveTable, form: Form, record: UUID) -> Text | Message:
    """The form's own sentence with its formulas filled in: the first whose condition holds, else the ordinary one."""
    after = form.after_submit
    if not after.message and not after.hints:
        return say("Saved.")
    value = _values(ctx, live, record)
    text = next((hint.message for hint in after.hints if value(hint.when) is True), after.message)
    if not text:
        return say("Saved.")
    return Text(
        {
            language: fill_in(line, lambda f, spoken=language: show(ctx, live, f, value(f), spoken))  # type: ignore[misc]
            for language, line in text.by_language.items()
        }
    )


def address(ctx: Context, live: LiveTable, form: Form, record: UUID) -> str:
    """Where the form leads when it has been sent."""
    base, after = f"/a/{live.inst.slug}", form.after_submit
    if after.go == "url":
        value = _values(ctx, live, record)
        return fill_in(after.url, lambda f: quote(show(ctx, live, f, value(f), ctx.language), safe=""))
    if after.go == "form":
        return f"{base}/f/{after.form}/new"
    views = views_for(ctx, live.inst, live.id)
    if after.go == "list" and views:
        return f"{base}/v/{views[0].id}/"
    return f"{base}/t/{live.id}/{record}"


def _values(ctx: Context, live: LiveTable, record: UUID) -> Callable[[Formula], Any]:
    """The record's values as formulas ask for them. What its sender could neither give nor read stays blank."""
    system = replace(ctx, actor=System(), memo={})
    try:
        found = query.fetch(door(system, live), record)
    except NotFound:
        return lambda formula: None
    gate = door(ctx, live)
    known = {id: v for id, v in found.values.items() if _open_to(gate, id)}
    values = {**found.system, **known}
    asked = answering(system, live, record)

    def value(formula: Formula) -> Any:
        expression = live.analysis.expression(formula, live.analysis.scope(live.table))
        return evaluate(expression, values, asked(values, expression.needs, None))

    return value


def _open_to(gate: Door, id: str) -> bool:
    return gate.readable(id) or gate.best(id, "create") != "hidden"
