"""Formulas as SQL, on a real PostgreSQL."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql

from runtime.expressions import NoSqlForm, to_sql
from schemas.formula import ErrorValue, Need
from schemas.formula.types import BOOLEAN
from tests.expressions_world import ME, bench, checked, claim, in_python, people, vendor
from tests.expressions_world import source as claim_source

VALUES = {
    "a": Decimal("12.5"),
    "b": Decimal(0),
    "s": "Taxi to the airport",
    "t": None,
    "d": date(2026, 1, 31),
    "e": None,
    "m": datetime(2026, 3, 1, 16, 30, tzinfo=UTC),
    "n": None,
    "p": True,
    "q": None,
    "kind": "trip",
    "tags": ["trip", "buy"],
    "owner": ME,
    "department": UUID(int=71),
    "vendor": UUID(int=5),
    "proof": None,
    "items": [
        {
            "what": "Pen",
            "quantity": Decimal(3),
            "price": Decimal("1.25"),
            "done": True,
            "on": date(2026, 1, 2),
            "vendor": UUID(int=5),
        },
        {"what": "Ink", "quantity": None, "price": Decimal(7), "done": None, "on": None, "vendor": None},
        {
            "what": None,
            "quantity": Decimal(2),
            "price": None,
            "done": False,
            "on": date(2025, 12, 31),
            "vendor": UUID(int=5),
        },
    ],
}
ANSWERS = {
    Need("path", ("vendor", "name")): "Acme",
    Need("path", ("vendor", "limit")): Decimal(2),
    Need("path", ("vendor", "owner", "name")): "Ann",
    Need("path", ("owner", "name")): "Ann",
    Need("path", ("items", "vendor", "limit")): [Decimal(2), None, Decimal(2)],
}


@pytest.fixture
def claims(engine):
    with engine.connect() as conn, bench(conn) as made:
        made.conn.execute(insert(vendor).values(id=UUID(int=5), name="Acme", limit=2, owner=ME))
        made.conn.execute(insert(people).values(id=ME, name="Ann"))
        made.keep(VALUES)
        yield made


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a * 2 + b - 1", Decimal(24)),
        ("a / b", None),
        ("a / 3", Decimal("4.16666666666666666667")),
        ("-a + 5%", Decimal("-12.45")),
        ("b / 3 / 0 > 1", False),
        ("NOT(a / b > 1)", False),
        ('s = "taxi TO the airport"', True),
        ('t = ""', True),
        ('t & "x" & a', "x12.5"),
        ('kind = "trip"', True),
        ('kind <> "buy"', True),
        ('kind IN {"trip","buy"}', True),
        ('"buy" IN tags', True),
        ('CONTAINS(tags, "Buy2")', False),
        ('CONTAINS(s, "AIR")', True),
        ('CONTAINS(s, "%")', False),
        ("COUNT(tags)", Decimal(2)),
        ("COUNT(proof) = 0", True),
        ("ISBLANK(proof)", True),
        ("COUNT(items)", Decimal(3)),
        ("COUNT(items.price)", Decimal(2)),
        ("SUM(items.quantity * items.price)", Decimal("3.75")),
        ("SUM(items.quantity * items.price, a, 1)", Decimal("17.25")),
        ("MAX(items.price)", Decimal(7)),
        ("MIN(items.on, d)", date(2025, 12, 31)),
        ("OR(items.price < items.vendor.limit)", True),
        ("AND(items.price > 1, p)", False),
        ('"ink" IN items.what', True),
        ("AND(a > 10, p, NOT(q))", True),
        ("owner = ME()", True),
        ("department IN ME().headed_departments", True),
        ('"books.cashier" IN ME().roles', True),
        ("department = ME().department", False),
        ("vendor.limit * 2", Decimal(4)),
        ("vendor.owner.name", "Ann"),
        ('owner.name = "ann"', True),
        ('IF(a > 10, "large", "small")', "large"),
        ('IF(t = "", "", s)', None),
        ('IFS(a < 5, "A", a < 15, "B", TRUE, "C")', "B"),
        ("IFS(a < 5, 1, a < 4, 2)", None),
        ("DAYS(TODAY(), d)", Decimal(297)),
        ("DAYS(m, d)", Decimal(30)),
        ("DAYS(e, d)", None),
        ("m > d", True),
        ("m = d", False),
        ("d + 1", date(2026, 2, 1)),
        ("d - 1.5", date(2026, 1, 29)),
        ("d + 99999999", None),
        ("m - d", Decimal("30.02083333333333333333")),
        ("ROUND(a / 7, 2)", Decimal("1.79")),
        ("NOW() > m", True),
        ("TODAY()", date(2026, 11, 24)),
        ("p", True),
        ("q", False),
        ("q = FALSE", True),
        ("ISBLANK(q)", True),
    ],
)
def test_sql_gives_what_python_gives(claims, source, value):
    expression = checked(source)
    assert expression.no_sql is None
    found = claims.ask(expression)
    assert found == value
    assert type(found) is type(value)
    python = in_python(expression, VALUES, ANSWERS)
    if isinstance(python, ErrorValue):
        python = False if expression.type == BOOLEAN else None
    assert (python or False if expression.type == BOOLEAN else python) == value


@pytest.mark.parametrize(
    ("source", "sql"),
    [
        ('kind = "trip"', "claim.kind = 'trip' AND claim.kind IS NOT NULL"),
        ("a = 3", "claim.a = 3 AND claim.a IS NOT NULL"),
        ('s = "出差"', "claim.s = '出差' AND claim.s IS NOT NULL"),
        ('kind IN {"trip","buy"}', "claim.kind IN ('trip', 'buy') AND claim.kind IS NOT NULL"),
    ],
)
def test_a_field_and_a_literal_compare_plainly_so_that_an_index_serves(source, sql):
    compiled = to_sql(checked(source), claim_source()).compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
    )
    assert str(compiled) == sql


def test_a_very_long_sum_is_computed(claims):
    expression = checked("+".join(["a"] * 2000))
    assert claims.ask(expression) == Decimal(25000)


def test_deep_nesting_is_computed(claims):
    source = "a"
    for _ in range(12):
        source = f"IF(a > 1, ({source}) / 1, 0)"
    assert claims.ask(checked(source)) == Decimal("12.5")


def test_what_is_nested_too_deep_is_refused(claims):
    source = "a"
    for _ in range(28):
        source = f"IF(a > 1, ({source}) / 1, 0)"
    with pytest.raises(NoSqlForm, match="too deep"):
        claims.ask(checked(source))


def test_what_has_no_sql_form_says_so():
    with pytest.raises(NoSqlForm, match="list"):
        to_sql(checked("items.price"), claim_source())


def test_records_are_filtered(claims):
    found = claims.conn.scalars(
        select(claim.c.id).where(to_sql(checked("AND(a > 3, OR(items.price > 5))"), claim_source()))
    )
    assert list(found) == [UUID(int=1)]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('JOIN(items.what, "-")', "Pen-Ink"),
        ("MEDIAN(items.price)", Decimal("4.125")),
        ("AVERAGE(items.quantity, 1)", Decimal(2)),
        ("COUNTIF(items.price > 2)", Decimal(1)),
        ('COUNTIF(items.price, ">2")', Decimal(1)),
        ("SUMIF(items.done, items.quantity)", Decimal(3)),
        ("IFERROR(a / b, -1)", Decimal(-1)),
        ('SWITCH(kind, "trip", 500, "buy", 200, 0)', Decimal(500)),
        ("EDATE(d, 1)", date(2026, 2, 28)),
        ("EOMONTH(d, 1)", date(2026, 2, 28)),
        ("EDATE(d, 100000)", None),
        ("YEAR(m)", Decimal(2026)),
        ("HOUR(m)", Decimal(0)),
        ("d < WORKDAY(TODAY(), 5)", True),
        ('TEXT(TODAY(), "yyyy")', "2026"),
    ],
)
def test_functions_have_sql_forms(claims, source, value):
    expression = checked(source)
    assert claims.ask(expression) == value
    python = in_python(expression, VALUES, ANSWERS)
    assert (None if isinstance(python, ErrorValue) else python) == value


def test_an_index_serves_a_filter(claims):
    claims.conn.execute(text("CREATE INDEX by_kind ON claim (kind)"))
    claims.conn.execute(text("SET LOCAL enable_seqscan = off"))
    condition = to_sql(checked('AND(kind = "trip", a > 3)'), claim_source())
    asked = select(claim.c.id).where(condition).compile(claims.conn, compile_kwargs={"literal_binds": True})
    plan = "\n".join(claims.conn.scalars(text(f"EXPLAIN {asked}")))
    assert "Index Cond: " in plan
    assert "by_kind" in plan
