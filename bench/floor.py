"""The same work written by hand: one typed table, the queries it needs and nothing else.

What it does: it reads the texts that were sent into typed values, refuses what is wrong, and writes or asks with
SQLAlchemy Core, one transaction a time, with the indexes that its queries want. What it does not do: rights (it
trusts whoever asks), history, search by an index (two characters of Chinese are found by no index that PostgreSQL
brings along), calculated fields, conflicts of two editors, flows, a definition that anybody could change.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    Row,
    Table,
    Text,
    Uuid,
    and_,
    create_engine,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY

from bench.data import MORNING, Values
from bench.definition import PRIORITIES, SOURCES, STAGES, TAGS
from runtime.ids import new_id

TEXTS = ("name", "code", "city", "phone", "email", "note")
CHOICES = {"stage": STAGES, "source": SOURCES, "priority": PRIORITIES}
PAGE = 50


class Floor:
    """The tables by hand in a schema of their own."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), query_cache_size=5_000)
        metadata = MetaData(schema="floor")
        self.person = Table("person", metadata, Column("id", Uuid, primary_key=True), Column("name", Text))
        self.department = Table("department", metadata, Column("id", Uuid, primary_key=True), Column("name", Text))
        self.buyer = Table("buyer", metadata, Column("id", Uuid, primary_key=True), Column("name", Text),
                              Column("booked", Numeric(38, 2), server_default="0"))  # fmt: skip
        self.parcel = parcel_table(metadata)
        self.booking = _booking_table(metadata)
        with self.engine.begin() as conn:
            conn.execute(text("CREATE SCHEMA floor"))
            metadata.create_all(conn)

    def close(self) -> None:
        self.engine.dispose()

    def fill(self, many: Iterable[Values]) -> None:
        names = ["id", "version", "created_at", "updated_at", *FIELDS]
        with self.engine.begin() as conn:
            cursor = conn.connection.cursor()
            with cursor.copy(f"COPY floor.parcel ({', '.join(names)}) FROM STDIN") as copy:
                for number, values in enumerate(many):
                    made = MORNING + timedelta(seconds=number)
                    copy.write_row([values["id"], 1, made, made, *(values[f] for f in FIELDS)])

    # -- writing -------------------------------------------------------------------------------

    def create(self, sent: Mapping[str, Any]) -> UUID:
        id = new_id()
        with self.engine.begin() as conn:
            conn.execute(insert(self.parcel).values(id=id, **read(sent)))
        return id

    def update(self, id: UUID, seen: int, sent: Mapping[str, Any]) -> bool:
        d = self.parcel
        change = update(d).where(d.c.id == id, d.c.version == seen)
        with self.engine.begin() as conn:
            values = {**read(sent), "version": d.c.version + 1, "updated_at": func.now()}
            return bool(conn.execute(change.values(values)).rowcount)

    # -- reading -------------------------------------------------------------------------------

    def read_one(self, id: UUID) -> Row[Any]:
        with self.engine.begin() as conn:
            return conn.execute(
                select(self.parcel).where(self.parcel.c.id == id, self.parcel.c.deleted_at.is_(None))
            ).one()

    def won(self, own: UUID | None = None) -> tuple[list[Row[Any]], int, Decimal]:
        """50 of those won, the largest first, with their number and sum; `own` leaves out what others have lost."""
        d = self.parcel
        chosen = and_(d.c.deleted_at.is_(None), d.c.stage == "won")
        if own is not None:
            chosen = and_(chosen, or_(d.c.owner == own, d.c.stage != "lost"))
        with self.engine.begin() as conn:
            rows = conn.execute(self._rows(chosen).order_by(d.c.amount.desc().nulls_last(), d.c.id.desc()).limit(PAGE))
            found = list(rows)
            total, amount = conn.execute(select(func.count(), func.sum(d.c.amount)).where(chosen)).one()
        return found, total, amount

    def _rows(self, chosen: Any) -> Any:
        d, c, p, u = self.parcel, self.buyer, self.person, self.department
        joined = (
            d.outerjoin(c, c.c.id == d.c.buyer).outerjoin(p, p.c.id == d.c.owner).outerjoin(u, u.c.id == d.c.department)
        )
        named = (c.c.name.label("buyer_name"), p.c.name.label("owner_name"), u.c.name.label("department_name"))
        return select(d, *named).select_from(joined).where(chosen)

    def deep_by_key(self, created_at: datetime, id: UUID) -> list[Row[Any]]:
        d = self.parcel
        beyond = tuple_(d.c.created_at, d.c.id) < tuple_(created_at, id)
        with self.engine.begin() as conn:
            asked = self._rows(and_(d.c.deleted_at.is_(None), beyond))
            return list(conn.execute(asked.order_by(d.c.created_at.desc(), d.c.id.desc()).limit(PAGE)))

    def deep_by_offset(self, skipped: int) -> list[Row[Any]]:
        d = self.parcel
        with self.engine.begin() as conn:
            asked = self._rows(d.c.deleted_at.is_(None)).order_by(d.c.created_at.desc(), d.c.id.desc())
            return list(conn.execute(asked.offset(skipped).limit(PAGE)))

    def search(self, word: str) -> tuple[list[Row[Any]], int]:
        d = self.parcel
        chosen = and_(d.c.deleted_at.is_(None), or_(*(d.c[f].ilike(f"%{word}%") for f in TEXTS)))
        with self.engine.begin() as conn:
            found = list(conn.execute(self._rows(chosen).order_by(d.c.created_at.desc(), d.c.id.desc()).limit(PAGE)))
            return found, conn.scalar(select(func.count()).select_from(d).where(chosen)) or 0

    def by_stage(self) -> dict[str, Decimal]:
        d = self.parcel
        with self.engine.begin() as conn:
            asked = select(d.c.stage, func.sum(d.c.amount)).where(d.c.deleted_at.is_(None)).group_by(d.c.stage)
            return dict(tuple(row) for row in conn.execute(asked))


def parcel_table(metadata: MetaData) -> Table:
    table = Table(
        "parcel", metadata, *_own_columns(),
        *(Column(f, Text) for f in TEXTS), *(Column(f, Text) for f in CHOICES), Column("tags", ARRAY(Text)),
        Column("amount", Numeric(38, 2)), Column("price", Numeric(38, 2)), Column("quantity", Numeric(38, 0)),
        Column("chance", Numeric(38, 2)), Column("owner", Uuid), Column("department", Uuid),
        Column("buyer", Uuid, ForeignKey("floor.buyer.id")), Column("due", Date),
        Column("contacted", DateTime(timezone=True)), Column("active", Boolean),
    )  # fmt: skip
    alive = table.c.deleted_at.is_(None)
    Index("parcel_created", table.c.created_at.desc(), table.c.id.desc(), postgresql_where=alive)
    Index("parcel_won", table.c.stage, table.c.amount.desc().nulls_last(), table.c.id.desc(), postgresql_where=alive)
    Index("parcel_buyer", table.c.buyer, postgresql_where=alive)
    return table


def _booking_table(metadata: MetaData) -> Table:
    return Table(
        "booking", metadata, *_own_columns(), Column("number", Text), Column("buyer", Uuid, ForeignKey("floor.buyer.id"), index=True),
        Column("quantity", Numeric(38, 0)), Column("price", Numeric(38, 2)), Column("rebate", Numeric(38, 2)), Column("day", Date),
        *(Column(f, Numeric(38, 2)) for f in ("goods", "off", "tax", "total")), Column("size", Text),
    )  # fmt: skip


def _own_columns() -> list[Column[Any]]:
    moment = DateTime(timezone=True)
    return [
        Column("id", Uuid, primary_key=True), Column("version", Integer, nullable=False, server_default="1"),
        Column("created_at", moment, server_default=func.now()), Column("updated_at", moment, server_default=func.now()),
        Column("deleted_at", moment),
    ]  # fmt: skip


# -- what was sent, as values ----------------------------------------------------------------------


class Wrong(ValueError):
    """What somebody sent makes no sense."""


def _text(sent: str) -> str | None:
    if "\x00" in sent or len(sent) > 1_000:
        raise Wrong("text")
    return sent.strip() or None


def _number(places: int) -> Any:
    unit = Decimal(1).scaleb(-places)

    def read_number(sent: str) -> Decimal | None:
        if not sent.strip():
            return None
        try:
            return Decimal(sent.replace(",", "")).quantize(unit)
        except InvalidOperation:
            raise Wrong("number") from None

    return read_number


def _one_of(known: tuple[str, ...]) -> Any:
    def read_choice(sent: str) -> str | None:
        if sent and sent not in known:
            raise Wrong("choice")
        return sent or None

    return read_choice


def _tags(sent: Any) -> list[str] | None:
    found = [sent] if isinstance(sent, str) else list(sent)
    if any(t not in TAGS for t in found if t):
        raise Wrong("choice")
    return [t for t in found if t] or None


def _matching(pattern: str) -> Any:
    compiled = re.compile(pattern)

    def read_matching(sent: str) -> str | None:
        value = _text(sent)
        if value is not None and not compiled.fullmatch(value):
            raise Wrong("format")
        return value

    return read_matching


FIELDS: dict[str, Any] = {
    "name": _text, "code": _text, "city": _text, "phone": _matching(r"\+?[0-9][0-9 ()-]{4,19}"),
    "email": _matching(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}"), "note": _text,
    "amount": _number(2), "price": _number(2), "quantity": _number(0), "chance": lambda t: (n := _number(0)(t)) and n / 100,
    **{f: _one_of(known) for f, known in CHOICES.items()}, "tags": _tags,
    "owner": lambda t: UUID(t) if t else None, "department": lambda t: UUID(t) if t else None,
    "buyer": lambda t: UUID(t) if t else None, "due": lambda t: date.fromisoformat(t) if t else None,
    "contacted": lambda t: datetime.fromisoformat(t) if t else None, "active": lambda t: t in ("true", "on", "1"),
}  # fmt: skip


def read(sent: Mapping[str, Any]) -> Values:
    """The values that were sent, checked. Raises Wrong."""
    values = {id: FIELDS[id](given) for id, given in sent.items()}
    if "name" in values and not values["name"]:
        raise Wrong("name")
    if (amount := values.get("amount")) is not None and amount < 0:
        raise Wrong("amount")
    return values
