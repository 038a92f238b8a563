"""Who is who in an app here: the members or departments of its slots, and the members of its roles."""

from typing import Any

from flask import Blueprint, render_template, request

from builder.web.apps import designer
from runtime import definitions, membership, people
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.web.edge import go, tell, work
from runtime.web.frame import frame
from schemas.messages import say

bp = Blueprint("app_people", __name__)


@bp.get("/build/<app>/people")
def show(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        inst = definitions.installed(ctx, app)
        frame(ctx)
        return render_template("builder/app_people.html", inst=inst, slots=_slots(ctx, inst), roles=_roles(ctx, inst))


def _slots(ctx: Context, inst: Installed) -> list[tuple[Any, dict[str, str] | None]]:
    targets = definitions.slots(ctx, inst)
    names = Directory.of(ctx).names(targets.values())
    picked = {s: {"id": str(id), "text": names[id]} for s, id in targets.items() if id in names}
    return [(slot, picked.get(slot.id)) for slot in inst.app.slots]


def _roles(ctx: Context, inst: Installed) -> list[tuple[Any, list[dict[str, str]]]]:
    directory = Directory.of(ctx)
    found = []
    for role in inst.app.roles:
        ids = directory.with_role(inst.id, role.id)
        names = directory.names(ids)
        found.append((role, [{"id": str(id), "text": names[id]} for id in ids]))
    return found


@bp.post("/build/<app>/people")
def save(app: str) -> Any:
    """Take over what the pickers say; who is not of this workspace is passed over."""
    with work() as ctx:
        designer(ctx)
        inst = definitions.installed(ctx, app)
        units = {str(id): id for id in Directory.of(ctx).units}
        for slot in inst.app.slots:
            sent = request.form.get(f"slot:{slot.id}", "")
            here = (
                [units[sent]] if slot.type == "department" and sent in units else membership.members_here(ctx, [sent])
            )
            if here:
                people.assign_slot(ctx, inst.id, slot.id, here[0])
            else:
                people.clear_slot(ctx, inst.id, slot.id)
        for role in inst.app.roles:
            people.set_role(
                ctx, inst.id, role.id, membership.members_here(ctx, request.form.getlist(f"role:{role.id}"))
            )
    tell(say("Saved."))
    return go(f"/a/{app}/" if request.form.get("then") == "open" else f"/build/{app}/people")
