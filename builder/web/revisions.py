"""The revisions of an app and the way back; upgrading it to a newer package."""

from typing import Any

from flask import Blueprint, make_response, render_template, request

from builder import centre, drafts, revisions, upgrading
from builder.differences import differences
from builder.parts import split
from builder.places import told
from builder.web.apps import CHANGED, about, counter_sent, designer
from runtime import changeover, definitions
from runtime.web.edge import go, tell, work
from runtime.web.frame import frame
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.messages import say
from schemas.numbers import read_whole

bp = Blueprint("build_revisions", __name__)


@bp.get("/build/<app>/revisions")
def index(app: str) -> Any:
    """Every publication, with what it changed."""
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        found = revisions.listed(ctx, app, read_whole(request.args.get("before", "")))
        frame(ctx)
        more = found[revisions.PAGE - 1].number if len(found) > revisions.PAGE else None
        return render_template(
            "builder/revisions.html", found=found[: revisions.PAGE], more=more, runs=changeover.recent(ctx, draft.kept.installation),
            **about(ctx, draft),
        )  # fmt: skip


@bp.get("/build/<app>/revisions/compare")
def compare(app: str) -> Any:
    """What differs between any two revisions, or a revision and the draft."""
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        sides = [read_whole(request.args.get(name, "")) for name in ("from", "to")]
        found = differences(*(revisions.package_at(ctx, draft, side) for side in sides))
        frame(ctx)
        numbers = [row.number for row in definitions.revisions(ctx, draft.kept.installation, None, 200)]
        return render_template("builder/compare.html", changes=found, sides=sides, numbers=numbers, **about(ctx, draft))


@bp.post("/build/<app>/revisions/back")
def back(app: str) -> Any:
    """Make an earlier revision the draft, and show what publishing it would do."""
    number = read_whole(request.form.get("number", ""))
    if number is None:
        raise NotFound
    try:
        with work() as ctx:
            designer(ctx)
            revisions.take_back(ctx, app, counter_sent(), number)
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err
    tell(say("The draft is as revision {n} was. Look at what publishing does, then publish; or undo.", n=number))
    return go(f"/build/{app}/publish")


# -- upgrading -------------------------------------------------------------------------------------


def _choices() -> dict[str, str]:
    sent = {name.removeprefix("side:"): value for name, value in request.values.items() if name.startswith("side:")}
    return {path: side for path, side in sent.items() if side in ("yours", "theirs")}


@bp.get("/build/<app>/upgrade")
def plan(app: str) -> Any:
    """What a newer package would add, change and take away, and where both sides changed."""
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        offers = upgrading.available(ctx, definitions.installed(ctx, app))
        frame(ctx)
        values = {**about(ctx, draft), "offers": offers, "offer": None}
        key = request.args.get("to", "") or (offers[0].key if offers else "")
        if key:
            offer = centre.offer(ctx, key)
            made = upgrading.plan(ctx, draft, offer.package, _choices())
            problems = [told(split(made.merge.package), p) for p in made.problems]
            values |= {"offer": offer, "plan": made, "problems": problems}
        return make_response(render_template("builder/upgrade.html", **values))


@bp.post("/build/<app>/upgrade")
def upgrade(app: str) -> Any:
    """Take the plan over into the draft, and show what publishing it would do."""
    try:
        with work() as ctx:
            designer(ctx)
            offer = centre.offer(ctx, request.form.get("to", ""))
            upgrading.stage(ctx, app, counter_sent(), offer.package, _choices())
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err
    tell(say("The upgrade is in the draft. Look at what publishing does, then publish; or undo."))
    return go(f"/build/{app}/publish")
