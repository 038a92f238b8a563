"""Tokens of the API: a member's own, and for administrators those of programs and everybody's."""

from typing import Any

from flask import Blueprint, make_response, render_template, request

from runtime import definitions, tokens
from runtime.access import may_enter
from runtime.actors import administers
from runtime.context import Context
from runtime.people import Directory
from runtime.web.edge import absolute, go, record_id, tell, work
from runtime.web.frame import frame
from schemas import scope
from schemas.errors import InvalidInput
from schemas.messages import say
from schemas.numbers import read_whole

bp = Blueprint("tokens", __name__)
LIVES = (30, 90, 365)
ACTIONS = {
    "read": say("Read"), "create": say("Add"), "update": say("Change"), "delete": say("Delete and restore"),
    "history": say("See the history"), "print": say("Print"),
}  # fmt: skip
BESIDES = {
    scope.TASKS: say("Read my tasks"), scope.DECIDE: say("Decide my tasks"), scope.PEOPLE: say("Read members and departments"),
    scope.DEFINITIONS: say("Read definitions of apps"), scope.CHANGE: say("Change definitions, as a draft"),
    scope.PUBLISH: say("Publish definitions"),
}  # fmt: skip


@bp.get("/tokens/")
def index() -> Any:
    with work() as ctx:
        frame(ctx)
        return _index(ctx)


def _index(ctx: Context) -> str:
    found = tokens.listed(ctx)
    names = Directory.of(ctx).names({t.member or t.made_by for t in found})
    return render_template(
        "runtime/tokens.html", own=[t for t in found if t.member == ctx.actor.id], names=names, admin=administers(ctx.actor),
        others=[t for t in found if t.member != ctx.actor.id], actions=ACTIONS, besides=BESIDES, base=absolute("/api/v1"),
        apps=[inst for inst in definitions.all_installed(ctx) if may_enter(ctx, inst)],
    )  # fmt: skip


@bp.get("/tokens/new")
def new() -> Any:
    with work() as ctx:
        return _form(ctx)


def _form(ctx: Context, errors: dict[str, Any] | None = None) -> Any:
    """The form for a new token; after a refusal with what was sent."""
    frame(ctx)
    apps = [inst for inst in definitions.all_installed(ctx) if may_enter(ctx, inst)]
    allowed = {word: text for word, text in BESIDES.items() if administers(ctx.actor) or word not in scope.BUILDING}
    page = render_template(
        "runtime/token_new.html", apps=apps, actions=ACTIONS, besides=allowed, lives=LIVES, errors=errors or {},
        sent=request.form, fresh=request.method == "GET", admin=administers(ctx.actor),
    )  # fmt: skip
    return make_response(page, 422 if errors else 200)


@bp.post("/tokens/new")
def make() -> Any:
    """Make it and show it, this once."""
    sent = request.form
    try:
        with work() as ctx:
            personal = sent.get("kind") != "program"
            days = read_whole(sent.get("days", ""))
            made = tokens.make(
                ctx, sent.get("name", ""), _scope(), personal=personal, word=sent.get("word", "").strip(),
                roles=_roles(ctx), days=days,
            )  # fmt: skip
            frame(ctx)
            shown = render_template(
                "runtime/token_made.html", token=made, name=sent.get("name", ""), base=absolute("/api/v1")
            )
            return make_response(shown, 200)
    except InvalidInput as err:
        with work() as ctx:
            return _form(ctx, err.errors)


def _scope() -> dict[str, Any]:
    """The scope that the boxes say: apps as a whole, or some of their tables; and what may be done in all of them."""
    do, reach = request.form.getlist("do"), request.form.getlist("reach")
    whole = [slug for slug in reach if "." not in slug]
    tables: dict[str, list[str]] = {}
    for path in reach:
        slug, _, table = path.partition(".")
        if table and slug not in whole:
            tables.setdefault(slug, []).append(table)
    data = [{"app": slug, "do": do} for slug in whole] + [{"app": a, "tables": t, "do": do} for a, t in tables.items()]
    if scope.EVERY in whole:
        data = [{"app": scope.EVERY, "do": do}]
    return {"data": data if do else [], "also": request.form.getlist("also")}


def _roles(ctx: Context) -> list[str]:
    """The roles asked for, of those that there are."""
    known = {f"{inst.slug}.{role.id}" for inst in definitions.all_installed(ctx) for role in inst.app.roles}
    return [role for role in request.form.getlist("roles") if role in known]


@bp.post("/tokens/<id>/revoke")
def revoke(id: str) -> Any:
    with work() as ctx:
        name = tokens.revoke(ctx, record_id(id))
    tell(say("The token {name} opens nothing any more.", name=name))
    return go("/tokens/")
