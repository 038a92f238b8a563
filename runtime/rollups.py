"""What a rollup says in SQL: the records that it gathers, and the aggregate over them."""

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, FromClause, Join, Text, cast, func, literal, null, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from runtime import sql_operations as ops
from runtime.access import Door, door
from runtime.context import Context
from runtime.expressions import RowsSource, to_sql
from runtime.sources import Clock, RecordSource, RowSource, points_at
from runtime.sql_convert import as_kind
from runtime.tables import LiveTable, sql_type_of
from schemas.analysis import JOINED_AS_LISTS
from schemas.errors import NotFound
from schemas.fields.rollup import Rollup
from schemas.formula import Expression
from schemas.formula.types import BOOLEAN

Column = ColumnElement[Any]


def rollup_sql(ctx: Context, live: LiveTable, rollup: Rollup, parent: FromClause, seen: bool = False) -> Column:
    """The aggregate over what a rollup gathers for a parent row, as the system sees it or, `seen`, as the actor does."""
    try:
        return _rollup_sql(ctx, live, rollup, parent, seen)
    except NotFound:  # what it aggregates, or the link to it, is hidden from this reader in every record
        kind = live.analysis.type_of(live.table, rollup)
        return cast(literal(0) if rollup.counts else null(), sql_type_of(kind))


def _rollup_sql(ctx: Context, live: LiveTable, rollup: Rollup, parent: FromClause, seen: bool) -> Column:
    analysis = live.analysis
    there = gathered_sql(ctx, live, rollup, parent, seen)
    scope = analysis.linked_scope(rollup, live.table)
    where = [there.on]
    if rollup.where is not None:
        where.append(to_sql(analysis.expression(rollup.where, scope, BOOLEAN), there.source))
    value = _rolled(ctx, there, rollup, analysis.expression(rollup.value, scope) if rollup.value else None)
    query = select(_aggregate(rollup, value, _orders(there, rollup))).select_from(there.from_clause).where(*where)
    return query.correlate_except(*_froms(there.from_clause)).scalar_subquery()


def _rolled(ctx: Context, there: RowsSource, rollup: Rollup, expression: Expression | None) -> Column:
    """The value that is aggregated; for a join of anything but ids its text."""
    if expression is None:
        return there.source.column("id")
    value = to_sql(expression, there.source)
    if rollup.aggregate != "join" or expression.type.kind in JOINED_AS_LISTS:
        return value
    kind = expression.type.kind
    numbers = ops.numeric(value) if kind == "number" else value
    return as_kind(ops.Piece(numbers, kind=kind), "text", Clock(ctx)).value


def _froms(clause: FromClause) -> list[FromClause]:
    return [clause.left, clause.right] if isinstance(clause, Join) else [clause]


def gathered_sql(ctx: Context, live: LiveTable, rollup: Rollup, parent: FromClause, seen: bool = False) -> RowsSource:
    """The records, or rows of records, that a rollup gathers for a parent row; none of them in the trash.

    With `seen` only those that the actor may see, with what they may see of them.
    """
    source = live.analysis.gathered(live.table, rollup)
    assert source is not None
    child = live.sibling(source.table.id)
    there = child.sql.alias()
    gate = door(ctx, child) if seen else None
    alive = gate.rows(sql=there) if gate else there.c._deleted_at.is_(None)
    record = RecordSource(ctx, child, there, gate, this=(live, parent))
    if source.rows is not None:
        rows = child.children[source.rows.id].alias()
        on = points_at(_pointer(gate, source.hop, rows, there), parent.c.id) & alive
        both = rows.join(there, there.c.id == rows.c._record_id)
        return RowsSource(both, on, RowSource(ctx, record, source.rows, rows), rows.c._position)
    if source.hop[0] == "~":
        return RowsSource(there, alive, record)
    if source.hop[0] == "<":
        return RowsSource(there, points_at(_pointer(gate, source.hop, there, there), parent.c.id) & alive, record)
    return RowsSource(there, _own(live, source.hop, parent, there.c.id) & alive, record)


def _pointer(gate: Door | None, hop: str, held: FromClause, there: FromClause) -> Column:
    """The link by which the gathered records point here, where the actor may see it."""
    path = hop.partition(".")[2]
    link = held.c[path.rpartition(".")[2]]
    return gate.mask(path, link, there) if gate else link


def _own(live: LiveTable, hop: str, parent: FromClause, id: Column) -> ColumnElement[bool]:
    """Whether a record is among those that a link of the parent, or of its rows, holds."""
    rows, _, column = hop.partition(".")
    if not column:
        link = parent.c[hop]
        return id == func.any(link) if isinstance(link.type, ARRAY) else id == link
    line = live.children[rows].alias()
    held = line.c[column]
    hit = id == func.any(held) if isinstance(held.type, ARRAY) else id == held
    return select(literal(1)).where(line.c._record_id == parent.c.id, hit).correlate_except(line).exists()


def _orders(there: RowsSource, rollup: Rollup) -> list[Any]:
    """The order of first, last and join: as asked, then the oldest first, then as the rows stand."""
    asked = []
    for entry in rollup.sort:
        value = there.source.column(entry.removeprefix("-"))
        asked.append(value.desc().nulls_last() if entry.startswith("-") else value.asc().nulls_last())
    record = there.source.parent if isinstance(there.source, RowSource) else there.source
    assert isinstance(record, RecordSource)
    tail = [record.table.c.created_at, record.table.c.id]
    return [*asked, *tail, *([there.order] if there.order is not None else [])]


def _aggregate(rollup: Rollup, value: Column, orders: list[Any]) -> Column:
    name = rollup.aggregate
    if name == "count":
        return func.count(value)
    if name == "count_distinct":
        return func.count(value.distinct())
    if name == "sum":
        return func.coalesce(func.sum(value), 0)
    if name in ("first", "last"):
        listed = func.array_agg(aggregate_order_by(value, *orders), type_=ARRAY(value.type)).filter(value.is_not(None))
        return listed[1] if name == "first" else listed[func.cardinality(listed)]
    if name == "join":
        return _joined(rollup, value, orders)
    functions: dict[str, Any] = {"average": func.avg, "min": func.min, "max": func.max}
    made: Column = functions[name](value)
    return made


def _joined(rollup: Rollup, value: Column, orders: list[Any]) -> Column:
    """Texts with something between them; ids as a list."""
    if rollup.distinct:
        value, orders = value.distinct(), [value]
    if isinstance(value.type, Text):
        joined = func.string_agg(value, aggregate_order_by(literal(rollup.separator, Text()), *orders), type_=Text())
        return func.nullif(joined, "", type_=Text())
    return func.array_agg(aggregate_order_by(value, *orders), type_=ARRAY(value.type)).filter(value.is_not(None))
