"""Dashboards' figures: right, and only over what the viewer may see."""

from datetime import timedelta
from decimal import Decimal

import pytest

from runtime import definitions, records, reports
from runtime.access import door
from schemas.errors import NotFound
from schemas.options import load
from schemas.widgets import widget_types


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


def drawn(shop, actor, definition, now=None):
    with shop.opened(actor, **({"now": now} if now else {})) as ctx:
        inst = definitions.installed(ctx, "shop")
        kind = widget_types[definition["type"]]
        made = load(kind, {"id": "w", "table": "book", **{k: v for k, v in definition.items() if k != "type"}})
        assert list(made.linked(inst.app, inst.app.table("book"))) == []
        return reports.figures(ctx, inst, made)


def test_a_target_is_reached_by_what_the_viewer_may_see(books):
    goal = {"type": "target", "measure": "SUM(price)", "goal": "20"}
    found = drawn(books, books.manager, goal)
    assert (found.value, found.goal, reports.share_of(found)) == (16, 20, Decimal("0.8"))
    measured = drawn(books, books.manager, {**goal, "goal": "COUNT() * 2"})
    assert (measured.goal, reports.share_of(measured)) == (6, Decimal(16) / 6)
    assert reports.share_of(drawn(books, books.manager, {**goal, "goal": "0"})) is None
    assert drawn(books, books.outsider, goal).hidden


def test_a_pivot_table_has_the_totals_of_its_records_and_not_of_its_cells(books):
    pivot = {"type": "pivot", "group": ["kind", "owner"], "measure": "AVERAGE(price)"}
    found = drawn(books, books.manager, pivot)
    keys = [slice.key for slice in found.categories]
    assert keys == ["novel", "essay"]
    cells = {slice.key: list(values) for slice, values in found.series}
    assert cells == {str(books.clerk.id): [5, None], str(books.manager.id): [10, 1]}
    assert [round(v, 2) for v in found.totals.rows] == [Decimal("7.5"), 1]
    assert found.totals.columns == [5, Decimal("5.5")]
    assert round(found.totals.whole, 2) == Decimal("5.33")
    assert drawn(books, books.manager, {**pivot, "totals": False}).totals is None


def test_a_figure_of_this_month_stands_beside_an_earlier_one(books):
    monthly = {"type": "number", "measure": "SUM(price)", "dated": "created_at", "period": "month"}
    with books.opened(books.manager) as ctx:
        now = ctx.now
    found = drawn(books, books.manager, monthly)
    assert (found.value, found.before, reports.change_of(found)) == (16, 0, None)
    later = (now.replace(day=1) + timedelta(days=32)).replace(day=2)
    found = drawn(books, books.manager, monthly, later)
    assert (found.value, found.before, reports.change_of(found)) == (0, 16, -1)
    found = drawn(books, books.manager, {**monthly, "against": "year"}, now.replace(year=now.year + 1, day=2))
    assert found.before == 16


def test_the_records_behind_a_total_are_those_of_all_groups(books):
    with books.opened(books.manager) as ctx:
        gate = door(ctx, books.table(ctx, "book"))
        made = load(widget_types["pivot"], {"id": "w", "table": "book", "group": ["kind", "owner"], "measure": "COUNT()"})
        titles = [[r["title"] for r in reports.behind(gate, made, keys, ["title"])] for keys in (
            ["novel"], [reports.WHOLE, str(books.manager.id)], [reports.WHOLE], ["novel", str(books.clerk.id)],
        )]  # fmt: skip
    assert [sorted(found) for found in titles] == [["A", "B"], ["A", "C"], ["A", "B", "C"], ["B"]]
