"""What runs in the workspace, for its administrators: runs of flows, jobs, schedules, and what is slow."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, redirect, render_template, request

from runtime import operations
from runtime.operations import Asked
from runtime.progress import STATES
from runtime.web.audit import administrator
from runtime.web.edge import tell, work
from runtime.web.frame import frame
from schemas.errors import NotFound
from schemas.messages import say

bp = Blueprint("operations", __name__)
TABS = {"runs": say("Runs"), "jobs": say("Jobs"), "planned": say("Schedules"), "figures": say("The last 30 days")}


def _asked() -> Asked:
    """The question in the address. What makes no sense in it is left out."""
    state = request.values.get("state", "")
    at, _, id = request.values.get("before", "").partition("_")
    try:
        before = (datetime.fromisoformat(at), UUID(id)) if id else None
    except ValueError:
        before = None
    return Asked(request.values.get("flow", "")[:100], state if state in STATES else "", before)


@bp.get("/workspace/flows/")
def index() -> Any:
    with work() as ctx:
        administrator(ctx)
        tab = request.args.get("tab", "runs")
        shown: dict[str, Any] = {"runs": [], "flows": [], "later": ""}
        if tab == "jobs":
            shown |= {"queues": operations.queues(ctx), "jobs": operations.queued(ctx)}
        elif tab == "planned":
            shown |= {"planned": operations.planned(ctx)}
        elif tab == "figures":
            shown |= {"figures": operations.figures(ctx)}
        else:
            found, more = operations.runs(ctx, _asked())
            later = _address(before=f"{more[0].isoformat()}_{more[1]}") if more else ""
            shown |= {"runs": found, "flows": operations.flows_of(ctx), "later": later}
        frame(ctx)
        return render_template(
            "runtime/operations.html", tab=tab if tab in TABS else "runs", tabs=TABS, states=STATES, sent=request.args,
            statuses=operations.STATUSES, **shown,
        )  # fmt: skip


def _address(**more: str) -> str:
    """The list again, with the same question."""
    asked = {name: request.values[name] for name in ("flow", "state") if request.values.get(name)}
    return f"/workspace/flows/?{urlencode({**asked, **more})}"


@bp.post("/workspace/flows/retry")
def retry() -> Any:
    """Try again what has failed, of one flow or of all."""
    with work() as ctx:
        administrator(ctx)
        count = operations.help_all(ctx, _asked().flow)
    tell(say("{n} runs go on.", n=count) if count else say("None could go on: look at each of them."), "good" if count else "warn")
    return redirect(_address(), 303)


@bp.post("/workspace/flows/jobs/<id>/<verb>")
def change_job(id: str, verb: str) -> Any:
    """A job that was given up is tried again, or not wanted any more."""
    if verb not in ("again", "forget") or not id.isdecimal() or len(id) > 18:
        raise NotFound
    with work() as ctx:
        administrator(ctx)
        (operations.try_again if verb == "again" else operations.forget)(ctx, int(id))
    tell(say("It is tried again.") if verb == "again" else say("Forgotten."), "good")
    return redirect("/workspace/flows/?tab=jobs", 303)
