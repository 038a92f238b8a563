"""Another type for a field, and the change of types on a large table: its progress, and stopping it."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from builder import drafts
from builder.retyping import MOST_OPTIONS, change_type
from builder.web.apps import designer
from builder.web.studio import change, the_form
from runtime import changeover, consequences, definitions
from runtime.actors import unlimited
from runtime.context import Context
from runtime.tables import live
from runtime.web.edge import go, is_fragment, record_id, work
from runtime.web.frame import frame
from schemas.errors import NotFound
from schemas.fields import Reader
from schemas.messages import Message, say

bp = Blueprint("build_types", __name__)


@bp.post("/build/<app>/form/<form>/type")
def retype(app: str, form: str) -> Any:
    """The chosen field becomes another type; what it offers as a choice is what its records hold."""
    path, type = request.form.get("id", ""), request.form.get("type", "")
    with work() as ctx:
        designer(ctx)
        table, _ = the_form(drafts.open_draft(ctx, app).parts, form)
        choices = type in ("choice", "choices") and unlimited(ctx.actor)
        held = texts_held(ctx, app, table, path) if choices else []
    return change(app, form, say("Type changed"), lambda parts: change_type(parts, table, path, type, held), path)


def texts_held(ctx: Context, app: str, table: str, path: str) -> list[str]:
    try:
        source = live(ctx, definitions.installed(ctx, app), table)
    except NotFound:
        return []
    found = source.table.by_id.get(path)
    texts = consequences.present_texts(ctx, source, found, MOST_OPTIONS) if found else []
    return [found.show(text, Reader(ctx.language, ctx.zone)) for text in texts] if found else []


@bp.get("/build/<app>/changeover/<run>")
def progress(app: str, run: str) -> Any:
    """How far the change of types is."""
    with work() as ctx:
        designer(ctx)
        found = _run(ctx, app, run)
        values = {
            "run": found,
            "app": app,
            "base": f"/build/{app}",
            "problem": _problem(found),
            "title": definitions.installed(ctx, app).app.title,
        }
        if is_fragment():
            return render_template("builder/_changeover.html", **values)
        frame(ctx)
        return render_template("builder/changeover.html", **values)


def _run(ctx: Context, app: str, run: str) -> Any:
    """A run of this app. Raises NotFound."""
    found = changeover.run_of(ctx, record_id(run))
    if found.installation_id != definitions.installed(ctx, app).id:
        raise NotFound
    return found


def _problem(run: Any) -> Message | None:
    return Message(run.problem["text"], run.problem["values"]) if run.problem else None


@bp.post("/build/<app>/changeover/<run>/cancel")
def cancel(app: str, run: str) -> Any:
    with work() as ctx:
        designer(ctx)
        id: UUID = _run(ctx, app, run).id
        changeover.cancel(ctx, id)
    return go(f"/build/{app}/changeover/{id}")
