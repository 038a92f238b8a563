"""China's divisions for the selects of an address: what lies in what, by name."""

import json
from functools import cache
from typing import Any

from flask import Blueprint, Response, request

from schemas.places import tree

bp = Blueprint("places", __name__)
DAY = 86_400


@bp.get("/divisions.json")
def divisions() -> Any:
    """Province -> city -> districts. The same for everybody, and it hardly ever changes."""
    response = Response(_json(), mimetype="application/json")
    response.add_etag()
    response.headers["Cache-Control"] = f"private, max-age={DAY}"
    return response.make_conditional(request)


@cache
def _json() -> str:
    return json.dumps(
        {province: {city: list(known) for city, known in cities.items()} for province, cities in tree().items()}
    )
