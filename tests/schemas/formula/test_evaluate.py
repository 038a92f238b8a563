"""The meaning of formulas: blanks, texts, numbers, dates, lists, errors."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from schemas.formula import ErrorValue, World
from tests.schemas.formula.world import ANSWERS, WORLD, value_of

DIV0, VALUE, NA, FUEL = (ErrorValue(c) for c in ("#DIV/0!", "#VALUE!", "#N/A", "#FUEL!"))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        # blanks
        ("spent + 1", Decimal(1)),
        ("note & 1", "1"),
        ('note = ""', True),
        ("spent = 0", False),
        ("spent < 5", False),
        ("spent >= 0", False),
        ("spent <> 0", True),
        ("NOT(paid)", True),
        ("paid = FALSE", True),
        ("AVERAGE(items.price)", Decimal(6)),
        ("COUNT(items.price)", Decimal(2)),
        ("MIN(spent, 3)", Decimal(3)),
        ("LEFT(title, 0)", None),
        ('LEFT(title, 0) = ""', True),
        ("spent", None),
        ("IF(paid, 1)", None),
        ("due - due", Decimal(0)),
        # texts
        ('title = "TAXI TO THE AIRPORT"', True),
        ('"Ä" = "ä"', False),
        ('EXACT(title, "taxi to the airport")', False),
        ('"a" < "B"', True),
        ('"10" & 5', "105"),
        ("title & 1.50", "Taxi to the airport1.5"),
        # numbers
        ("1 / 3", Decimal("0.33333333333333333333")),
        ("2 / 3", Decimal("0.66666666666666666667")),
        ("0.1 + 0.2 = 0.3", True),
        ("-2^2", Decimal(4)),
        ("50%", Decimal("0.5")),
        ("1 / 0", DIV0),
        ("1 / 0 + spent", DIV0),
        ("IFERROR(1 / 0, 7)", Decimal(7)),
        ("2 ^ 0.5 * 2 ^ 0.5 > 1.99", True),
        # dates
        ("due + 1", date(2026, 2, 1)),
        ('due > "2026-01-30"', True),
        ("DAYS(TODAY(), due)", Decimal(29)),
        ("YEAR(paid_at) * 100 + DAY(paid_at)", Decimal(202601)),
        ('DATEDIF(due, TODAY(), "m")', Decimal(1)),
        ("paid_at - due", Decimal("1.06250000000000000000")),
        ("MAX(due, paid_at)", datetime(2026, 1, 31, 17, 30, tzinfo=UTC)),
        ("IF(TRUE, due, paid_at)", datetime(2026, 1, 30, 16, 0, tzinfo=UTC)),
        # lists
        ("SUM(items.price * items.count)", Decimal(10)),
        ("OR(items.price < items.book.price)", True),
        ("COUNT(items)", Decimal(3)),
        ("COUNT(proof)", Decimal(0)),
        ("COUNT(tags)", Decimal(2)),
        ('"buy" IN tags', True),
        ('kind IN {"buy","trip"}', True),
        ('COUNTIF(items.kind, "trip")', Decimal(1)),
        ('SUMIF(items.kind, "buy", items.price)', Decimal(7)),
        ('COUNTIF(items.kind = "trip")', Decimal(1)),
        ('SUMIFS(items.price, items.price, ">4", items.count, "<3")', Decimal(5)),
        ('COUNTIF({"ab","b","ac"}, "a*")', Decimal(2)),
        ("SUM(parts.price)", Decimal(0)),
        ("AVERAGE(parts.price)", DIV0),
        ("MAX(parts.price)", None),
        ("items.price * 2", [Decimal(10), Decimal(14), Decimal(0)]),
        ("SUM(10 / items.count)", DIV0),
        ("SUM({1,2} * total)", Decimal("361.50")),
        ('JOIN(tags, "-")', "trip-buy"),
        ("INDEX(items.price, 2)", Decimal(7)),
        ("INDEX(items.price, -1)", None),
        # people
        ("owner = ME()", True),
        ("owner.name", "Ann"),
        ("ME().department IN ME().headed_departments", True),
        ("book.price - total", Decimal("-90.50")),
        # choices between values
        ('SWITCH(kind, "buy", 1, "trip", 2, 3)', Decimal(2)),
        ('IFS(total > 1000, "L", total > 100, "M", TRUE, "S")', "M"),
        ("IFS(total > 1000, 1)", NA),
        ('CHOOSE(2, "a", "b")', "b"),
    ],
)
def test_means(source: str, value: Any) -> None:
    found = value_of(source)
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)


def test_only_the_branch_taken_is_evaluated() -> None:
    assert value_of("IF(total > 0, 1, 1 / 0)") == 1
    assert value_of("IF(1 / 0 > 1, 1, 2)") == DIV0


def test_a_kept_error_spreads() -> None:
    assert value_of("total + 1", {"total": DIV0}) == DIV0
    assert value_of("IFERROR(total, 5)", {"total": DIV0}) == 5


def test_a_long_sum_is_evaluated_flat() -> None:
    assert value_of("+".join(["total"] * 2400)) == Decimal("120.50") * 2400
    assert value_of("&".join(["kind"] * 1000)) == "trip" * 1000


def test_fuel_ends_what_takes_too_long() -> None:
    rows = [{"price": Decimal(1), "count": Decimal(1)}] * 1000
    tank = World(WORLD.now, WORLD.zone, fuel=500)
    assert value_of("SUM(items.price * items.count)", {"items": rows}, tank) == FUEL
    assert value_of("SUM(items.price * items.count)", {"items": rows}) == 1000


def test_time_is_the_workspaces() -> None:
    assert value_of("TODAY()") == date(2026, 3, 1)
    assert value_of("NOW()") == datetime(2026, 2, 28, 16, 0, tzinfo=UTC)
    assert value_of("MONTH(paid_at)") == 2
    assert value_of("HOUR(paid_at)") == 1


def test_chance_follows_from_the_seed() -> None:
    one, other = (World(WORLD.now, WORLD.zone, seed=s) for s in ("a", "b"))
    assert value_of("RAND()", world=one) == value_of("RAND()", world=one) != value_of("RAND()", world=other)
    assert value_of("RAND() = RAND()") is False
    assert all(
        1 <= value_of("RANDBETWEEN(1, 6)", world=World(WORLD.now, WORLD.zone, seed=str(n))) <= 6 for n in range(50)
    )
    assert UUID(value_of("UUID()")).version == 4


def test_an_unanswered_need_is_blank() -> None:
    bare = World(WORLD.now, WORLD.zone)
    assert value_of("owner.name", world=bare) is None
    assert value_of("SUM(items.book.price)", world=bare) == 0
    assert ANSWERS
