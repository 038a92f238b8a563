"""Dashboards' figures: right, and only over what the viewer may see."""

from decimal import Decimal

import pytest

from runtime import definitions, records, reports
from runtime.access import door
from schemas.errors import NotFound


@pytest.fixture
def books(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        jane = records.create(ctx, shop.table(ctx, "author"), {"name": "Jane"})
        copies = [{"count": Decimal(1)}]
        records.create_many(ctx, book, [
            {"title": "A", "kind": "novel", "price": Decimal(10), "cost": Decimal(4), "copies": copies, "author": jane},
            {"title": "B", "kind": "novel", "price": Decimal(5), "copies": copies, "owner": shop.clerk.id},
            {"title": "C", "kind": "essay", "price": Decimal(1), "copies": copies},
        ])  # fmt: skip
    return shop


def widget(shop, actor, id):
    with shop.opened(actor) as ctx:
        inst = definitions.installed(ctx, "shop")
        return reports.figures(ctx, inst, inst.app.dashboard("figures").widget(id))


def test_measures_are_arithmetic_over_aggregates(books):
    assert widget(books, books.manager, "books").value == 3
    assert round(widget(books, books.manager, "share").value, 4) == Decimal("0.6667")


def test_groups_come_in_the_order_of_the_options(books):
    found = widget(books, books.manager, "kinds")
    assert [(s.key, v) for s, v in zip(found.categories, found.series[0][1], strict=True)] == [
        ("novel", 15),
        ("essay", 1),
    ]


def test_a_clerk_s_figures_leave_out_rows_and_values_that_are_not_theirs(books):
    assert widget(books, books.clerk, "books").value == 2
    assert widget(books, books.clerk, "costs").hidden
    assert widget(books, books.outsider, "books").hidden
    kinds = widget(books, books.clerk, "kinds")
    shown = {s.key: v for s, v in zip(kinds.categories, kinds.series[0][1], strict=True)}
    assert shown == {"novel": 5, reports.NONE: 0}, "of a book that is theirs by title only, kind and total are blank"


def test_drilling_through_shows_the_records_behind_a_group(books):
    with books.opened(books.manager) as ctx:
        inst = definitions.installed(ctx, "shop")
        gate = door(ctx, books.table(ctx, "book"))
        board = inst.app.dashboard("figures")
        behind = reports.behind(gate, board.widget("kinds"), ["essay"], ["title"])
        assert [r["title"] for r in behind] == ["C"]
        blank = reports.behind(gate, board.widget("authors"), [reports.NONE], ["title"])
        assert {r["title"] for r in blank} == {"B", "C"}
        with pytest.raises(NotFound):
            reports.behind(gate, board.widget("authors"), ["not an id"], ["title"])


def test_nothing_divided_by_nothing_is_no_figure(shop):
    assert widget(shop, shop.manager, "share").value is None
    assert reports.figure_text(None, None, "en") == "–"
