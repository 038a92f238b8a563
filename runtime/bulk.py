"""Writing many rows at once, by COPY: the database takes them several times faster than as statements.

A column is written whole, one after another: what is the same for all its values is looked up once, and the work on
each is done by functions of the interpreter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from struct import pack
from typing import Any

import psycopg
from sqlalchemy import ARRAY, Connection, Integer, String, Table, Text, Uuid, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from runtime.json_text import write_json

FEW = 5
"""Up to so many rows an ordinary statement is as quick, and cached."""
AT_ONCE = 100
"""Rows that go to the server in one piece: it takes them in while the next are made ready."""
NULL = "\\N"
BETWEEN = "\x00"
"""No text of PostgreSQL holds it."""
ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))

Row = Mapping[str, Any]
Kind = TypeEngine[Any]
Write = Callable[[Sequence[Any]], Sequence[Any]]
"""The values of a column in one of the formats of COPY."""


def insert_rows(conn: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert rows given by the keys of the table's columns, all with the same keys. Raises DBAPIError as a statement does.

    Rows that are made one by one as they are asked for must not ask the database themselves.
    """
    coming = iter(rows)
    first = list(islice(coming, FEW + 1))
    if len(first) <= FEW:
        if first:
            conn.execute(insert(table), first)
        return
    keys = list(first[0])
    kinds = [table.c[key].type for key in keys]
    binary = all(map(_packing, kinds))
    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(_statement(conn, table, keys, binary)) as copy:
            for piece in (_tuples if binary else _lines)(chain(first, coming), keys, kinds):
                copy.write(piece)
    except psycopg.Error as err:
        raise DBAPIError.instance("COPY", None, err, psycopg.Error, dialect=conn.dialect) from err


def _statement(conn: Connection, table: Table, keys: Sequence[str], binary: bool) -> str:
    named = conn.dialect.identifier_preparer
    columns = ", ".join(named.format_column(table.c[key]) for key in keys)
    return f"COPY {named.format_table(table)} ({columns}) FROM STDIN" + (" (FORMAT binary)" if binary else "")


def _columns(rows: Iterator[Row], keys: Sequence[str], writes: Sequence[Write]) -> Iterator[list[Sequence[Any]]]:
    """So many rows at once, by column, as they are written."""
    while some := list(islice(rows, AT_ONCE)):
        yield [_column([row[key] for row in some], write) for key, write in zip(keys, writes, strict=True)]


def _column(values: Sequence[Any], write: Write) -> Sequence[Any]:
    """Who wrote and when is the same in all of them."""
    first = values[0]
    return [*write(values[:1])] * len(values) if all(v is first for v in values) else write(values)


# -- as text ---------------------------------------------------------------------------------------


def _lines(rows: Iterator[Row], keys: Sequence[str], kinds: Sequence[Kind]) -> Iterator[str]:
    """Rows in the text format of COPY (PostgreSQL's manual, "COPY", "Text Format")."""
    for columns in _columns(rows, keys, list(map(_writing, kinds))):
        yield "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"


def _writing(kind: Kind) -> Write:
    if isinstance(kind, JSONB):
        return _json
    if isinstance(kind, Uuid):
        return _ids
    if isinstance(kind, String):
        return _texts
    if isinstance(kind, ARRAY):
        return _arrays_of_texts if isinstance(kind.item_type, Text) else _arrays
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


def _arrays(values: Sequence[Any]) -> Sequence[str]:
    return [NULL if v is None else "{" + ",".join(map(str, v)) + "}" for v in values]


# -- in binary -------------------------------------------------------------------------------------
# Numbers by the hundred in every row, as the search has them: read and written several times faster than as text.

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = pack(">h", -1)
INT4 = 23
"""The type's number in the catalogue of PostgreSQL, the same everywhere (src/include/catalog/pg_type.dat)."""


def _packing(kind: Kind) -> Write | None:
    if isinstance(kind, Uuid):
        return _packed_ids
    return _packed_integers if isinstance(kind, ARRAY) and isinstance(kind.item_type, Integer) else None


def _tuples(rows: Iterator[Row], keys: Sequence[str], kinds: Sequence[Kind]) -> Iterator[bytes]:
    """Rows in the binary format of COPY (PostgreSQL's manual, "COPY", "Binary Format")."""
    begin = pack(">h", len(keys))
    yield HEADER
    for columns in _columns(rows, keys, [write for kind in kinds if (write := _packing(kind))]):
        yield begin + begin.join(map(b"".join, zip(*columns, strict=True)))
    yield TRAILER


def _packed_ids(values: Sequence[Any]) -> Sequence[bytes]:
    return [pack(">i16s", 16, v.bytes) for v in values]


def _packed_integers(values: Sequence[Any]) -> Sequence[bytes]:
    """Each its length; one dimension, no nulls, the type, how many from 1 on; and before each number that it has four bytes."""
    made = []
    for numbers in values:
        count = len(numbers)
        body = [4] * (2 * count)
        body[1::2] = numbers
        made.append(pack(f">6i{2 * count}i", 20 + 8 * count, 1, 0, INT4, count, 1, *body))
    return made
