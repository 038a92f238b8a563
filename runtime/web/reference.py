"""The readable reference of an app's API, with its real fields and values, as its reader may see them."""

import json
from typing import Any

from flask import Blueprint, Response, render_template

from runtime import api_samples, openapi
from runtime.web.edge import absolute, enter, work
from runtime.web.frame import frame

bp = Blueprint("reference", __name__)


@bp.get("/a/<app>/api/")
def show(app: str) -> Any:
    """Every table with its fields, and what to send in curl and Python."""
    with work() as ctx:
        inst = enter(ctx, app)
        frame(ctx, inst)
        shown = api_samples.of_app(ctx, inst, absolute("/api/v1"))
        return render_template("runtime/api_reference.html", inst=inst, tables=shown, base=absolute("/api/v1"))


@bp.get("/a/<app>/api/openapi.json")
def document(app: str) -> Response:
    """The document for tools, as the reader's own token would get it."""
    with work() as ctx:
        made = openapi.whole(ctx, absolute(""), enter(ctx, app))
    return Response(json.dumps(made, ensure_ascii=False), mimetype="application/json")
