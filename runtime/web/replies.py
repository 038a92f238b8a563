"""Answers of people outside, who were sent a link to one task. They need no account, and see nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, g, make_response, render_template, request

from runtime import filling, flows, outside, progress, query
from runtime.context import Context
from runtime.flows import Decision
from runtime.retry import attempt
from runtime.running import Running
from runtime.web.edge import answers_of_request, engine, is_fragment, language
from runtime.web.frame import mark
from runtime.web.tasks import begun, comment_of_request, conflict, still_open
from runtime.workspaces import find, opened
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.numbers import read_whole

bp = Blueprint("replies", __name__)


@contextmanager
def linked(workspace: str, secret: str) -> Iterator[tuple[Context, Running, int]]:
    """One transaction of whoever has the link. Raises NotFound when it does not hold."""
    with engine().connect() as conn:
        g.workspace = find(conn, slug=workspace)
    with opened(engine(), g.workspace, language=language()) as ctx:
        yield outside.as_link(ctx, secret)


@bp.get("/reply/<workspace>/<secret>")
def show(workspace: str, secret: str) -> Any:
    """The task; reading it changes nothing, so that a mail scanner may open it. Once it is over, that is said."""
    with linked(workspace, secret) as (ctx, run, number):
        if not still_open(run, number):
            return page(render_template("runtime/reply_over.html", done=False), 200)
        return _page(ctx, run, number, workspace, secret, begun(ctx, run, number, task_id(run, number)))


def task_id(run: Running, number: int) -> Any:
    return run.task_ids[number]


def _page(ctx: Context, run: Running, number: int, workspace: str, secret: str, current: Any, status: int = 200) -> Any:
    step = run.flow.people_step(run.state.tasks[number].step)
    actions, wanted = progress.actions(run, number), request.args.get("do", "")
    meant = [one for one in actions if one.id == wanted]
    whole = f"/reply/{workspace}/{secret}" if meant and len(actions) > 1 else ""
    shown = {
        "bound": current.bound(ctx), "form": current.form, "inst": run.live.inst, "task_id": task_id(run, number),
        "base": f"/reply/{workspace}/{secret}", "outside": True, "run": progress.words_of_run(run), "writable": False,
        "title": query.titles(ctx, run.live, [run.its_record]).get(run.its_record, ""), "comment": comment_of_request(),
        "step": progress.step_words(run.flow, step.id), "actions": meant or actions, "all_of": whole,
        "conflict": conflict(ctx, current), "task": run.state.tasks[number], "people_step": step, "files": [],
        "held": progress.held_by(ctx, run, number), "signature": [],
    }  # fmt: skip
    if is_fragment() and request.method == "POST":
        return page(render_template("runtime/_task.html", **shown), status)
    mark(ctx, run.live.inst)
    return page(render_template("runtime/reply.html", **shown), status)


def page(body: str, status: int) -> Any:
    """What a link leads to is kept by nobody on the way, and found by no search."""
    response = make_response(body, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.post("/reply/<workspace>/<secret>")
def decide(workspace: str, secret: str) -> Any:
    """The answer of whoever has the link."""
    answers = answers_of_request()

    def story() -> None:
        with linked(workspace, secret) as (ctx, run, number):
            if request.form.get("_action") == "save":
                raise NotFound
            flows.decide(ctx, Decision(
                task_id(run, number), request.form.get("_action", ""), comment_of_request(), request.form.get("_to", ""),
                {name: value for name, value in answers.items() if not name.startswith("_")},
                read_whole(request.form.get("_version", "")),
            ))  # fmt: skip

    try:
        attempt(story)
    except (InvalidInput, Conflict) as err:
        with linked(workspace, secret) as (ctx, run, number):
            again = filling.refused(ctx, begun(ctx, run, number, task_id(run, number)), answers, err)
            return _page(ctx, run, number, workspace, secret, again, 422 if isinstance(err, InvalidInput) else 409)
    if is_fragment():
        response = page("", 204)
        response.headers["HX-Redirect"] = f"/reply/{workspace}/{secret}"
        return response
    return page(render_template("runtime/reply_over.html", done=True), 200)
