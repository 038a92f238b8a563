"""The door for data that other programs send to flows: no session, no token, a secret address."""

from typing import Any

from flask import Blueprint, g, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from runtime import incoming
from runtime.incoming import LARGEST, Message
from runtime.retry import attempt
from runtime.web.api_edge import REFUSALS, problem, respond
from runtime.web.edge import engine, words
from runtime.workspaces import find, opened
from schemas.messages import say

bp = Blueprint("api_incoming", __name__)
for _refusal in REFUSALS:
    bp.register_error_handler(_refusal, respond)
WANTED = ("idempotency-key", "webhook-id", "webhook-timestamp", "webhook-signature")


@bp.post("/in/<workspace>/<secret>")
def take(workspace: str, secret: str) -> Any:
    """JSON for a flow; answers 202 with the run that it starts, the same one when the message comes again."""
    with engine().connect() as conn:
        g.workspace = find(conn, slug=workspace)
    at = incoming.knock(engine(), g.workspace, secret)
    if (request.content_length or 0) > LARGEST:
        raise RequestEntityTooLarge
    body = request.get_data()
    if len(body) > LARGEST:
        raise RequestEntityTooLarge

    def story() -> incoming.Taken | None:
        with opened(engine(), g.workspace, origin="webhook") as ctx:
            if at.used > incoming.limit_of(ctx, at):
                return None
            headers = {name: request.headers.get(name, "")[:300] for name in WANTED}
            return incoming.take(ctx, at, Message(body, incoming.read_body(body), headers))

    taken = attempt(story)
    if taken is None:
        answer = problem("too-many-requests", 429, words(say("Too many messages in this minute. Send again later.")))
        answer.headers["Retry-After"] = "60"
        return answer
    told = {"run": str(taken.run) if taken.run else None, **({"repeated": True} if taken.repeated else {})}
    return jsonify(told), 202
