"""A record of an expense claim for tests of formulas: its names and values."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.formula import Expression, Formula, Need, Reference, Type, World, check, evaluate
from schemas.formula.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    FILE,
    MEMBER,
    NUMBER,
    ROWS,
    TEXT,
    array_of,
    choice_of,
    link_to,
)
from schemas.messages import Message, say

KIND = choice_of(["trip", "buy"])
NAMES: dict[str, tuple[Type, int]] = {
    "total": (NUMBER, 0),
    "spent": (NUMBER, 0),
    "title": (TEXT, 0),
    "note": (TEXT, 0),
    "kind": (KIND, 0),
    "due": (DATE, 0),
    "paid_at": (DATETIME, 0),
    "paid": (BOOLEAN, 0),
    "owner": (MEMBER, 0),
    "owner.name": (TEXT, 1),
    "tags": (array_of(KIND), 0),
    "proof": (array_of(FILE), 0),
    "items": (ROWS, 0),
    "items.price": (array_of(NUMBER), 0),
    "items.count": (array_of(NUMBER), 0),
    "items.kind": (array_of(KIND), 0),
    "items.book": (array_of(link_to("book")), 0),
    "items.book.price": (array_of(NUMBER), 1),
    "parts": (ROWS, 0),
    "parts.price": (array_of(NUMBER), 0),
    "book": (link_to("book"), 0),
    "book.price": (NUMBER, 1),
    "book.due": (DATE, 1),
}
VALUES: dict[str, Any] = {
    "total": Decimal("120.50"),
    "spent": None,
    "title": "Taxi to the airport",
    "note": None,
    "kind": "trip",
    "due": date(2026, 1, 31),
    "paid_at": datetime(2026, 1, 31, 17, 30, tzinfo=UTC),
    "paid": None,
    "owner": UUID(int=7),
    "tags": ["trip", "buy"],
    "proof": None,
    "book": UUID(int=9),
    "items": [
        {"price": Decimal(5), "count": Decimal(2), "kind": "trip", "book": UUID(int=9)},
        {"price": Decimal(7), "count": None, "kind": "buy", "book": None},
        {"price": None, "count": Decimal(3), "kind": None, "book": UUID(int=9)},
    ],
    "parts": [],
}
ANSWERS: dict[Need, Any] = {
    Need("path", ("owner", "name")): "Ann",
    Need("path", ("items", "book", "price")): [Decimal(6), None, Decimal(1)],
    Need("path", ("book", "price")): Decimal(30),
    Need("me", ("department",)): UUID(int=70),
    Need("me", ("headed_departments",)): [UUID(int=70)],
}
WORLD = World(datetime(2026, 2, 28, 16, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai"), UUID(int=7), ANSWERS)


class ClaimScope:
    """The names of a claim."""

    def resolve(self, path: tuple[str, ...]) -> Reference | Message:
        found = NAMES.get(".".join(path))
        if found is None:
            return say("there is no field '{name}'", name=".".join(path))
        return Reference(path, found[0], hops=found[1])


def checked(source: str, expected: Type | None = None) -> Expression:
    return check(Formula.of(source), ClaimScope(), expected)


def value_of(source: str, values: Mapping[str, Any] | None = None, world: World = WORLD) -> Any:
    return evaluate(checked(source), {**VALUES, **(values or {})}, world)
