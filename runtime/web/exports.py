"""What a list shows as a file: at once where it is short, else by a job."""

from typing import Any

from flask import Blueprint, make_response, render_template, request, send_file

from runtime import exporting, exports, listing, own_views
from runtime.context import Context
from runtime.listing import Shown, Wishes
from runtime.web.edge import enter, go, is_fragment, record_id, words, work, worked
from runtime.web.files import sent as sent_file
from runtime.web.frame import frame
from runtime.web.views import find_view, own_asked

bp = Blueprint("exports", __name__)
ASKED = ("q", "filter", "sort", "trash")


def _shown(ctx: Context, app: str, view: str) -> Shown:
    """The list as it stands in the address, with the columns that its reader has chosen. Raises NotFound, Denied."""
    inst = enter(ctx, app)
    chosen = find_view(ctx, inst, view)
    wishes = Wishes.read(request.args)
    columns = own_views.columns_of(ctx, inst, view, own_asked(ctx, inst, view, wishes))
    shown = listing.show(ctx, inst, chosen, wishes, columns.get("shown", ()))
    shown.gate.require("export")
    return shown


def _kind(asked: str | None) -> str:
    return asked if asked in exporting.SHEETS else "xlsx"


@bp.get("/a/<app>/export/<view>")
def show(app: str, view: str) -> Any:
    """What the list shows now, as a file: `?as=csv` or Excel. Of a long list, a page that asks for a job."""
    with work() as ctx:
        shown = _shown(ctx, app, view)
        if exports.is_large(shown):
            return _large(ctx, shown)
        kind = _kind(request.args.get("as"))
        body, media_type = exporting.of_view(ctx, shown.gate, shown.listing, kind)
        name = f"{words(shown.view.title or shown.live.table.title) or view}.{kind}"
        return send_file(body, mimetype=media_type, as_attachment=True, download_name=name)


def _large(ctx: Context, shown: Shown) -> Any:
    frame(ctx, shown.live.inst, shown.base)
    back = shown.wishes.url(shown.base)
    return render_template("runtime/export.html", shown=shown, url=request.full_path, back=back)


@bp.post("/a/<app>/export/<view>")
def begin(app: str, view: str) -> Any:
    """Leave the list to a job."""

    def story(ctx: Context) -> str:
        shown = _shown(ctx, app, view)
        asked = {name: text for name, text in request.args.items() if name in ASKED}
        id = exports.begin(ctx, shown, _kind(request.form.get("as")), asked, shown.wishes.url(shown.base))
        return f"/a/{app}/exports/{id}"

    return go(worked(story))


@bp.get("/a/<app>/exports/")
def lately(app: str) -> Any:
    """The files that jobs have made for the reader in the last days."""
    with work() as ctx:
        inst = enter(ctx, app)
        frame(ctx, inst)
        runs = [(run, inst.app.all_views.get(run.answers["view"])) for run in exports.lately(ctx, inst)]
        return render_template("runtime/exports.html", inst=inst, runs=runs)


@bp.get("/a/<app>/exports/<run>")
def progress(app: str, run: str) -> Any:
    """How far a job is that writes a list, and its file when it is done."""
    with work() as ctx:
        inst = enter(ctx, app)
        found = exports.run_of(ctx, inst, record_id(run))
        values = {"run": found, "total": found.answers["total"], "url": request.path, "back": found.answers["back"]}
        if is_fragment():
            return make_response(render_template("runtime/_print_run.html", **values))
        frame(ctx, inst)
        return render_template("runtime/export_run.html", **values)


@bp.get("/a/<app>/exports/<run>/file")
def finished(app: str, run: str) -> Any:
    """What the job has made, for whoever asked for it."""
    with work() as ctx:
        found = exports.run_of(ctx, enter(ctx, app), record_id(run))
        return sent_file(ctx, exports.file_of(ctx, found), False)


@bp.post("/a/<app>/exports/<run>")
def stop(app: str, run: str) -> Any:
    """End the job."""
    worked(lambda ctx: exports.cancel(ctx, enter(ctx, app), record_id(run)))
    return go(f"/a/{app}/exports/{run}")
