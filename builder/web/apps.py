"""The list of apps, an app's forms, publishing, export and install."""

import io
from collections.abc import Iterable
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, send_file

from builder import bundle, centre, changes, copying, datapack, drafts, flow_tree, flows, forms, upgrading
from builder.drafts import Draft
from builder.parts import Parts, fresh
from builder.places import told
from builder.web.doors import opens
from runtime import ai, definitions, powers, purging
from runtime.actors import unlimited
from runtime.context import Context
from runtime.people import Directory
from runtime.sample import written
from runtime.web.edge import go, is_fragment, local_url, tell, work
from runtime.web.frame import frame
from schemas.app import WATERMARK, Slot
from schemas.errors import Conflict, DefinitionError, InvalidInput, NotFound
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.powers import WORKSPACE
from schemas.text import Text

bp = Blueprint("build_apps", __name__)
WATERMARK_WORDS = {
    "name": say("Who looks"), "time": say("Time of viewing"), "phone": say("Last four digits of the phone"), "email": say("E-mail"),
    "workspace": say("Workspace"),
}  # fmt: skip
CHANGED = say("Somebody else has changed this app since you opened it. Reload the page and make your change again.")


def designer(ctx: Context) -> None:
    """Those who have the power that this route asks for (`builder/web/doors.py`); for others there is nothing here."""
    opens(ctx)


def counter_sent() -> int | None:
    return read_whole(request.form.get("counter", ""))


@bp.get("/build/")
def index() -> Any:
    with work() as ctx:
        designer(ctx)
        return _index(ctx)


def _index(ctx: Context, problems: list[Any] | None = None, status: int = 200) -> Any:
    frame(ctx)
    everything, own = unlimited(ctx.actor), powers.apps(ctx)
    there = [inst for inst in definitions.all_installed(ctx) if everything or inst.id in own]
    page = render_template("builder/apps.html", apps=there, problems=problems or [], all=everything)
    return make_response(page, status)


@bp.post("/build/")
def create() -> Any:
    with work() as ctx:
        designer(ctx)
        slug = drafts.create(ctx, request.form.get("title", ""))
    return go(f"/build/{slug}/")


@bp.post("/build/install")
def install() -> Any:
    """Install a bundled app, or one from a zip file."""
    try:
        with work() as ctx:
            designer(ctx)
            package = _package_sent()
            slots = _slots_sent(ctx, bundle.slots_of(package))
            slug = _free_slug(ctx, package["app"])
            bundle.install(ctx, package, slug, slots)
    except (DefinitionError, InvalidInput) as err:
        problems = err.problems if isinstance(err, DefinitionError) else [m for ms in err.errors.values() for m in ms]
        with work() as ctx:
            return _index(ctx, list(problems), 422)
    if package.get("slots") or package.get("roles"):
        tell(say("Installed. Say who is who in it; then it can be used."), "good")
        return go(f"/build/{slug}/people")
    tell(say("Installed."), "good")
    return go(f"/a/{slug}/")


def _package_sent() -> dict[str, Any]:
    chosen = request.form.get("bundled", "")
    if chosen:
        folder = bundle.bundled().get(chosen)
        if folder is None:
            raise NotFound
        return bundle.read(folder)
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput({"file": [say("Choose the zip file of an app.")]})
    return bundle.read_zip(file.read())


def _slots_sent(ctx: Context, slots: Iterable[Slot]) -> dict[str, UUID]:
    """Every slot that nobody was named for is the installing administrator's."""
    people = {str(p.id): p.id for p in Directory.of(ctx).search(limit=500)}
    named = {}
    for slot in slots:
        chosen = people.get(request.form.get(f"slot:{slot.id}", ""))
        if chosen or (slot.type == "member" and ctx.actor.id):
            named[slot.id] = chosen or ctx.actor.id
    return named  # type: ignore[return-value]


def _free_slug(ctx: Context, wanted: str) -> str:
    return fresh(wanted, [inst.slug for inst in definitions.all_installed(ctx)])


@bp.get("/build/<app>/")
def overview(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        frame(ctx)
        listed = {
            "forms": _forms(draft),
            "boards": _boards(draft),
            "flows": _flows(draft),
            "documents": _documents(draft),
        }
        values = {
            **about(ctx, draft),
            **listed,
            "sample": _sample(ctx, draft),
            "newer": _newer(ctx, draft),
            "watermark_words": WATERMARK_WORDS,
        }
        return render_template("builder/overview.html", language_model=ai.endpoint(ctx) is not None, **values)


def _newer(ctx: Context, draft: Draft) -> Any:
    """The package to which an administrator could upgrade the app."""
    if not unlimited(ctx.actor) or not draft.revision:
        return None
    return next(iter(upgrading.available(ctx, definitions.installed(ctx, draft.slug))), None)


def _sample(ctx: Context, draft: Draft) -> str:
    """Whether the app's sample data is `here`, could be `added`, or there is none; for administrators."""
    if not unlimited(ctx.actor) or not draft.revision:
        return ""
    inst = definitions.installed(ctx, draft.slug)
    if written(ctx, inst.id):
        return "here"
    return "added" if centre.sample_of(ctx, inst) is not None else ""


def _flows(draft: Draft) -> list[dict[str, Any]]:
    listed = []
    for id in draft.parts["order/flows"]:
        flow = draft.parts[f"flows/{id}"]
        table = draft.parts.get(f"tables/{flows.table_of(draft.parts, flow)}") or {"id": ""}
        steps = sum(1 for _ in flow_tree.steps_in_order(deepcopy(flow)))
        about_table = Text.of(table.get("title") or table["id"])
        listed.append({"id": id, "title": Text.of(flow.get("title") or id), "about": about_table, "steps": steps})
    return listed


def _documents(draft: Draft) -> list[dict[str, Any]]:
    listed = []
    for id in draft.parts.get("order/documents") or ():
        found = draft.parts[f"documents/{id}"]
        table = draft.parts.get(f"tables/{found.get('table')}") or {"id": ""}
        about_table = Text.of(table.get("title") or table["id"])
        title = Text.of(found.get("title") or id)
        listed.append({"id": id, "title": title, "about": about_table, "made": found.get("made", "page")})
    return listed


def _boards(draft: Draft) -> list[dict[str, Any]]:
    found = [draft.parts[f"dashboards/{id}"] for id in draft.parts["order/dashboards"]]
    return [
        {"id": b["id"], "title": Text.of(b.get("title") or b["id"]), "widgets": len(b.get("widgets") or ())}
        for b in found
    ]


def about(ctx: Context, draft: Draft) -> dict[str, Any]:
    """What every page of an app being edited needs."""
    found = drafts.pending(ctx, draft)
    return {
        "slug": draft.slug,
        "draft": draft,
        "title": Text.of(draft.parts["manifest"].get("title") or draft.slug),
        "pending": len(found),
        "base": f"/build/{draft.slug}",
        "may": powers.of_app(ctx, draft.slug) + ([WORKSPACE] if unlimited(ctx.actor) else []),
    }


def _forms(draft: Draft) -> list[dict[str, Any]]:
    listed = []
    for id in draft.parts["order/tables"]:
        table = draft.parts[f"tables/{id}"]
        own = forms.forms_of(draft.parts, id)
        listed.append(
            {
                "table": id,
                "form": own[0]["id"] if own else "",
                "others": [(f["id"], Text.of(f.get("title") or f["id"])) for f in own[1:]],
                "title": Text.of(table.get("title") or id),
                "fields": len(table["fields"]),
                "preset": changes.preset_of(draft.parts, id),
            }
        )
    return listed


@bp.post("/build/<app>/forms")
def add_form(app: str) -> Any:
    title = request.form.get("title", "").strip()[:80]
    if not title:
        raise InvalidInput({"title": [say("Give the form a name.")]})
    made: dict[str, str] = {}

    def add(parts: Parts) -> Parts:
        parts, made["form"] = changes.add_form(parts, title, request.form.get("preset", "own"))
        return parts

    edited(app, say("New form {name}", name=title), add)
    return go(f"/build/{app}/form/{made['form']}/")


@bp.post("/build/<app>/forms/<table>/delete")
def delete_form(app: str, table: str) -> Any:
    edited(
        app,
        say("Form {name} removed", name=table),
        lambda parts: changes.delete_form(parts, _known(parts, "tables", table)),
    )
    return go(f"/build/{app}/")


@bp.post("/build/<app>/forms/<table>/copy")
def copy_form(app: str, table: str) -> Any:
    """The form with its views and rights once more, without records."""
    edited(app, say("Form {name} copied", name=table), lambda parts: copying.copy_table(parts, table)[0])
    tell(say("Copied in the draft, without its records."), "good")
    return go(f"/build/{app}/")


@bp.post("/build/<app>/dashboards/<board>/copy")
def copy_board(app: str, board: str) -> Any:
    edited(app, say("Dashboard copied"), lambda parts: copying.copy_board(parts, board)[0])
    return go(f"/build/{app}/")


@bp.post("/build/<app>/copy")
def copy_app(app: str) -> Any:
    """The published app once more, with its records where asked; for administrators."""
    with work() as ctx:
        designer(ctx)
        inst = copying.copy_app(ctx, app, request.form.get("title", ""), "records" in request.form)
    tell(say("The copy is ready. Say who has which role in it."), "good")
    return go(f"/build/{inst.slug}/people" if inst.app.roles else f"/build/{inst.slug}/")


@bp.post("/build/<app>/forms/<table>/preset")
def preset(app: str, table: str) -> Any:
    wanted = request.form.get("preset", "")
    if wanted not in changes.PRESETS:
        raise InvalidInput({"preset": [say("Choose who may do what.")]})
    edited(
        app,
        say("Rights of {name} changed", name=table),
        lambda parts: changes.set_preset(parts, _known(parts, "tables", table), wanted),
    )
    return go(f"/build/{app}/")


def _known(parts: Parts, kind: str, id: str) -> str:
    if f"{kind}/{id}" not in parts:
        raise NotFound
    return id


@bp.post("/build/<app>/title")
def rename(app: str) -> Any:
    title = {
        code: request.form.get(code, "").strip()[:80] for code in ("zh", "en") if request.form.get(code, "").strip()
    }
    if not title:
        raise InvalidInput({"title": [say("Give the app a name.")]})
    edited(app, say("App renamed"), lambda parts: changes.change_manifest(parts, {"title": title}))
    return go(f"/build/{app}/")


@bp.post("/build/<app>/watermark")
def set_watermark(app: str) -> Any:
    """What the watermark on the app's pages says; nothing chosen takes it away."""
    chosen = [part for part in WATERMARK if part in request.form.getlist("watermark")]
    told_as = say("Watermark changed") if chosen else say("Watermark taken away")
    edited(app, told_as, lambda parts: changes.change_manifest(parts, {"watermark": chosen or None}))
    tell(say("Changed in the draft. It holds once the app is published."))
    return go(f"/build/{app}/")


def edited(app: str, message: Any, change: Any) -> Draft:
    """One edit in one transaction, by a designer. A stale one is refused with words."""
    try:
        with work() as ctx:
            designer(ctx)
            return drafts.edit(ctx, app, counter_sent(), message, change)
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err


@bp.post("/build/<app>/undo")
@bp.post("/build/<app>/redo")
def step(app: str) -> Any:
    back = request.path.endswith("undo")
    try:
        with work() as ctx:
            designer(ctx)
            _, done = drafts.undo(ctx, app, counter_sent(), back)
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err
    if done is not None:
        tell(say("Undone: {step}", step=done) if back else say("Done again: {step}", step=done), "good")
    return go(local_url(request.form.get("next", ""), f"/build/{app}/"))


# -- publishing ------------------------------------------------------------------------------------


@bp.get("/build/<app>/publish")
def review(app: str) -> Any:
    """The list of changes and problems, before publishing."""
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        values = {
            **about(ctx, draft),
            "changes": drafts.pending(ctx, draft),
            "consequences": drafts.consequences(ctx, draft),
            "problems": [told(draft.parts, p) for p in draft.problems],
            "stale": draft.kept.base != draft.revision,
        }
        if is_fragment():
            return render_template("builder/_publish.html", **values)
        frame(ctx)
        return render_template("builder/publish.html", **values)


@bp.post("/build/<app>/publish")
def publish(app: str) -> Any:
    try:
        with work() as ctx:
            designer(ctx)
            inst = drafts.publish(ctx, app, request.form.get("note", "")[:200])
    except Conflict as err:
        raise InvalidInput(
            {"": [say("The app was published anew since this draft began. Discard the draft to go on from there.")]}
        ) from err
    if isinstance(inst, UUID):
        return go(f"/build/{app}/changeover/{inst}")
    tell(say("Published as revision {n}.", n=inst.revision), "good")
    return go(_designer_left(app))


def _designer_left(app: str) -> str:
    """Where publishing was asked for: any page of the app's builder but the one that asks; else its overview."""
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    home = f"/build/{app}/"
    designing = here.path.startswith(home) and here.path != f"{home}publish"
    return f"{here.path}?{here.query}".rstrip("?") if designing else home


@bp.post("/build/<app>/discard")
def discard(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        drafts.discard(ctx, app)
    return go(f"/build/{app}/")


@bp.get("/build/<app>/export")
def export(app: str) -> Any:
    """The published app as a zip file that installs elsewhere; for administrators with its records if they wish."""
    with work() as ctx:
        designer(ctx)
        with_data = request.args.get("data") == "1" and unlimited(ctx.actor)
        body = bundle.zipped(bundle.export(ctx, app), datapack.export(ctx, app) if with_data else None)
    return send_file(io.BytesIO(body), mimetype="application/zip", as_attachment=True, download_name=f"{app}.zip")


@bp.post("/build/<app>/remove")
def remove(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        id = definitions.remove(ctx, app)
        if request.form.get("data") == "bin":
            purging.deadline(ctx, id)
    tell(say("The app was removed. It can be brought back from the removed apps."), "good")
    return redirect("/build/", 303)
