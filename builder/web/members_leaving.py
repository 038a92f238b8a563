"""A member leaves: what stands in their name is shown, handed over, and told; and what is kept of a person."""

from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request, send_file

from builder.web.apps import designer
from builder.web.members import known
from runtime import handover, membership, mentions, personal, powers
from runtime.context import Context
from runtime.handover import STAY
from runtime.people import Directory
from runtime.web.edge import go, is_fragment, record_id, tell, words, work
from runtime.web.files import storage
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

bp = Blueprint("members_leaving", __name__)


@bp.get("/members/<id>/leave")
def ask(id: str) -> Any:
    """What stands in the member's name, and to whom it goes."""
    with work() as ctx:
        designer(ctx)
        return _ask(ctx, id)


def _ask(ctx: Context, id: str, err: InvalidInput | None = None) -> Any:
    member = membership.one(ctx, known(ctx, id).id)
    if member.id == ctx.actor.id and err is None:
        raise NotFound
    lines = handover.preview(ctx, member.id)
    superior = Directory.of(ctx).head_of(member.id)
    proposed = superior if superior and superior != member.id and powers.manages(ctx, superior) else None
    frame(ctx)
    page = render_template(
        "builder/leaving.html", member=member, lines=lines, errors=err.errors if err else {}, stay=STAY,
        picked=_picked(ctx, lines, proposed, bool(err)),
    )  # fmt: skip
    return make_response(page, 422 if err else 200)


def _picked(ctx: Context, lines: Any, proposed: UUID | None, again: bool) -> dict[str, list[dict[str, str]]]:
    """Who is chosen in each picker: what was sent, at first the superior for everything."""
    chosen = {key: request.form.get(f"to:{key}", "") for key in ("", *(line.key for line in lines))} if again else {}
    if not again and proposed:
        chosen[""] = str(proposed)
    ids = {key: UUID(value) for key, value in chosen.items() if value and len(value) == 36}
    names = Directory.of(ctx).names(ids.values())
    return {key: [{"id": str(id), "text": names[id]}] for key, id in ids.items() if id in names}


@bp.post("/members/<id>/leave")
def leave(id: str) -> Any:
    """The member goes, and what was chosen goes to others, in one transaction (or, where it is much, by a job)."""
    run: UUID | None = None
    try:
        with work() as ctx:
            designer(ctx)
            member = membership.one(ctx, known(ctx, id).id)
            wanted = handover.plan(ctx, member.id, _chosen(), request.form.get("to:", "") or STAY)
            membership.leave(ctx, member.id)
            if wanted.to:
                run = handover.begin(ctx, member.id, wanted)
    except InvalidInput as err:
        with work() as ctx:
            return _ask(ctx, id, err)
    tell(say("{name} is no longer a member. Their records are kept.", name=member.name))
    return go(f"/members/handover/{run}" if run else "/members/")


def _chosen() -> dict[str, str]:
    """Of each line: a member, nothing (as the others), or that it stays."""
    stays = dict.fromkeys(request.form.getlist("stay"), STAY)
    sent = {name.removeprefix("to:"): value for name, value in request.form.items() if name.startswith("to:")}
    return {**sent, **stays}


@bp.get("/members/handover/<run>")
def progress(run: str) -> Any:
    """How far a hand-over is, and what it has done."""
    with work() as ctx:
        designer(ctx)
        found = handover.run_of(ctx, record_id(run))
        if found.by_id != ctx.actor.id and powers.departments(ctx) is not None:
            raise NotFound
        fields = {m.key: m for m in mentions.all_fields(ctx, found.kind)}
        kept = [
            f"/a/{m.live.inst.slug}/t/{m.live.id}/{one['id']}"
            for one in (found.told or {}).get("kept", [])
            if (m := fields.get(one["key"])) is not None
        ]
        values = {
            "run": found, "told": handover.told(ctx, found), "kept": kept[:50], "url": request.path,
            "name": Directory.of(ctx).names({found.subject_id}).get(found.subject_id, ""),
        }  # fmt: skip
        if is_fragment():
            return render_template("builder/_handover.html", **values)
        frame(ctx)
        return render_template("builder/handover.html", **values)


@bp.post("/members/<id>/back")
def come_back(id: str) -> Any:
    """Undo a leaving."""
    with work() as ctx:
        designer(ctx)
        member = known(ctx, id)
        membership.come_back(ctx, member.id)
    tell(say("{name} is a member again.", name=member.name))
    return go(f"/members/{member.id}")


# -- personal data ---------------------------------------------------------------------------------


@bp.get("/members/<id>/data.zip")
def export(id: str) -> Any:
    """Everything that is kept of a person."""
    with work() as ctx:
        designer(ctx)
        member = known(ctx, id)
        packed = personal.packed(ctx, storage(), member.id)
    return send_file(packed, mimetype="application/zip", as_attachment=True, download_name=f"{member.id}.zip")


@bp.post("/members/<id>/erase")
def erase(id: str) -> Any:
    with work() as ctx:
        designer(ctx)
        member = known(ctx, id)
        done = personal.erase(ctx, storage(), member.id)
    tell(words(say("The personal data was erased ({n} places).", n=sum(done.values()))))
    return go(f"/members/{member.id}")
