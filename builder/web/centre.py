"""The template centre: apps to look at, try and install; packages to upload; sample data by one click."""

from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request

from builder import bundle, centre, preview
from builder.centre import Offer
from builder.parts import fresh
from builder.specimen import Specimen
from builder.web import slots
from builder.web.apps import designer
from runtime import definitions, packages, sample
from runtime.context import Context
from runtime.people import Directory
from runtime.web.dashboards import chart, ranking
from runtime.web.edge import go, tell, work
from runtime.web.frame import frame
from schemas.app import App, Slot
from schemas.errors import DefinitionError, InvalidInput, NotFound
from schemas.messages import say
from schemas.text import Text
from schemas.views import view_types

bp = Blueprint("centre", __name__)


@bp.get("/templates/")
def index() -> Any:
    with work() as ctx:
        designer(ctx)
        return _index(ctx)


def _index(ctx: Context, problems: list[Any] | None = None, status: int = 200) -> Any:
    frame(ctx)
    there = definitions.all_installed(ctx)
    bases = {inst.id: definitions.base_of(ctx, inst.id) for inst in there}
    names = Directory.of(ctx).names(one.by for one in packages.all_uploaded(ctx) if one.by)
    sent = {one.id: one for one in packages.all_uploaded(ctx)}
    listed = [
        {
            "offer": offer, "contents": contents(offer.app), "picture": picture(offer.app),
            "installed": [inst for inst in there if offer.of(inst, bases[inst.id])],
            "sent": sent.get(offer.uploaded) if offer.uploaded else None,
            "by": names.get(sent[offer.uploaded].by, "") if offer.uploaded else "",  # type: ignore[arg-type]
        }
        for offer in centre.offers(ctx)
    ]  # fmt: skip
    page = render_template("builder/centre.html", listed=listed, problems=problems or [], most=bundle.MOST_FILES)
    return make_response(page, status)


def contents(app: App) -> list[tuple[Any, int]]:
    """What an app holds, in numbers."""
    found = [
        (say("tables"), len(app.tables)), (say("views"), len(app.all_views)), (say("flows"), len(app.flows)),
        (say("dashboards"), len(app.dashboards)), (say("roles"), len(app.roles)),
    ]  # fmt: skip
    return [(word, n) for word, n in found if n]


def picture(app: App) -> dict[str, Any]:
    """What a small drawing of an app is made of: a list's heads, a form's labels, whether there are charts."""
    table = app.tables[0] if app.tables else None
    if table is None:
        return {"heads": [], "labels": [], "charts": False, "board": False}
    view = next((v for v in app.all_views.values() if v.table == table.id and v.columns), None)
    heads = [preview.label_of(table, c) for c in (view.columns if view else [f.id for f in table.fields])[:4]]
    labels = [f.label or Text.of(f.id) for f in table.fields if not f.computed][:4]
    board = any(v.type == "kanban" for v in app.views)
    return {"heads": heads, "labels": labels, "charts": bool(app.dashboards), "board": board}


@bp.post("/templates/")
def upload() -> Any:
    """Take a package as a zip file or a folder, and show it; nothing is installed yet."""
    files = [f for f in request.files.getlist("file") if f.filename]
    try:
        with work() as ctx:
            designer(ctx)
            if not files:
                raise InvalidInput({"file": [say("Choose the zip file of an app.")]})
            package, files_of_sample = bundle.read_sent((f.filename or "", f.stream) for f in files)
            key = centre.upload(ctx, package, files_of_sample)
    except (DefinitionError, InvalidInput) as err:
        with work() as ctx:
            designer(ctx)
            return _index(ctx, told(err), 422)
    return go(f"/templates/{key}/")


def told(err: DefinitionError | InvalidInput) -> list[Any]:
    """The problems of a refusal, one line each."""
    return list(err.problems) if isinstance(err, DefinitionError) else [m for ms in err.errors.values() for m in ms]


@bp.get("/templates/<key>/")
def show(key: str) -> Any:
    """An app drawn from its definition, place by place."""
    with work() as ctx:
        designer(ctx)
        offer = centre.offer(ctx, key)
        frame(ctx)
        groups = preview.places(offer.app)
        places = [place for _, found in groups for place in found]
        chosen = request.args.get("show", "") or (places[0].key if places else "")
        specimen = Specimen(offer.app, offer.sample, ctx.language, ctx.zone, ctx.now)
        drawn = _charted(preview.drawn(specimen, chosen), ctx.language) if chosen else None
        return render_template(
            "builder/centre_app.html", offer=offer, groups=groups, chosen=chosen, drawn=drawn,
            contents=contents(offer.app), word=_word(chosen, offer.app),
        )  # fmt: skip


def _word(chosen: str, app: App) -> Any:
    """What the chosen place is: a form, a dashboard, or the kind of view."""
    kind, _, id = chosen.partition(":")
    view = app.all_views.get(id) if kind == "view" else None
    found = view_types.get(view.type) if view else None
    return say(found.title_word) if found else {"form": say("Form"), "dashboard": say("Dashboard")}.get(kind, "")


def _charted(drawn: dict[str, Any], language: str) -> dict[str, Any]:
    for tile in drawn.get("tiles", ()):
        if "figures" in tile:
            made = chart(tile["widget"], tile["figures"], "")
            tile |= {"chart": {**made, "urls": []}, "rows": ranking(tile["widget"], tile["figures"], language, "")}
    return drawn


@bp.get("/templates/<key>/install")
def ask(key: str) -> Any:
    """Who is who, and whether with sample data, before an app is installed."""
    with work() as ctx:
        designer(ctx)
        return _asked(ctx, centre.offer(ctx, key))


def _asked(ctx: Context, offer: Offer, problems: list[Any] | None = None) -> Any:
    frame(ctx)
    again = bool(problems)
    drawn = []
    for slot in offer.app.slots:
        mine = ctx.actor.id if slot.type == "member" else None
        drawn.append(slots.shown(ctx, slot, slots.sent(ctx, slot) if again else mine))
    slug = fresh(offer.app.app, [inst.slug for inst in definitions.all_installed(ctx)])
    page = render_template(
        "builder/centre_install.html", offer=offer, slots=drawn, problems=problems or [],
        slug=request.form.get("slug", slug), size=_size(offer), with_sample="sample" in request.form,
    )  # fmt: skip
    return make_response(page, 422 if problems else 200)


def _size(offer: Offer) -> dict[str, int] | None:
    """How many people and records the sample data brings."""
    if offer.sample is None:
        return None
    index = sample.index_of(offer.sample)
    records = sum(len(sample.entries_of(offer.sample, table)) for table in index.tables)
    return {"people": len(index.members), "records": records}


@bp.post("/templates/<key>/install")
def install(key: str) -> Any:
    try:
        with work() as ctx:
            designer(ctx)
            offer = centre.offer(ctx, key)
            named = _slots_sent(ctx, offer.app.slots)
            slug = request.form.get("slug", "").strip() or fresh(
                offer.app.app, [inst.slug for inst in definitions.all_installed(ctx)]
            )
            inst = centre.install(ctx, offer, slug, named, "sample" in request.form)
            roles = bool(inst.app.roles)
    except (DefinitionError, InvalidInput) as err:
        with work() as ctx:
            designer(ctx)
            return _asked(ctx, centre.offer(ctx, key), told(err))
    if roles:
        tell(say("Installed. Say who has which role in it; then it can be used."), "good")
        return go(f"/build/{slug}/people")
    tell(say("Installed."), "good")
    return go(f"/a/{slug}/")


def _slots_sent(ctx: Context, wanted: tuple[Slot, ...]) -> dict[str, UUID]:
    """What the form names for each slot. Raises InvalidInput for somebody who is not of this workspace."""
    named: dict[str, UUID] = {}
    for slot in wanted:
        here = slots.sent(ctx, slot)
        if request.form.get(f"slot:{slot.id}", "") and here is None:
            title = slot.title or Text.of(slot.id)
            raise InvalidInput({slot.id: [say("Choose somebody of this workspace for “{slot}”.", slot=title)]})
        if here is not None:
            named[slot.id] = here
    return named


@bp.post("/templates/<key>/remove")
def remove(key: str) -> Any:
    """Take an uploaded package off the list."""
    with work() as ctx:
        designer(ctx)
        offer = centre.offer(ctx, key)
        if offer.uploaded is None:
            raise NotFound
        packages.remove(ctx, offer.uploaded)
    tell(say("The package is off the list. What was installed from it stays."))
    return go("/templates/")


# -- sample data of an installed app ---------------------------------------------------------------


@bp.post("/build/<app>/sample")
def add_sample(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        files = centre.sample_of(ctx, definitions.installed(ctx, app))
        if files is None:
            raise NotFound
        keys = centre.add_sample(ctx, app, files)
        count = sum(keys.numbers.values()) if keys else 0
    tell(say("{n} records of sample data were added. One click takes them away again.", n=count))
    return go(f"/build/{app}/")


@bp.post("/build/<app>/sample/remove")
def remove_sample(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        gone = centre.remove_sample(ctx, app)
    tell(say("{n} records of sample data were moved to the trash.", n=gone))
    return go(f"/build/{app}/")
