"""Counts in every open browser, by which way messages come to me, and the calendar of my tasks."""

import socket
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request

from runtime import feeds, live, tasks, ways
from runtime.context import Context
from runtime.web.edge import engine, go, page_or_fragment, tell, work, worked
from runtime.web.frame import frame
from runtime.workspaces import find, opened
from schemas.errors import InvalidInput
from schemas.messages import say

bp = Blueprint("notices", __name__)
AGAIN_LATER = b"retry: 30000\n"
AGAIN_SOON = b"retry: 3000\n"
WEEKDAYS = (
    say("Monday"),
    say("Tuesday"),
    say("Wednesday"),
    say("Thursday"),
    say("Friday"),
    say("Saturday"),
    say("Sunday"),
)


# -- counts ----------------------------------------------------------------------------------------


@bp.get("/notices/counts")
def counts() -> Any:
    """How many tasks and notices wait for me: for a browser that cannot keep a line open."""
    with work() as ctx:
        return jsonify(tasks.counts(ctx))


@bp.get("/notices/live")
def listen() -> Any:
    """My counts now, and whenever they change.

    The server's thread sends the beginning; then the hub of the process has the connection. Under a server that does not give
    it away, the answer ends, and the browser asks again after a while.
    """
    with work() as ctx:
        now, workspace, member = tasks.counts(ctx), ctx.workspace, ctx.actor.id
    sock = request.environ.get("gunicorn.socket")
    ours = sock if type(sock) is socket.socket else None  # one of TLS cannot be handed on
    chunked = request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0"
    hub, session = hub_of(current_app), g.signed_in.digest

    def answer() -> Iterator[bytes]:
        yield (AGAIN_LATER if ours is None else AGAIN_SOON) + live.frame(now)
        if ours is not None and member is not None:
            hub.join(live.taken_over(ours), workspace, member, session, chunked)

    response = Response(answer(), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def hub_of(app: Any) -> live.Hub:
    found: live.Hub = app.extensions.setdefault("live", live.Hub(app.extensions["engine"]))
    return found


# -- how messages come to me -----------------------------------------------------------------------


@bp.get("/notices/settings")
def settings() -> Any:
    with work() as ctx:
        return _page(ctx)


def _page(ctx: Context, status: int = 200, **more: Any) -> Any:
    frame(ctx)
    shown = {"chosen": ways.mine(ctx), "kinds": ways.KINDS, "mails": ways.MAILS, "weekdays": WEEKDAYS, "errors": {}, "address": "",
             "made": feeds.made_at(ctx), "links": not ctx.workspace.second_factor, "zone": ctx.zone.key, **more}  # fmt: skip
    return page_or_fragment("runtime/notice_settings.html", "runtime/_notice_settings.html", status, **shown)


@bp.post("/notices/settings")
def choose() -> Any:
    try:
        worked(lambda ctx: ways.choose(ctx, request.form))
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, 422, errors=err.errors)
    tell(say("Saved."), "good")
    return go("/notices/settings")


# -- the calendar ----------------------------------------------------------------------------------


@bp.post("/notices/calendar")
def make_calendar() -> Any:
    """A new secret address, shown this once."""
    address = worked(feeds.make)
    with work() as ctx:
        return _page(ctx, address=address)


@bp.post("/notices/calendar/revoke")
def revoke_calendar() -> Any:
    worked(feeds.revoke)
    tell(say("The address of the calendar does not hold any more."), "good")
    return go("/notices/settings")


@bp.get("/calendar/<workspace>/<name>.ics")
def calendar(workspace: str, name: str) -> Any:
    """The calendar, for a program that has its address."""
    with engine().connect() as conn:
        g.workspace = find(conn, slug=workspace)
    with opened(engine(), g.workspace) as ctx:
        body = feeds.calendar(feeds.as_member(ctx, name))
    response = make_response(body)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
