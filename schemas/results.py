"""What a step gave to those after it, as JSON in the run's state, and as the value that formulas read."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from schemas.formula.values import ErrorValue


def dump(value: Any) -> Any:
    """A value as JSON that keeps its type; `read` is the way back."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, list | tuple):
        return [dump(one) for one in value]
    if isinstance(value, Mapping):
        return {"object": {str(name): dump(one) for name, one in value.items()}}
    if isinstance(value, ErrorValue):
        return {"error": value.code}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"id" if isinstance(value, UUID) else "number": str(value)}


READ: dict[str, Callable[[Any], Any]] = {
    "number": Decimal,
    "id": UUID,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "error": ErrorValue,
    "object": lambda inner: {name: read(one) for name, one in inner.items()},
}


def read(json: Any) -> Any:
    """The value that this JSON keeps."""
    if isinstance(json, list):
        return [read(one) for one in json]
    if isinstance(json, Mapping):
        kind, kept = next(iter(json.items()))
        return READ[kind](kept)
    return json
