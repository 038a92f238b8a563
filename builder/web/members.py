"""The workspace's members, for those who manage them: found, added, changed, given roles, let in."""

from contextlib import closing
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, make_response, render_template, request

from builder.web.apps import designer
from runtime import audit, avatars, definitions, departments, membership, powers, roles
from runtime.actors import unlimited
from runtime.context import Context
from runtime.membership import SIZE, Asked, Listed
from runtime.people import Directory
from runtime.roles import Key
from runtime.web.edge import go, is_fragment, record_id, tell, work
from runtime.web.files import storage
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.text import Sentence, Text

bp = Blueprint("members", __name__)


@bp.get("/members/")
def index() -> Any:
    with work() as ctx:
        designer(ctx)
        asked = _asked(ctx)
        found, total = membership.found(ctx, asked)
        values = {
            "members": found, "total": total, "asked": asked, "args": request.args, "units": Directory.of(ctx).units,
            "pages": _pages(asked, total), "states": membership.STATES,
        }  # fmt: skip
        if is_fragment():
            return render_template("builder/_members_list.html", **values)
        frame(ctx)
        branches = departments.tree(ctx, powers.departments(ctx))
        return render_template(
            "builder/members.html", tree=branches, roles=_roles_to_ask(ctx), **values, all=unlimited(ctx.actor)
        )


def _asked(ctx: Context) -> Asked:
    """What the address asks for; what is not there is not asked."""
    known = {str(u): u for u in Directory.of(ctx).units}
    keys = {name: key for key, name, _ in _roles_to_ask(ctx)}
    state = request.args.get("state", "here")
    return Asked(
        request.args.get("q", "").strip()[:100], known.get(request.args.get("department", "")),
        keys.get(request.args.get("role", "")), state if state in membership.STATES else "here",
        read_whole(request.args.get("page", "")) or 1,
    )  # fmt: skip


def _roles_to_ask(ctx: Context) -> list[tuple[Key, str, Any]]:
    """Every role, by the name that an address gives it, with its title; of sub-administrators those they may give."""
    gives = powers.gives(ctx)
    found: list[tuple[Key, str, Any]] = []
    for inst in definitions.all_installed(ctx):
        for role in inst.app.roles:
            name = f"{inst.slug}.{role.id}"
            title = say("{app}: {role}", app=inst.app.title or inst.slug, role=role.title or role.id)
            found.append((Key(inst.id, role.id), name, title))
    found += [(Key(None, str(row.id)), f".{row.id}", Text.of(row.title)) for row in roles.all_of_workspace(ctx)]
    return [one for one in found if gives is None or one[1] in gives]


def _pages(asked: Asked, total: int) -> dict[str, Any] | None:
    if total <= SIZE:
        return None
    first = SIZE * (asked.page - 1)
    args = {name: value for name, value in request.args.items() if name != "page" and value}

    def url(page: int) -> str:
        return f"/members/?{urlencode({**args, 'page': page})}"

    return {
        "first": first + 1, "last": min(first + SIZE, total), "total": f"{total:,}",
        "previous": url(asked.page - 1) if asked.page > 1 else None,
        "next": url(asked.page + 1) if first + SIZE < total else None,
    }  # fmt: skip


# -- one member ------------------------------------------------------------------------------------


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
            outside = "external" in request.form and unlimited(ctx.actor)
            said = membership.given(ctx, request.form, external=outside)
            id = membership.add(ctx, said, "admin" in request.form and not outside)
            audit.note(ctx, "member.added", said.facts["name"], id)
    except InvalidInput as err:
        with work() as ctx:
            return _form(ctx, None, err)
    outsider = say("{name} is an external contact now.", name=said.facts["name"])
    tell(outsider if outside else say("{name} is a member now.", name=said.facts["name"]))
    return go(f"/members/{id}")


def known(ctx: Context, id: str) -> Listed:
    """A member whom the actor manages, also one who has left. Raises NotFound."""
    member = membership.anybody(ctx, record_id(id))
    powers.require_member(ctx, member.id)
    return member


@bp.get("/members/<id>")
def show(id: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return _form(ctx, known(ctx, id))


def _form(ctx: Context, member: Listed | None, err: InvalidInput | None = None, password: str | None = None) -> Any:
    """The page of one member, or of a new one; with what was sent when it was refused."""
    frame(ctx)
    sent = request.form if err and "name" in request.form else None
    outside = member.external if member else bool((sent or request.args).get("external"))
    page = render_template(
        "builder/member.html", member=member, errors=err.errors if err else {}, password=password, sent=sent,
        own=bool(member and member.id == ctx.actor.id), all=unlimited(ctx.actor), outside=outside and unlimited(ctx.actor),
        picked=_picked(ctx, member, sent), **(_about(ctx, member) if member else {}),
    )  # fmt: skip
    return make_response(page, 422 if err else 200)


def _picked(ctx: Context, member: Listed | None, sent: Any) -> dict[str, list[dict[str, str]]]:
    """What the pickers of departments show."""
    main = [sent.get("department", "")] if sent else [str(member.department_id)] if member else []
    others = sent.getlist("others") if sent else [str(u) for u in member.others] if member else []
    if not sent and not member:
        main = [request.args.get("department", "")]
    units = {str(u.id): u for u in Directory.of(ctx).units.values()}
    return {
        name: [{"id": id, "text": units[id].name} for id in ids if id in units]
        for name, ids in (("department", main), ("others", others))
    }


def _about(ctx: Context, member: Listed) -> dict[str, Any]:
    """What else is known of a member: head, departments that they head, roles with the reasons."""
    directory = Directory.of(ctx)
    head = directory.person(directory.head_of(member.id))
    own = [directory.units[u] for u in directory.units if directory.units[u].head == member.id]
    return {
        "head": head, "headed": own, "held": _held(ctx, member.id), "to_give": _to_give(ctx, member),
        "duties": powers.of_member(ctx, member.id),
    }  # fmt: skip


def _held(ctx: Context, member: UUID) -> list[dict[str, Any]]:
    """The roles of a member: title, why, and whether they are on the list and may be taken off it."""
    found, gives = [], powers.gives(ctx)
    for one in roles.held(ctx, member):
        name = f"{one.app}.{one.key.role}"
        listed = any(part.kind == "member" for part in one.why)
        found.append({
            "name": name, "title": role_title(ctx, one.key), "why": [roles.explain(ctx, part) for part in one.why],
            "listed": listed and (gives is None or name in gives),
        })  # fmt: skip
    return found


def role_title(ctx: Context, key: Key) -> Any:
    """What a role is called, with its app."""
    return roles.title_of(ctx, key) or Text.of(key.role)


def _to_give(ctx: Context, member: Listed) -> list[tuple[str, Any]]:
    """The roles that the actor may put a member on the list of."""
    if member.left_at is not None or member.id == ctx.actor.id and not unlimited(ctx.actor):
        return []
    listed = {f"{h.app}.{h.key.role}" for h in roles.held(ctx, member.id) if any(p.kind == "member" for p in h.why)}
    return [(name, title) for _, name, title in _roles_to_ask(ctx) if name not in listed]


@bp.post("/members/<id>")
def change(id: str) -> Any:
    try:
        with work() as ctx:
            designer(ctx)
            member = membership.one(ctx, known(ctx, id).id)
            said = membership.given(ctx, request.form, member.id, member.external)
            membership.save(ctx, member.id, said, "admin" in request.form and not member.external)
    except InvalidInput as err:
        with work() as ctx:
            return _form(ctx, known(ctx, id), err)
    tell(say("Saved."))
    return go("/members/")


@bp.post("/members/<id>/avatar")
def set_avatar(id: str) -> Any:
    """The picture of a member; without a file it goes."""
    with work() as ctx:
        designer(ctx)
        member = known(ctx, id)
        body = request.files.get("avatar")
        if body is not None and body.filename:
            with closing(body.stream):
                avatars.put(ctx, storage(), member.id, body.stream)
        elif request.form.get("without"):
            avatars.remove(ctx, storage(), member.id)
        else:
            raise InvalidInput({"avatar": [say("Choose a file.")]})
    tell(say("Saved."))
    return go(f"/members/{member.id}")


@bp.post("/members/<id>/roles")
def give_role(id: str) -> Any:
    """Put a member on the list of a role (`give`), or take them off it (`take`)."""
    with work() as ctx:
        designer(ctx)
        member = membership.one(ctx, known(ctx, id).id)
        keys = {name: key for key, name, _ in _roles_to_ask(ctx)}
        key = keys.get(request.form.get("give") or request.form.get("take") or "")
        if key is None or (member.id == ctx.actor.id and not unlimited(ctx.actor)):
            raise NotFound
        roles.put_on_list(ctx, key, member.id) if request.form.get("give") else roles.off_list(ctx, key, member.id)
    tell(say("Saved."))
    return go(f"/members/{member.id}#roles")


@bp.post("/members/<id>/access")
def access(id: str) -> Any:
    """Let a member in, or give them a new password; it is shown this once."""
    try:
        with work() as ctx:
            designer(ctx)
            member = membership.one(ctx, known(ctx, id).id)
            give = membership.renew_password if member.enters else membership.let_in
            password = give(ctx, member.id)
            return _form(ctx, membership.one(ctx, member.id), password=password)
    except InvalidInput as err:
        refused: list[Sentence] = sum(err.errors.values(), [])
        with work() as ctx:
            return _form(ctx, known(ctx, id), InvalidInput({"access": refused}))
