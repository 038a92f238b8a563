"""Members and departments from a file, in the browser: choose it, map its columns, try it, import, watch."""

import io
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, send_file

from builder.web.apps import designer
from runtime import audit, importing, importing_people
from runtime.context import Context
from runtime.importing_people import APART, COLUMNS, MOST_LINES, NAMES, Arrivals
from runtime.sheets import ENCODINGS
from runtime.web.edge import go, is_fragment, record_id, words, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import Message, say

bp = Blueprint("members_import", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/members/import/")
def choose() -> Any:
    with work() as ctx:
        designer(ctx)
        return _choose(ctx)


def _choose(ctx: Context, problem: str = "", status: int = 200) -> Any:
    frame(ctx)
    labels = [words for words, _ in NAMES.values()]
    page = render_template("builder/members_import.html", encodings=ENCODINGS, problem=problem, labels=labels)
    return make_response(page, status)


@bp.get("/members/export")
def export() -> Any:
    """Every member in a file that the import understands."""
    with work() as ctx:
        designer(ctx)
        body = importing_people.exported(ctx)
        audit.note(ctx, "member.exported")
    return send_file(io.BytesIO(body), mimetype=XLSX, as_attachment=True, download_name="members.xlsx")


@bp.post("/members/import/")
def upload() -> Any:
    sent = request.files.get("file")
    try:
        with work() as ctx:
            designer(ctx)
            if not sent or not sent.filename:
                raise InvalidInput({"file": [say("Choose a file.")]})
            form = request.form
            run = importing_people.begin(
                ctx, sent.filename, sent.read(), form.get("encoding", ""), form.get("sheet", "")
            )
    except InvalidInput as err:
        with work() as ctx:
            return _choose(ctx, words(next(iter(err.errors.values()))[0]), 422)
    return redirect(f"/members/import/{run}", 303)


def _run(ctx: Context, id: str) -> Any:
    designer(ctx)
    found = importing.run_of(ctx, record_id(id))
    if found.installation_id != APART:
        raise NotFound
    return found


@bp.get("/members/import/<run>")
def show(run: str) -> Any:
    """The columns while nothing has begun; the progress and the result afterwards."""
    with work() as ctx:
        found = _run(ctx, run)
        if found.state == "mapping":
            return _mapping(ctx, found)
        report = found.report or {}
        out = [(t["row"], Message(t["text"], t["values"])) for t in report.get("out", [])]
        return _page(ctx, "progress", {"run": found, "report": report, "out": out})


def _mapping(ctx: Context, run: Any, came: Arrivals | None = None, problems: Any = (), status: int = 200) -> Any:
    rows = importing.sheet_of(run).rows
    samples = {h: next((str(r[h]) for r in rows[:20] if r.get(h) is not None), "") for h in run.headings}
    values = {"run": run, "names": NAMES, "samples": samples, "came": came, "problems": problems, "most": MOST_LINES}
    return _page(ctx, "mapping", values, status)


def _page(ctx: Context, part: str, values: dict[str, Any], status: int = 200) -> Any:
    fragment = f"builder/_members_{part}.html"
    if is_fragment():
        return make_response(render_template(fragment, url=request.path, **values), status)
    frame(ctx)
    page = render_template("builder/members_import_run.html", part=fragment, url=request.path, **values)
    return make_response(page, status)


@bp.post("/members/import/<run>")
def decide(run: str) -> Any:
    """Try the columns, begin with them, or stop."""
    act = request.form.get("act", "")
    with work() as ctx:
        found = _run(ctx, run)
        if act == "cancel":
            importing.cancel(ctx, found)
            return go(request.path)
        columns = {c: heading for c in COLUMNS if (heading := request.form.get(f"column:{c}", ""))}
        try:
            importing_people.save_columns(ctx, found, columns)
        except InvalidInput as err:
            problems = [m for messages in err.errors.values() for m in messages]
            return _mapping(ctx, importing.run_of(ctx, found.id), problems=problems, status=422)
        if act == "import":
            importing_people.start(ctx, found)
            return go(request.path)
        came = importing_people.import_people(ctx, importing.sheet_of(found), columns, dry=True)
        return _mapping(ctx, importing.run_of(ctx, found.id), came)
