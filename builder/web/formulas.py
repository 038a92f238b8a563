"""What the formula editor asks: the names it may use, the functions there are, and how a formula fares."""

from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request

from builder import drafts
from builder.formulas import Trial, checked, records, tried
from builder.names import Book, Place
from builder.web.apps import designer
from runtime import definitions
from runtime.context import Context
from runtime.tables import LiveTable, live
from runtime.web.edge import words, work
from schemas.errors import NotFound
from schemas.formula.functions import FUNCTIONS
from schemas.formula.functions.base import Function
from schemas.messages import say

bp = Blueprint("build_formulas", __name__)
GROUPS = {
    "logic": say("Logic"), "text": say("Text"), "math": say("Numbers"), "date": say("Dates and times"),
    "people": say("People"), "lookup": say("Looking up"),
}  # fmt: skip


def the_book(ctx: Context, app: str) -> tuple[Book, LiveTable | None]:
    """The names for the place that the editor stands in, and the published table if there is one. Raises NotFound."""
    draft = drafts.open_draft(ctx, app)
    place = Place.of(request.values.get("place", ""))
    about_none = not place.table and draft.app is not None and draft.app.flow(place.flow) is not None
    if draft.app is None or (draft.app.table(place.table) is None and not about_none):
        raise NotFound
    return Book(draft.app.analysis, place), None if about_none else published(ctx, app, place.table)


def published(ctx: Context, app: str, table: str) -> LiveTable | None:
    try:
        return live(ctx, definitions.installed(ctx, app), table)
    except NotFound:
        return None


@bp.get("/build/<app>/names")
def names(app: str) -> Any:
    """The fields that a formula in a place may mention, for completion."""
    with work() as ctx:
        designer(ctx)
        book, _ = the_book(ctx, app)
        return jsonify(book.dump())


@bp.get("/build/functions")
def functions() -> Any:
    """Every function with its group, usage and description in the reader's language."""
    with work() as ctx:
        designer(ctx)
    groups: dict[str, list[dict[str, str]]] = {}
    for name, function in sorted(FUNCTIONS.items()):
        groups.setdefault(function.group, []).append(_told(name, function))
    ordered = sorted(groups, key=lambda group: list(GROUPS).index(group) if group in GROUPS else len(GROUPS))
    return jsonify([{"group": words(GROUPS.get(g) or g), "functions": groups[g]} for g in ordered])


def _told(name: str, function: Function) -> dict[str, str]:
    usage = f"{name}{function.usage[len(function.name) :]}"
    return {"name": name, "usage": usage, "text": words(function.summary), "example": function.example}


@bp.post("/build/<app>/formula")
def trial(app: str) -> Any:
    """How a formula fares as it is being typed: its problem, or its type and its value for a record."""
    typed = request.form.get("formula", "")[:20_000]
    with work() as ctx:
        designer(ctx)
        book, there = the_book(ctx, app)
        answer = _answer(ctx, book, there, typed)
        offered = records(ctx, there) if request.form.get("full") else []
        return render_template("builder/_formula_answer.html", answer=answer, full=bool(request.form.get("full")),
                               records=offered, record=request.form.get("record", ""), typed=typed.strip())  # fmt: skip


def _answer(ctx: Context, book: Book, there: LiveTable | None, typed: str) -> Trial:
    if not typed.strip():
        return Trial()
    expression, found = checked(book, typed, request.form.get("result", "any"))
    if expression is None or book.gives(expression):
        return found
    shown, failed = tried(ctx, there, book, expression, _record(ctx, there))
    return Trial(**{**vars(found), "result": shown, "failed": failed})


def _record(ctx: Context, there: LiveTable | None) -> UUID | None:
    """The record that was chosen, if it is still one that this person may read."""
    chosen = request.form.get("record", "")
    return next((UUID(id) for id, _ in records(ctx, there) if id == chosen), None)


@bp.get("/build/<app>/formula")
def editor(app: str) -> Any:
    """The large formula editor, for the dialog."""
    with work() as ctx:
        designer(ctx)
        book, there = the_book(ctx, app)
        return render_template("builder/_formula_editor.html", place=book.place.key, result=request.args.get("result", "any"),
                               label=request.args.get("label", ""), base=f"/build/{app}", records=records(ctx, there))  # fmt: skip
