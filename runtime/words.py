"""What search finds records by, in a table of its own beside each table of records."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, MetaData, inspect, select, text
from sqlalchemy.schema import CreateTable

from runtime import models
from runtime.bigrams import bigrams
from runtime.bulk import insert_rows
from runtime.tables import words_table

BATCH = 5_000


def make(conn: Connection, records: str) -> None:
    """The table by which search finds the records of another, and its index."""
    made = words_table(records, MetaData())
    conn.execute(CreateTable(made))
    conn.exec_driver_sql(f"CREATE INDEX {made.name}_search ON {made.name} USING gin (bigrams)")


def move_out(conn: Connection) -> None:
    """Up to layout 3, records held their pairs of characters themselves, as texts."""
    s = models.storage
    names = conn.scalars(select(s.c.name).where(s.c.kind == "table", s.c.path.not_like("%.%"))).all()
    inspector = inspect(conn)
    for name in names:
        if "bigrams" in {column["name"] for column in inspector.get_columns(name)}:
            make(conn, name)
            _copy(conn, name)
            conn.exec_driver_sql(f"ALTER TABLE {name} DROP COLUMN bigrams")


def _copy(conn: Connection, records: str) -> None:
    words = words_table(records, MetaData())
    after = UUID(int=0)
    some = text(f"SELECT id, bigrams FROM {records} WHERE id > :after ORDER BY id LIMIT {BATCH}")
    while rows := conn.execute(some, {"after": after}).all():
        insert_rows(conn, words, [{"record_id": id, "bigrams": _numbers(pairs or ())} for id, pairs in rows])
        after = rows[-1].id


def _numbers(pairs: Iterable[str]) -> list[int]:
    return list(set().union(*map(bigrams, pairs)))
