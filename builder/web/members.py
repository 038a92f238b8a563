"""The workspace's people, for its administrators: members, departments, and who may sign in."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from builder.web.apps import designer
from runtime import audit, membership, people
from runtime.context import Context
from runtime.people import Directory
from runtime.web.edge import go, record_id, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("members", __name__)


@bp.get("/members/")
def index() -> Any:
    text = request.args.get("q", "").strip()[:100]
    with work() as ctx:
        designer(ctx)
        frame(ctx)
        found, total = membership.listed(ctx, text)
        heads = {str(u.head): name for u in Directory.of(ctx).units.values() if u.head for name in _names(ctx, u.head)}
        return render_template(
            "builder/members.html", members=found, total=total, asked=text, tree=membership.tree(ctx), heads=heads
        )


def _names(ctx: Context, id: Any) -> list[str]:
    person = Directory.of(ctx).person(id)
    return [person.name] if person else []


@bp.get("/members/new")
def new() -> Any:
    with work() as ctx:
        designer(ctx)
        return _form(ctx, None)


@bp.post("/members/new")
def add() -> Any:
    try:
        with work() as ctx:
            designer(ctx)
            facts = membership.facts_of(ctx, request.form)
            id = people.add_member(ctx, **facts, admin="admin" in request.form)
            audit.note(ctx, "member.added", facts["name"], id)
    except InvalidInput as err:
        with work() as ctx:
            return _form(ctx, None, err)
    tell(say("{name} is a member now.", name=facts["name"]))
    return go(f"/members/{id}")


@bp.get("/members/<id>")
def show(id: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return _form(ctx, membership.one(ctx, record_id(id)))


def _form(ctx: Context, member: Any, err: InvalidInput | None = None, password: str | None = None) -> Any:
    """The page of one member, or of a new one; with what was sent when it was refused."""
    frame(ctx)
    page = render_template(
        "builder/member.html", member=member, errors=err.errors if err else {}, password=password,
        sent=request.form if err else None, tree=membership.tree(ctx), own=bool(member and member.id == ctx.actor.id),
    )  # fmt: skip
    return make_response(page, 422 if err else 200)


@bp.post("/members/<id>")
def change(id: str) -> Any:
    try:
        with work() as ctx:
            designer(ctx)
            member = membership.one(ctx, record_id(id))
            facts = membership.facts_of(ctx, request.form, member.id)
            membership.change(ctx, member.id, facts, "admin" in request.form)
    except InvalidInput as err:
        with work() as ctx:
            return _form(ctx, membership.one(ctx, record_id(id)), err)
    tell(say("Saved."))
    return go("/members/")


@bp.post("/members/<id>/access")
def access(id: str) -> Any:
    """Let a member in, or give them a new password; it is shown this once."""
    try:
        with work() as ctx:
            designer(ctx)
            member = membership.one(ctx, record_id(id))
            give = membership.renew_password if member.enters else membership.let_in
            password = give(ctx, member.id)
            return _form(ctx, membership.one(ctx, member.id), password=password)
    except InvalidInput as err:
        with work() as ctx:
            return _form(
                ctx, membership.one(ctx, record_id(id)), InvalidInput({"access": sum(err.errors.values(), [])})
            )


@bp.post("/members/<id>/leave")
def leave(id: str) -> Any:
    with work() as ctx:
        designer(ctx)
        name = membership.one(ctx, record_id(id)).name
        membership.leave(ctx, record_id(id))
    tell(say("{name} is no longer a member. Their records are kept.", name=name))
    return go("/members/")


@bp.post("/members/departments")
def add_department() -> Any:
    with work() as ctx:
        designer(ctx)
        membership.add_department(ctx, request.form.get("name", ""), request.form.get("parent", ""))
    return redirect("/members/#departments", 303)


@bp.post("/members/departments/<id>")
def change_department(id: str) -> Any:
    """The head of a department."""
    with work() as ctx:
        designer(ctx)
        unit = record_id(id)
        head = next(iter(membership.members_here(ctx, [request.form.get("head", "")])), None)
        people.set_head(ctx, unit, head)
    tell(say("Saved."))
    return redirect("/members/#departments", 303)
