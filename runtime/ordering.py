"""The order of a list, and the cursors that say where one of its pages ends."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, cast, false, func, literal, or_, select
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import array

from runtime import models
from runtime.access import Door, door
from runtime.tables import COLLATION, LiveTable
from schemas.errors import BadValue, InvalidInput
from schemas.fields.choice import Choice
from schemas.messages import say
from schemas.source import read_json
from schemas.table import SYSTEM_FIELDS

SYSTEM_PATHS = (*SYSTEM_FIELDS, "flow.state")


@dataclass(frozen=True)
class SortKey:
    """One term of an order. Blanks come last either way."""

    value: ColumnElement[Any]
    down: bool = False
    nullable: bool = True

    def order(self, backwards: bool) -> Any:
        down = self.down != backwards
        term = self.value.desc() if down else self.value.asc()
        if not self.nullable:
            return term
        return term.nulls_first() if backwards else term.nulls_last()

    def takes(self, bound: Any) -> bool:
        """Whether a bound is of this term's type."""
        if bound is None:
            return self.nullable
        if type(bound) is datetime and bound.tzinfo is None:
            return False
        wanted = self.value.type.python_type
        if wanted in (Decimal, int):
            return type(bound) in (int, Decimal) and _within(bound, wanted)
        return type(bound) is wanted

    def beyond(self, bound: Any, backwards: bool) -> ColumnElement[bool]:
        """Strictly further on in the order than a bound."""
        if bound is None:
            return self.value.is_not(None) if backwards else false()
        further = self.value < bound if self.down != backwards else self.value > bound
        return further if backwards or not self.nullable else or_(further, self.value.is_(None))

    def reaches(self, bound: Any, backwards: bool) -> ColumnElement[bool]:
        """Not before a bound in the order. It follows from being beyond, and an index can begin there."""
        reached: ColumnElement[bool] = self.value <= bound if self.down != backwards else self.value >= bound
        return reached

    def level(self, bound: Any) -> ColumnElement[bool]:
        return self.value.is_(None) if bound is None else self.value == bound


def sort_keys(gate: Door, sort: Sequence[str]) -> list[SortKey]:
    """The terms of an order, ended by the id so that it is total. Raises InvalidInput."""
    keys = []
    for entry in sort or ("-created_at",):
        path, down = entry.removeprefix("-"), entry.startswith("-")
        keys.append(
            SortKey(_sort_value(gate, path), down, nullable=path not in ("created_at", "updated_at", "version"))
        )
    down = keys[-1].down if keys else True
    return [*keys, SortKey(gate.live.sql.c.id, down, nullable=False)]


def _sort_value(gate: Door, path: str) -> ColumnElement[Any]:
    refusal = InvalidInput({"sort": [say("'{id}' is not a field to sort by.", id=path[:60])]})
    found = gate.live.table.by_id.get(path)
    if (found is None and path not in SYSTEM_PATHS) or (
        found is not None and (not found.sortable or not gate.readable(path))
    ):
        raise refusal
    value = gate.source().column(f"{path}.text" if found is not None and found.facets else path)
    kind = gate.live.analysis.type_of(gate.live.table, found) if found else SYSTEM_FIELDS.get(path)
    if isinstance(found, Choice):
        return func.array_position(array([o.id for o in found.options], type_=SqlText), value, type_=Integer)
    if kind and kind.kind == "member":
        return _name_of(models.member, value)
    if kind and kind.kind == "department":
        return _name_of(models.department, value)
    if kind and kind.kind == "link":
        return _title_of(gate, gate.live.sibling(kind.target or ""), value)
    return in_order(value) if kind and kind.kind in ("text", "choice") else value


def folded_text(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text as imports look it up: white space made single, letters small."""
    return func.lower(func.regexp_replace(func.btrim(cast(text, SqlText)), r"\s+", " ", "g").collate(COLLATION))


def in_order(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text as lists sort it."""
    return func.lower(text.collate(COLLATION), type_=SqlText)


def _name_of(people: Any, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(in_order(people.c.name)).where(people.c.id == value).scalar_subquery()


def _title_of(gate: Door, target: LiveTable, value: ColumnElement[Any]) -> ColumnElement[Any]:
    there = target.sql.alias()
    other = door(gate.ctx, target)
    if not other.may("read"):
        return literal(None)
    aliased = other.source(there)
    first = next((f.id for f in target.table.fields if f.type in ("text", "serial") and other.readable(f.id)), None)
    if first is None:
        return value
    return select(in_order(aliased.column(first))).where(there.c.id == value, other.rows(sql=there)).scalar_subquery()


def beyond_bounds(keys: list[SortKey], bounds: list[Any], backwards: bool) -> ColumnElement[bool]:
    terms = []
    for n, key in enumerate(keys):
        level = [k.level(b) for k, b in zip(keys[:n], bounds[:n], strict=True)]
        terms.append(and_(*level, key.beyond(bounds[n], backwards)))
    first = keys[0]
    if first.nullable:
        return or_(*terms)
    return and_(first.reaches(bounds[0], backwards), or_(*terms))


def _within(bound: int | Decimal, wanted: type) -> bool:
    """Whether a number is one that a column of this kind can be compared with."""
    if not Decimal(bound).is_finite():
        return False
    return wanted is Decimal or (bound == int(bound) and -(2**31) <= bound < 2**31)


def write_cursor(values: Sequence[Any]) -> str:
    text = json.dumps([_plain(v) for v in values], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    kinds = {Decimal: "n", datetime: "t", date: "d", UUID: "u"}
    kind = next((k for c, k in kinds.items() if type(value) is c), None)
    return [kind, value.isoformat() if kind in "td" else str(value)] if kind else value


def read_cursor(cursor: str, keys: Sequence[SortKey]) -> list[Any]:
    """The values that a page ended with. Raises InvalidInput when they are none of these keys' values."""
    refusal = InvalidInput({"page": [say("This page of the list no longer exists. Begin again from the first.")]})
    try:
        values = [*read_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), say("bad"))]
        readers = {"n": Decimal, "t": datetime.fromisoformat, "d": date.fromisoformat, "u": UUID}
        bounds = [readers[v[0]](v[1]) if isinstance(v, list) else v for v in values]  # type: ignore[operator]
    except (ValueError, BadValue, KeyError, TypeError, IndexError, ArithmeticError):
        raise refusal from None
    if len(bounds) != len(keys) or not all(key.takes(bound) for key, bound in zip(keys, bounds, strict=True)):
        raise refusal
    return bounds
