"""What every door of the API shares: who asks by which token, one transaction, JSON in and out, problem details."""

import hashlib
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, g, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from runtime import api_answers, tokens
from runtime.api import BadFormula
from runtime.api_answers import Given, OtherRequest
from runtime.api_writing import Stale, Undone
from runtime.context import Context
from runtime.retry import attempt, was_given_up
from runtime.scopes import require_besides
from runtime.tokens import Spoken
from runtime.web.edge import engine, language, words
from runtime.workspaces import opened
from schemas.errors import BadValue, Conflict, DefinitionError, Denied, InvalidInput, NotFound
from schemas.messages import say
from schemas.source import read_json

Result = TypeVar("Result")
Json = dict[str, Any]
BASE = "/api/v1"
PREFIX = "api_"
"""The blueprints of the API are named so: they ask for a token, and nothing else opens them."""
LARGEST_BODY = 20 * 1024 * 1024
NOT_JSON = say("The body must be a JSON object.")
LONGEST_NUMBER = 400


def blueprint(name: str) -> Blueprint:
    """A door of the API: asked by token, answering problems as RFC 9457 says."""
    bp = Blueprint(f"{PREFIX}{name}", __name__)
    bp.before_request(_enter)
    bp.after_request(_rate_headers)
    for refusal in REFUSALS:
        bp.register_error_handler(refusal, respond)
    return bp


# -- who asks --------------------------------------------------------------------------------------


def _enter() -> Response | None:
    """Find whom the token speaks for, and count the request."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    spoken = None
    if kind.lower() == "bearer" and text:
        spoken = tokens.resolve(engine(), text.strip(), request.remote_addr or "", current_app.config["SETTINGS"])
    if spoken is None:
        answer = problem("unauthorized", 401, gettext("Send a valid token: Authorization: Bearer mrt_…"))
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Mortise"'
        return answer
    g.spoken = spoken
    g.workspace = spoken.workspace
    if spoken.exhausted:
        answer = problem("too-many-requests", 429, gettext("Too many requests. Wait and send again."))
        answer.headers["Retry-After"] = str(spoken.seconds)
        return answer
    return None


def _rate_headers(response: Response) -> Response:
    """How much is left, by both names that clients know (RFC draft-ietf-httpapi-ratelimit-headers)."""
    spoken: Spoken | None = g.get("spoken")
    if spoken is not None:
        policy = f'"minute";q={spoken.limit};w={tokens.WINDOW}'
        response.headers["RateLimit-Policy"] = policy
        response.headers["RateLimit"] = f'"minute";r={spoken.left};t={spoken.seconds}'
        response.headers["X-RateLimit-Limit"] = str(spoken.limit)
        response.headers["X-RateLimit-Remaining"] = str(spoken.left)
        response.headers["X-RateLimit-Reset"] = str(spoken.seconds)
    response.vary.update(("Authorization", "Accept-Language"))
    return response


def worked(story: Callable[[Context], Result]) -> Result:
    """A whole story in one transaction in the name of the token, told again when it only lost against another one."""
    spoken: Spoken = g.spoken

    def once() -> Result:
        with opened(engine(), spoken.workspace, language=language(), origin=f"api:{spoken.name}") as ctx:
            return story(ctx.acting_as(tokens.actor_of(ctx, spoken)))

    return attempt(once)


def worked_for(besides: str, story: Callable[[Context], Result]) -> Result:
    """The same, for what a scope has to name. Raises Denied."""

    def allowed(ctx: Context) -> Result:
        require_besides(ctx, besides)
        return story(ctx)

    return worked(allowed)


# -- bodies and answers ----------------------------------------------------------------------------


def body() -> Json:
    """The JSON object that was sent, its numbers exact. Raises BadValue."""
    if request.mimetype not in ("application/json", ""):
        raise Unsupported
    sent = read_json(request.get_data(), NOT_JSON, _number) if request.get_data() else None
    if not isinstance(sent, dict):
        raise BadValue(NOT_JSON)
    return sent


class Unsupported(Exception):
    """The body is of another kind than the door takes."""


def _number(text: str) -> Any:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(text)
    if text.lstrip("-").isdigit():
        return int(text)
    number = Decimal(text)
    if number and abs(number.adjusted()) > LONGEST_NUMBER:
        raise ValueError(text)
    return number


def answer(found: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    made = Response(json.dumps(found, ensure_ascii=False), status, mimetype="application/json")
    made.headers.update(headers or {})
    return made


def once(story: Callable[[Context], tuple[Any, int]]) -> Response:
    """A writing story, done once for an Idempotency-Key however often the request is sent."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return _written(*worked(story))
    said = b"\n".join(
        (request.method.encode(), request.full_path.encode(), hashlib.sha256(request.get_data()).digest())
    )

    def recalled(ctx: Context) -> tuple[Any, int, bool]:
        before = api_answers.recall(ctx, g.spoken.id, key, said)
        if before is not None:
            return before.body, before.status, True
        found, status = story(ctx)
        api_answers.keep(ctx, g.spoken.id, key, Given(status, found))
        return found, status, False

    found, status, replayed = worked(recalled)
    made = _written(found, status)
    if replayed:
        made.headers["Idempotency-Replayed"] = "true"
    return made


def _written(found: Any, status: int) -> Response:
    made = answer(found, status)
    if isinstance(found, dict) and isinstance(version := found.get("version"), int):
        made.headers["ETag"] = f'"{version}"'
    return made


# -- problems --------------------------------------------------------------------------------------


def problem(kind: str, status: int, title: str, **more: Any) -> Response:
    made = Response(json.dumps(problem_json(kind, status, title, **more), ensure_ascii=False), status)
    made.mimetype = "application/problem+json"
    return made


def problem_json(kind: str, status: int, title: str, **more: Any) -> Json:
    return {
        "type": f"/problems/{kind}",
        "title": title,
        "status": status,
        **{k: v for k, v in more.items() if v not in (None, "")},
    }


def told(err: Exception) -> Json:
    """The problem of one operation in a batch."""
    found = described(err)
    return {"status": found["status"], "problem": found}


def described(err: Exception) -> Json:
    """The problem that a refusal is."""
    if isinstance(err, InvalidInput):
        return problem_json(
            "invalid", 422, gettext("Some of what was sent cannot be taken."), errors=_parts(err.errors)
        )
    if isinstance(err, Denied):
        return problem_json("denied", 403, words(err.reason))
    if isinstance(err, NotFound):
        return problem_json("not-found", 404, gettext("There is nothing here, or not for you."))
    if isinstance(err, Conflict):
        changed = {path: [say("Somebody else has changed this since.")] for path in err.fields}
        title = gettext("Somebody else has changed this since you read it.")
        return problem_json("conflict", 409, title, errors=_parts(changed), version=err.version)
    if isinstance(err, BadFormula):
        parts = [{"path": "filter", "message": words(err.problem)}]
        return problem_json(
            "invalid", 422, gettext("The filter cannot be understood."), errors=parts, character=err.character
        )
    if isinstance(err, DefinitionError):
        parts = [{"path": p.path, "message": words(p.message)} for p in err.problems[:200]]
        return problem_json("definition", 422, gettext("The definition has problems"), errors=parts)
    if isinstance(err, BadValue):
        return problem_json("unreadable", 400, words(err.message))
    return _other(err)


def _other(err: Exception) -> Json:
    if isinstance(err, Stale):
        return problem_json("stale", 412, gettext("The record has another version by now."), version=err.version)
    if isinstance(err, OtherRequest):
        return problem_json("key-reused", 422, gettext("This Idempotency-Key was used for another request."))
    if isinstance(err, Unsupported):
        return problem_json("unsupported", 415, gettext("Send the body as application/json."))
    if isinstance(err, Undone):
        return problem_json(
            "batch", 422, gettext("Nothing was kept: one of the operations was refused."), results=err.results
        )
    if isinstance(err, HTTPException):
        if was_given_up(getattr(err, "original_exception", None)):
            text = "This took too long and was given up. Ask for less: narrow it with a filter or a shorter period."
            return problem_json("too-long", 503, gettext(text))
        if (err.code or 500) >= 500:
            return problem_json("failed", err.code or 500, gettext("Something went wrong here."))
        title = {405: gettext("This address does not take that method."), 413: gettext("What you sent is too large.")}
        code = err.code or 500
        return problem_json("http", code, title.get(code, gettext("The request could not be understood.")))
    return problem_json("failed", 500, gettext("Something went wrong here."))


def _parts(errors: Mapping[str, Any]) -> list[Json]:
    return [{"path": path, "message": words(m)} for path, messages in errors.items() for m in messages]


def respond(err: Exception) -> Response:
    """The answer to a refusal."""
    if isinstance(err, HTTPException) and err.code is not None and err.code < 400:
        return err.get_response()  # type: ignore[return-value]
    found = described(err)
    made = Response(json.dumps(found, ensure_ascii=False), found["status"], mimetype="application/problem+json")
    if isinstance(err, HTTPException) and (allowed := getattr(err, "valid_methods", None)):
        made.headers["Allow"] = ", ".join(sorted(allowed))
    return made


REFUSALS = (
    InvalidInput, Denied, NotFound, Conflict, BadFormula, DefinitionError, BadValue, Stale, OtherRequest, Unsupported,
    Undone, HTTPException,
)  # fmt: skip


def install(app: Flask) -> None:
    """Answer what no door of the API was found for, or what went wrong before one, as the API does."""
    before = dict(app.error_handler_spec[None][None])

    def for_api(err: Exception) -> Any:
        if request.path.startswith("/api/"):
            return respond(err)
        return before[HTTPException](err)

    app.register_error_handler(HTTPException, for_api)
