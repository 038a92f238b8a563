"""Who is who in an app here: the members or departments of its slots, and what gives its roles."""

from typing import Any

from flask import Blueprint, jsonify, make_response, render_template, request

from builder.role_parts import drawn, sent_parts, there
from builder.web import slots
from builder.web.apps import designer
from runtime import definitions, membership, people, powers, roles
from runtime.actors import unlimited
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.roles import Key
from runtime.web.edge import go, tell, words, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.roles import FACTS

bp = Blueprint("app_people", __name__)
MOST_SHOWN = 100


@bp.get("/build/<app>/people")
def show(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        inst = definitions.installed(ctx, app)
        frame(ctx)
        return _page(ctx, inst)


def _page(ctx: Context, inst: Installed, err: InvalidInput | None = None) -> Any:
    page = render_template(
        "builder/app_people.html", inst=inst, slots=_slots(ctx, inst), roles=_roles(ctx, inst, err is not None),
        facts=list(FACTS), errors=err.errors if err else {},
    )  # fmt: skip
    return make_response(page, 422 if err else 200)


def _slots(ctx: Context, inst: Installed) -> list[dict[str, Any]]:
    targets = definitions.slots(ctx, inst)
    return [slots.shown(ctx, slot, targets.get(slot.id)) for slot in inst.app.slots]


def _roles(ctx: Context, inst: Installed, again: bool) -> list[tuple[Any, dict[str, Any], int]]:
    """Each role with what gives it (or what was sent, when that was refused) and how many have it."""
    directory = Directory.of(ctx)
    found = []
    for role in inst.app.roles:
        key = Key(inst.id, role.id)
        sent = there(ctx, sent_parts(request.form, f"{role.id}:")) if again else []
        parts = drawn(ctx, sent if again else roles.parts_of(ctx, key))
        ids = membership.members_here(ctx, request.form.getlist(f"role:{role.id}")) if again else None
        listed = directory.on_list(inst.id, role.id) if ids is None else ids
        names = directory.names(listed)
        parts["members"] = [{"id": str(id), "text": names[id]} for id in listed]
        found.append((role, parts, roles.count(ctx, key)))
    return found


@bp.post("/build/<app>/people")
def save(app: str) -> Any:
    """Take over what the pickers say; who is not of this workspace is passed over."""
    try:
        with work() as ctx:
            designer(ctx)
            inst = definitions.installed(ctx, app)
            _save_slots(ctx, inst)
            for role in inst.app.roles:
                listed = membership.members_here(ctx, request.form.getlist(f"role:{role.id}"))
                people.set_role(ctx, inst.id, role.id, listed)
                if f"{role.id}:shown" in request.form:
                    parts = [p for p in sent_parts(request.form, f"{role.id}:") if p.kind != "member"]
                    roles.set_parts(ctx, Key(inst.id, role.id), there(ctx, parts))
    except InvalidInput as err:
        with work() as ctx:
            designer(ctx)
            inst = definitions.installed(ctx, app)
            frame(ctx)
            return _page(ctx, inst, err)
    tell(say("Saved."))
    return go(f"/a/{app}/" if request.form.get("then") == "open" else f"/build/{app}/people")


def _save_slots(ctx: Context, inst: Installed) -> None:
    before = definitions.slots(ctx, inst)
    for slot in inst.app.slots:
        target = slots.sent(ctx, slot, before.get(slot.id))
        if target is not None:
            people.assign_slot(ctx, inst.id, slot.id, target)
        else:
            people.clear_slot(ctx, inst.id, slot.id)


@bp.get("/build/<app>/people/<role>")
def role(app: str, role: str) -> Any:
    """Who has a role, and why."""
    with work() as ctx:
        designer(ctx)
        inst = definitions.installed(ctx, app)
        found = next((r for r in inst.app.roles if r.id == role), None)
        if found is None:
            raise NotFound
        key = Key(inst.id, role)
        holders = roles.members(ctx, key)
        shown = Directory.of(ctx).persons(holders[:MOST_SHOWN])
        why = {id: [roles.explain(ctx, p) for h in roles.held(ctx, id) if h.key == key for p in h.why] for id in shown}
        frame(ctx)
        return render_template(
            "builder/app_role.html", inst=inst, role=found, people=list(shown.values()), why=why, total=len(holders)
        )


def _require_giver(ctx: Context) -> None:
    """For those who say in some app who has its roles. Raises NotFound."""
    if not unlimited(ctx.actor) and not any("rights" in one.powers for one in powers.mine(ctx)):
        raise NotFound


@bp.get("/pick/role")
def pick_role() -> Any:
    """Roles of the workspace for a picker."""
    text = request.args.get("q", "").strip().casefold()
    with work() as ctx:
        _require_giver(ctx)
        found = [row for row in roles.all_of_workspace(ctx) if text in row.title.casefold()]
        return jsonify([{"id": str(row.id), "text": row.title, "note": row.section} for row in found[:50]])


@bp.post("/members/roles/try")
def try_formula() -> Any:
    """How many a condition is true of, or what is wrong with it."""
    formula = request.form.get("formula", "")
    with work() as ctx:
        _require_giver(ctx)
        try:
            count, names = roles.tried(ctx, formula)
        except InvalidInput as err:
            problem = next(iter(err.errors.values()))[0]
            return jsonify({"text": words(problem), "wrong": True})
        more = say("{n} members: {names}", n=count, names=", ".join(names)) if names else say("Nobody")
        return jsonify({"text": words(more), "wrong": False})
