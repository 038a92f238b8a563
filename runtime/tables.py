"""A definition's tables as SQLAlchemy tables, built once per installation and revision.

Columns are reached by the field's id (`live.sql.c.amount`); our own by names that no field can have
(`_deleted_at`). The names in SQL are generated and kept in the workspace's `storage` table.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    Boolean,
    Column,
    Date,
    DateTime,
    Insert,
    Integer,
    MetaData,
    Numeric,
    Select,
    Table,
    Text,
    Update,
    Uuid,
    bindparam,
    insert,
    select,
    update,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from runtime import models
from runtime.context import Context
from runtime.definitions import Installed
from schemas import table as definition
from schemas.analysis import STORAGE_OF_TYPE, Analysis
from schemas.errors import NotFound
from schemas.fields import Field, Storage
from schemas.fields.rich_text import RichText
from schemas.fields.rows import Rows
from schemas.formula import Type

PRECISION = 38
COLLATION = "pg_c_utf8"
"""The one order in which lists sort text, the same on every server: by code point, letters of either case alike."""

TYPES: dict[Storage, TypeEngine[Any]] = {
    Storage.TEXT: Text(),
    Storage.BOOLEAN: Boolean(),
    Storage.DATE: Date(),
    Storage.TIMESTAMP: DateTime(timezone=True),
    Storage.UUID: Uuid(),
    Storage.UUIDS: ARRAY(Uuid()),
    Storage.TEXTS: ARRAY(Text()),
    Storage.JSON: JSONB(none_as_null=True),
}
SYSTEM_COLUMNS = ("id", "version", "created_at", "created_by", "updated_at", "updated_by")


def column_kind(storage: Storage, scale: int | None) -> str:
    """How the `storage` table writes down a column: `text`, `numeric:2`."""
    return f"numeric:{scale}" if storage is Storage.NUMERIC else storage.value


def sql_type(kind: str) -> TypeEngine[Any]:
    name, _, scale = kind.partition(":")
    return Numeric(PRECISION, int(scale)) if name == "numeric" else TYPES[Storage(name)]


def sql_type_of(kind: Type) -> TypeEngine[Any]:
    """The SQL type of a formula's value."""
    element = kind.of if kind.kind == "array" and kind.of else kind
    storage = STORAGE_OF_TYPE.get(element.kind, Storage.JSON)
    plain: TypeEngine[Any] = Numeric() if storage is Storage.NUMERIC else TYPES[storage]
    return ARRAY(plain) if kind.kind == "array" else plain


@dataclass(frozen=True)
class Wanted:
    """A table or column that a definition needs, by its path."""

    path: str
    kind: str


def wanted(app_analysis: Analysis, table: definition.Table) -> Iterator[Wanted]:
    """The table itself first, then its columns and its subforms' tables with theirs."""
    yield Wanted(table.id, "table")
    for field in table.fields:
        if isinstance(field, Rows):
            yield Wanted(f"{table.id}.{field.id}", "table")
            yield from _columns(app_analysis, table, field.fields, field)
    yield from _columns(app_analysis, table, table.fields, None)


def _columns(
    analysis: Analysis, table: definition.Table, fields: tuple[Field, ...], rows: Rows | None
) -> Iterator[Wanted]:
    prefix = f"{table.id}.{rows.id}" if rows else table.id
    for field in fields:
        storage = analysis.storage_of(table, field, rows)
        if storage not in (Storage.CHILD, Storage.NONE):
            yield Wanted(f"{prefix}.{field.id}", column_kind(storage, field.scale))


@dataclass(frozen=True)
class LiveTable:
    """A table's definition together with the tables that hold its records and their subforms' rows."""

    inst: Installed
    table: definition.Table
    sql: Table
    children: Mapping[str, Table]
    words: Table
    family: Mapping[str, "LiveTable"] = dataclasses.field(repr=False)

    def __hash__(self) -> int:
        return hash((self.inst, self.table.id))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LiveTable) and (self.inst, self.table.id) == (other.inst, other.table.id)

    @property
    def id(self) -> str:
        return self.table.id

    @property
    def analysis(self) -> Analysis:
        return self.inst.app.analysis

    @cached_property
    def columns(self) -> tuple[Field, ...]:
        """The fields that have a column of their own."""
        return tuple(f for f in self.table.fields if f.id in self.sql.c)

    @cached_property
    def dumps(self) -> tuple[tuple[str, Callable[[Any], Any] | None, Any], ...]:
        """Of every field its id, what makes JSON of a value (None where it is JSON already), and the JSON of nothing."""
        return tuple((f.id, None if type(f).dump is Field.dump else f.dump, f.dump(None)) for f in self.table.fields)

    @cached_property
    def people(self) -> tuple[tuple[Field, ...], tuple[tuple[Rows, tuple[Field, ...]], ...]]:
        """The fields that name members or departments, and the subforms with those of their columns that do."""
        inner = ((rows, _naming_people(rows.fields)) for rows in self.table.subforms)
        return _naming_people(self.table.fields), tuple((rows, columns) for rows, columns in inner if columns)

    @cached_property
    def inserting(self) -> tuple[Field, ...]:
        """The formatted texts that may show pictures, and the subforms with such columns."""
        texts = (f for f in self.table.fields if isinstance(f, RichText) and f.pictures)
        rows = (r for r in self.table.subforms if any(isinstance(c, RichText) and c.pictures for c in r.fields))
        return (*texts, *rows)

    @cached_property
    def whole(self) -> Select[Any]:
        """Everything that the table's own rows of these `ids` hold, by the names of their columns."""
        t = self.sql
        columns = (t.c[name] for name in ("_flow_state", "_errors", *SYSTEM_COLUMNS, *(f.id for f in self.columns)))
        return select(*columns).where(t.c.id.in_(bindparam("ids", expanding=True)))

    @cached_property
    def adding(self) -> Insert:
        """Stores one new record: its row of the columns given, its `_bigrams` for search, and its entry of history."""
        words = insert(self.words).values(record_id=bindparam("_record"), bigrams=bindparam("_bigrams"))
        return insert(self.sql).add_cte(words.cte("words"), _entry())

    @cached_property
    def changing(self) -> Update:
        """Sets the columns that it is given with, in the row `_changed`, and writes the entry of history."""
        return update(self.sql).where(self.sql.c.id == bindparam("_changed")).add_cte(_entry())

    @cached_property
    def changing_words(self) -> Update:
        """The same where search finds the record by other words now."""
        w = self.words.c
        words = (
            update(self.words).where(w.record_id == bindparam("_changed")).values({w.bigrams: bindparam("_bigrams")})
        )
        return self.changing.add_cte(words.cte("words"))

    @cached_property
    def plans(self) -> dict[Any, Any]:
        """What runtime.plans keeps of this revision."""
        return {}

    def stored(self, field: Field) -> bool:
        return field.id in self.sql.c

    def sibling(self, table: str) -> "LiveTable":
        """Another table of the same installation."""
        return self.family[table]


_built: dict[tuple[UUID, int], dict[str, LiveTable]] = {}


def _entry() -> CTE:
    """One row of history, whose values are bound by the names of its columns after `_entry_`."""
    values = {c: bindparam(f"_entry_{c.key}", type_=c.type) for c in models.history.c}
    return insert(models.history).values(values).cte("entry")


def _naming_people(fields: Iterable[Field]) -> tuple[Field, ...]:
    return tuple(f for f in fields if f.type.rstrip("s") in ("member", "department"))


def live(ctx: Context, inst: Installed, table: str) -> LiveTable:
    """Raises NotFound for a table that the app does not define."""
    found = family(ctx, inst).get(table)
    if found is None:
        raise NotFound
    return found


def family(ctx: Context, inst: Installed) -> Mapping[str, LiveTable]:
    """All tables of an installation. What a transaction has just published is not shared before it commits."""
    key = (inst.id, inst.revision)
    if fresh := ctx.memo.get((LiveTable, *key)):
        return fresh  # type: ignore[no-any-return]
    if key not in _built:
        if len(_built) > 2_000:
            _built.clear()
        _built[key] = build(inst, names(ctx, inst.id))
    return _built[key]


def rebuild(ctx: Context, inst: Installed) -> Mapping[str, LiveTable]:
    """The tables as this transaction has just made them."""
    made = build(inst, names(ctx, inst.id))
    ctx.memo[(LiveTable, inst.id, inst.revision)] = made
    return made


def names(ctx: Context, installation: UUID) -> dict[str, tuple[str, str]]:
    """Path -> (kind, name in SQL) of everything that an installation has stored."""
    s = models.storage
    rows = ctx.conn.execute(
        select(s.c.path, s.c.kind, s.c.name).where(s.c.installation_id == installation, s.c.retired_at.is_(None))
    )
    return {row.path: (row.kind, row.name) for row in rows}


def build(inst: Installed, known: Mapping[str, tuple[str, str]]) -> dict[str, LiveTable]:
    metadata = MetaData()
    family: dict[str, LiveTable] = {}
    for table in inst.app.tables:
        if table.id in known:
            family[table.id] = _live(inst, table, known, metadata, family)
    return family


def _live(
    inst: Installed, table: definition.Table, known: Mapping[str, tuple[str, str]], metadata: MetaData,
    family: Mapping[str, LiveTable],
) -> LiveTable:  # fmt: skip
    needs = list(wanted(inst.app.analysis, table))
    by_parent: dict[str, list[Column[Any]]] = {n.path: [] for n in needs if n.kind == "table"}
    for need in needs:
        parent, _, id = need.path.rpartition(".")
        if need.kind != "table" and need.path in known:
            kind, name = known[need.path]
            by_parent[parent].append(Column(name, sql_type(kind), key=id))
    sql = Table(known[table.id][1], metadata, *record_columns(), *by_parent[table.id])
    children = {
        rows.id: Table(known[path][1], metadata, *row_columns(), *by_parent[path])
        for rows in table.subforms
        if (path := f"{table.id}.{rows.id}") in known
    }
    return LiveTable(inst, table, sql, children, words_table(sql.name, metadata), family)


def record_columns() -> list[Column[Any]]:
    moment = DateTime(timezone=True)
    return [
        Column("id", Uuid, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("created_at", moment, nullable=False),
        Column("created_by", Uuid),
        Column("updated_at", moment, nullable=False),
        Column("updated_by", Uuid),
        Column("deleted_at", moment, key="_deleted_at"),
        Column("deleted_by", Uuid, key="_deleted_by"),
        Column("flow_state", Text, key="_flow_state"),
        Column("errors", JSONB, key="_errors"),
    ]


def words_table(records: str, metadata: MetaData) -> Table:
    """Where search finds the records of a table. Beside them, not in them: what a record weighs, every list and sum pays."""
    record: Column[Any] = Column("record_id", Uuid, primary_key=True)
    return Table(f"{records}_words", metadata, record, Column("bigrams", ARRAY(Integer), nullable=False))


def row_columns() -> list[Column[Any]]:
    return [
        Column("id", Uuid, primary_key=True, key="_id"),
        Column("record_id", Uuid, nullable=False, key="_record_id"),
        Column("position", Integer, nullable=False, key="_position"),
        Column("errors", JSONB, key="_errors"),
    ]
