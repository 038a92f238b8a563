"""A new aggregate table: choose what is added up, then by what."""

from typing import Any

from flask import Blueprint, make_response, render_template, request

from builder import aggregates, drafts
from builder.parts import Parts
from builder.web.apps import designer, edited
from runtime.web.edge import go, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("aggregates", __name__)


@bp.get("/build/<app>/aggregate/")
def ask(app: str) -> Any:
    return _page(app)


def _page(app: str, errors: Any = None) -> Any:
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        known = list(aggregates.sources(draft.parts))
        chosen = request.values.get("of", "")
        chosen = chosen if chosen in dict(known) else ""
        frame(ctx)
        page = render_template(
            "builder/aggregate.html", app=app, sources=known, chosen=chosen, errors=errors or {}, sent=request.form,
            dimensions=aggregates.dimensions(draft.parts, chosen) if chosen else [],
            figures=aggregates.figures(draft.parts, chosen) if chosen else [],
            units=[(id, words) for id, (words, _) in aggregates.UNITS.items()],
        )  # fmt: skip
        return make_response(page, 422 if errors else 200)


@bp.post("/build/<app>/aggregate/")
def add(app: str) -> Any:
    title, form = request.form.get("title", "").strip()[:80], request.form
    by = [(path, form.get(f"unit:{path}", "")) for path in form.getlist("by")]
    made: dict[str, str] = {}

    def put(parts: Parts) -> Parts:
        parts, made["form"] = aggregates.add(
            parts, title, form.get("of", ""), by, form.getlist("sums"), "everyone" in form
        )
        return parts

    try:
        edited(app, say("New aggregate table {name}", name=title), put)
    except InvalidInput as err:
        return _page(app, err.errors)
    tell(say("The aggregate table is in the draft. Its figures are there once the app is published."), "good")
    return go(f"/build/{app}/form/{made['form']}/")
