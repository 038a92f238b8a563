"""JSON for the database's columns of it."""

import json
from typing import Any

import orjson

OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def write_json(value: Any) -> str:
    """The value as JSON. Raises TypeError for what has no form in it."""
    try:
        return orjson.dumps(value, option=OPTIONS).decode()
    except TypeError:  # also of whole numbers beyond 64 bits, and of texts with half a pair of surrogates
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
