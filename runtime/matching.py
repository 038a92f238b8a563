"""What the steps of a flow ask of other records: those that hold a condition on the flow, too, and figures over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, cast, func, literal, select

from runtime.access import Door
from runtime.sources import RecordSource
from runtime.tables import sql_type_of
from schemas.formula import ErrorValue, Expression, Type


def figure(gate: Door, take: str, field: str | None, condition: ColumnElement[bool]) -> Any:
    """How many of the rows that the actor may read hold the condition, or the sum, average, min or max of a field.

    Raises NotFound without the right to read.
    """
    gate.require("read")
    makes: dict[str, Any] = {"sum": func.sum, "average": func.avg, "min": func.min, "max": func.max}
    made: Any = func.count() if field is None else makes[take](gate.source().column(field))
    found = gate.ctx.conn.scalar(select(made).select_from(gate.live.sql).where(gate.rows(), condition))
    return found or 0 if take in ("count", "sum") else found


def dated(gate: Door, field: str, first: date | None, last: date) -> list[tuple[UUID, date | datetime]]:
    """The records that the actor may read whose date lies between these days, both counted, with that date."""
    gate.require("read")
    column = gate.source().column(field)
    low, high = _day(gate, column, first), _day(gate, column, last + timedelta(days=1))
    bounds = [column < high, *([column >= low] if first is not None else [])]
    query = select(gate.live.sql.c.id, column).select_from(gate.live.sql).where(gate.rows(), *bounds)
    return [(row[0], row[1]) for row in gate.ctx.conn.execute(query.order_by(gate.live.sql.c.id))]


def _day(gate: Door, column: ColumnElement[Any], day: date | None) -> Any:
    if day is None or not isinstance(column.type, DateTime):
        return day
    return datetime.combine(day, time(), tzinfo=gate.ctx.zone)


def holding(gate: Door, expression: Expression, given: Mapping[str, tuple[Any, Type]]) -> ColumnElement[bool]:
    """A condition on what the actor may see of the records; `given` are further names with their values."""
    plain = {name: _literal(value, sql_type_of(kind)) for name, (value, kind) in given.items()}
    return Given(gate.ctx, gate.live, gate.live.sql, gate, given=plain).sql(expression)


def _literal(value: Any, kind: Any) -> ColumnElement[Any]:
    return cast(literal(None if isinstance(value, ErrorValue) else value, kind), kind)


@dataclass(frozen=True)
class Given(RecordSource):
    """A record's own names, and some whose values are known beforehand."""

    given: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)

    def column(self, name: str) -> ColumnElement[Any]:
        return self.given[name] if name in self.given else super().column(name)
