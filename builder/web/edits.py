"""One edit of a draft through a page of the builder: made, answered with the page as it then is, undone, done again."""

import json
from collections.abc import Callable
from typing import Any

from flask import request

from builder import drafts
from builder.drafts import Draft
from builder.parts import Parts
from builder.web.apps import CHANGED, counter_sent, designer
from runtime.context import Context
from runtime.web.edge import words, work
from schemas.errors import Conflict, InvalidInput
from schemas.messages import Message, say

Answer = Callable[[Context, Draft, str], Any]
"""Draws the page with what is chosen on it."""


def making(app: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]], answer: Answer) -> Any:
    """Make one edit that says what is chosen afterwards. Raises InvalidInput when somebody else has edited since."""
    made: dict[str, str] = {}

    def told_edit(parts: Parts) -> Parts:
        parts, made["chosen"] = edit(parts)
        return parts

    try:
        with work() as ctx:
            designer(ctx)
            return answer(ctx, drafts.edit(ctx, app, counter_sent(), message, told_edit), made["chosen"])
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err


def stepping(app: str, answer: Callable[[Context, Draft], Any]) -> Any:
    """Undo or redo, as the address ends, and say what that was."""
    back = request.path.endswith("undo")
    with work() as ctx:
        designer(ctx)
        draft, done = drafts.undo(ctx, app, back)
        shown = answer(ctx, draft)
    if done is not None:
        text = words(say("Undone: {step}", step=done) if back else say("Done again: {step}", step=done))
        shown.headers["HX-Trigger"] = json.dumps({"toast": {"text": text, "kind": "info"}})
    return shown


def sent() -> dict[str, Any]:
    """What a panel sent: a text by name, or a list of texts where there are several."""
    lists = {name: request.form.getlist(name) for name in request.form}
    return {name: values if len(values) > 1 else values[0] for name, values in lists.items()}
