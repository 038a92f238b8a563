"""Who administers what: full administrators, and sub-administrators of apps and departments."""

from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request

from builder.web.apps import designer
from builder.web.members import role_title
from runtime import definitions, departments, membership, powers, roles
from runtime.context import Context
from runtime.membership import Asked
from runtime.people import Directory
from runtime.roles import Key
from runtime.web.edge import go, record_id, tell, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.powers import of_kind

bp = Blueprint("administrators", __name__)
HOME = "/members/administrators/"


@bp.get("/members/administrators/")
def index() -> Any:
    with work() as ctx:
        designer(ctx)
        return _page(ctx)


def _page(ctx: Context, err: InvalidInput | None = None) -> Any:
    frame(ctx)
    directory = Directory.of(ctx)
    duties = powers.everybody(ctx)
    people = directory.persons(one.member for one in duties)
    apps = {inst.id: inst for inst in definitions.all_installed(ctx)}
    found, _ = membership.found(ctx, Asked(state="admin"))
    lines = [(one, people[one.member]) for one in duties if one.member in people and not people[one.member].left]
    page = render_template(
        "builder/administrators.html", full=[one for one in found if one.admin], all=True, apps=apps,
        units=directory.units, of_app=[line for line in lines if line[0].kind == "app" and line[0].target in apps],
        of_department=[line for line in lines if line[0].kind == "department" and line[0].target in directory.units],
        powers={kind: of_kind(kind) for kind in ("app", "department")}, roles=_roles(ctx),
        tree=departments.tree(ctx), errors=err.errors if err else {}, sent=request.form if err else {},
    )  # fmt: skip
    return make_response(page, 422 if err else 200)


def _roles(ctx: Context) -> list[tuple[str, Any]]:
    """The roles that may be given, by name, with their titles."""
    found = [
        (f"{inst.slug}.{role.id}", role_title(ctx, Key(inst.id, role.id)))
        for inst in definitions.all_installed(ctx)
        for role in inst.app.roles
    ]
    return [*found, *((f".{row.id}", role_title(ctx, Key(None, str(row.id)))) for row in roles.all_of_workspace(ctx))]


@bp.post("/members/administrators/")
def give() -> Any:
    """Make a member sub-administrator, or change what they may; without any power they are one no more."""
    form = request.form
    try:
        with work() as ctx:
            designer(ctx)
            kind = form.get("kind", "")
            member = next(iter(membership.members_here(ctx, [form.get("member", "")])), None)
            if member is None:
                raise InvalidInput({"member": [say("Choose a member.")]})
            known = {name for name, _ in _roles(ctx)}
            gives = [role for role in form.getlist("gives") if role in known] if kind == "department" else []
            target = _target(ctx, kind, form.get("target", ""))
            powers.give(ctx, member, kind, target, form.getlist("powers"), gives)
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, err)
    tell(say("Saved."))
    return go(HOME)


@bp.post("/members/administrators/remove")
def remove() -> Any:
    """Take all powers over one app or department from a member."""
    form = request.form
    with work() as ctx:
        designer(ctx)
        kind, target = form.get("kind", ""), record_id(form.get("target", ""))
        powers.take(ctx, record_id(form.get("member", "")), kind, target)
    tell(say("Saved."))
    return go(HOME)


def _target(ctx: Context, kind: str, text: str) -> UUID:
    """The app or department that is meant. Raises InvalidInput."""
    known: set[UUID] = set()
    if kind == "app":
        known = {inst.id for inst in definitions.all_installed(ctx)}
    elif kind == "department":
        known = set(Directory.of(ctx).units)
    try:
        found = record_id(text)
    except NotFound:
        found = None
    if found is None or found not in known:
        raise InvalidInput({"target": [say("Choose an app or a department.")]})
    return found
