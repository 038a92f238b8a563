"""The workbench, an app's first page, and the pickers for people."""

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request

from runtime import definitions, navigation, ranges, tasks
from runtime.access import may_enter
from runtime.people import Directory
from runtime.render import PEOPLE
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
        first = navigation.first_entry(ctx, inst, "Mobi" in request.user_agent.string)
        if first:
            return redirect(first.url)
        frame(ctx, inst)
        return render_template("runtime/nothing.html", inst=inst)


@bp.get("/pick/<kind>")
def pick(kind: str) -> Any:
    """Members or departments for a picker, as JSON `[{id, text, note}]`."""
    text = request.args.get("q", "")[:100].strip()
    with work() as ctx:
        if kind not in PEOPLE:
            raise NotFound
        return jsonify(ranges.offered(Directory.of(ctx), kind, text, None))
