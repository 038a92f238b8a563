"""Where compiled formulas find their values: a record's columns, its rows, what its links lead to, the people.

With a door, everything is as that actor may see it; without one, as the system does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Numeric,
    Subquery,
    Text,
    Uuid,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from runtime import models
from runtime.context import Context
from runtime.expressions import RowsSource, to_sql
from runtime.people import Directory
from runtime.tables import LiveTable
from schemas.errors import NotFound
from schemas.fields import Field
from schemas.fields.formula import FormulaField
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import Expression, Formula, Type
from schemas.formula.types import BOOLEAN
from schemas.table import SYSTEM_FIELDS

if TYPE_CHECKING:
    from runtime.access import Door

Column = ColumnElement[Any]


@dataclass(frozen=True)
class Clock:
    """The time and the asking member, bound when a statement runs."""

    ctx: Context

    @property
    def zone(self) -> str:
        return self.ctx.zone.key

    def now(self) -> Column:
        return literal(self.ctx.now, DateTime(timezone=True))

    def today(self) -> Column:
        return literal(self.ctx.today, Date())

    def me(self, facts: tuple[str, ...]) -> Column:
        me = self.ctx.actor.id if self.ctx.actor.kind == "member" else None
        if not facts:
            return literal(me, Uuid())
        value, kind = me, "member"
        directory = Directory.of(self.ctx)
        for name in facts:
            value = directory.fact(value, name) if kind == "member" else directory.department_fact(value, name)
            kind = "member" if name == "head" else "department"
        return literal(value, _fact_type(facts[-1]))


def _fact_type(name: str) -> TypeEngine[Any]:
    if name == "roles":
        return ARRAY(Text())
    if name in ("departments", "headed_departments"):
        return ARRAY(Uuid())
    return Uuid() if name in ("department", "head", "parent") else Text()


@dataclass(frozen=True)
class RecordSource(Clock):
    """A record of a table. `this` is the table and row that the name `this` stands for, the record itself otherwise."""

    live: LiveTable
    table: FromClause
    door: "Door | None" = None
    this: tuple[LiveTable, FromClause] | None = field(default=None)

    def sql(self, expression: Expression) -> Column:
        return to_sql(expression, self)

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
            if name not in SYSTEM_FIELDS:
                raise NotFound
            return self.table.c[name]
        value = self._value(found)
        return self.door.mask(name, value, self.table) if self.door else value

    def _value(self, found: Field) -> Column:
        if found.id in self.table.c:
            return self.table.c[found.id]
        if isinstance(found, Rows):
            child = self.live.children[found.id].alias()
            ids = select(child.c._id).where(child.c._record_id == self.table.c.id)
            return func.array(ids.scalar_subquery())
        plain = RecordSource(self.ctx, self.live, self.table)
        if isinstance(found, Rollup):
            return rollup_sql(self.ctx, self.live, found, self.table)
        assert isinstance(found, FormulaField)
        analysis = self.live.analysis
        return plain.sql(analysis.expression(found.formula, analysis.scope(self.live.table)))

    def rows(self, name: str) -> RowsSource:
        rows = self.live.table.by_id[name]
        assert isinstance(rows, Rows)
        if self.door and not self.door.readable(name):
            raise NotFound
        child = self.live.children[name].alias()
        on = child.c._record_id == self.table.c.id
        return RowsSource(child, on, RowSource(self.ctx, self, rows, child), order=child.c._position)

    def linked(self, name: str) -> RowsSource:
        if name == "this":
            live, table = self.this or (self.live, self.table)
            if isinstance(table, Subquery):  # values that are not stored yet
                return RowsSource(table, true(), RecordSource(self.ctx, live, table))
            there = live.sql.alias()
            return RowsSource(there, there.c.id == table.c.id, RecordSource(self.ctx, live, there))
        found = self.live.table.by_id.get(name)
        kind = self.live.analysis.type_of(self.live.table, found) if found else SYSTEM_FIELDS[name]
        return _hop(self, kind, self.column(name), self.live, self.door)


@dataclass(frozen=True)
class RowSource(Clock):
    """A row of a record's subform; names that are not its columns are the record's."""

    parent: RecordSource
    subform: Rows
    table: FromClause

    def sql(self, expression: Expression) -> Column:
        return to_sql(expression, self)

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
        if found.id in self.table.c:
            return self.table.c[found.id]
        assert isinstance(found, FormulaField)
        live = self.parent.live
        plain = RowSource(self.ctx, RecordSource(self.ctx, live, self.parent.table), self.subform, self.table)
        return plain.sql(live.analysis.expression(found.formula, live.analysis.scope(live.table, self.subform)))

    def rows(self, name: str) -> RowsSource:
        return self.parent.rows(name)

    def linked(self, name: str) -> RowsSource:
        found = self.subform.column(name)
        if found is None:
            return self.parent.linked(name)
        live = self.parent.live
        return _hop(
            self, live.analysis.type_of(live.table, found, self.subform), self.column(name), live, self.parent.door
        )


def part_sql(found: Field, value: Column, part: str) -> Column:
    """A part of a value of several parts, or under `text` the whole; NULL where there is none."""
    if part != "text" and part not in found.facets:
        raise NotFound
    text = func.jsonb_extract_path_text(value, part, type_=Text())
    number = part in found.facets and found.facets[part].type.kind == "number"
    return cast(text, Numeric()) if number else text


def _hop(source: Clock, kind: Type, value: Column, live: LiveTable, door: "Door | None") -> RowsSource:
    """Where a link, member or department leads. With a door, records that the actor may not see are not there."""
    if kind.kind == "link":
        target = live.sibling(kind.target or "")
        there = target.sql.alias()
        on = there.c.id == value
        if door is None:
            return RowsSource(there, on, RecordSource(source.ctx, target, there))
        from runtime.access import door as door_of

        other = door_of(source.ctx, target)
        return RowsSource(there, on & other.rows(sql=there), RecordSource(source.ctx, target, there, other))
    people = (models.member if kind.kind == "member" else models.department).alias()
    return RowsSource(people, people.c.id == value, PersonSource(source.ctx, people, kind.kind))


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
        if name in ("name", "email", "phone"):
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
        pairs = [(p.id, d) for p in directory.persons(self._everybody()).values() for d in p.departments]
        return _gather(t.c.id, pairs)

    def _everybody(self) -> list[UUID]:
        ids: list[UUID] = list(self.ctx.conn.scalars(select(models.member.c.id)))
        return ids

    def _roles(self) -> Column:
        r, i = models.role_member.alias(), models.installation.alias()
        named = func.concat(i.c.slug, ".", r.c.role)
        query = (
            select(func.array_agg(named))
            .join_from(r, i, i.c.id == r.c.installation_id)
            .where(r.c.member_id == self.table.c.id)
        )
        return func.coalesce(query.scalar_subquery(), cast([], ARRAY(Text())))

    def rows(self, name: str) -> RowsSource:
        raise NotFound

    def linked(self, name: str) -> RowsSource:
        kind = "member" if name == "head" else "department"
        return _hop(self, Type(kind), self.column(name), None, None)  # type: ignore[arg-type]


def _lookup(key: Column, pairs: dict[UUID, UUID | None]) -> Column:
    """The value of a mapping that is bound as two arrays."""
    given = [(k, v) for k, v in pairs.items() if v]
    rows = _pairs(given)
    return select(rows.c.value).where(rows.c.key == key).limit(1).scalar_subquery()


def _gather(key: Column, pairs: Iterable[tuple[UUID, UUID]]) -> Column:
    rows = _pairs(list(dict.fromkeys(pairs)))
    query = select(func.array_agg(rows.c.value)).where(rows.c.key == key).scalar_subquery()
    return func.coalesce(query, cast([], ARRAY(Uuid())))


def _pairs(pairs: list[tuple[Any, Any]]) -> Any:
    keys = literal([k for k, _ in pairs], ARRAY(Uuid()))
    values = literal([v for _, v in pairs], ARRAY(Uuid()))
    return func.unnest(keys, values).table_valued("key", "value", name="pair").render_derived()


# -- for those who compile -------------------------------------------------------------------------


def system_source(ctx: Context, live: LiveTable, table: FromClause | None = None) -> RecordSource:
    return RecordSource(ctx, live, live.sql if table is None else table)


def expression_of(ctx: Context, live: LiveTable, child: FromClause, rows: Rows) -> RowSource:
    """The columns of a subform's rows, computed ones included, joined to nothing else."""
    return RowSource(ctx, RecordSource(ctx, live, live.sql), rows, child)


def condition_sql(ctx: Context, live: LiveTable, formula: Formula, table: FromClause) -> ColumnElement[bool]:
    """A condition of the definition about a row, as the system sees it."""
    expression = live.analysis.expression(formula, live.analysis.scope(live.table), BOOLEAN)
    return system_source(ctx, live, table).sql(expression)


def rollup_sql(ctx: Context, live: LiveTable, rollup: Rollup, parent: FromClause) -> Column:
    """The aggregate over the live records that link to a parent row."""
    analysis = live.analysis
    child = live.sibling(rollup.over.rpartition(".")[0])
    there = child.sql.alias()
    source = RecordSource(ctx, child, there, this=(live, parent))
    scope = analysis.linked_scope(rollup, live.table)
    belongs = [there.c[rollup.over.rpartition(".")[2]] == parent.c.id, there.c._deleted_at.is_(None)]
    if rollup.where is not None:
        belongs.append(source.sql(analysis.expression(rollup.where, scope, BOOLEAN)))
    value = source.sql(analysis.expression(rollup.value, scope)) if rollup.value else there.c.id
    return select(_aggregate(rollup.aggregate, value)).where(*belongs).scalar_subquery()


def _aggregate(name: str, value: Column) -> Column:
    if name == "count":
        return func.count(value)
    if name == "sum":
        return func.coalesce(func.sum(value), 0)
    functions: dict[str, Any] = {"average": func.avg, "min": func.min, "max": func.max}
    made: Column = functions[name](value)
    return made


def folded_column(column: Column) -> Column:
    """A column as unique values are compared: ASCII letters made small."""
    return func.lower(column.collate("C")) if isinstance(column.type, Text) else column
