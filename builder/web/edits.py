"""What the designers share: a page that is drawn whole or in part, and one edit of a draft, made, undone, done again."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import make_response, render_template, request
from flask_babel import force_locale, gettext

from builder import drafts
from builder.drafts import Draft
from builder.formula_inputs import condition_fields
from builder.near import Surroundings
from builder.parts import Parts
from builder.places import Told
from builder.web.apps import CHANGED, about, counter_sent, designer
from runtime.context import Context
from runtime.web.edge import go, is_fragment, tell, words, work
from runtime.web.frame import frame
from schemas.errors import Conflict, InvalidInput
from schemas.messages import Message, say
from schemas.text import LANGUAGES, Text

Answer = Callable[[Context, Draft, str], Any]
"""Draws the page with what is chosen on it."""


# -- the page --------------------------------------------------------------------------------------


def drawn(
    ctx: Context, draft: Draft, around: Surroundings, problems: list[Told], name: str, shown: Mapping[str, Any], status: int
) -> Any:  # fmt: skip
    """A designer (`builder/NAME.html`), or after an edit the part of it that changes (`builder/_NAME.html`)."""
    known = {book.place.key: condition_fields(book) for book in around.books}
    values = {
        **about(ctx, draft), "problems": problems, "counter": draft.kept.counter, "Text": Text, "wide": "",
        "condition_places": known, "condition_fields_of": lambda place: known.get(place, []), **shown,
    }  # fmt: skip
    if is_fragment():
        return make_response(render_template(f"builder/_{name}.html", **values), status)
    frame(ctx)
    return make_response(render_template(f"builder/{name}.html", **values), status)


def leading_to(url: str, page: Callable[[], Any]) -> Any:
    """The page after an edit, at its address; a browser whose scripts have not come yet is sent there."""
    if not is_fragment():
        return go(url)
    answer = page()
    answer.headers["HX-Replace-Url"] = url
    return answer


def modes_sent() -> dict[str, str]:
    """Which face of an input somebody turned to: rows or formula."""
    return {k: v for k, v in request.form.items() if k.endswith(".mode")}


def sent() -> dict[str, Any]:
    """What a panel sent: a text by name, or a list of texts where there are several."""
    lists = {name: request.form.getlist(name) for name in request.form}
    return {name: values if len(values) > 1 else values[0] for name, values in lists.items()}


def in_both(message: Message) -> dict[str, str]:
    """A sentence of ours in each language, for what a designer is going to change."""
    said = {}
    for language in LANGUAGES:
        with force_locale(language):
            said[language] = gettext(message.text)
    return said


# -- edits -----------------------------------------------------------------------------------------


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
    """Undo or redo, as the address ends, and say what that was. Raises InvalidInput as `making` does."""
    back = request.path.endswith("undo")
    try:
        with work() as ctx:
            designer(ctx)
            draft, done = drafts.undo(ctx, app, counter_sent(), back)
            shown = answer(ctx, draft)
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err
    if done is not None:
        said = say("Undone: {step}", step=done) if back else say("Done again: {step}", step=done)
        if is_fragment():
            shown.headers["HX-Trigger"] = json.dumps({"toast": {"text": words(said), "kind": "info"}})
        else:
            tell(said, "good")
    return shown
