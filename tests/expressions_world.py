"""A small world for formulas: an expense claim with lines, a vendor and people, in Python and in SQL."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    FromClause,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    insert,
    literal,
    select,
)

from runtime.expressions import RowsSource, to_sql
from schemas.formula import Expression, Formula, Need, Reference, Type, World, check, evaluate
from schemas.formula.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    DEPARTMENT,
    FILE,
    MEMBER,
    MEMBER_FACTS,
    NUMBER,
    ROWS,
    TEXT,
    array_of,
    choice_of,
    link_to,
)
from schemas.messages import Message, say

ME = UUID(int=7)
FINANCE = UUID(int=70)
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
ME_FACTS: dict[tuple[str, ...], Any] = {
    (): ME,
    ("name",): "Ann",
    ("department",): FINANCE,
    ("roles",): ["books.cashier"],
    ("headed_departments",): [FINANCE, UUID(int=71)],
}
KINDS = choice_of(["trip", "buy", "Buy2"])
FIELDS: dict[str, Type] = {
    "a": NUMBER,
    "b": NUMBER,
    "s": TEXT,
    "t": TEXT,
    "d": DATE,
    "e": DATE,
    "m": DATETIME,
    "n": DATETIME,
    "p": BOOLEAN,
    "q": BOOLEAN,
    "kind": KINDS,
    "tags": array_of(KINDS),
    "owner": MEMBER,
    "department": DEPARTMENT,
    "vendor": link_to("vendor"),
    "proof": array_of(FILE),
    "items": ROWS,
}
COLUMNS: dict[str, Type] = {
    "what": TEXT,
    "quantity": NUMBER,
    "price": NUMBER,
    "done": BOOLEAN,
    "on": DATE,
    "vendor": link_to("vendor"),
}
VENDOR: dict[str, Type] = {"name": TEXT, "limit": NUMBER, "owner": MEMBER}
DEPTS: dict[str, Type] = {"name": TEXT, "head": MEMBER, "parent": DEPARTMENT}
SQL_TYPES = {
    "number": Numeric(60, 25),
    "text": Text(),
    "boolean": Boolean(),
    "date": Date(),
    "datetime": DateTime(timezone=True),
    "choice": Text(),
    "member": Uuid(),
    "department": Uuid(),
    "link": Uuid(),
}

metadata = MetaData()


def column_of(name: str, type: Type) -> Column[Any]:
    if type.kind == "array":
        return Column(name, ARRAY(Uuid() if type.of == FILE else Text()))
    return Column(name, SQL_TYPES[type.kind])


claim = Table(
    "claim",
    metadata,
    Column("id", Uuid, primary_key=True),
    *(column_of(n, t) for n, t in FIELDS.items() if t != ROWS),
)
line = Table(
    "line",
    metadata,
    Column("claim", Uuid),
    Column("position", Integer),
    *(column_of(n, t) for n, t in COLUMNS.items()),
)
vendor = Table("vendor", metadata, Column("id", Uuid, primary_key=True), *(column_of(n, t) for n, t in VENDOR.items()))
people = Table(
    "people", metadata, Column("id", Uuid, primary_key=True), Column("name", Text), Column("department", Uuid)
)


class ClaimScope:
    """The names of a claim."""

    def resolve(self, path: tuple[str, ...]) -> Reference | Message:
        kind, hops = FIELDS.get(path[0]), 0
        lifted = False
        for name in path[1:]:
            members: Mapping[str, Type] = {}
            if kind is not None:
                inner = kind.of if kind.kind == "array" and kind.of else kind
                lifted = lifted or kind.kind in ("array", "rows")
                members = {"rows": COLUMNS, "link": VENDOR, "member": MEMBER_FACTS, "department": DEPTS}.get(
                    inner.kind, {}
                )
                hops += inner.kind != "rows"
            kind = members.get(name)
        if kind is None:
            return say("there is no '{name}'", name=".".join(path))
        return Reference(path, array_of(kind) if lifted else kind, hops=hops)


@dataclass(frozen=True)
class Clock:
    """The world as bind parameters."""

    zone: str

    def now(self) -> Any:
        return literal(NOW, DateTime(timezone=True))

    def today(self) -> Any:
        return literal(NOW.astimezone(ZoneInfo(self.zone)).date(), Date())

    def failure(self, name: str) -> Any:
        return None

    def me(self, path: tuple[str, ...]) -> Any:
        value = ME_FACTS[path]
        if isinstance(value, list):
            return literal(value, ARRAY(Uuid() if isinstance(value[0], UUID) else Text()))
        return literal(value, Uuid() if isinstance(value, UUID) else Text())


@dataclass(frozen=True)
class TableSource(Clock):
    """The columns of a table."""

    table: FromClause

    def column(self, name: str) -> Any:
        return self.table.c[name]

    def rows(self, name: str) -> RowsSource:
        there = line.alias()
        return RowsSource(there, there.c.claim == self.table.c.id, TableSource(self.zone, there), there.c.position)

    def linked(self, name: str) -> RowsSource:
        there = (people if name in ("owner", "head") else vendor).alias()
        return RowsSource(there, there.c.id == self.table.c[name], TableSource(self.zone, there))


def checked(source: str, expected: Type | None = None) -> Expression:
    return check(Formula.of(source), ClaimScope(), expected)


def world(answers: Mapping[Need, Any] | None = None, zone: ZoneInfo = ZONE) -> World:
    facts = {Need("me", path): value for path, value in ME_FACTS.items()}
    return World(NOW, zone, ME, {**facts, **(answers or {})})


def in_python(
    expression: Expression,
    values: Mapping[str, Any],
    answers: Mapping[Need, Any] | None = None,
    zone: ZoneInfo = ZONE,
) -> Any:
    return evaluate(expression, values, world(answers, zone))


def source(zone: ZoneInfo = ZONE) -> TableSource:
    return TableSource(zone.key, claim)


@dataclass
class Bench:
    """A claim kept in the database, asked for formulas."""

    conn: Connection

    def keep(self, values: Mapping[str, Any]) -> None:
        self.conn.execute(line.delete())
        self.conn.execute(claim.delete())
        plain = {n: v for n, v in values.items() if n != "items"}
        self.conn.execute(insert(claim).values(id=UUID(int=1), **plain))
        for n, row in enumerate(values.get("items") or []):
            self.conn.execute(insert(line).values(claim=UUID(int=1), position=n, **row))

    def ask(self, expression: Expression, zone: ZoneInfo = ZONE) -> Any:
        return self.conn.scalar(select(to_sql(expression, source(zone))).select_from(claim))


@contextmanager
def bench(conn: Connection) -> Iterator[Bench]:
    metadata.create_all(conn)
    yield Bench(conn)
    conn.rollback()
