"""The API's door to tasks: what waits for the token's member, and deciding it."""

from flask import Response, request

from runtime import api_tasks
from runtime.api_writing import record_id
from runtime.context import Context
from runtime.scopes import require_besides
from runtime.web.api_edge import BASE, Json, answer, blueprint, body, once, worked_for
from schemas.api import Decide, read_body
from schemas.scope import DECIDE, TASKS

bp = blueprint("tasks")


@bp.get(f"{BASE}/tasks")
def index() -> Response:
    """The tasks of the token's member."""
    state, after = request.args.get("state", "todo"), request.args.get("after", "")
    return answer(worked_for(TASKS, lambda ctx: api_tasks.listed(ctx, state, after)))


@bp.get(f"{BASE}/tasks/<id>")
def show(id: str) -> Response:
    """A task with its record as its holder sees it."""
    return answer(worked_for(TASKS, lambda ctx: api_tasks.read(ctx, record_id(id))))


@bp.post(f"{BASE}/tasks/<id>/decision")
def decide(id: str) -> Response:
    """Approve, reject, return, submit, save or transfer."""
    sent = read_body(Decide, body())

    def story(ctx: Context) -> tuple[Json, int]:
        require_besides(ctx, DECIDE)
        return api_tasks.decide(ctx, record_id(id), sent), 200

    return once(story)
