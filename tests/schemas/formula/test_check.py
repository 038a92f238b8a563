"""What a formula is, and what is wrong with it, before any value is known."""

from decimal import Decimal

import pytest

from schemas.formula import Formula, FormulaError, Need, Reference, World, check, evaluate
from schemas.formula.types import BOOLEAN, DATE, DATETIME, NUMBER, TEXT, choice_of
from schemas.messages import Message, say
from tests.schemas.formula.world import VALUES, WORLD, ClaimScope, checked


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("total * 2", "number"),
        ("title & total", "text"),
        ("total > 3", "boolean"),
        ("due + 3", "date"),
        ("paid_at + 1", "datetime"),
        ("paid_at - due", "number"),
        ("IF(paid, due, paid_at)", "datetime"),
        ("MAX(items.price)", "number"),
        ("MAX(due, TODAY())", "date"),
        ("SUM(items.price * items.count)", "number"),
        ("items.price * 2", "array"),
        ("ME().department", "department"),
        ('SPLIT(title, " ")', "array"),
    ],
)
def test_types(source: str, kind: str) -> None:
    assert checked(source).type.kind == kind


@pytest.mark.parametrize(
    ("source", "position", "words"),
    [
        ("total + title", 8, "takes a number here, but this is a text"),
        ("SUMM(total)", 0, "did you mean SUM"),
        ("1 + FOO(total)", 4, "no function FOO"),
        ("totl", 0, "no field 'totl'"),
        ("IF(paid)", 0, "at least 2 arguments, but 1"),
        ("LEN(title, 2)", 0, "takes 1 arguments, but 2"),
        ("LEFT(title, 2, 3)", 0, "at most 2"),
        ('kind = "tripp"', 7, "did you mean 'trip'"),
        ('kind IN {"trip","x"}', 8, "not one of the options"),
        ('SWITCH(kind, "tripp", 1)', 13, "did you mean 'trip'"),
        ("title > 3", 0, "cannot be compared"),
        ("total IN 3", 9, "a list is needed"),
        ("SUM(items.price * parts.price)", 4, "different rows"),
        ("ME().height", 0, "no 'height'"),
        ('IF(paid, 1, "x")', 0, "one kind"),
        ('COUNTIF(items.kind, "tripp")', 0, "did you mean 'trip'"),
    ],
)
def test_refusals_say_where_and_why(source: str, position: int, words: str) -> None:
    with pytest.raises(FormulaError) as caught:
        checked(source)
    assert words in str(caught.value.message)
    assert caught.value.position == position or "COUNTIF" in source


def test_the_expected_type_is_demanded() -> None:
    assert checked("total > 1", BOOLEAN).type == BOOLEAN
    assert checked('"trip"', choice_of(["trip"])).type.kind in ("text", "choice")
    assert checked("paid_at", DATE).type == DATE
    assert checked("due", DATETIME).type == DATETIME
    assert checked('"2026-01-31"', DATE).type == DATE
    assert checked("total", TEXT).type == NUMBER
    with pytest.raises(FormulaError, match="yes or no is needed"):
        checked("total", BOOLEAN)
    with pytest.raises(FormulaError, match="not one of the options"):
        checked('"bus"', choice_of(["trip"]))


def test_knows_what_it_reads_and_asks() -> None:
    found = checked("owner.name & total & ME().department & SUM(items.book.price)".replace("& ME().department ", ""))
    assert found.paths == {("owner", "name"), ("total",), ("items", "book", "price")}
    assert found.needs == {Need("path", ("owner", "name")), Need("path", ("items", "book", "price"))}
    assert checked("owner = ME()").needs == {Need("me", ())}
    assert checked("ME().department").needs == {Need("me", ("department",))}
    assert checked("total + SUM(items.price)").needs == frozenset()


def test_volatile_is_inferred() -> None:
    assert checked("DAYS(TODAY(), due) > 3").volatile
    assert not checked("due + 3").volatile


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("SQRT(total)", "SQRT"),
        ("total ^ spent", r"\^"),
        ("items.price", "A list"),
        ("TEXT(due, note)", "TEXT"),
        ("RAND() < 0.5", "RAND"),
        ("SUM({1,2} * total)", "written list"),
    ],
)
def test_says_why_there_is_no_sql_form(source: str, words: str) -> None:
    refusal = checked(source).no_sql
    assert refusal is not None
    assert words.strip("\\") in str(refusal)


@pytest.mark.parametrize(
    "source",
    [
        "total / 3 > ROUND(spent, 2)",
        "SUM(items.price * items.count)",
        'SUMIFS(items.price, items.kind, "trip", items.count, ">1")',
        "due < WORKDAY(TODAY(), 5)",
        "due >= DATE(YEAR(TODAY()), 1, 1)",
        "total ^ 2 + SQRT(2)",
        "+".join(["total"] * 2000),
    ],
)
def test_these_can_be_computed_by_the_database(source: str) -> None:
    assert checked(source).no_sql is None


class Library(ClaimScope):
    """A scope that also knows another table's fields."""

    def foreign(self, path: tuple[str, ...]) -> Reference | Message:
        known = {("book", "title"): TEXT, ("book", "price"): NUMBER}
        return Reference(path, known[path]) if path in known else say("there is no '{name}'", name=".".join(path))


def test_mapx_asks_another_table() -> None:
    found = check(Formula.of('MAPX("sum", title, book.title, book.price) * 2'), Library())
    need = Need("mapx", ("sum", "title", "book.title", "book.price"))
    assert found.needs == {need}
    assert found.paths == {("title",)}
    assert found.type == NUMBER
    assert found.no_sql is not None
    assert evaluate(found, VALUES, World(WORLD.now, WORLD.zone, answers={need: Decimal(3)})) == 6


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('MAPX("total", title, book.title, book.price)', "MAPX can do"),
        ('MAPX("sum", total, book.title, book.price)', "cannot be compared"),
        ('MAPX("sum", title, book.name, book.price)', "no 'book.name'"),
        ('MAPX("sum", 1 + 1, book.title, book.price)', "a field of this record"),
        ('MAPX("sum", title)', "takes 4 arguments"),
    ],
)
def test_mapx_refusals(source: str, words: str) -> None:
    with pytest.raises(FormulaError) as caught:
        check(Formula.of(source), Library())
    assert words in str(caught.value.message)


def test_mapx_needs_a_scope_that_knows_tables() -> None:
    with pytest.raises(FormulaError, match="cannot be used here"):
        checked('MAPX("sum", title, book.title, book.price)')
