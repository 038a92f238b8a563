"""Importing in the browser: choose a file, map its columns, try it, settle what is unclear, import, watch."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from runtime import importing
from runtime.access import door
from runtime.context import Context
from runtime.importing import MOST_KINDS, Report
from runtime.listing import label_of
from runtime.sheets import ENCODINGS
from runtime.tables import LiveTable
from runtime.web.edge import go, is_fragment, record_id, table, words, work
from runtime.web.frame import frame
from schemas import importing as mapping
from schemas.errors import InvalidInput, NotFound
from schemas.fields.link import Link
from schemas.fields.serial import Serial
from schemas.importing import Target
from schemas.matching import keyable, natural
from schemas.messages import Message, say

bp = Blueprint("importing", __name__)


@bp.get("/a/<app>/import/<table_id>/")
def choose(app: str, table_id: str) -> Any:
    with work() as ctx:
        source = table(ctx, app, table_id)
        door(ctx, source).require("import")
        return _choose(ctx, source)


def _choose(ctx: Context, source: LiveTable, problem: str = "", status: int = 200) -> Any:
    frame(ctx, source.inst)
    labels = [label_of(source, p) for p in mapping.importable(source.table)]
    page = render_template(
        "runtime/import_choose.html", live=source, inst=source.inst, encodings=ENCODINGS, problem=problem, labels=labels
    )
    return make_response(page, status)


@bp.post("/a/<app>/import/<table_id>/")
def upload(app: str, table_id: str) -> Any:
    sent = request.files.get("file")
    content, name = (sent.read(), sent.filename or "") if sent else (b"", "")
    try:
        with work() as ctx:
            source = table(ctx, app, table_id)
            if not name:
                raise InvalidInput({"file": [say("Choose a file.")]})
            run = importing.begin(
                ctx, source, name, content, request.form.get("encoding", ""), request.form.get("sheet", "")
            )
    except InvalidInput as err:
        with work() as ctx:
            return _choose(ctx, table(ctx, app, table_id), words(next(iter(err.errors.values()))[0]), 422)
    return redirect(f"/a/{app}/import/{table_id}/{run}", 303)


def _run(ctx: Context, source: LiveTable, id: str) -> Any:
    """The actor's own import into this table. Raises NotFound."""
    found = importing.run_of(ctx, record_id(id))
    if (found.installation_id, found.table_id) != (source.inst.id, source.id):
        raise NotFound
    return found


@bp.get("/a/<app>/import/<table_id>/<run>")
def show(app: str, table_id: str, run: str) -> Any:
    """The mapping while nothing has begun; the progress and the result afterwards."""
    with work() as ctx:
        source = table(ctx, app, table_id)
        door(ctx, source).require("import")
        found = _run(ctx, source, run)
        if found.state == "mapping":
            return _mapping(ctx, source, found)
        values = {
            "inst": source.inst,
            "live": source,
            "run": found,
            "report": _told(source, found.report or []),
            "url": request.path,
        }
        if is_fragment():
            return render_template("runtime/_import_progress.html", **values)
        frame(ctx, source.inst)
        return render_template("runtime/import_progress.html", **values)


def _told(source: LiveTable, report: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**t, "label": label_of(source, t["path"]) if t["path"] else "", "message": Message(t["text"], t["values"])}
        for t in report
    ]


def _mapping(
    ctx: Context, source: LiveTable, run: Any, report: Report | None = None, problems: Any = (), status: int = 200
) -> Any:
    targets, by = importing.mappings_of(run.mapping), importing.matching_of(run.matching)
    sheet = importing.sheet_of(run)
    key = by.key if by else natural(source.table, list(targets))
    lines = [_line(ctx, source, path, targets.get(path), key) for path in mapping.mappable(source.table)]
    troubles = _troubles(ctx, source, targets, report) if report else []
    samples = {h: next((str(r[h]) for r in sheet.rows[:20] if r.get(h) is not None), "") for h in run.headings}
    values = {
        "inst": source.inst, "live": source, "run": run, "lines": lines, "headings": run.headings, "samples": samples,
        "report": report, "troubles": troubles, "settled": _settled(ctx, source, targets, troubles),
        "problems": problems, "url": request.path, "most": MOST_KINDS, "by": by,
        "may_find": door(ctx, source).may("read"), "may_change": door(ctx, source).may("update"),
        "sets_off": importing.sets_off(source), "with_flows": "flows" in request.form,
    }  # fmt: skip
    if is_fragment():
        return make_response(render_template("runtime/_import_mapping.html", **values), status)
    frame(ctx, source.inst)
    return make_response(render_template("runtime/import_mapping.html", **values), status)


def _line(ctx: Context, source: LiveTable, path: str, target: Target | None, key: Sequence[str]) -> dict[str, Any]:
    found = source.table.field(path)
    matches: list[tuple[str, Any]] = []
    if isinstance(found, Link):
        there = source.sibling(found.table)
        keys = [f.id for f in there.table.fields if f.type in ("text", "serial")]
        # What people call a record by comes before its number.
        title = there.table.title_formula.source if there.table.title_formula else ""
        keys.sort(key=lambda id: (id != title, there.table.by_id[id].type != "text"))
        matches = [(id, label_of(there, id)) for id in keys]
    rows = path.partition(".")[0] if "." in path else ""
    return {"path": path, "label": label_of(source, path), "group": label_of(source, rows) if rows else "", "target": target,
            "matches": matches, "required": bool(found and found.required), "key": path in key,
            "keyable": path in keyable(source.table) and door(ctx, source).readable(path),
            "finds": isinstance(found, Serial)}  # fmt: skip


def _troubles(ctx: Context, source: LiveTable, targets: dict[str, Target], report: Report) -> list[dict[str, Any]]:
    """Every kind of problem, with the values that could stand in its place."""
    offered: dict[str, list[str]] = {}
    listed = []
    for trouble in report.sorted():
        path = trouble.path
        if path in targets and path not in offered:
            offered[path] = importing.offers(ctx, source, path, targets[path])
        listed.append(
            {
                "trouble": trouble,
                "label": label_of(source, path) if path else "",
                "offers": offered.get(path, []) if trouble.value else [],
            }
        )
    return listed


def _settled(
    ctx: Context, source: LiveTable, targets: dict[str, Target], troubles: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What replacements stand, so that each can be changed; those still in trouble are there already."""
    open_still = {(one["trouble"].path, one["trouble"].value) for one in troubles}
    listed = []
    for path, target in targets.items():
        given = {b: a for b, a in (target.values or {}).items() if (path, b) not in open_still}
        offered = importing.offers(ctx, source, path, target) if given else []
        for before, after in given.items():
            offers = offered if not offered or after in offered or not after else [after, *offered]
            listed.append(
                {"path": path, "label": label_of(source, path), "before": before, "after": after, "offers": offers}
            )
    return listed


@bp.post("/a/<app>/import/<table_id>/<run>")
def decide(app: str, table_id: str, run: str) -> Any:
    """Try the mapping, or begin with it."""
    with work() as ctx:
        source = table(ctx, app, table_id)
        door(ctx, source).require("import")
        found = _run(ctx, source, run)
        if request.form.get("act") == "cancel":
            importing.cancel(ctx, found)
            return go(request.path)
        try:
            targets, by = importing.save_mapping(ctx, found, mapping_sent(source), matching_sent())
        except InvalidInput as err:
            problems = [m for messages in err.errors.values() for m in messages]
            return _mapping(ctx, source, found, problems=problems, status=422)
        found = importing.run_of(ctx, record_id(run))
        if request.form.get("act") == "import":
            importing.start(ctx, found, "flows" in request.form and importing.sets_off(source))
            return go(request.path)
        report = importing.trial(ctx, source, importing.sheet_of(found), targets, by)
        return _mapping(ctx, source, found, report)


def mapping_sent(source: LiveTable) -> dict[str, Any]:
    """The mapping as the page sends it: `column:<path>`, `match:<path>`, and replacements as pairs."""
    made: dict[str, Any] = {}
    known = mapping.mappable(source.table) if matching_sent() else mapping.importable(source.table)
    for path in known:
        if column := request.form.get(f"column:{path}"):
            match = request.form.get(f"match:{path}")
            made[path] = {"column": column, **({"match": match} if match else {})}
    paths, froms, tos = (request.form.getlist(n) for n in ("replace_path", "replace_from", "replace_to"))
    for path, before, after in zip(paths, froms, tos, strict=False):
        if path in made and after:
            made[path].setdefault("values", {})[before] = "" if after == "-" else after
    return made


def matching_sent() -> dict[str, Any] | None:
    """How rows find records that are there; None where each is a new one."""
    if not (mode := request.form.get("mode")):
        return None
    return {"mode": mode, "key": request.form.getlist("key"), "blank": request.form.get("blank", "keep")}
