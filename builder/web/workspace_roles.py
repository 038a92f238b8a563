"""The workspace's own roles: made once, and given on by the roles of apps."""

from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request

from builder.role_parts import drawn, sent_parts
from builder.web.apps import designer
from runtime import roles
from runtime.context import Context
from runtime.people import Directory
from runtime.roles import Key
from runtime.web.edge import go, record_id, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say
from schemas.roles import FACTS

bp = Blueprint("workspace_roles", __name__)
HOME = "/members/roles/"
MOST_SHOWN = 100


@bp.get("/members/roles/")
def index() -> Any:
    with work() as ctx:
        designer(ctx)
        frame(ctx)
        listed = [(row, roles.count(ctx, Key(None, str(row.id)))) for row in roles.all_of_workspace(ctx)]
        return render_template("builder/workspace_roles.html", roles=listed, all=True)


@bp.get("/members/roles/new")
def new() -> Any:
    with work() as ctx:
        designer(ctx)
        return _page(ctx, None)


@bp.get("/members/roles/<id>")
def show(id: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return _page(ctx, roles.of_workspace(ctx, record_id(id)))


def _page(ctx: Context, row: Any, err: InvalidInput | None = None) -> Any:
    frame(ctx)
    key = Key(None, str(row.id) if row else "")
    parts = sent_parts(request.form) if err else roles.parts_of(ctx, key)
    holders = roles.members(ctx, key) if row else []
    people = Directory.of(ctx).persons(holders[:MOST_SHOWN])
    why = {
        id: [roles.explain(ctx, part) for h in roles.held(ctx, id) if h.key == key for part in h.why] for id in people
    }
    page = render_template(
        "builder/workspace_role.html", role=row, parts=drawn(ctx, parts), people=list(people.values()), why=why,
        total=len(holders), errors=err.errors if err else {}, sent=request.form if err else {}, facts=list(FACTS), all=True,
    )  # fmt: skip
    return make_response(page, 422 if err else 200)


@bp.post("/members/roles/new")
def add() -> Any:
    return _save(None)


@bp.post("/members/roles/<id>")
def change(id: str) -> Any:
    return _save(record_id(id))


def _save(id: UUID | None) -> Any:
    try:
        with work() as ctx:
            designer(ctx)
            if id is not None:
                roles.of_workspace(ctx, id)
            form = request.form
            made = roles.save(ctx, id, form.get("title", ""), form.get("section", ""), sent_parts(form))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, roles.of_workspace(ctx, id) if id else None, err)
    tell(say("Saved."))
    return go(f"{HOME}{made}")


@bp.post("/members/roles/<id>/delete")
def remove(id: str) -> Any:
    role = record_id(id)
    try:
        with work() as ctx:
            designer(ctx)
            roles.of_workspace(ctx, role)
            roles.remove(ctx, role)
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, roles.of_workspace(ctx, role), err)
    tell(say("The role was removed."))
    return go(HOME)
