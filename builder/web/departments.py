"""The tree of departments, for administrators: made, named, moved, given heads, merged, removed."""

from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, make_response, render_template, request

from builder.web.apps import designer
from runtime import departments, membership
from runtime.context import Context
from runtime.people import Directory
from runtime.web.edge import go, is_fragment, json_of_request, record_id, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("departments", __name__)
HOME = "/members/departments/"


@bp.get("/members/departments/")
def index() -> Any:
    with work() as ctx:
        designer(ctx)
        return _page(ctx)


@bp.get("/members/departments/<id>")
def show(id: str) -> Any:
    """The tree with one department open beside it."""
    with work() as ctx:
        designer(ctx)
        return _page(ctx, record_id(id))


def _page(ctx: Context, id: UUID | None = None, err: InvalidInput | None = None) -> Any:
    directory = Directory.of(ctx)
    branches = departments.tree(ctx)
    open_one = None
    if id is not None:
        unit = departments.one(ctx, id)
        head = directory.person(unit.head)
        open_one = {
            "unit": unit, "head": [{"id": str(head.id), "text": head.name}] if head else [],
            "branch": next(b for b in branches if b.unit.id == id), "uses": departments.uses(ctx, id),
            "into": [b for b in branches if b.unit.id not in directory.below(id)],
        }  # fmt: skip
    heads = directory.persons(u.head for u in directory.units.values())
    values = {"branches": {b.unit.id: b for b in branches}, "children": directory.children, "units": directory.units,
              "heads": heads, "open": open_one, "errors": err.errors if err else {}, "sent": request.form if err else {}}  # fmt: skip
    if is_fragment() and err is None:
        return render_template("builder/_departments.html", **values)
    frame(ctx)
    return make_response(render_template("builder/departments.html", all=True, **values), 422 if err else 200)


@bp.post("/members/departments/")
def add() -> Any:
    try:
        with work() as ctx:
            designer(ctx)
            id = departments.add(ctx, request.form.get("name", ""), request.form.get("parent", ""))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, None, err)
    return go(f"{HOME}{id}")


@bp.post("/members/departments/<id>")
def change(id: str) -> Any:
    """Its name and its head."""
    unit = record_id(id)
    try:
        with work() as ctx:
            designer(ctx)
            head = next(iter(membership.members_here(ctx, [request.form.get("head", "")])), None)
            departments.change(ctx, unit, request.form.get("name", ""), head)
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, unit, err)
    tell(say("Saved."))
    return go(f"{HOME}{unit}")


@bp.post("/members/departments/move")
def move() -> Any:
    """What dragging or the keyboard did: `key` under `to`, as the `position`-th there."""
    wish = json_of_request(say("This cannot be moved."))
    position = wish.get("position")
    with work() as ctx:
        designer(ctx)
        parent = record_id(str(wish["to"])) if wish.get("to") else None
        place = position if isinstance(position, int) and 0 <= position < 100_000 else 0
        departments.move(ctx, record_id(str(wish.get("key", ""))), parent, place)
    return jsonify({})


@bp.post("/members/departments/<id>/merge")
def merge(id: str) -> Any:
    unit = record_id(id)
    try:
        with work() as ctx:
            designer(ctx)
            if not request.form.get("into"):
                raise InvalidInput({"into": [say("Choose a department.")]})
            into = record_id(request.form["into"])
            run = departments.merge(ctx, unit, into)
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, unit, err)
    tell(say("The departments are one now."))
    return go(f"/members/handover/{run}")


@bp.post("/members/departments/<id>/delete")
def remove(id: str) -> Any:
    unit = record_id(id)
    try:
        with work() as ctx:
            designer(ctx)
            departments.remove(ctx, unit)
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, unit, err)
    tell(say("The department was removed."))
    return go(HOME)
