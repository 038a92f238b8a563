"""The to-do centre, a task's page, a run's page, and notices."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, make_response, render_template, request

from runtime import (
    absences,
    definitions,
    filling,
    flows,
    notices,
    operations,
    progress,
    query,
    ranges,
    running,
    task_files,
    task_forms,
    tasks,
)
from runtime.access import door
from runtime.context import Context
from runtime.files import Kept
from runtime.filling import Filling
from runtime.flows import Decision
from runtime.people import Directory
from runtime.render import BoundField, BoundForm, Names
from runtime.running import Running
from runtime.web import files, records
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
from runtime.web.files import storage
from runtime.web.frame import frame, mark
from schemas.errors import BadValue, Conflict, Denied, InvalidInput, NotFound
from schemas.fields.file import viewed_as
from schemas.messages import Message, say
from schemas.moments import read_moment
from schemas.numbers import read_whole
from schemas.text import Sentence, Text

bp = Blueprint("tasks", __name__)

TITLES = {
    "todo": say("To do"),
    "started": say("Started by me"),
    "decided": say("Decided by me"),
    "copies": say("Copies to me"),
}
SAID = {
    "approve": say("Approved."), "submit": say("Submitted."), "reject": say("Rejected."), "return": say("Returned."),
    "save": say("Saved."), "answer": say("Handed back."), "choose": say("They are asked now."),
}  # fmt: skip
ASK: dict[str, Message] = {
    "transfer": say("Transfer to another member"), "delegate": say("Let somebody prepare the answer"),
    "add_signer": say("Add signers"), "copy": say("Send a copy"), "comment": say("Comment without deciding"),
}  # fmt: skip
"""What is done with a task in a dialog of its own, and the dialog's title."""
ASKED = {
    "transfer": say("Transferred."), "delegate": say("Delegated. It comes back to you."), "add_signer": say("Added."),
    "copy": say("Copy sent."), "comment": say("Comment added."),
}  # fmt: skip
MOST_AT_ONCE = 100
LONGEST_COMMENT = 4_000


# -- the to-do centre ------------------------------------------------------------------------------


@bp.get("/tasks/")
def inbox() -> Any:
    """What waits for me, what I started, decided, or was sent a copy of."""
    tab = request.args.get("tab", "todo")
    page = request.args.get("page", "1")
    asked = tasks.Asked(
        tab if tab in tasks.TABS else "todo", request.args.get("flow", "")[:100].replace("\x00", ""),
        request.args.get("q", "").strip()[:100].replace("\x00", ""),
        max(1, min(read_whole(page) or 1, 9_999)), bool(request.args.get("late")) and tab == "todo",
    )  # fmt: skip
    with work() as ctx:
        lines, more = tasks.listed(ctx, asked)
        shown = {
            "asked": asked, "lines": lines, "more": more, "tabs": TITLES, "counts_of": tasks.tab_counts(ctx),
            "flows": tasks.flows_of(ctx, asked.tab), "states": progress.STATES, "ago": lambda at: progress.duration(ctx.now - at),
            "remaining": lambda due: progress.remaining(due, ctx.now), "now": ctx.now, "kinds": progress.KINDS,
            "may_hand_over": getattr(ctx.actor, "admin", False),
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


def still_open(run: Running, number: int) -> bool:
    return run.state.tasks[number].live and run.state.open


def still_mine(ctx: Context, run: Running, number: int) -> bool:
    return still_open(run, number) and run.state.tasks[number].member == str(ctx.actor.id)


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
        "title": query.titles(ctx, run.live, [run.its_record]).get(run.its_record, ""), "comment": comment,
        "step": progress.step_words(run.flow, run.state.tasks[number].step), "actions": progress.actions(run, number),
        "conflict": conflict(ctx, current), "writable": any(not f.readonly for f in bound),
        "task": run.state.tasks[number], "people_step": sheet.step, "held": progress.held_by(ctx, run, number),
        "files": _uploads(ctx, run, "_files"), "signature": _uploads(ctx, run, "_signature"),
        "record_url": f"/a/{run.live.inst.slug}/t/{run.live.id}/{run.record}",
    }  # fmt: skip
    if is_fragment() and request.method == "POST":
        return make_response(render_template("runtime/_task.html", **shown), status)
    frame(ctx)
    mark(ctx, run.live.inst)
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
    comment = comment_of_request()
    decision = Decision(
        record_id(id), request.form.get("_action", ""), comment, request.form.get("_to", ""),
        {name: value for name, value in answers.items() if not name.startswith("_")}, read_whole(seen),
        _ids("_people"), request.form["_back"] == "back" if request.form.get("_back") else None, _ids("_files"),
        next(iter(_ids("_signature")), None),
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
    if decision.action == "save":
        return go(f"/tasks/{id}")
    with work() as ctx:
        run, _ = own_task(ctx, id)
        return go(_next_choice(ctx, run) or "/tasks/")


def _next_choice(ctx: Context, run: Running) -> str:
    """The task of choosing whom to ask next, which whoever has just decided goes on to at once."""
    mine = [t.id for t in run.state.live_tasks() if t.kind == "choose" and t.member == str(ctx.actor.id)]
    return f"/tasks/{run.task_ids[mine[0]]}" if mine else ""


def comment_of_request() -> str:
    return request.form.get("_comment", "")[:LONGEST_COMMENT].replace("\x00", "")


def _ids(name: str) -> tuple[UUID, ...]:
    """The ids that were sent under a name. Raises NotFound for what is none."""
    return tuple(dict.fromkeys(record_id(text) for text in request.form.getlist(name) if text))


def _uploads(ctx: Context, run: Running, name: str) -> list[dict[str, Any]]:
    """Files that were added before the form was refused, for the form drawn anew."""
    if request.method == "GET":
        return []
    kept = task_files.of_run(ctx, run, [str(id) for id in _ids(name)])
    return [_told(run, one) for one in kept.values()]


def _told(run: Running, kept: Kept) -> dict[str, Any]:
    url = f"/tasks/run/{run.id}/files/{kept.id}"
    view = f"{url}?view=1" if viewed_as(kept.name) else ""
    return {"id": str(kept.id), "text": kept.name, "url": url, "view": view, "thumbnail": "", "size": kept.size}


@bp.post("/tasks/<id>/upload")
def upload(id: str) -> Any:
    """Keep a file or a signature for a task; its decision then sends the id."""
    body = request.files.get("file")
    if body is None:
        raise InvalidInput({"files": [say("Choose a file.")]})
    with work() as ctx, closing(body.stream):
        run, number = own_task(ctx, id)
        if not still_mine(ctx, run, number):
            raise NotFound
        return jsonify(_told(run, task_files.upload(ctx, storage(), run, body.filename or "", body.stream)))


@bp.get("/tasks/run/<id>/files/<file>")
def download(id: str, file: str) -> Any:
    """A file of a decision, for whoever may see the run."""
    with work() as ctx:
        run = progress.seen_run(ctx, record_id(id))
        kept = task_files.one(ctx, run, record_id(file))
        return files.sent(ctx, kept, bool(request.args.get("view")))


# -- what is done with a task in a dialog ----------------------------------------------------------


@bp.get("/tasks/<id>/<any(transfer, delegate, add_signer, copy, comment):act>")
def ask(id: str, act: str) -> Any:
    """The dialog for handing a task on, asking somebody more, or saying something."""
    with work() as ctx:
        run, number = own_task(ctx, id)
        frame(ctx)
        return page_or_fragment("runtime/task_ask.html", "runtime/_task_ask.html", **_asking(run, number, id, act))


def _asking(run: Running, number: int, id: str, act: str) -> dict[str, Any]:
    step = run.flow.people_step(run.state.tasks[number].step)
    return {
        "task_id": id, "act": act, "title": ASK[act], "needed": act in step.comment or act == "comment", "errors": {},
        "sides": progress.sides(step) if act == "add_signer" else (), "side": "", "comment": "", "picked": [],
        "several": act in ("add_signer", "copy"), "attach": act == "comment" and step.attach,
    }  # fmt: skip


@bp.get("/tasks/<id>/choices")
def choices(id: str) -> Any:
    """Members to choose among for the step that comes next, as a picker wants them."""
    text = request.args.get("q", "")[:100].strip()
    with work() as ctx:
        run, number = own_task(ctx, id)
        step = run.flow.people_step(run.state.tasks[number].step)
        if not still_mine(ctx, run, number) or run.state.tasks[number].kind != "choose":
            raise NotFound
        return jsonify(ranges.offered(Directory.of(ctx), "member", text, running.to_choose_among(ctx, run, step)))


@bp.get("/tasks/run/<id>/reactivate")
def ask_reactivate(id: str) -> Any:
    """Where the run is to go on."""
    with work() as ctx:
        run = progress.seen_run(ctx, record_id(id))
        found = progress.of_run(ctx, run)
        if not found.may_manage:
            raise NotFound
        frame(ctx)
        return page_or_fragment("runtime/task_reactivate.html", "runtime/_task_reactivate.html", run=found)


@bp.post("/tasks/<id>/<any(transfer, delegate, add_signer, copy, comment):act>")
def do_ask(id: str, act: str) -> Any:
    to, comment, side = _ids("to"), comment_of_request(), request.form.get("side", "")
    one = to[0] if to else None
    acts: dict[str, Callable[[Context], Any]] = {
        "transfer": lambda ctx: flows.transfer(ctx, record_id(id), _somebody(one), comment),
        "delegate": lambda ctx: flows.delegate(ctx, record_id(id), _somebody(one), comment),
        "add_signer": lambda ctx: flows.add_signers(ctx, record_id(id), to, side, comment),
        "copy": lambda ctx: flows.copy(ctx, record_id(id), to, comment),
        "comment": lambda ctx: flows.remark(ctx, record_id(id), comment, _ids("_files")),
    }
    try:
        worked(acts[act])
    except InvalidInput as err:
        with work() as ctx:
            run, number = own_task(ctx, id)
            frame(ctx)
            names = Directory.of(ctx).names(to)
            shown = {**_asking(run, number, id, act), "errors": err.errors, "comment": comment, "side": side,
                     "picked": [{"id": str(one), "text": names.get(one, "")} for one in to if one in names]}  # fmt: skip
            return page_or_fragment("runtime/task_ask.html", "runtime/_task_ask.html", 422, **shown)
    tell(ASKED[act], "good")
    return go(f"/tasks/{id}" if act in ("copy", "comment", "add_signer") else "/tasks/")


def _somebody(one: UUID | None) -> UUID:
    if one is None:
        raise InvalidInput({"to": [say("Choose another member.")]})
    return one


# -- many at once ----------------------------------------------------------------------------------


@bp.post("/tasks/batch")
def decide_many() -> Any:
    """Approve or reject several tasks, each by itself: what cannot be decided so is left as it is, and said."""
    action, comment, wanted = request.form.get("_action", ""), comment_of_request(), _ids("id")
    if action not in ("agree", "reject") or not wanted or len(wanted) > MOST_AT_ONCE:
        raise InvalidInput({"": [say("Choose from 1 to {n} tasks.", n=MOST_AT_ONCE)]})
    done, refused = 0, list[Sentence]()
    for id in wanted:
        try:
            worked(lambda ctx, id=id: flows.decide(ctx, Decision(id, _batch_action(ctx, id, action), comment)))  # type: ignore[misc]
            done += 1
        except InvalidInput as err:
            refused += [message for messages in err.errors.values() for message in messages][:1]
        except Denied as err:
            refused.append(err.reason)
        except (NotFound, Conflict):
            refused.append(say("This task is no longer open: somebody else has dealt with it, or it was taken back."))
    if done:
        tell(say("{n} tasks decided.", n=done), "good")
    for reason in list(dict.fromkeys(refused))[:3]:
        tell(say("{n} left as they are: {reason}", n=len(refused), reason=reason), "warn")
    return go("/tasks/")


def _batch_action(ctx: Context, id: UUID, action: str) -> str:
    """What saying yes is called at the step of this task."""
    run_id, number, _ = tasks.place_of(ctx, id)
    run = running.load(ctx, run_id, lock=False)
    return run.flow.people_step(run.state.tasks[number].step).agrees if action == "agree" else action


# -- away, and gone --------------------------------------------------------------------------------


@bp.get("/tasks/away")
def away() -> Any:
    """Who stands in for me, when, and in which flows."""
    with work() as ctx:
        return _away_page(ctx, {}, {}, 200)


def _away_page(ctx: Context, errors: Any, given: Any, status: int) -> Any:
    assert ctx.actor.id is not None
    arranged = absences.of_member(ctx, ctx.actor.id)
    names = Directory.of(ctx).names(one.stand_in for one in arranged)
    known = tasks.all_flows(ctx)
    frame(ctx)
    return page_or_fragment("runtime/away.html", "runtime/_away.html", status, arranged=arranged, names=names, flows=known,
                            flow_names=dict(known), errors=errors, given=given)  # fmt: skip


@bp.post("/tasks/away")
def be_away() -> Any:
    given = {name: request.form.get(name, "")[:100] for name in ("to", "from", "until", "flow")}

    def story(ctx: Context) -> None:
        assert ctx.actor.id is not None
        start, end = (_clock(ctx, given[name]) for name in ("from", "until"))
        to = record_id(given["to"]) if given["to"] else None
        flow = given["flow"] if given["flow"] in dict(tasks.all_flows(ctx)) else ""
        absences.arrange(ctx, ctx.actor.id, to, start, end, flow)

    try:
        worked(story)
    except InvalidInput as err:
        with work() as ctx:
            return _away_page(ctx, err.errors, given, 422)
    tell(say("Arranged."), "good")
    return go("/tasks/away")


def _clock(ctx: Context, text: str) -> datetime | None:
    """A moment as the browser's own field sends it, on the workspace's clock."""
    try:
        return read_moment(text, ctx.zone, say("'{text}' is not a date.", text=text)) if text else None
    except BadValue:
        return None


@bp.post("/tasks/away/<id>/cancel")
def be_back(id: str) -> Any:
    worked(lambda ctx: absences.cancel(ctx, record_id(id)))
    tell(say("Taken away."), "good")
    return go("/tasks/away")


@bp.get("/tasks/hand-over")
def hand_over() -> Any:
    """For administrators: all tasks of one who leaves go to another."""
    with work() as ctx:
        return _hand_over_page(ctx, {}, 200)


def _hand_over_page(ctx: Context, errors: Any, status: int) -> Any:
    if not getattr(ctx.actor, "admin", False):
        raise NotFound
    names = Directory.of(ctx).names((*_ids("leaver"), *_ids("to")) if request.method == "POST" else ())
    picked = {name: [{"id": str(id), "text": names[id]} for id in (_ids(name) if request.method == "POST" else ()) if id in names]
              for name in ("leaver", "to")}  # fmt: skip
    frame(ctx)
    return page_or_fragment("runtime/hand_over.html", "runtime/_hand_over.html", status, errors=errors, picked=picked,
                            holders=tasks.holders(ctx), flows=tasks.all_flows(ctx))  # fmt: skip


@bp.post("/tasks/hand-over")
def do_hand_over() -> Any:
    leaver, to = next(iter(_ids("leaver")), None), next(iter(_ids("to")), None)
    try:
        if leaver is None or to is None:
            raise InvalidInput({"leaver" if leaver is None else "to": [say("Choose a member.")]})
        flow = request.form.get("flow", "")[:100]
        moved = worked(lambda ctx: flows.hand_over_all(ctx, leaver, to, comment_of_request(), flow))
    except InvalidInput as err:
        with work() as ctx:
            return _hand_over_page(ctx, err.errors, 422)
    tell(say("{n} tasks handed over.", n=moved), "good")
    return go("/tasks/hand-over")


@bp.post("/tasks/<id>/live")
def live_values(id: str) -> Any:
    """The task's form as it stands with what has been typed so far; nothing is saved."""
    with work() as ctx:
        run, number = own_task(ctx, id)
        if not still_mine(ctx, run, number):
            raise NotFound
        touched, just = touched_of_request(), names_of_request("_changed")
        typed = names_of_request("_typed") if "_typed" in request.form else None
        before = begun(ctx, run, number, record_id(id))
        shown = filling.as_sent(ctx, before, answers_of_request(), touched, just, typed)
        return task_page(ctx, run, number, record_id(id), shown, comment=request.form.get("_comment", ""))


# -- a run -----------------------------------------------------------------------------------------


@bp.get("/tasks/run/<id>")
def show_run(id: str) -> Any:
    with work() as ctx:
        run = progress.seen_run(ctx, record_id(id))
        tasks.mark_seen(ctx, run.id)
        return run_page(ctx, run)


def run_page(ctx: Context, run: Running) -> Any:
    """How a run stands, with its record as far as the reader may see it."""
    found = _record_of(ctx, run)
    own = tasks.open_task_for(ctx, run.live, run.record) if run.record is not None else None
    of_run = progress.of_run(ctx, run, own)
    shown = {
        "run": of_run, "lines": operations.lines(ctx, run) if of_run.may_manage else [],
        "title": found.title if found else "", "inst": run.live.inst,
        "blocks": records.details(ctx, run.live, found) if found else [],
        "record_url": f"/a/{run.live.inst.slug}/t/{run.live.id}/{run.record}" if found else "",
    }  # fmt: skip
    frame(ctx)
    mark(ctx, run.live.inst)
    return render_template("runtime/task_run.html", **shown)


def _record_of(ctx: Context, run: Running) -> query.Record | None:
    """What the run is about, if it is about a record and the reader may see that."""
    if run.record is None:
        return None
    gate = door(ctx, run.live)
    try:
        gate.require("read")
        return query.fetch(gate, run.record)
    except NotFound:
        return None


@bp.post("/tasks/run/<id>/<verb>")
def change_run(id: str, verb: str) -> Any:
    """What is done with a whole run; what is not for this person is not found."""
    comment = comment_of_request()
    number = read_whole(request.form.get("token", "")) or 0
    changes: dict[str, Any] = {
        "withdraw": lambda ctx: flows.withdraw(ctx, record_id(id), comment),
        "end": lambda ctx: flows.end(ctx, record_id(id), comment),
        "retry": lambda ctx: flows.help_on(ctx, record_id(id), number, "retry"),
        "skip": lambda ctx: flows.help_on(ctx, record_id(id), number, "skip"),
        "urge": lambda ctx: flows.urge(ctx, record_id(id), comment),
        "take-back": lambda ctx: flows.take_back(ctx, record_id(request.form.get("task", ""))),
        "reactivate": lambda ctx: flows.reactivate(ctx, record_id(id), request.form.get("step", ""), comment),
    }
    if verb not in changes:
        raise NotFound
    worked(changes[verb])
    tell(RUN_SAID.get(verb, say("Done.")), "good")
    return go(local_url(request.form.get("_back", ""), f"/tasks/run/{id}"))


RUN_SAID = {
    "withdraw": say("Withdrawn."), "urge": say("They have been reminded."), "take-back": say("Taken back."),
    "reactivate": say("It goes on."),
}  # fmt: skip


@bp.get("/tasks/run/<id>/move")
def show_move(id: str) -> Any:
    """What moving a run to the published revision would mean."""
    with work() as ctx:
        return _move_page(ctx, id, request.args, 200)


def _move_page(ctx: Context, id: str, given: Mapping[str, str], status: int) -> Any:
    steps = {name.removeprefix("step."): value[:40] for name, value in given.items() if name.startswith("step.")}
    found = flows.migration(ctx, record_id(id), steps)
    frame(ctx)
    return page_or_fragment(
        "runtime/task_move.html", "runtime/_task_move.html", status, found=found, run_id=id, steps=steps,
        asked=progress.to_be_mapped(found), choices=progress.people_steps(found.flow), words_of=progress.step_words,
    )  # fmt: skip


@bp.post("/tasks/run/<id>/move")
def move(id: str) -> Any:
    """Move a run to the published revision by the steps that were chosen."""
    steps = {name.removeprefix("step."): value[:40] for name, value in request.form.items() if name.startswith("step.")}
    try:
        worked(lambda ctx: flows.migrate(ctx, record_id(id), steps))
    except InvalidInput:
        with work() as ctx:
            return _move_page(ctx, id, request.form, 422)
    tell(say("Moved to the published version."), "good")
    return go(f"/tasks/run/{id}")


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
