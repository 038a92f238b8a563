"""The API's door to what there is: who the token is, apps, tables, members, departments."""

from typing import Any

from flask import Response, g, request

from runtime import api
from runtime.context import Context
from runtime.web.api_edge import BASE, Json, answer, blueprint, worked, worked_for
from schemas.api import LARGEST_PAGE
from schemas.errors import InvalidInput
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.scope import PEOPLE

bp = blueprint("apps")


@bp.get(f"{BASE}/me")
def me() -> Response:
    """Who the token acts as, and what it may be used for."""

    def story(ctx: Context) -> Json:
        return {
            "kind": ctx.actor.kind, "id": str(ctx.actor.id), "name": ctx.actor.name, "workspace": ctx.workspace.title,
            "token": g.spoken.name, "scope": g.spoken.scope.dump(), "language": ctx.language, "zone": str(ctx.zone),
        }  # fmt: skip

    return answer(worked(story))


@bp.get(f"{BASE}/apps")
def index() -> Response:
    """The apps that the token reaches."""
    return answer(worked(api.apps))


@bp.get(f"{BASE}/apps/<app>")
def show(app: str) -> Response:
    """An app and its tables."""
    return answer(worked(lambda ctx: api.app_facts(ctx, api.enter(ctx, app))))


@bp.get(f"{BASE}/apps/<app>/tables/<table>")
def table(app: str, table: str) -> Response:
    """A table and its fields."""
    return answer(worked(lambda ctx: api.table_facts(ctx, api.table_of(ctx, app, table))))


@bp.get(f"{BASE}/members")
def members() -> Response:
    """Members by name."""
    text, after, size = request.args.get("q", "")[:200], request.args.get("after", ""), _size(request.args)
    return answer(worked_for(PEOPLE, lambda ctx: api.members(ctx, text, after, size)))


def _size(args: Any) -> int:
    size = read_whole(args.get("limit", "100"))
    if size is None or not 1 <= size <= LARGEST_PAGE:
        raise InvalidInput({"limit": [say("expected a whole number from {a} to {b}", a=1, b=LARGEST_PAGE)]})
    return size


@bp.get(f"{BASE}/departments")
def departments() -> Response:
    """The tree of departments."""
    return answer(worked_for(PEOPLE, api.departments))
