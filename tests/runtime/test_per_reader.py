"""A rollup over the records that each reader may see: the clerk's shelf is not the manager's."""

import copy
from decimal import Decimal

import pytest

from runtime import query, records
from runtime.access import door
from runtime.query import Listing
from schemas.app import App
from schemas.errors import InvalidInput
from schemas.formula import Formula
from schemas.options import load
from tests.runtime.conftest import SHOP, Shop

SEEN = {"type": "rollup", "over": "book.author", "records": "visible"}
OURS = copy.deepcopy(SHOP)
OURS["tables"][0]["fields"] += [
    {"id": "seen", **SEEN, "aggregate": "count"},
    {"id": "seen_cost", **SEEN, "aggregate": "sum", "value": "cost"},
    {"id": "seen_due", **SEEN, "aggregate": "max", "value": "due", "where": 'kind = "essay"'},
]
OURS["access"][4]["fields"] = {"name": "read", "seen": "read", "seen_cost": "read", "seen_due": "read"}
COLUMNS = ("name", "books", "seen", "seen_cost", "seen_due")


@pytest.fixture(scope="module")
def shop(make_shop) -> Shop:
    """Lu Xun has a novel and an essay of the clerk's and an essay of the manager's, each bought for 5."""
    shop = make_shop(OURS)
    with shop.opened(shop.boss) as ctx:
        author = records.create(ctx, shop.table(ctx, "author"), {"name": "Lu Xun"})
        for title, kind, owner in (
            ("A", "novel", shop.clerk),
            ("B", "essay", shop.clerk),
            ("C", "essay", shop.manager),
        ):
            given = {
                "title": title,
                "kind": kind,
                "owner": owner.id,
                "author": author,
                "cost": Decimal(5),
                "price": Decimal(9),
            }
            records.create(ctx, shop.table(ctx, "book"), {**given, "due": ctx.today})
    return shop


def authors(shop: Shop, actor, *where: str):
    with shop.opened(actor) as ctx:
        gate = door(ctx, shop.table(ctx, "author"))
        listed = query.page(gate, Listing(COLUMNS, where=[Formula.of(w) for w in where], sort=("name",))).records
        return [{c: r.values.get(c) for c in COLUMNS if c in r.values} for r in listed], ctx.today


def test_everyone_sees_the_count_of_what_they_may_see(shop):
    (manager,), today = authors(shop, shop.manager)
    assert manager == {"name": "Lu Xun", "books": 3, "seen": 3, "seen_cost": 15, "seen_due": today}
    (clerk,), _ = authors(shop, shop.clerk)
    # Of the clerk's two books the cost is hidden; the manager's essay does not exist for the clerk.
    assert clerk == {"name": "Lu Xun", "seen": 2, "seen_cost": 0, "seen_due": today}


def test_it_filters_and_sorts_by_what_the_reader_sees(shop):
    assert len(authors(shop, shop.manager, "seen > 2")[0]) == 1
    assert authors(shop, shop.clerk, "seen > 2")[0] == []
    with shop.opened(shop.clerk) as ctx:
        gate = door(ctx, shop.table(ctx, "author"))
        assert query.page(gate, Listing(("name",), sort=("-seen",))).records[0]["name"] == "Lu Xun"


def test_a_record_shows_it_too_and_it_has_no_column(shop):
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "author")
        (id,) = query.ids(door(ctx, live), Listing())
        assert query.fetch(door(ctx, live), id)["seen"] == 2
        assert "seen" not in live.sql.c


@pytest.mark.parametrize("where", ["formula", "check", "right"])
def test_nothing_that_is_the_same_for_everybody_is_calculated_from_it(where):
    package = copy.deepcopy(OURS)
    if where == "formula":
        package["tables"][0]["fields"].append({"id": "twice", "type": "formula", "formula": "seen * 2"})
    elif where == "check":
        package["tables"][0]["checks"] = [{"id": "few", "formula": "seen < 9", "message": "Too many"}]
    else:
        package["access"][4]["rows"] = "seen > 0"
    problems = [str(p) for p in load(App, package).analysis.problems() if p.severity == "error"]
    assert len(problems) == 1
    assert "differs from reader to reader" in problems[0]


def test_a_filter_that_goes_by_it_through_a_link_asks_for_the_reader(shop):
    with shop.opened(shop.clerk) as ctx:
        gate = door(ctx, shop.table(ctx, "book"))
        found = query.page(gate, Listing(("title",), where=[Formula.of("author.seen = 2")], sort=("title",))).records
        assert [r["title"] for r in found] == ["A", "B"]
        with pytest.raises(InvalidInput):
            query.page(gate, Listing(("title",), where=[Formula.of("author.books = 3")]))
