"""Writing many rows at once, by COPY: the database takes them several times faster than as statements.

A column is written whole, one after another: what is the same for all its values is looked up once, and the work on
each is done by functions of the interpreter.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import ARRAY, Connection, Integer, String, Table, Text, Uuid, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from runtime.json_text import write_json

FEW = 5
"""Up to so many rows an ordinary statement is as quick, and cached."""
AT_ONCE = 500
"""Rows that go to the server in one piece."""
NULL = "\\N"
BETWEEN = "\x00"
"""No text of PostgreSQL holds it."""
ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))

Write = Callable[[Sequence[Any]], Sequence[str]]
"""The values of a column in the text format of COPY."""


def insert_rows(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows given by the keys of the table's columns, all with the same keys. Raises DBAPIError as a statement does."""
    if len(rows) <= FEW:
        if rows:
            conn.execute(insert(table), rows)
        return
    keys = list(rows[0])
    writes = [_writing(table.c[key].type) for key in keys]
    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(_statement(conn, table, keys)) as copy:
            for n in range(0, len(rows), AT_ONCE):
                copy.write(_lines(rows[n : n + AT_ONCE], keys, writes))
    except psycopg.Error as err:
        raise DBAPIError.instance("COPY", None, err, psycopg.Error, dialect=conn.dialect) from err


def _statement(conn: Connection, table: Table, keys: Sequence[str]) -> str:
    named = conn.dialect.identifier_preparer
    columns = ", ".join(named.format_column(table.c[key]) for key in keys)
    return f"COPY {named.format_table(table)} ({columns}) FROM STDIN"


def _lines(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], writes: Sequence[Write]) -> str:
    """Rows in the text format of COPY (PostgreSQL's manual, "COPY", "Text Format")."""
    columns = [write([row[key] for row in rows]) for key, write in zip(keys, writes, strict=True)]
    return "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"


def _writing(kind: TypeEngine[Any]) -> Write:
    if isinstance(kind, JSONB):
        return _json
    if isinstance(kind, Uuid):
        return _ids
    if isinstance(kind, String):
        return _texts
    if isinstance(kind, ARRAY):
        return {Text: _arrays_of_texts, Integer: _arrays_of_integers}.get(type(kind.item_type), _arrays)
    return _plain


def _plain(values: Sequence[Any]) -> Sequence[str]:
    """Numbers, dates, times and switches: PostgreSQL reads what Python writes."""
    return [NULL if v is None else str(v) for v in values]


def _ids(values: Sequence[Any]) -> Sequence[str]:
    return [NULL if v is None else v.hex for v in values]


def _texts(values: Sequence[Any]) -> Sequence[str]:
    """Texts, each with what would end it escaped; done to all of them in one piece. Raises psycopg.DataError for a NUL."""
    whole = BETWEEN.join(["" if v is None else str(v) for v in values])
    for sign, written in ESCAPES:
        whole = whole.replace(sign, written)
    texts = whole.split(BETWEEN)
    if len(texts) != len(values):
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return [NULL if v is None else text for v, text in zip(values, texts, strict=True)] if None in values else texts


def _json(values: Sequence[Any]) -> Sequence[str]:
    return _texts([None if v is None else write_json(v) for v in values])


def _arrays_of_texts(values: Sequence[Any]) -> Sequence[str]:
    return _texts([None if v is None else _array(v) for v in values])


def _array(texts: Sequence[str]) -> str:
    """An array of texts as PostgreSQL reads it: each in quotes, with quotes and backslashes escaped."""
    if not texts:
        return "{}"
    joined = BETWEEN.join(texts).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace(BETWEEN, '","') + '"}'


def _arrays_of_integers(values: Sequence[Any]) -> Sequence[str]:
    return [NULL if v is None else "{" + str(v)[1:-1] + "}" for v in values]


def _arrays(values: Sequence[Any]) -> Sequence[str]:
    return [NULL if v is None else "{" + ",".join(map(str, v)) + "}" for v in values]
