"""Writing records: what always holds, what is kept, and what happens when two write at once."""

from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest

from runtime import history, query, records, workspaces
from runtime.access import door
from runtime.query import Listing
from runtime.retry import attempt
from runtime.rows import child_values
from schemas.errors import Conflict, Denied, InvalidInput, NotFound
from schemas.formula import Formula


def test_a_record_is_made_with_defaults_serial_and_calculations(shop):
    with shop.opened(shop.clerk) as ctx:
        book = shop.table(ctx, "book")
        rows = [{"place": "A", "count": Decimal(2)}, {"place": "B", "count": Decimal(3)}]
        id = records.create(ctx, book, {"title": "Emma", "price": Decimal("9.90"), "copies": rows})
        found = query.fetch(door(ctx, book), id)
    assert found["no"] == "B-0001"
    assert found["kind"] == "novel"
    assert found["owner"] == shop.clerk.id
    assert found["total"] == Decimal("49.50")
    assert [row["value"] for row in found["copies"]] == [Decimal("19.8"), Decimal("29.7")]
    assert found.title == "Emma"


def test_every_problem_is_told_at_once(shop):
    with pytest.raises(InvalidInput) as refused, shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "author"), {"name": None})
    assert list(refused.value.errors) == ["name"]
    with pytest.raises(InvalidInput) as refused, shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"title": "A\nB", "kind": "poem"})
    assert set(refused.value.errors) == {"title", "kind"}


def test_a_check_of_the_table_binds_even_where_the_field_is_hidden(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        id = records.create(
            ctx, book, {"title": "Emma", "price": Decimal(10), "cost": Decimal(8), "owner": shop.clerk.id}
        )
    with pytest.raises(InvalidInput, match="Too cheap"), shop.opened(shop.clerk) as ctx:
        records.change(ctx, shop.table(ctx, "book"), id, {"price": Decimal(5)})


def test_rollups_follow_their_children_in_the_same_transaction(shop):
    with shop.opened(shop.manager) as ctx:
        author, book = shop.table(ctx, "author"), shop.table(ctx, "book")
        jane, mary = (records.create(ctx, author, {"name": n}) for n in ("Jane", "Mary"))
        copies = [{"count": Decimal(100)}]
        emma = records.create(ctx, book, {"title": "Emma", "author": jane, "price": Decimal(10), "copies": copies})
        found = query.fetch(door(ctx, author), jane)
        assert (found["books"], found["worth"], found["famous"]) == (1, 1000, True)
        records.change(ctx, book, emma, {"author": mary})
        assert query.fetch(door(ctx, author), jane)["famous"] is False
        assert query.fetch(door(ctx, author), mary)["worth"] == 1000
        records.change(ctx, author, mary, {"name": "Mary S."})
        assert query.fetch(door(ctx, book), emma)["by"] == "Mary S."
        records.trash(ctx, book, [emma])
        assert query.fetch(door(ctx, author), mary)["worth"] == 0
        records.restore(ctx, book, [emma])
        assert query.fetch(door(ctx, author), mary)["worth"] == 1000


def test_fifty_children_of_one_parent_at_once_are_all_counted(shop):
    with shop.opened(shop.manager) as ctx:
        jane = records.create(ctx, shop.table(ctx, "author"), {"name": "Jane"})
    start = Barrier(10)

    def write() -> None:
        def once() -> None:
            with shop.opened(shop.manager) as ctx:
                records.create(
                    ctx,
                    shop.table(ctx, "book"),
                    {"title": "T", "author": jane, "price": Decimal(1), "copies": [{"count": Decimal(1)}]},
                )

        start.wait()
        for _ in range(5):
            attempt(once)

    threads = [Thread(target=write) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with shop.opened(shop.manager) as ctx:
        found = query.fetch(door(ctx, shop.table(ctx, "author")), jane)
        numbers = [
            r["no"] for r in query.page(door(ctx, shop.table(ctx, "book")), Listing(columns=("no",), size=100)).records
        ]
    assert (found["books"], found["worth"]) == (50, 50)
    assert len(set(numbers)) == 50


def test_what_depends_on_today_is_right_tomorrow_without_a_write(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        records.create(ctx, book, {"title": "Emma", "due": date(2026, 11, 24)})
        now = ctx.now
    for days in (0, 1, 400):
        moment = now.replace(year=2026, month=11, day=24, hour=4) + timedelta(days=days)
        with shop.opened(shop.manager, now=moment) as ctx:
            gate = door(ctx, shop.table(ctx, "book"))
            found = query.page(
                gate, Listing(columns=("late",), where=[Formula.of("late >= 0")], sort=["-late"])
            ).records
        assert [r["late"] for r in found] == [days]


def test_a_stale_change_is_refused_only_where_it_meets_another(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        id = records.create(ctx, book, {"title": "Emma", "price": Decimal(1)})
        records.change(ctx, book, id, {"title": "Emma II"}, seen=1)
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        records.change(ctx, book, id, {"title": "Emma", "price": Decimal(2)}, seen=1)
        kept = query.fetch(door(ctx, book), id)
        assert (kept["title"], kept["price"], kept.version) == ("Emma II", 2, 3)
        with pytest.raises(Conflict) as clash:
            records.change(ctx, book, id, {"title": "Sense"}, seen=1)
    assert clash.value.fields == ("title",)
    assert clash.value.theirs == {"title": "Emma II"}


def test_history_says_who_changed_what(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        id = records.create(ctx, book, {"title": "Emma"})
        records.change(ctx, book, id, {"price": Decimal("2.50")})
        last, first = history.of_record(ctx, book, id)
    assert (last.action, last.actor_id, last.version) == ("update", shop.manager.id, 2)
    assert last.changes["price"] == [None, "2.50"]
    assert first.changes["title"] == [None, "Emma"]


def test_a_unique_value_is_taken_once_and_free_again_in_the_trash(shop):
    with shop.opened(shop.manager) as ctx:
        author = shop.table(ctx, "author")
        jane = records.create(ctx, author, {"name": "Jane"})
        with pytest.raises(InvalidInput, match="already"):
            records.create(ctx, author, {"name": "JANE"})
        records.trash(ctx, author, [jane])
        records.create(ctx, author, {"name": "Jane"})
    with pytest.raises(InvalidInput, match="already"), shop.opened(shop.manager) as ctx:
        records.restore(ctx, shop.table(ctx, "author"), [jane])


def test_an_outsider_finds_nothing_and_may_add_nothing(shop):
    with shop.opened(shop.manager) as ctx:
        id = records.create(ctx, shop.table(ctx, "book"), {"title": "Emma"})
    with shop.opened(shop.outsider) as ctx:
        gate = door(ctx, shop.table(ctx, "book"))
        with pytest.raises(NotFound):
            query.page(gate, Listing())
        with pytest.raises(NotFound):
            query.fetch(gate, id)
        with pytest.raises((NotFound, Denied)):
            records.create(ctx, shop.table(ctx, "book"), {"title": "X"})


def test_a_clerk_sees_own_books_whole_and_other_novels_by_title_only(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        records.create(ctx, book, {"title": "Mine", "price": Decimal(5), "cost": Decimal(1), "owner": shop.clerk.id})
        other = records.create(ctx, book, {"title": "Theirs", "price": Decimal(7), "kind": "novel"})
        records.create(ctx, book, {"title": "Essay", "kind": "essay"})
    with shop.opened(shop.clerk) as ctx:
        gate = door(ctx, shop.table(ctx, "book"))
        found = query.page(gate, Listing(columns=("title", "price"), sort=["title"])).records
        assert [(r["title"], r["price"]) for r in found] == [("Mine", 5), ("Theirs", None)]
        assert query.page(gate, Listing(where=[Formula.of("price > 6")])).records == []
        with pytest.raises(InvalidInput):
            query.page(gate, Listing(where=[Formula.of("cost > 0")]))
        with pytest.raises(InvalidInput):
            query.page(gate, Listing(sort=["cost"]))
        assert "price" not in query.fetch(gate, other).values
        with pytest.raises(NotFound):
            records.change(ctx, shop.table(ctx, "book"), other, {"title": "Stolen"})


def test_a_clerk_cannot_give_a_book_away_nor_write_a_read_only_field(shop):
    with shop.opened(shop.clerk) as ctx:
        id = records.create(ctx, shop.table(ctx, "book"), {"title": "Mine"})
    with pytest.raises(Denied), shop.opened(shop.clerk) as ctx:
        records.change(ctx, shop.table(ctx, "book"), id, {"owner": shop.manager.id})
    with pytest.raises(InvalidInput, match="may not change"), shop.opened(shop.clerk) as ctx:
        records.change(ctx, shop.table(ctx, "book"), id, {"due": date(2027, 1, 1)})


@pytest.mark.parametrize("text", ["北京", "京", "50%", "a_b", "ÄÖ", "😀"])
def test_search_finds_the_text_itself_and_nothing_like_it(shop, text):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        records.create(ctx, book, {"title": f"x {text} y"})
        records.create(ctx, book, {"title": "500 axb 北 京都"})
        found = query.page(door(ctx, book), Listing(columns=("title",), search=text)).records
    assert [r["title"] for r in found if text != "京"] == ([f"x {text} y"] if text != "京" else [])
    assert len(found) == (2 if text == "京" else 1)


def test_paging_by_keyset_meets_every_record_once_in_both_directions(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        prices = [None, Decimal(1), Decimal(1), Decimal(2), None, Decimal(0), Decimal(3)]
        records.create_many(ctx, book, [{"title": f"T{n}", "price": p} for n, p in enumerate(prices)])
        gate = door(ctx, book)
        for sort in (["price"], ["-price"], ["kind", "-title"], ["author", "by"]):
            seen, page = [], query.page(gate, Listing(columns=("title",), sort=sort, size=2))
            pages = [page]
            while page.after:
                page = query.page(gate, Listing(columns=("title",), sort=sort, size=2, after=page.after))
                pages.append(page)
            seen = [r["title"] for p in pages for r in p.records]
            assert sorted(seen) == [f"T{n}" for n in range(7)]
            back = query.page(gate, Listing(columns=("title",), sort=sort, size=2, before=pages[-1].before))
            assert [r["title"] for r in back.records] == [r["title"] for r in pages[-2].records]
        assert query.total(gate, Listing()) == (7, True)


def test_one_connection_serves_workspaces_whose_tables_differ(make_shop):
    def shop_of(type):
        tables = [{"id": "thing", "fields": [{"id": "what", "type": type}]}]
        return make_shop({"language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}], "tables": tables})

    texts, numbers = shop_of("text"), shop_of("number")
    url = texts.engine.url.render_as_string(hide_password=False)
    engine = workspaces.connect(url, pool_size=1, max_overflow=0)
    try:
        for shop, value in ((texts, "a"), (numbers, Decimal(1)), (texts, "b")):
            for _ in range(8):  # the driver prepares what it is asked again and again
                with workspaces.opened(engine, shop.workspace, shop.boss) as ctx:
                    live = shop.table(ctx, "thing")
                    id = records.create(ctx, live, {"what": value})
                    assert child_values(ctx, live, [id])[id]["what"] == value
    finally:
        engine.dispose()
