"""Printing: a record on a page, as a file, or several records at once."""

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request, send_file

from runtime import documents, paper, printing, query
from runtime.access import door
from runtime.context import Context
from runtime.documents import Made
from runtime.tables import LiveTable
from runtime.web.batches import listed
from runtime.web.edge import enter, go, is_fragment, local_url, record_id, table, work, worked
from runtime.web.files import PDF_ALONE, storage
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

bp = Blueprint("printing", __name__)
RECORD = "/a/<app>/t/<table_id>/<record>/print"


@bp.get(RECORD)
def show(app: str, table_id: str, record: str) -> Any:
    """The record as it will be on paper, to be printed from the browser or taken as a file."""
    with work() as ctx:
        source = table(ctx, app, table_id)
        found = documents.printable(ctx, source, [record_id(record)])
        if not found:
            raise NotFound
        document = documents.template(ctx, source, request.args.get("template", ""))
        if document.made != "page":
            return go(f"{request.path}/file?template={document.id}")
        documents.require_fits(ctx, source, found[0], document)
        fitting = [d for d in documents.templates(ctx, source) if documents.fits(ctx, source, found[0], d)]
        frame(ctx, source.inst, f"/a/{app}/")
        return render_template(
            "runtime/print.html", inst=source.inst, live=source, record=found[0], document=document,
            sheet=documents.on_screen(ctx, source, found[0], document), print_templates=fitting,
            address=request.path, pdf=paper.available(), back=f"/a/{app}/t/{table_id}/{found[0].id}",
        )  # fmt: skip


@bp.get(f"{RECORD}/file")
def file(app: str, table_id: str, record: str) -> Response:
    """The record as a PDF, or as a Word or Excel file filled in; `view=1` shows a PDF in the browser."""

    def made(ctx: Context) -> Made:
        source = table(ctx, app, table_id)
        document = documents.template(ctx, source, request.args.get("template", ""))
        return documents.make(ctx, storage(), source, [record_id(record)], document)

    return sent(worked(made), bool(request.args.get("view")))


def sent(made: Made, view: bool = False) -> Response:
    """A finished file, to be kept or, where a browser may, to be looked at."""
    shown = view and made.media_type == documents.PDF
    answer = send_file(io.BytesIO(made.data), made.media_type, as_attachment=not shown, download_name=made.name)
    answer.headers["Content-Security-Policy"] = PDF_ALONE
    answer.headers["Cache-Control"] = "no-store"
    return answer


# -- several -----------------------------------------------------------------------------------------


@bp.post("/a/<app>/t/<table_id>/print")
def several(app: str, table_id: str) -> Any:
    """The chosen records as one file: at once where they are few, else by a job."""

    def story(ctx: Context) -> tuple[str, Made | None]:
        source = table(ctx, app, table_id)
        ids = _chosen(ctx, source)
        document = documents.template(ctx, source, request.form.get("template", ""))
        if len(ids) > documents.AT_ONCE:
            back = local_url(request.form.get("_back", ""), f"/a/{app}/")
            return f"/a/{app}/print/{printing.begin(ctx, source, ids, document, back)}", None
        return "", documents.make(ctx, storage(), source, ids, document)

    url, made = worked(story)
    return sent(made) if made else go(url)


def _chosen(ctx: Context, source: LiveTable) -> list[UUID]:
    """Those chosen one by one, or everything that the list shows."""
    gate = door(ctx, source)
    gate.require("read")
    gate.require("print")
    asked = listed(ctx, source, request.form.get("view", "")) if request.form.get("whole") else None
    if asked:
        found = query.ids(gate, asked, "print", limit=documents.MOST + 1)
    else:
        found = [record_id(i) for i in dict.fromkeys(request.form.getlist("ids"))]
    if not found:
        raise InvalidInput({"": [say("Choose at least one record.")]})
    if len(found) > documents.MOST:
        raise InvalidInput({"": [say("More than {n} records. Choose fewer of them.", n=documents.MOST)]})
    return found


@bp.get("/a/<app>/print/<run>")
def progress(app: str, run: str) -> Any:
    """How far a job is that prints many records, and its file when it is done."""
    with work() as ctx:
        inst = enter(ctx, app)
        found = printing.run_of(ctx, inst, record_id(run))
        values = {
            "inst": inst,
            "run": found,
            "total": len(found.records),
            "url": request.path,
            "back": found.answers["back"],
        }
        if is_fragment():
            return make_response(render_template("runtime/_print_run.html", **values))
        frame(ctx, inst)
        return render_template("runtime/print_run.html", **values)


@bp.get("/a/<app>/print/<run>/file")
def finished(app: str, run: str) -> Response:
    """What the job has made, for whoever asked for it."""
    return _with_run(app, run, lambda ctx, found: printing.made_by(ctx, storage(), found))


def _with_run(app: str, run: str, story: Callable[[Context, Any], Made]) -> Response:
    with work() as ctx:
        return sent(story(ctx, printing.run_of(ctx, enter(ctx, app), record_id(run))))


@bp.post("/a/<app>/print/<run>")
def stop(app: str, run: str) -> Any:
    """End the job."""

    def story(ctx: Context) -> None:
        printing.cancel(ctx, enter(ctx, app), record_id(run))

    worked(story)
    return go(f"/a/{app}/print/{run}")
