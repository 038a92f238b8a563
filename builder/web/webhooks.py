"""An app's webhooks: where its events go, how telling them went, and telling one again."""

from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request

from builder.web.apps import designer
from runtime import definitions, outbox, webhooks
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.web.edge import go, record_id, tell, work
from runtime.web.frame import frame
from runtime.webhooks import Wanted, Webhook
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.numbers import read_whole

bp = Blueprint("webhooks", __name__)
EVENTS = {
    outbox.CREATED: say("A record was added"), outbox.CHANGED: say("A record was changed"),
    outbox.DELETED: say("A record was put into the trash"), outbox.RESTORED: say("A record was restored"),
    outbox.ASKED: say("Somebody was given a task"), outbox.DECIDED: say("A task was decided"), outbox.ENDED: say("A flow was decided"),
    "test": say("Test"),
}  # fmt: skip
STATES = {
    "waiting": (say("waiting"), "orange"), "sending": (say("being sent"), "blue"), "done": (say("arrived"), "green"),
    "failed": (say("failed"), "red"), "skipped": (say("not for its eyes"), "gray"),
}  # fmt: skip


@bp.get("/build/<app>/webhooks/")
def index(app: str) -> Any:
    with work() as ctx:
        inst = _app(ctx, app)
        found = webhooks.listed(ctx, inst)
        return render_template(
            "builder/webhooks.html", inst=inst, hooks=found, counts=webhooks.counts(ctx, found), events=EVENTS
        )


def _app(ctx: Context, app: str) -> Installed:
    designer(ctx)
    inst = definitions.installed(ctx, app)
    frame(ctx)
    return inst


@bp.get("/build/<app>/webhooks/new")
def new(app: str) -> Any:
    with work() as ctx:
        return _form(ctx, _app(ctx, app))


@bp.post("/build/<app>/webhooks/new")
def add(app: str) -> Any:
    return _save(app, None)


@bp.get("/build/<app>/webhooks/<hook>/edit")
def edit(app: str, hook: str) -> Any:
    with work() as ctx:
        inst = _app(ctx, app)
        return _form(ctx, inst, webhooks.one(ctx, inst, record_id(hook)))


@bp.post("/build/<app>/webhooks/<hook>/edit")
def change(app: str, hook: str) -> Any:
    return _save(app, record_id(hook))


def _save(app: str, id: UUID | None) -> Any:
    try:
        with work() as ctx:
            saved = webhooks.save(ctx, _app(ctx, app), _wanted(), id)
    except InvalidInput as err:
        with work() as ctx:
            inst = _app(ctx, app)
            return _form(ctx, inst, webhooks.one(ctx, inst, id) if id else None, err)
    tell(say("Saved."))
    return go(f"/build/{app}/webhooks/{saved}")


def _wanted() -> Wanted:
    sent = request.form
    fields = tuple(f.strip() for f in sent.get("fields", "").replace("，", ",").split(",") if f.strip())
    lists = {name: tuple(sent.getlist(name)) for name in ("tables", "events", "roles")}
    return Wanted(sent.get("title", ""), sent.get("url", "").strip(), fields=fields, **lists)


def _form(ctx: Context, inst: Installed, hook: Webhook | None = None, err: InvalidInput | None = None) -> Any:
    shown: Any = _wanted() if err else hook or Wanted("", "", events=(outbox.CREATED, outbox.CHANGED))
    events = {id: words for id, words in EVENTS.items() if id != "test"}
    page = render_template(
        "builder/webhook_form.html", inst=inst, hook=hook, shown=shown, events=events, errors=err.errors if err else {}
    )
    return make_response(page, 422 if err else 200)


@bp.get("/build/<app>/webhooks/<hook>")
def show(app: str, hook: str) -> Any:
    """A webhook with its log."""
    number = read_whole(request.args.get("page", "1")) or 1
    with work() as ctx:
        inst = _app(ctx, app)
        found = webhooks.one(ctx, inst, record_id(hook))
        state = request.args.get("state", "")
        log, more = webhooks.log(ctx, found.id, state if state in STATES else "", number)
        owner = Directory.of(ctx).names([found.owner]).get(found.owner, "")
        return render_template(
            "builder/webhook.html", inst=inst, hook=found, log=log, more=more, page=number, state=state, states=STATES,
            events=EVENTS, owner=owner,
        )  # fmt: skip


@bp.post("/build/<app>/webhooks/<hook>/<act>")
def act(app: str, hook: str, act: str) -> Any:
    """pause, resume, test or remove."""
    acts: dict[str, Any] = {
        "pause": webhooks.pause,
        "resume": webhooks.resume,
        "test": webhooks.test,
        "remove": webhooks.remove,
    }
    if act not in acts:
        raise NotFound
    with work() as ctx:
        acts[act](ctx, _app(ctx, app), record_id(hook))
    tell(say("A test is on its way. Reload this page to see how it went.") if act == "test" else say("Done."))
    return go(f"/build/{app}/webhooks/" if act == "remove" else f"/build/{app}/webhooks/{hook}")


@bp.post("/build/<app>/webhooks/<hook>/replay/<delivery>")
def replay(app: str, hook: str, delivery: str) -> Any:
    with work() as ctx:
        webhooks.replay(ctx, _app(ctx, app), record_id(hook), record_id(delivery))
    tell(say("It is being sent again."))
    return go(f"/build/{app}/webhooks/{hook}")
