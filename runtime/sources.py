"""Where compiled formulas find their values: a record's columns, its rows, what its links lead to, the people.

With a door, everything is as that actor may see it; without one, as the system does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Numeric,
    Subquery,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
)
from sqlalchemy import column as bare_column
from sqlalchemy.dialects.postgresql import array

from runtime import models
from runtime.context import Context
from runtime.expressions import RowsSource, outside, piece_of, shallow, to_sql
from runtime.people import Directory
from runtime.plans import fact
from runtime.sql_operations import Piece
from runtime.tables import LiveTable, sql_type_of
from schemas.errors import NotFound
from schemas.fields import Field
from schemas.fields.formula import Computed, FormulaField
from schemas.fields.links import Links
from schemas.fields.lookup import Lookup
from schemas.fields.query import Query
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import Expression, Formula, Type
from schemas.formula.typed import Read
from schemas.formula.types import BOOLEAN, DEPARTMENT_FACTS, MEMBER_FACTS
from schemas.table import SYSTEM_FIELDS

if TYPE_CHECKING:
    from runtime.access import Door

Column = ColumnElement[Any]


@dataclass(frozen=True, eq=False)
class Step:
    """A field that a lateral subquery has computed, and the condition of its being an error."""

    value: Column
    failure: Column | None = None


@dataclass(frozen=True)
class Clock:
    """The time and the asking member, bound when a statement runs."""

    ctx: Context

    @property
    def zone(self) -> str:
        return self.ctx.zone.key

    def now(self) -> Column:
        return fact(self.ctx, "now")

    def today(self) -> Column:
        return fact(self.ctx, "today")

    def me(self, facts: tuple[str, ...]) -> Column:
        return fact(self.ctx, "me", *facts)

    def failure(self, name: str) -> Column | None:
        return None


@dataclass(frozen=True)
class RecordSource(Clock):
    """A record of a table. `this` is the table and row that the name `this` stands for, the record itself otherwise.

    With `eyes` its own columns are read as they are, but what its links lead to as that actor may see it. `known`
    are fields without a column that have been computed beside it.
    """

    live: LiveTable
    table: FromClause
    door: "Door | None" = None
    this: tuple[LiveTable, FromClause] | None = field(default=None)
    this_row: tuple[Rows, FromClause] | None = field(default=None)
    """The row of a subform that `this` is about; its columns come first."""
    eyes: "Door | None" = None
    known: Mapping[str, Step] = field(default_factory=dict)

    def sql(self, expression: Expression) -> Column:
        return to_sql(expression, self)

    def failure(self, name: str) -> Column | None:
        return self.known[name].failure if name in self.known else None

    def column(self, name: str) -> Column:
        if name in ("id", "this"):
            return (self.this[1] if self.this and name == "this" else self.table).c.id
        if name == "flow.state":
            return self.table.c._flow_state
        whole, _, part = name.partition(".")
        if part and (found := self.live.table.by_id.get(whole)):
            return part_sql(found, self.column(whole), part)
        found = self.live.table.by_id.get(name)
        if found is None:
            return self._unnamed(name)
        value = self._value(found)
        return self.door.mask(name, value, self.table) if self.door else value

    def _unnamed(self, name: str) -> Column:
        """A name that is no field: a system field, or a reverse side."""
        if name in SYSTEM_FIELDS:
            return self.table.c[name]
        if name not in self.live.analysis.reverses(self.live.table):
            raise NotFound
        there = self.linked(name)
        ids = select(there.source.column("id")).where(there.on).order_by(there.order)
        listed = func.array(ids.correlate_except(there.from_clause).scalar_subquery(), type_=ARRAY(Uuid()))
        return func.nullif(listed, cast([], ARRAY(Uuid())), type_=ARRAY(Uuid()))

    def _value(self, found: Field) -> Column:
        if found.id in self.known:
            return self.known[found.id].value
        if isinstance(found, Links):
            return only_there(self.ctx, self.live.sibling(found.table), self.table.c[found.id], self.door)
        if found.id in self.table.c:
            return self.table.c[found.id]
        if isinstance(found, Lookup):
            return lookup_sql(RecordSource(self.ctx, self.live, self.table, eyes=self.eyes or self.door), found)
        if isinstance(found, Query):
            raise NotFound
        if isinstance(found, Rows):
            child = self.live.children[found.id].alias()
            ids = select(child.c._id).where(child.c._record_id == self.table.c.id)
            return func.array(ids.scalar_subquery())
        if isinstance(found, Rollup):
            from runtime.rollups import rollup_sql

            seen = found.per_reader and (self.door or self.eyes) is not None
            return rollup_sql(self.ctx, self.live, found, self.table, seen)
        assert isinstance(found, FormulaField)
        return inlined(self.plain(), self.formula(found))

    def plain(self) -> "RecordSource":
        """The record as the system sees it."""
        as_it_is = self.door is None and self.eyes is None and self.this is None
        return self if as_it_is else RecordSource(self.ctx, self.live, self.table)

    def formula(self, found: FormulaField) -> Expression:
        return self.live.analysis.expression(found.formula, self.live.analysis.scope(self.live.table))

    def knowing(self, name: str, steps: "Steps") -> "RecordSource":
        """The same with this field computed in a step, if it has no column."""
        found = self.live.table.by_id.get(name)
        if found is None or name in self.known or name in self.table.c or not isinstance(found, Computed):
            return self
        source, piece = _computed(self, found, steps)
        return replace(source, known={**source.known, name: steps.add(piece)})

    def rows(self, name: str) -> RowsSource:
        rows = self.live.table.by_id[name]
        assert isinstance(rows, Rows)
        seen = self.door.seen(name, self.table) if self.door else None
        child = self.live.children[name].alias()
        on = child.c._record_id == self.table.c.id
        on = on if seen is None else and_(on, seen)
        return RowsSource(child, on, RowSource(self.ctx, self, rows, child), order=child.c._position)

    def linked(self, name: str) -> RowsSource:
        if name == "this":
            live, table = self.this or (self.live, self.table)
            if isinstance(table, Subquery):  # values that are not stored yet
                return self._unstored(live, table)
            there = live.sql.alias()
            return RowsSource(there, there.c.id == table.c.id, RecordSource(self.ctx, live, there))
        found = self.live.table.by_id.get(name)
        if found is None and (side := self.live.analysis.reverses(self.live.table).get(name)) is not None:
            return pointing(self.ctx, self.live.sibling(side[0].id), side[1], self.table, self.eyes or self.door)
        kind = self.live.analysis.type_of(self.live.table, found) if found else SYSTEM_FIELDS[name]
        return _hop(self, kind, self.column(name), self.live, self.eyes or self.door)

    def _unstored(self, live: LiveTable, table: FromClause) -> RowsSource:
        """The record that `this` stands for, or its row."""
        record = RecordSource(self.ctx, live, table)
        if self.this_row is None:
            return RowsSource(table, true(), record)
        rows, row = self.this_row
        return RowsSource(table.join(row, true()), true(), RowSource(self.ctx, record, rows, row))


@dataclass(frozen=True)
class RowSource(Clock):
    """A row of a record's subform; names that are not its columns are the record's."""

    parent: RecordSource
    subform: Rows
    table: FromClause
    known: Mapping[str, Step] = field(default_factory=dict)

    def sql(self, expression: Expression) -> Column:
        return to_sql(expression, self)

    def failure(self, name: str) -> Column | None:
        if self.subform.column(name) is None:
            return self.parent.failure(name)
        return self.known[name].failure if name in self.known else None

    def column(self, name: str) -> Column:
        if name == "id":
            return self.table.c._id
        whole, _, part = name.partition(".")
        if part and (found := self.subform.column(whole)):
            return part_sql(found, self.column(whole), part)
        found = self.subform.column(name)
        if found is None:
            return self.parent.column(name)
        value = self._value(found)
        door = self.parent.door
        return door.mask(f"{self.subform.id}.{name}", value, self.parent.table) if door else value

    def _value(self, found: Field) -> Column:
        if found.id in self.known:
            return self.known[found.id].value
        eyes = self.parent.eyes or self.parent.door
        if isinstance(found, Links):
            return only_there(self.ctx, self.parent.live.sibling(found.table), self.table.c[found.id], eyes)
        if found.id in self.table.c:
            return self.table.c[found.id]
        if isinstance(found, Lookup):
            parent = RecordSource(self.ctx, self.parent.live, self.parent.table, eyes=eyes)
            return lookup_sql(RowSource(self.ctx, parent, self.subform, self.table), found)
        assert isinstance(found, FormulaField)
        return inlined(replace(self, parent=self.parent.plain()), self.formula(found))

    def formula(self, found: FormulaField) -> Expression:
        live = self.parent.live
        return live.analysis.expression(found.formula, live.analysis.scope(live.table, self.subform))

    def knowing(self, name: str, steps: "Steps") -> "RowSource":
        """The same with this column computed in a step, or this field of its record, if it has none."""
        found = self.subform.column(name)
        if found is None:
            return replace(self, parent=self.parent.knowing(name, steps))
        if name in self.known or name in self.table.c or not isinstance(found, Computed):
            return self
        source, piece = _computed(self, found, steps)
        return replace(source, known={**source.known, name: steps.add(piece)})

    def rows(self, name: str) -> RowsSource:
        return self.parent.rows(name)

    def linked(self, name: str) -> RowsSource:
        found = self.subform.column(name)
        if found is None:
            return self.parent.linked(name)
        live = self.parent.live
        kind = live.analysis.type_of(live.table, found, self.subform)
        return _hop(self, kind, self.column(name), live, self.parent.eyes or self.parent.door)


Source = TypeVar("Source", RecordSource, RowSource)


class Steps:
    """Lateral subqueries, one after the other, of which each may read those before it."""

    def __init__(self) -> None:
        self.made: list[FromClause] = []

    def add(self, piece: Piece) -> Step:
        error = [] if piece.error is None else [piece.error.label("failure")]
        # Without an offset the planner would write the value into every place that reads it.
        query = select(shallow(piece.value).label("value"), *error).offset(literal_column("0")).correlate_except(None)
        step = query.lateral()
        self.made.append(step)
        return Step(step.c.value, step.c.failure if error else None)

    def around(self, value: Column) -> Column:
        """A value that reads the steps."""
        if not self.made:
            return value
        froms = reduce(lambda left, right: left.join(right, true()), self.made)
        return select(value).select_from(froms).correlate_except(*self.made, froms).scalar_subquery()


def inlined(source: Source, expression: Expression) -> Column:
    """A formula of a record in whose place it is read; what it reads and has no column either is computed once."""
    steps = Steps()
    return steps.around(outside(piece_of(expression, _knowing(source, expression, steps))))


def _knowing(source: Source, expression: Expression, steps: Steps) -> Source:
    for name in sorted({path[0] for path in expression.paths}):
        source = source.knowing(name, steps)
    return source


def _computed(source: Source, found: Field, steps: Steps) -> tuple[Source, Piece]:
    """A field without a column, and the source that knows what it reads."""
    if not isinstance(found, FormulaField):
        return source, Piece(source._value(found))
    expression = source.formula(found)
    knowing = _knowing(source, expression, steps)
    return knowing, piece_of(expression, knowing)


def part_sql(found: Field, value: Column, part: str) -> Column:
    """A part of a value of several parts, or under `text` the whole; NULL where there is none."""
    if part != "text" and part not in found.facets:
        raise NotFound
    text = func.jsonb_extract_path_text(value, part, type_=Text())
    number = part in found.facets and found.facets[part].type.kind == "number"
    return cast(text, Numeric()) if number else text


def _hop(source: Clock, kind: Type, value: Column, live: LiveTable, door: "Door | None") -> RowsSource:
    """Where a link, member or department (or a list of them) leads.

    With a door, records that the actor may not see are not there; of a list, those in the trash are not either.
    """
    several = kind.kind == "array" and kind.of is not None
    kind = kind.of if several and kind.of else kind
    if kind.kind == "link":
        target = live.sibling(kind.target or "")
        there = target.sql.alias()
        on, order = _is_in(there.c.id, value, several)
        link = None if several else value
        if door is None:
            on = on & there.c._deleted_at.is_(None) if several else on
            return RowsSource(there, on, RecordSource(source.ctx, target, there), order, link)
        other = _door_of(source.ctx, target)
        seen = other.rows(sql=there)
        return RowsSource(there, on & seen, RecordSource(source.ctx, target, there, other), order, link, seen)
    people = (models.member if kind.kind == "member" else models.department).alias()
    on, order = _is_in(people.c.id, value, several)
    link = None if several else value
    return RowsSource(people, on, PersonSource(source.ctx, people, kind.kind), order, link)


def _is_in(id: Column, value: Column, several: bool) -> tuple[ColumnElement[bool], Column | None]:
    return (id == func.any(value), func.array_position(value, id)) if several else (id == value, None)


def _door_of(ctx: Context, live: LiveTable) -> "Door":
    from runtime.access import door

    return door(ctx, live)


def pointing(ctx: Context, child: LiveTable, link: str, table: FromClause, door: "Door | None" = None) -> RowsSource:
    """The records whose link (or links) points at a record, the oldest first; with a door, those it shows."""
    there = child.sql.alias()
    if door is None:
        on = points_at(there.c[link], table.c.id) & there.c._deleted_at.is_(None)
        return RowsSource(there, on, RecordSource(ctx, child, there), there.c.id)
    other = _door_of(ctx, child)
    on = points_at(other.mask(link, there.c[link], there), table.c.id) & other.rows(sql=there)
    return RowsSource(there, on, RecordSource(ctx, child, there, other), there.c.id)


def points_at(link: Column, target: Any) -> ColumnElement[bool]:
    """Whether a link or a list of links holds a record; written so that its index serves."""
    held: ColumnElement[bool] = link == target
    return link.contains(array([target], type_=Uuid())) if isinstance(link.type, ARRAY) else held


def only_there(ctx: Context, target: LiveTable, value: Column, door: "Door | None") -> Column:
    """A list of links without the records that are in the trash or that the actor may not see."""
    there = target.sql.alias()
    item = func.unnest(value).table_valued(bare_column("id", Uuid()), with_ordinality="place").render_derived()
    seen = _door_of(ctx, target).rows(sql=there) if door else there.c._deleted_at.is_(None)
    query = select(item.c.id).join_from(item, there, there.c.id == item.c.id).where(seen).order_by(item.c.place)
    listed = func.array(query.correlate_except(item, there).scalar_subquery(), type_=ARRAY(Uuid()))
    return case((func.cardinality(value) > 0, func.nullif(listed, cast([], ARRAY(Uuid())), type_=ARRAY(Uuid()))))


def lookup_sql(source: "RecordSource | RowSource", lookup: Lookup) -> Column:
    """What a lookup shows: one value, or the list of those that a list of records holds."""
    live = source.live if isinstance(source, RecordSource) else source.parent.live
    row = source.subform if isinstance(source, RowSource) else None
    expression = live.analysis.expression(lookup.path, live.analysis.scope(live.table, row))
    read = expression.root
    assert isinstance(read, Read)
    try:
        return to_sql(expression, source) if not read.rows else _lookup_list(read, source)
    except NotFound:  # the field is hidden from this reader in every record
        kind = live.analysis.type_of(live.table, lookup, row)
        return cast(null(), sql_type_of(kind))


def _lookup_list(read: Read, source: Any) -> Column:
    at = source
    froms, on, orders = [], [], []
    for name in read.path[:-1]:
        there = at.linked(name)
        froms.append(there.from_clause)
        on.append(there.on)
        orders.append(there.order if there.order is not None else there.source.column("id"))
        at = there.source
    value = at.column(read.path[-1])
    if isinstance(value.type, ARRAY):
        item = func.unnest(value).table_valued(bare_column("element", value.type.item_type)).render_derived()
        froms.append(item)
        value = item.c.element
    query = select(value).select_from(*froms).where(*on, value.is_not(None)).order_by(*orders)
    listed = func.array(query.correlate_except(*froms).scalar_subquery(), type_=ARRAY(value.type))
    return func.nullif(listed, cast([], ARRAY(value.type)), type_=ARRAY(value.type))


@dataclass(frozen=True)
class PersonSource(Clock):
    """A member or a department, with the facts that formulas may ask."""

    table: FromClause
    kind: str

    def column(self, name: str) -> Column:
        t = self.table
        if name == "id":
            return t.c.id
        if self.kind == "department":
            return {"name": t.c.name, "head": t.c.head_id, "parent": t.c.parent_id}[name]
        if name in ("name", "email", "phone", "title", "external"):
            return t.c[name]
        if name == "department":
            return t.c.department_id
        if name == "roles":
            return self._roles()
        directory = Directory.of(self.ctx)
        if name == "head":
            return _lookup(t.c.id, {m: directory.head_of(m) for m in self._everybody()})
        if name == "headed_departments":
            return _gather(
                t.c.id, [(u.head, d) for u in directory.units.values() if u.head for d in directory.below(u.id)]
            )
        return self._departments()

    def _departments(self) -> Column:
        """The main department first, then the others."""
        d = models.member_department.alias()
        others = select(d.c.department_id).where(
            d.c.member_id == self.table.c.id, d.c.department_id.is_distinct_from(self.table.c.department_id)
        )
        listed = func.array(others.correlate_except(d).scalar_subquery(), type_=ARRAY(Uuid()))
        main: Column = array([self.table.c.department_id], type_=Uuid())
        return func.array_remove(func.array_cat(main, listed, type_=ARRAY(Uuid())), null(), type_=ARRAY(Uuid()))

    def sql(self, expression: Expression) -> Column:
        return to_sql(expression, self)

    def _everybody(self) -> list[UUID]:
        ids: list[UUID] = list(self.ctx.conn.scalars(select(models.member.c.id)))
        return ids

    def _roles(self) -> Column:
        """Every role in an app that each member has, one member after the other in the list of all roles."""
        from runtime import roles

        parts: list[Column] = [
            case((roles.condition(self.ctx, key, self.table), name)) for key, name in roles.all_keys(self.ctx)
        ]
        listed: Column = array(parts, type_=Text())
        return func.array_remove(listed, null(), type_=ARRAY(Text()))

    def rows(self, name: str) -> RowsSource:
        raise NotFound

    def linked(self, name: str) -> RowsSource:
        kind = (MEMBER_FACTS if self.kind == "member" else DEPARTMENT_FACTS)[name]
        return _hop(self, kind, self.column(name), None, None)  # type: ignore[arg-type]


def _lookup(key: Column, pairs: dict[UUID, UUID | None]) -> Column:
    """The value of a mapping that is bound as two arrays."""
    given = [(k, v) for k, v in pairs.items() if v]
    rows = _pairs(given)
    query = select(rows.c.value).where(rows.c.key == key).limit(1)
    return query.correlate_except(rows).scalar_subquery()


def _gather(key: Column, pairs: Iterable[tuple[UUID, UUID]]) -> Column:
    rows = _pairs(list(dict.fromkeys(pairs)))
    query = select(func.array_agg(rows.c.value)).where(rows.c.key == key).correlate_except(rows).scalar_subquery()
    return func.coalesce(query, cast([], ARRAY(Uuid())))


def _pairs(pairs: list[tuple[Any, Any]]) -> Any:
    keys = literal([k for k, _ in pairs], ARRAY(Uuid()))
    values = literal([v for _, v in pairs], ARRAY(Uuid()))
    return func.unnest(keys, values).table_valued("key", "value", name="pair").render_derived()


# -- for those who compile -------------------------------------------------------------------------


def system_source(ctx: Context, live: LiveTable, table: FromClause | None = None) -> RecordSource:
    return RecordSource(ctx, live, live.sql if table is None else table)


def expression_of(
    ctx: Context, live: LiveTable, child: FromClause, rows: Rows, eyes: "Door | None" = None
) -> RowSource:
    """The columns of a subform's rows, computed ones included, joined to nothing else.

    With `eyes`, what their links lead to is as that actor may see it.
    """
    return RowSource(ctx, RecordSource(ctx, live, live.sql, eyes=eyes), rows, child)


def condition_sql(ctx: Context, live: LiveTable, formula: Formula, table: FromClause) -> ColumnElement[bool]:
    """A condition of the definition about a row, as the system sees it."""
    expression = live.analysis.expression(formula, live.analysis.scope(live.table), BOOLEAN)
    return system_source(ctx, live, table).sql(expression)


def folded_column(column: Column) -> Column:
    """A column as unique values are compared: ASCII letters made small."""
    return func.lower(column.collate("C")) if isinstance(column.type, Text) else column
