"""The API's door to its own document."""

from flask import Response

from runtime import api, openapi
from runtime.web.api_edge import BASE, answer, blueprint, worked
from runtime.web.edge import absolute

bp = blueprint("document")


@bp.get(f"{BASE}/openapi.json")
def common() -> Response:
    """What is there for everybody."""
    return answer(worked(lambda ctx: openapi.whole(ctx, absolute(""))))


@bp.get(f"{BASE}/apps/<app>/openapi.json")
def of_app(app: str) -> Response:
    """An app with its real fields."""
    return answer(worked(lambda ctx: openapi.whole(ctx, absolute(""), api.enter(ctx, app))))
