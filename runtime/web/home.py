"""The workbench, an app's first page, and the pickers for people."""

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request

from runtime import definitions, navigation, tasks
from runtime.access import may_enter
from runtime.people import Directory
from runtime.web.edge import enter, work
from runtime.web.frame import frame
from schemas.errors import NotFound

bp = Blueprint("home", __name__)


@bp.get("/")
def workbench() -> Any:
    with work() as ctx:
        apps = [inst for inst in definitions.all_installed(ctx) if may_enter(ctx, inst)]
        frame(ctx)
        starts = [start for inst in apps for start in navigation.forms_to_start(ctx, inst)]
        boards = [board for inst in apps for board in navigation.dashboards(ctx, inst)]
        return render_template(
            "runtime/workbench.html", apps=apps, starts=starts, boards=boards, tasks=tasks.waiting(ctx)
        )


@bp.get("/a/<app>/")
def app_home(app: str) -> Any:
    """The first thing in the app's navigation that the member may see."""
    with work() as ctx:
        inst = enter(ctx, app)
        first = navigation.first_entry(ctx, inst)
        if first:
            return redirect(first.url)
        frame(ctx, inst)
        return render_template("runtime/nothing.html", inst=inst)


@bp.get("/pick/<kind>")
def pick(kind: str) -> Any:
    """Members or departments for a picker, as JSON `[{id, text, note}]`."""
    text = request.args.get("q", "")[:100].strip()
    with work() as ctx:
        directory = Directory.of(ctx)
        if kind == "member":
            units = directory.units
            found = [
                {"id": str(p.id), "text": p.name, "note": units[p.department].name if p.department in units else ""}
                for p in directory.search(text)
            ]
        elif kind == "department":
            folded = text.casefold()
            found = [
                {"id": str(u.id), "text": u.name, "note": ""}
                for u in directory.units.values()
                if folded in u.name.casefold()
            ]
        else:
            raise NotFound
        return jsonify(found[:50])
