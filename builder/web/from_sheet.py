"""A new app, or new forms of an app, from a file or a pasted table: send it, look at what was recognised, make it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request

from builder import drafts, from_sheet
from builder.changes import PRESETS
from builder.from_sheet import PASTED, Choice, Plan
from builder.web.apps import designer
from runtime import importing
from runtime.context import Context
from runtime.web.edge import go, is_fragment, record_id, tell, words, work
from runtime.web.frame import frame
from schemas.errors import DefinitionError, Denied, InvalidInput
from schemas.messages import say
from schemas.recognition import KINDS

bp = Blueprint("from_sheet", __name__)
LONGEST_PASTE = 2_000_000
NEW_APP, IN_APP = "/from-file/", "/build/{app}/from-file/"


@bp.get(NEW_APP)
def choose() -> Any:
    return _choose("")


@bp.get("/build/<app>/from-file/")
def choose_into(app: str) -> Any:
    return _choose(app)


@bp.post(NEW_APP)
def send() -> Any:
    return _send("")


@bp.post("/build/<app>/from-file/")
def send_into(app: str) -> Any:
    return _send(app)


@bp.get("/from-file/<run>")
def show(run: str) -> Any:
    return _show("", run)


@bp.get("/build/<app>/from-file/<run>")
def show_into(app: str, run: str) -> Any:
    return _show(app, run)


@bp.post("/from-file/<run>")
def decide(run: str) -> Any:
    return _decide("", run)


@bp.post("/build/<app>/from-file/<run>")
def decide_into(app: str, run: str) -> Any:
    return _decide(app, run)


def _home(app: str) -> str:
    return IN_APP.format(app=app) if app else NEW_APP


def _opened(ctx: Context, app: str) -> None:
    designer(ctx)
    if app:
        drafts.open_draft(ctx, app)


# -- sending ---------------------------------------------------------------------------------------


def _choose(app: str, problem: str = "", status: int = 200) -> Any:
    with work() as ctx:
        _opened(ctx, app)
        frame(ctx)
        page = render_template(
            "builder/from_sheet_choose.html", app=app, problem=problem, home=_home(app), pasted=request.form.get("pasted", "")
        )
        return make_response(page, status)


def _send(app: str) -> Any:
    sent, pasted = request.files.get("file"), request.form.get("pasted", "")
    try:
        with work() as ctx:
            _opened(ctx, app)
            if sent and sent.filename:
                run = from_sheet.keep(ctx, sent.filename, sent.read(), request.form.get("encoding", ""))
            elif pasted.strip():
                if len(pasted) > LONGEST_PASTE:
                    raise InvalidInput({"file": [say("Too much to paste. Send it as a file.")]})
                run = from_sheet.keep(ctx, PASTED, pasted.encode())
            else:
                raise InvalidInput({"file": [say("Choose a file, or paste a table.")]})
    except InvalidInput as err:
        return _choose(app, words(next(iter(err.errors.values()))[0]), 422)
    return redirect(f"{_home(app)}{run}", 303)


# -- looking ---------------------------------------------------------------------------------------


def _show(app: str, id: str) -> Any:
    with work() as ctx:
        _opened(ctx, app)
        run = from_sheet.kept(ctx, record_id(id))
        return _page(ctx, app, run, _plans(ctx, run))


def _plans(ctx: Context, run: Any, sent: bool = False) -> list[Plan]:
    names = from_sheet.names_of(ctx)
    made = []
    for number, (sheet, content) in enumerate(from_sheet.sheets_of(run).items()):
        choices = _choices_sent(number, content.headings) if sent else ()
        one = from_sheet.plan(ctx, run.file_name, sheet, content, names, choices)
        made.append(_as_sent(number, one) if sent else one)
    return made


def _choices_sent(number: int, headings: Sequence[str]) -> list[Choice]:
    """What the page says of each column: `s0.c2.use`, `.label`, `.kind`, `.required`, `.inner`."""
    form = request.form
    return [
        Choice(
            f"{name}.use" in form, " ".join(form.get(f"{name}.label", "").split())[:120] or heading, form.get(f"{name}.kind", ""),
            f"{name}.required" in form, f"{name}.inner" in form,
        )
        for heading, name in ((heading, f"s{number}.c{n}") for n, heading in enumerate(headings))
    ]  # fmt: skip


def _as_sent(number: int, plan: Plan) -> Plan:
    form = request.form
    headings = [column.heading for column in plan.columns]
    key = form.get(f"s{number}.key", "")
    return replace(
        plan, title=form.get(f"s{number}.title", "").strip()[:80], made=f"s{number}.make" in form,
        key=headings[int(key)] if key.isdecimal() and int(key) < len(headings) else plan.key,
        details=form.get(f"s{number}.details", "").strip()[:80],
    )  # fmt: skip


def _page(ctx: Context, app: str, run: Any, plans: list[Plan], problems: Any = (), status: int = 200) -> Any:
    draft = drafts.open_draft(ctx, app) if app else None
    values = {
        "app": app, "home": _home(app), "run": run, "plans": plans, "problems": problems, "kinds": KINDS, "url": request.path,
        "pending": drafts.pending(ctx, draft) if draft else [], "sent": request.form, "title": _title_of(run),
    }  # fmt: skip
    if is_fragment():
        return make_response(render_template("builder/_from_sheet.html", **values), status)
    frame(ctx)
    return make_response(render_template("builder/from_sheet.html", **values), status)


def _title_of(run: Any) -> str:
    """What the app is called until somebody says otherwise."""
    if "title" in request.form:
        return str(request.form["title"])
    return "" if run.file_name == PASTED else run.file_name.rpartition(".")[0][:80]


# -- making ----------------------------------------------------------------------------------------


def _decide(app: str, id: str) -> Any:
    """Look again with what was chosen, make it, or throw the file away."""
    act, problems = request.form.get("act", ""), []
    try:
        with work() as ctx:
            _opened(ctx, app)
            run = from_sheet.kept(ctx, record_id(id))
            if act == "discard":
                importing.discard(ctx, run)
                return go(f"/build/{app}/" if app else "/build/")
            plans = _plans(ctx, run, sent=True)
            problems = _problems(plans) if act == "make" else []
            if act != "make" or problems:
                return _page(ctx, app, run, plans, problems, 422 if problems else 200)
            return _made(ctx, app, run, [one for one in plans if one.made])
    except (DefinitionError, InvalidInput, Denied) as err:
        problems = _told(err)
    with work() as ctx:
        run = from_sheet.kept(ctx, record_id(id))
        return _page(ctx, app, run, _plans(ctx, run, sent=True), problems, 422)


def _told(err: DefinitionError | InvalidInput | Denied) -> list[Any]:
    if isinstance(err, DefinitionError):
        return [problem.message for problem in err.problems]
    if isinstance(err, Denied):
        return [say("You may not import into these forms. Make them without the rows, or let everybody see and change all.")]
    return [message for messages in err.errors.values() for message in messages]


def _problems(plans: Sequence[Plan]) -> list[Any]:
    kept = [one for one in plans if one.made]
    if not kept:
        return [say("Keep at least one sheet.")]
    return [problem for one in kept for problem in from_sheet.problems(one)]


def _made(ctx: Context, app: str, run: Any, plans: Sequence[Plan]) -> Any:
    form = request.form
    preset = form.get("preset", "")
    slug = app or drafts.create(ctx, form.get("title", ""))
    publish, rows = not app or "publish" in form, "rows" in form
    made = from_sheet.make(ctx, run, slug, plans, preset if preset in PRESETS else "all", rows, publish)
    if not publish:
        tell(say("The forms are in the draft. They hold once the app is published."), "good")
        return go(f"/build/{slug}/")
    first = made[0]
    if first.run and len(made) == 1:
        return go(f"/a/{slug}/import/{first.form}/{first.run}")
    tell(say("The forms are made. Their rows are being brought in.") if rows else say("The forms are made."), "good")
    return go(f"/a/{slug}/")
