"""The to-do centre, a task's page, a run's page, and notices."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request

from runtime import definitions, filling, flows, notices, progress, query, running, task_forms, tasks
from runtime.access import door
from runtime.context import Context
from runtime.filling import Filling
from runtime.flows import Decision
from runtime.render import BoundField, BoundForm, Names
from runtime.running import Running
from runtime.web import records
from runtime.web.edge import (
    answers_of_request,
    enter,
    go,
    is_fragment,
    local_url,
    names_of_request,
    page_or_fragment,
    record_id,
    table,
    tell,
    touched_of_request,
    work,
    worked,
)
from runtime.web.frame import frame
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.text import Text

bp = Blueprint("tasks", __name__)

TITLES = {
    "todo": say("To do"),
    "started": say("Started by me"),
    "decided": say("Decided by me"),
    "copies": say("Copies to me"),
}
SAID = {
    "approve": say("Approved."), "submit": say("Submitted."), "reject": say("Rejected."), "return": say("Returned."),
    "save": say("Saved."),
}  # fmt: skip


# -- the to-do centre ------------------------------------------------------------------------------


@bp.get("/tasks/")
def inbox() -> Any:
    """What waits for me, what I started, decided, or was sent a copy of."""
    tab = request.args.get("tab", "todo")
    page = request.args.get("page", "1")
    asked = tasks.Asked(
        tab if tab in tasks.TABS else "todo", request.args.get("flow", "")[:100].replace("\x00", ""),
        request.args.get("q", "").strip()[:100].replace("\x00", ""),
        max(1, min(read_whole(page) or 1, 9_999)),
    )  # fmt: skip
    with work() as ctx:
        lines, more = tasks.listed(ctx, asked)
        shown = {
            "asked": asked, "lines": lines, "more": more, "tabs": TITLES, "counts_of": tasks.tab_counts(ctx),
            "flows": tasks.flows_of(ctx, asked.tab), "states": progress.STATES, "ago": lambda at: progress.duration(ctx.now - at),
        }  # fmt: skip
        frame(ctx)
        return page_or_fragment("runtime/inbox.html", "runtime/_inbox.html", 200, **shown)


# -- a task ----------------------------------------------------------------------------------------


def own_task(ctx: Context, id: str) -> tuple[Running, int]:
    """The run of a task that the member holds or held, and the task's number. Raises NotFound."""
    run_id, number, holder = tasks.place_of(ctx, record_id(id))
    if holder != ctx.actor.id and not getattr(ctx.actor, "admin", False):
        raise NotFound
    return running.load(ctx, run_id, lock=False), number


def begun(ctx: Context, run: Running, number: int, id: UUID) -> Filling:
    """The record's form as the task's holder has it before them."""
    sheet = task_forms.Sheet(ctx, run, run.flow.people_step(run.state.tasks[number].step), id)
    found = sheet.record()
    return Filling(run.live, sheet.form, {**found.system, **found.values}, found.rights, found.id, found.version)


def still_mine(ctx: Context, run: Running, number: int) -> bool:
    task = run.state.tasks[number]
    return task.live and run.state.open and task.member == str(ctx.actor.id)


@bp.get("/tasks/<id>")
def show(id: str) -> Any:
    """The task with its form; once it is closed, the run that it belongs to."""
    with work() as ctx:
        run, number = own_task(ctx, id)
        tasks.mark_seen(ctx, run.id)
        if not still_mine(ctx, run, number):
            return run_page(ctx, run)
        return task_page(ctx, run, number, record_id(id), begun(ctx, run, number, record_id(id)))


def task_page(
    ctx: Context, run: Running, number: int, id: UUID, current: Filling, status: int = 200, comment: str = ""
) -> Any:
    """The task as a page; after a refusal and for live values, its form alone."""
    sheet = task_forms.Sheet(ctx, run, run.flow.people_step(run.state.tasks[number].step), id)
    bound = with_fixed_rows(current.bound(ctx), sheet)
    shown = {
        "bound": bound, "form": current.form, "inst": run.live.inst, "task_id": id, "run": progress.of_run(ctx, run, id),
        "title": query.titles(ctx, run.live, [run.record]).get(run.record, ""), "comment": comment,
        "step": progress.step_words(run.flow, run.state.tasks[number].step), "actions": progress.actions(run, number),
        "conflict": conflict(ctx, current), "writable": any(not f.readonly for f in bound),
        "record_url": f"/a/{run.live.inst.slug}/t/{run.live.id}/{run.record}",
    }  # fmt: skip
    if is_fragment() and request.method == "POST":
        return make_response(render_template("runtime/_task.html", **shown), status)
    frame(ctx)
    return make_response(render_template("runtime/task.html", **shown), status)


def with_fixed_rows(bound: BoundForm, sheet: task_forms.Sheet) -> BoundForm:
    """The form with the subforms marked whose rows the step leaves as they are."""

    def marked(f: BoundField) -> BoundField:
        return replace(f, fixed=sheet.fixed(f.field.id))

    return bound.mapped(marked)


def conflict(ctx: Context, current: Filling) -> list[tuple[Any, str]]:
    """What has changed since the task was opened: each field's label with its value now."""
    if not current.theirs:
        return []
    names = Names(ctx, current.live)
    fields = [current.live.table.by_id[id] for id in current.theirs]
    names.note(fields, current.theirs)
    reader = names.reader()
    return [(f.label or Text.of(f.id), f.show(current.theirs[f.id], reader)) for f in fields]


@bp.post("/tasks/<id>")
def decide(id: str) -> Any:
    answers = answers_of_request()
    seen = request.form.get("_version", "")
    comment = request.form.get("_comment", "")[:4_000].replace("\x00", "")
    decision = Decision(
        record_id(id), request.form.get("_action", ""), comment, request.form.get("_to", ""),
        {name: value for name, value in answers.items() if not name.startswith("_")},
        read_whole(seen),
    )  # fmt: skip
    try:
        worked(lambda ctx: flows.decide(ctx, decision))
    except (InvalidInput, Conflict) as err:
        with work() as ctx:
            run, number = own_task(ctx, id)
            again = filling.refused(ctx, begun(ctx, run, number, record_id(id)), answers, err)
            return task_page(
                ctx, run, number, record_id(id), again, 422 if isinstance(err, InvalidInput) else 409, comment
            )
    tell(SAID.get(decision.action, say("Done.")), "good")
    return go(f"/tasks/{id}" if decision.action == "save" else "/tasks/")


@bp.post("/tasks/<id>/live")
def live_values(id: str) -> Any:
    """The task's form as it stands with what has been typed so far; nothing is saved."""
    with work() as ctx:
        run, number = own_task(ctx, id)
        if not still_mine(ctx, run, number):
            raise NotFound
        touched, just = touched_of_request(), names_of_request("_changed")
        typed = filling.as_sent(ctx, begun(ctx, run, number, record_id(id)), answers_of_request(), touched, just)
        return task_page(ctx, run, number, record_id(id), typed, comment=request.form.get("_comment", ""))


@bp.get("/tasks/<id>/transfer")
def choose_member(id: str) -> Any:
    with work() as ctx:
        run, number = own_task(ctx, id)
        needed = "transfer" in run.flow.people_step(run.state.tasks[number].step).comment
        frame(ctx)
        return page_or_fragment(
            "runtime/task_transfer.html", "runtime/_task_transfer.html", task_id=id, needed=needed, errors={}
        )


@bp.post("/tasks/<id>/transfer")
def transfer(id: str) -> Any:
    to, comment = request.form.get("to", ""), request.form.get("_comment", "")[:4_000].replace("\x00", "")
    try:
        if not to:
            raise InvalidInput({"to": [say("Choose another member.")]})
        worked(lambda ctx: flows.transfer(ctx, record_id(id), record_id(to), comment))
    except InvalidInput as err:
        shown = {"task_id": id, "needed": "comment" in err.errors, "errors": err.errors, "comment": comment}
        return page_or_fragment("runtime/task_transfer.html", "runtime/_task_transfer.html", 422, **shown)
    tell(say("Transferred."), "good")
    return go("/tasks/")


# -- a run -----------------------------------------------------------------------------------------


@bp.get("/tasks/run/<id>")
def show_run(id: str) -> Any:
    with work() as ctx:
        run = progress.seen_run(ctx, record_id(id))
        tasks.mark_seen(ctx, run.id)
        return run_page(ctx, run)


def run_page(ctx: Context, run: Running) -> Any:
    """How a run stands, with its record as far as the reader may see it."""
    gate = door(ctx, run.live)
    try:
        gate.require("read")
        found = query.fetch(gate, run.record)
    except NotFound:
        found = None
    own = tasks.open_task_for(ctx, run.live, run.record)
    shown = {
        "run": progress.of_run(ctx, run, own), "title": found.title if found else "", "inst": run.live.inst,
        "blocks": records.details(ctx, run.live, found) if found else [],
        "record_url": f"/a/{run.live.inst.slug}/t/{run.live.id}/{run.record}" if found else "",
    }  # fmt: skip
    frame(ctx)
    return render_template("runtime/task_run.html", **shown)


@bp.post("/tasks/run/<id>/<verb>")
def change_run(id: str, verb: str) -> Any:
    """withdraw, end, retry or skip; what is not for this person is not found."""
    comment = request.form.get("_comment", "")[:4_000].replace("\x00", "")
    number = read_whole(request.form.get("token", "")) or 0
    changes: dict[str, Any] = {
        "withdraw": lambda ctx: flows.withdraw(ctx, record_id(id), comment),
        "end": lambda ctx: flows.end(ctx, record_id(id), comment),
        "retry": lambda ctx: flows.help_on(ctx, record_id(id), number, "retry"),
        "skip": lambda ctx: flows.help_on(ctx, record_id(id), number, "skip"),
    }
    if verb not in changes:
        raise NotFound
    worked(changes[verb])
    tell(say("Withdrawn.") if verb == "withdraw" else say("Done."), "good")
    return go(local_url(request.form.get("_back", ""), f"/tasks/run/{id}"))


@bp.post("/a/<app>/t/<table_id>/<record>/start/<flow>")
def press(app: str, table_id: str, record: str, flow: str) -> Any:
    """A button on a record's page starts a flow."""

    def story(ctx: Context) -> None:
        source = table(ctx, app, table_id)
        found = query.fetch(door(ctx, source), record_id(record))
        named = enter(ctx, app).app.flow(flow)
        if named is None:
            raise NotFound
        flows.press(ctx, source, named, found.id)

    worked(story)
    tell(say("Started."), "good")
    return go(f"/a/{app}/t/{table_id}/{record}")


# -- notices ---------------------------------------------------------------------------------------


@bp.get("/notices/")
def show_notices() -> Any:
    with work() as ctx:
        found = notices.listed(ctx)
        titles = tasks.record_titles(ctx, [notice.place for notice in found if notice.place])
        frame(ctx)
        urls = {n.id: n.url or _record_url(ctx, n, titles) for n in found}
        return page_or_fragment(
            "runtime/notices.html", "runtime/_notices.html", notices=found, titles=titles, urls=urls
        )


def _record_url(ctx: Context, notice: notices.Notice, titles: Any) -> str:
    """The record that a notice is about, for one who may still see it."""
    if notice.place is None or notice.place[2] not in titles:
        return ""
    installation, table_id, record = notice.place
    return f"/a/{definitions.by_id(ctx, installation).slug}/t/{table_id}/{record}#comments"


@bp.post("/notices/read")
def read_notices() -> Any:
    """All of mine are read."""
    worked(lambda ctx: notices.mark_read(ctx))
    return go("/notices/")
