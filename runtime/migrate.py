"""Makes storage follow a definition: only ever adds; nothing is dropped and no person waits long."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Engine, Table, func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateColumn, CreateTable, MetaData

from runtime import conversion, definitions, models, words
from runtime.actors import System
from runtime.context import Context
from runtime.definitions import Installed
from runtime.tables import (
    COLLATION,
    LiveTable,
    Wanted,
    column_kind,
    names,
    rebuild,
    record_columns,
    row_columns,
    sql_type,
    wanted,
)
from schemas.app import App
from schemas.dependencies import Circle
from schemas.errors import DefinitionError, Problem
from schemas.fields import Field, Storage
from schemas.fields.formula import Computed
from schemas.fields.link import Link
from schemas.fields.links import Links
from schemas.fields.rows import Rows
from schemas.formula import FormulaError
from schemas.messages import say

IN_TRANSACTION = 20_000
"""Existing records up to this many are recomputed before the revision flips; more are left to a job."""


@dataclass
class Changes:
    """What an expansion did: new tables and columns, by path, and columns whose kind changed."""

    tables: set[str] = dataclasses.field(default_factory=set)
    columns: set[str] = dataclasses.field(default_factory=set)
    rescaled: dict[str, str] = dataclasses.field(default_factory=dict)


def expand(
    ctx: Context, inst: Installed, before: Installed | None, columns: Mapping[str, str] | None = None
) -> Changes:
    """Add the tables, columns and indexes that this revision needs. Raises DefinitionError.

    `columns` holds those that were filled beforehand for fields that change their type, by path.
    """
    changes = Changes()
    if before is not None:
        changes.columns |= _change_types(ctx, inst, before, columns or {})
    known = names(ctx, inst.id)
    for table in inst.app.tables:
        for need in wanted(inst.app.analysis, table):
            _provide(ctx, inst, need, known, changes)
    for live in rebuild(ctx, inst).values():
        _constrain(ctx, live)
        _index(ctx, live, new=live.id in changes.tables)
    if before is not None:
        changes.columns |= _reworked(before.app, inst.app)
    return changes


def _reworked(before: App, after: App) -> set[str]:
    """The stored fields that are worked out otherwise than before, by path; all, where what was cannot be told any more."""
    try:
        known = dict(_recipes(before))
    except (FormulaError, Circle):
        return {path for path, _ in _recipes(after)}
    return {path for path, recipe in _recipes(after) if path in known and known[path] != recipe}


def _recipes(app: App) -> Iterator[tuple[str, Any]]:
    """How each stored field is worked out: what it says itself, and what it reads where."""
    dependencies = app.analysis.dependencies
    for table in app.tables:
        for path, field, rows in dependencies.stored(table):
            inputs = sorted(dependencies.inputs(table, field, rows), key=repr)
            yield f"{table.id}.{path}", (field.recipe, inputs)
        for group, rows in table.groups:
            yield f"{table.id}.{rows.id}.{group.id}" if rows else f"{table.id}.{group.id}", group.recipe


def _provide(ctx: Context, inst: Installed, need: Wanted, known: dict[str, tuple[str, str]], changes: Changes) -> None:
    present = known.get(need.path)
    if present and present[0] == need.kind:
        return
    if need.kind == "table":
        known[need.path] = ("table", _create_table(ctx, inst, need))
        changes.tables.add(need.path)
        return
    if present:
        _retire(ctx, inst, need.path)
    parent = need.path.rpartition(".")[0]
    name = add_column(ctx, inst, need.path, need.kind, known[parent][1])
    if present:
        _carry_over(ctx, inst, need, known[parent][1], present, name)
    known[need.path] = (need.kind, name)
    changes.columns.add(need.path)


def _change_types(ctx: Context, inst: Installed, before: Installed, columns: Mapping[str, str]) -> set[str]:
    """Give each field of another type a column of its own, filled from the old one, which is kept."""
    changes = conversion.checked(before.app, inst.app)
    package = definitions.package(ctx, before.id, before.revision) if changes else {}
    targets = dict(columns)
    for batch in conversion.batches(ctx, before, changes, targets):
        for change in batch.changes:
            path, kind = f"{change.table}.{change.path}", column_kind(change.new.storage, change.new.scale)
            _retire(ctx, inst, path, kept_definition(package, change.table, change.path))
            if path in columns:
                _take_over(ctx, inst, path, columns[path])
            else:
                targets[path] = add_column(ctx, inst, path, kind, batch.source.name)
        if not columns:
            conversion.convert_all(ctx, batch)
    return set(targets)


def kept_definition(package: Mapping[str, Any], table: str, path: str) -> dict[str, Any] | None:
    """What a package says of a field, or of a column of a subform."""
    found: Any = next((t for t in package["tables"] if t["id"] == table), None)
    for id in path.split("."):
        found = next((f for f in (found or {}).get("fields", ()) if f["id"] == id), None)
    return dict(found) if found else None


def _take_over(ctx: Context, inst: Installed, path: str, name: str) -> None:
    s = models.storage
    ctx.conn.execute(update(s).where(s.c.installation_id == inst.id, s.c.name == name).values(path=path))


def _carry_over(ctx: Context, inst: Installed, need: Wanted, table: str, present: tuple[str, str], name: str) -> None:
    """Numbers move to their new number of decimals; a computed field is computed anew; a field made anew is blank."""
    kind, old = present
    found = _field(inst, need.path)
    if not isinstance(found, Computed) and kind.startswith("numeric") and need.kind.startswith("numeric"):
        scale = int(need.kind.partition(":")[2])
        ctx.conn.exec_driver_sql(f"UPDATE {table} SET {name} = round({old}, {scale})")


def _field(inst: Installed, path: str) -> Field | None:
    table, _, rest = path.partition(".")
    found = inst.app.table(table)
    return found.field(rest) if found else None


def _create_table(ctx: Context, inst: Installed, need: Wanted) -> str:
    name = _register(ctx, inst, need.path, "table", "t")
    child = "." in need.path
    made = Table(name, MetaData(), *(row_columns() if child else record_columns()))
    ctx.conn.execute(CreateTable(made))
    if child:
        ctx.conn.exec_driver_sql(f"CREATE INDEX {name}_record ON {name} (record_id, position)")
    else:
        ctx.conn.exec_driver_sql(
            f"CREATE INDEX {name}_created ON {name} (created_at DESC, id DESC) WHERE deleted_at IS NULL"
        )
        words.make(ctx.conn, name)
    return name


def _retire(ctx: Context, inst: Installed, path: str, definition: Mapping[str, Any] | None = None) -> None:
    """Let a path no longer name its column, which is kept with the field that it belonged to."""
    s = models.storage
    ctx.conn.execute(
        update(s)
        .where(s.c.installation_id == inst.id, s.c.path == path, s.c.retired_at.is_(None))
        .values(retired_at=ctx.now, definition=definition)
    )


def _register(ctx: Context, inst: Installed, path: str, kind: str, letter: str) -> str:
    """A fresh name in SQL for a path."""
    s = models.storage
    number = ctx.conn.scalar(
        insert(s).values(installation_id=inst.id, path=path, kind=kind, name="").returning(s.c.number)
    )
    name = f"{letter}_{number}"
    ctx.conn.execute(update(s).where(s.c.number == number).values(name=name))
    return name


def add_column(ctx: Context, inst: Installed, path: str, kind: str, table: str) -> str:
    """A column for a path in a table; gives its name."""
    name = _register(ctx, inst, path, kind, "f")
    column: Column[object] = Column(name, sql_type(kind))
    Table(table, MetaData(), column)
    clause = CreateColumn(column).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    ctx.conn.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {clause}")
    return name


# -- constraints and indexes -----------------------------------------------------------------------


def unique_name(column: str) -> str:
    return f"{column}_unique"


def _constrain(ctx: Context, live: LiveTable) -> None:
    """Unique fields and keys hold over live records; blanks are exempt; case is folded as formulas compare."""
    t = live.sql.name
    wanted_unique = {unique_name(live.sql.c[f.id].name): [f] for f in live.table.fields if f.unique}
    for key in live.table.keys:
        fields = [live.table.by_id[id] for id in key.fields]
        wanted_unique[unique_name("_".join([t, *(live.sql.c[f.id].name for f in fields)]))] = fields
    present = set(
        ctx.conn.scalars(
            text("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :t"), {"t": t}
        )
    )
    for name in sorted(n for n in present if n.endswith("_unique") and n not in wanted_unique):
        ctx.conn.exec_driver_sql(f"DROP INDEX {name}")
    for name in sorted(set(wanted_unique) - present):
        _make_unique(ctx, live, name, wanted_unique[name])


def _make_unique(ctx: Context, live: LiveTable, name: str, fields: list[Field]) -> None:
    keys = [folded(live, f) for f in fields]
    filled = " AND ".join(f"{live.sql.c[f.id].name} IS NOT NULL" for f in fields)
    try:
        with ctx.conn.begin_nested():
            ctx.conn.exec_driver_sql(
                f"CREATE UNIQUE INDEX {name} ON {live.sql.name} ({', '.join(keys)}) WHERE deleted_at IS NULL AND {filled}"
            )
    except IntegrityError:
        message = say("existing records hold the same value twice; change them before making this unique")
        raise DefinitionError([Problem(f"{live.id}.{'+'.join(f.id for f in fields)}", message)]) from None


def folded(live: LiveTable, field: Field) -> str:
    column = live.sql.c[field.id].name
    return f'lower({column} COLLATE "C")' if live.analysis.storage_of(live.table, field) is Storage.TEXT else column


def _index(ctx: Context, live: LiveTable, new: bool) -> None:
    """What views, links and marked fields ask for: made at once on a new table, by a job on one in use."""
    w = models.wanted_index
    present = set(ctx.conn.scalars(select(w.c.name).where(w.c.installation_id == live.inst.id)))
    for name, statement in wanted_indexes(live):
        if name in present:
            continue
        if new:
            ctx.conn.exec_driver_sql(statement.replace(" CONCURRENTLY", ""))
        ctx.conn.execute(
            insert(w).values(
                installation_id=live.inst.id, name=name, statement=statement, state="ready" if new else "waiting"
            )
        )
        if not new:
            ctx.memo.setdefault("after publish", set()).add("build_indexes")


def wanted_indexes(live: LiveTable) -> Iterator[tuple[str, str]]:
    """(name, statement) for each index that the published definition can use."""
    t = live.sql.name
    for field in live.table.fields:
        if field.id not in live.sql.c:
            continue
        column = live.sql.c[field.id].name
        storage = live.analysis.storage_of(live.table, field)
        if isinstance(field, Links):
            yield _links_index(t, column)
        elif storage in (Storage.TEXTS, Storage.UUIDS):
            if field.index or _filtered(live, field):
                yield f"{column}_in", f"CREATE INDEX CONCURRENTLY {column}_in ON {t} USING gin ({column})"
        elif field.index or field.type in ("link", "group") or _filtered(live, field):
            yield f"{column}_is", f"CREATE INDEX CONCURRENTLY {column}_is ON {t} ({column}) WHERE deleted_at IS NULL"
    for rows in live.table.subforms:
        yield from _row_indexes(live.children[rows.id], rows)
    for sort in sorted({view.sort[0] for view in live.inst.app.views_of(live.id) if view.sort}):
        yield from _sort_index(live, sort)


def _links_index(table: str, column: str) -> tuple[str, str]:
    """The other side of several links. Without a waiting list, which every look would have to go through."""
    options = f"USING gin ({column}) WITH (fastupdate = off)"
    return f"{column}_in", f"CREATE INDEX CONCURRENTLY {column}_in ON {table} {options}"


def _row_indexes(child: Table, rows: Rows) -> Iterator[tuple[str, str]]:
    """The other side of the links in a subform's rows."""
    for column in rows.fields:
        if isinstance(column, Links):
            yield _links_index(child.name, child.c[column.id].name)
        elif isinstance(column, Link):
            name = child.c[column.id].name
            yield f"{name}_is", f"CREATE INDEX CONCURRENTLY {name}_is ON {child.name} ({name})"


def _filtered(live: LiveTable, field: Field) -> bool:
    """Whether a view or a grant of the app compares this field, so that an equality index is worth keeping."""
    kind = live.analysis.type_of(live.table, field)
    kinds = ("choice", "member", "department")
    return (kind.of or kind).kind in kinds and not field.computed and (live.id, field.id) in _asked(live.inst.app)


def _asked(app: App) -> set[tuple[str, str]]:
    """(table, field) of what views and grants ask of records, behind links too."""
    formulas = [(v.table, v.filter) for v in app.all_views.values()] + [(g.table, g.rows) for g in app.access]
    paths = ((table, path) for table, f in formulas if table and f is not None for path in names_in(f))
    return {found for table, path in paths if (found := _end(app, table, path)) is not None}


def _end(app: App, table: str, path: Sequence[str]) -> tuple[str, str] | None:
    """The table and field to which a path leads through links."""
    for step in path[:-1]:
        found = app.table(table)
        link = found.by_id.get(step) if found else None
        if not isinstance(link, Link):
            return None
        table = link.table
    return table, path[-1]


def names_in(formula: object) -> set[tuple[str, ...]]:
    from schemas.formula import names as names_of

    return set(names_of(formula.tree))  # type: ignore[attr-defined]


def _sort_index(live: LiveTable, sort: str) -> Iterator[tuple[str, str]]:
    id, down = sort.removeprefix("-"), sort.startswith("-")
    if id not in live.sql.c or id in ("created_at", "id"):
        return
    column = live.sql.c[id]
    key = (
        f'lower({column.name} COLLATE "{COLLATION}")'
        if isinstance(column.type, type(sql_type("text")))
        else column.name
    )
    direction = "DESC NULLS LAST" if down else "ASC NULLS LAST"
    name = f"{live.sql.name}_{column.name}_{'down' if down else 'up'}"
    tie = "DESC" if down else "ASC"
    yield (
        name,
        (f"CREATE INDEX CONCURRENTLY {name} ON {live.sql.name} ({key} {direction}, id {tie}) WHERE deleted_at IS NULL"),
    )


def build_indexes(engine: Engine, schema: str) -> None:
    """Build what waits in a workspace, beside people's work.

    No transaction of ours is open meanwhile: an index cannot be built inside one, and it waits for all that are.
    """
    w = models.wanted_index
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql(f'SET search_path TO "{schema}"')
        for row in conn.execute(select(w).where(w.c.state == "waiting")).all():
            conn.exec_driver_sql(f"DROP INDEX IF EXISTS {row.name}")
            conn.exec_driver_sql(row.statement)
            conn.execute(
                update(w).where(w.c.installation_id == row.installation_id, w.c.name == row.name).values(state="ready")
            )
        conn.exec_driver_sql("RESET search_path")


# -- backfill --------------------------------------------------------------------------------------


def backfill(ctx: Context, inst: Installed, changes: Changes) -> None:
    """Compute new or changed computed fields for the records that are there."""
    from runtime import recalculate

    for live in rebuild(ctx, inst).values():
        if live.id in changes.tables or not ctx.conn.scalar(
            select(func.count()).select_from(select(1).select_from(live.sql).limit(1).subquery())
        ):
            continue
        fields = recalculate.outdated(live, changes.columns)
        if fields:
            recalculate.everything(ctx, live, fields, limit=IN_TRANSACTION)
    if "build_indexes" in ctx.memo.get("after publish", ()):
        from runtime.jobs import enqueue

        enqueue(ctx.acting_as(System()), "build_indexes", {}, key="build_indexes")
