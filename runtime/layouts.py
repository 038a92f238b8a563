"""Our own tables in an installation that an earlier version made: what is missing is added, nothing is taken away."""

import pkgutil
from importlib import import_module

from sqlalchemy import Connection, MetaData, Table, inspect, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn

import runtime
from runtime import definitions, known, models, words


def load_models() -> None:
    """Import every module that declares tables of ours."""
    for module in pkgutil.iter_modules(runtime.__path__):
        if module.name.startswith("models"):
            import_module(f"runtime.{module.name}")


def bring_up(conn: Connection) -> None:
    """Give `control` and every workspace of an older layout the tables, columns and indexes of today."""
    load_models()
    _complete(conn, models.control_metadata, "control")
    for function in (known.RENEW, definitions.HOLD):
        conn.exec_driver_sql(function.replace("%", "%%"))
    w = models.workspace
    for row in conn.execute(select(w.c.id, w.c.schema).where(w.c.layout < models.LAYOUT)).all():
        conn.exec_driver_sql(f'SET LOCAL search_path TO "{row.schema}"')
        _complete(conn, models.workspace_metadata, row.schema)
        known.watch(conn)
        words.move_out(conn)
        conn.execute(update(w).where(w.c.id == row.id).values(layout=models.LAYOUT))
    conn.exec_driver_sql("RESET search_path")


def _complete(conn: Connection, metadata: MetaData, schema: str) -> None:
    metadata.create_all(conn)
    inspector = inspect(conn)
    for table in metadata.sorted_tables:
        present = {column["name"]: column for column in inspector.get_columns(table.name, schema=schema)}
        for column in table.columns:
            if column.name in present and column.nullable and not present[column.name]["nullable"]:
                conn.exec_driver_sql(f'ALTER TABLE "{schema}"."{table.name}" ALTER "{column.name}" DROP NOT NULL')
            if column.name not in present:
                clause = CreateColumn(column).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
                conn.exec_driver_sql(f'ALTER TABLE "{schema}"."{table.name}" ADD COLUMN {clause}')
        _index(conn, table)


def _index(conn: Connection, table: Table) -> None:
    for index in table.indexes:
        index.create(conn, checkfirst=True)
