"""Links to several records, their other side, lookups and queries: what people see and what is calculated."""

from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from runtime import chores, exporting, filling, history, importing, models, query, recalculate, records, verify
from runtime.access import door
from runtime.query import Listing
from runtime.retry import attempt
from runtime.sheets import Sheet
from schemas.app import App
from schemas.conditions import Condition, from_formula, to_formula
from schemas.errors import InvalidInput, NotFound
from schemas.formula import Formula
from schemas.formula.types import array_of, link_to
from schemas.options import load
from tests.runtime.conftest import Shop

LIBRARY: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "author", "title_formula": "name", "fields": [
            {"id": "name", "type": "text", "required": True},
            {"id": "kind", "type": "choice", "options": [{"id": "poet", "label": "Poet"}, {"id": "critic", "label": "Critic"}]},
            {"id": "books", "type": "formula", "formula": "COUNT(written)"},
            {"id": "worth", "type": "formula", "formula": "SUM(written.price)"},
            {"id": "dear", "type": "rollup", "over": "book.authors", "aggregate": "count", "where": "price > 50"},
            {"id": "newest", "type": "rollup", "over": "written", "aggregate": "last", "value": "title"},
            {"id": "titles", "type": "rollup", "over": "written", "aggregate": "join", "value": "title", "sort": ["-price"],
             "separator": "; "},
            {"id": "lent", "type": "rollup", "over": "written", "aggregate": "sum", "value": "lent"},
        ]},
        {"id": "book", "title_formula": "title", "fields": [
            {"id": "title", "type": "text", "required": True},
            {"id": "price", "type": "money"},
            {"id": "shelf", "type": "text"},
            {"id": "authors", "type": "links", "table": "author", "max": 3, "reverse": {"id": "written", "label": "Books"}},
            {"id": "first", "type": "lookup", "path": "authors.name"},
            {"id": "kinds", "type": "lookup", "path": "authors.kind"},
            {"id": "how_many", "type": "formula", "formula": "COUNT(authors)"},
            {"id": "worth", "type": "formula", "formula": "SUM(authors.worth)"},
            {"id": "lent", "type": "rollup", "over": "loan.lines.book", "aggregate": "sum", "value": "count"},
            {"id": "neighbours", "type": "rollup", "table": "book", "aggregate": "count",
             "where": "AND(shelf = this.shelf, NOT(title = this.title))"},
        ]},
        {"id": "loan", "fields": [
            {"id": "reader", "type": "text"},
            {"id": "author", "type": "link", "table": "author"},
            {"id": "kind", "type": "lookup", "path": "author.kind"},
            {"id": "lines", "type": "rows", "fields": [
                {"id": "book", "type": "link", "table": "book"},
                {"id": "price", "type": "lookup", "path": "book.price"},
                {"id": "count", "type": "number", "decimals": 0},
                {"id": "sum", "type": "formula", "formula": "count * price"}]},
            {"id": "total", "type": "formula", "formula": "SUM(lines.sum)"},
            {"id": "others", "type": "query", "table": "loan", "where": "reader = this.reader", "columns": ["reader", "total"],
             "sort": ["-total"], "limit": 2, "add": True},
            {"id": "candidates", "type": "query", "table": "book", "where": "price < 50", "columns": ["title"],
             "into": "lines", "take": {"book": "id"}},
        ]},
    ],
    "access": [
        *({"id": f"all_{t}", "who": {"role": "manager"}, "table": t,
           "do": ["read", "create", "update", "delete", "history", "import", "export"]} for t in ("author", "book", "loan")),
        {"id": "poets", "who": {"role": "clerk"}, "table": "author", "do": ["read"], "rows": "kind = \"poet\"",
         "fields": {"name": "read"}},
        {"id": "books", "who": {"role": "clerk"}, "table": "book", "do": ["read", "update"], "rows": "NOT(shelf = \"closed\")"},
        {"id": "loans", "who": {"role": "clerk"}, "table": "loan", "do": ["read", "create", "update"]},
    ],
}  # fmt: skip


@pytest.fixture
def library(make_shop) -> Shop:
    return make_shop(LIBRARY)


def seen(library: Shop, who: Any, table: str, id: Any) -> query.Record:
    with library.opened(who) as ctx:
        return query.fetch(door(ctx, library.table(ctx, table)), id)


def stocked(library: Shop) -> dict[str, Any]:
    """Ada is a poet, Ben a critic; one book by both, one by Ada."""
    with library.opened(library.manager) as ctx:
        author, book = library.table(ctx, "author"), library.table(ctx, "book")
        made = {n: records.create(ctx, author, {"name": n, "kind": k}) for n, k in (("Ada", "poet"), ("Ben", "critic"))}
        both = {"title": "Both", "price": Decimal(60), "shelf": "A", "authors": [made["Ben"], made["Ada"]]}
        alone = {"title": "Alone", "price": Decimal(40), "shelf": "a", "authors": [made["Ada"]]}
        return {**made, "both": records.create(ctx, book, both), "alone": records.create(ctx, book, alone)}


def test_links_keep_their_order_and_are_counted_from_the_other_side(library):
    made = stocked(library)
    assert seen(library, library.manager, "book", made["both"])["authors"] == [made["Ben"], made["Ada"]]
    ada = seen(library, library.manager, "author", made["Ada"])
    assert (ada["books"], ada["worth"], ada["dear"], ada["newest"]) == (2, 100, 1, "Alone")
    assert ada["titles"] == "Both; Alone"
    assert seen(library, library.manager, "book", made["both"])["worth"] == 160
    with library.opened(library.manager) as ctx:
        book = library.table(ctx, "book")
        records.change(ctx, book, made["both"], {"authors": [made["Ben"]]})
        assert query.count_linked(door(ctx, book), "authors", made["Ada"]) == 1
    assert seen(library, library.manager, "author", made["Ada"])["worth"] == 40
    assert seen(library, library.manager, "book", made["both"])["worth"] == 60
    assert seen(library, library.manager, "book", made["both"])["how_many"] == 1


def test_a_linked_record_in_the_trash_counts_no_more_until_it_returns(library):
    made = stocked(library)
    with library.opened(library.manager) as ctx:
        records.trash(ctx, library.table(ctx, "author"), [made["Ada"]])
    both = seen(library, library.manager, "book", made["both"])
    assert (both["how_many"], both["worth"], both["authors"], both["first"]) == (1, 60, [made["Ben"]], ["Ben"])
    with library.opened(library.manager) as ctx:
        records.restore(ctx, library.table(ctx, "author"), [made["Ada"]])
    both = seen(library, library.manager, "book", made["both"])
    assert (both["how_many"], both["authors"], both["first"]) == (2, [made["Ben"], made["Ada"]], ["Ben", "Ada"])


def test_what_a_reader_may_not_see_is_neither_shown_nor_counted_nor_lost(library):
    made = stocked(library)
    both = seen(library, library.clerk, "book", made["both"])
    assert both["authors"] == [made["Ada"]]
    assert both["first"] == ["Ada"]
    assert both["kinds"] is None  # a poet's kind is hidden from the clerk too
    with library.opened(library.clerk) as ctx:
        book = library.table(ctx, "book")
        found = query.page(door(ctx, book), Listing(["title"], [Formula.of("COUNT(authors) > 1")]))
        assert found.records == []
        records.change(ctx, book, made["both"], {"authors": [made["Ada"]]}, seen=1)
        records.change(ctx, book, made["both"], {"authors": None, "shelf": "B"})
    assert seen(library, library.manager, "book", made["both"])["authors"] == [made["Ben"]]


def test_two_who_change_the_same_links_at_once_both_get_what_they_chose(library):
    made = stocked(library)
    with library.opened(library.manager) as ctx:
        cleo = records.create(ctx, library.table(ctx, "author"), {"name": "Cleo"})
        book = library.table(ctx, "book")
        records.change(ctx, book, made["both"], {"authors": [made["Ben"], made["Ada"], cleo]}, seen=1)
        records.change(ctx, book, made["both"], {"authors": [made["Ada"]]}, seen=1)
    assert seen(library, library.manager, "book", made["both"])["authors"] == [made["Ada"], cleo]
    with library.opened(library.manager) as ctx:
        changes = [
            e.changes["authors"]
            for e in history.of_record(ctx, library.table(ctx, "book"), made["both"])
            if "authors" in e.changes
        ]
    assert len(changes) == 3


def test_too_many_links_are_refused(library):
    made = stocked(library)
    with library.opened(library.manager) as ctx:
        more = [records.create(ctx, library.table(ctx, "author"), {"name": str(n)}) for n in range(4)]
    with pytest.raises(InvalidInput, match="at most 3"), library.opened(library.manager) as ctx:
        records.change(ctx, library.table(ctx, "book"), made["both"], {"authors": more})


def test_links_can_be_filtered_by(library):
    made = stocked(library)
    asked = {
        f'"{made["Ben"]}" IN authors': ["Both"],
        f'OR("{made["Ben"]}" IN authors, "{made["Ada"]}" IN authors)': ["Alone", "Both"],
        f'NOT("{made["Ben"]}" IN authors)': ["Alone"],
        "ISBLANK(authors)": [],
        "NOT(ISBLANK(authors))": ["Alone", "Both"],
        '"Ada" IN authors.name': ["Alone", "Both"],
        "SUM(authors.books) > 2": ["Both"],
    }
    with library.opened(library.manager) as ctx:
        gate = door(ctx, library.table(ctx, "book"))
        for formula, titles in asked.items():
            page = query.page(gate, Listing(["title"], [Formula.of(formula)], ["title"]))
            assert [r["title"] for r in page.records] == titles, formula


def test_rows_of_another_tables_subform_are_added_up(library):
    made = stocked(library)
    with library.opened(library.manager) as ctx:
        loan = library.table(ctx, "loan")
        lines = [{"book": made["both"], "count": Decimal(2)}, {"book": made["alone"], "count": Decimal(1)}]
        id = records.create(ctx, loan, {"reader": "Eve", "lines": lines})
        found = query.fetch(door(ctx, loan), id)
        assert (found["total"], [row["price"] for row in found["lines"]]) == (160, [60, 40])
    assert seen(library, library.manager, "book", made["both"])["lent"] == 2
    assert seen(library, library.manager, "author", made["Ada"])["lent"] == 3
    with library.opened(library.manager) as ctx:
        records.change(ctx, library.table(ctx, "book"), made["both"], {"price": Decimal(10)})
        assert query.fetch(door(ctx, library.table(ctx, "loan")), id)["total"] == 60
        records.trash(ctx, library.table(ctx, "loan"), [id])
    assert seen(library, library.manager, "author", made["Ada"])["lent"] == 0


def test_matching_records_are_found_again_by_what_they_hold(library):
    made = stocked(library)
    assert seen(library, library.manager, "book", made["both"])["neighbours"] == 1
    with library.opened(library.manager) as ctx:
        records.change(ctx, library.table(ctx, "book"), made["alone"], {"shelf": "B"})
    assert seen(library, library.manager, "book", made["both"])["neighbours"] == 0
    assert seen(library, library.manager, "book", made["alone"])["neighbours"] == 0


def test_a_query_shows_what_fits_the_form_as_it_is_typed(library):
    made = stocked(library)
    with library.opened(library.manager) as ctx:
        loan = library.table(ctx, "loan")
        for n in (1, 3, 2):
            lines = [{"book": made["both"], "count": Decimal(n)}]
            records.create(ctx, loan, {"reader": "Eve", "lines": lines})
    with library.opened(library.clerk) as ctx:
        loan = library.table(ctx, "loan")
        form = loan.inst.app.form_of("loan")
        begun = filling.blank(ctx, loan, form)
        shown = next(
            f for f in filling.as_sent(ctx, begun, {"reader": "Eve"}, {"reader"}).bound(ctx) if f.name == "others"
        )
        assert (shown.related.count, shown.related.more) == (2, True)
        assert shown.related.new_url.endswith("/new?reader=Eve")
        assert shown.related.body.index("180") < shown.related.body.index("120")
        taken = filling.as_sent(
            ctx, begun, {"_take": "candidates", "_take.candidates": str(made["alone"])}, {"candidates"}
        )
        assert taken.values["lines"] == [{"book": made["alone"]}]
        typed = filling.as_sent(ctx, begun, {"author": str(made["Ada"])}, {"author"}).bound(ctx)
        assert next(f for f in typed if f.name == "kind").value is None  # hidden from the clerk
    with library.opened(library.manager) as ctx:
        begun = filling.blank(ctx, library.table(ctx, "loan"), form)
        typed = filling.as_sent(ctx, begun, {"author": str(made["Ada"])}, {"author"}).bound(ctx)
        assert next(f for f in typed if f.name == "kind").chips[0][0] == "poet"


def test_both_sides_at_once_leave_every_count_right(library):
    with library.opened(library.manager) as ctx:
        authors = [records.create(ctx, library.table(ctx, "author"), {"name": str(n)}) for n in range(3)]
    start = Barrier(8)

    def write(number: int) -> None:
        def once() -> None:
            with library.opened(library.manager) as ctx:
                chosen = authors if number % 2 else authors[::-1]
                book = {"title": str(number), "price": Decimal(1), "authors": chosen, "shelf": "X"}
                records.create(ctx, library.table(ctx, "book"), book)
                records.change(ctx, library.table(ctx, "author"), chosen[0], {"name": f"{number}"})

        start.wait()
        for _ in range(4):
            attempt(once)

    threads = [Thread(target=write, args=(n,)) for n in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    with library.opened() as ctx:
        assert [d for t in ("author", "book", "loan") for d in verify.differences(ctx, library.table(ctx, t))] == []
    assert seen(library, library.manager, "author", authors[0])["books"] == 32


def test_a_link_to_what_one_may_not_see_is_refused(library):
    made = stocked(library)
    with pytest.raises(InvalidInput), library.opened(library.clerk) as ctx:
        records.change(ctx, library.table(ctx, "book"), made["alone"], {"authors": [made["Ada"], made["Ben"]]})
    with pytest.raises(NotFound):
        seen(library, library.outsider, "book", made["both"])


def test_a_cell_of_a_file_may_list_several_records(library):
    made = stocked(library)
    rows = [{"T": "New", "A": "ben、 ADA"}, {"T": "Lost", "A": "Ada, Nobody"}, {"T": "None", "A": None}]
    mappings = importing.mappings_of({"title": {"column": "T"}, "authors": {"column": "A", "match": "name"}})
    with library.opened(library.manager) as ctx:
        book = library.table(ctx, "book")
        report = importing.run_now(ctx, book, Sheet(["T", "A"], rows), mappings)
        assert (report.sound, [str(t.message) for t in report.sorted()]) == (2, ["'Nobody' was not found."])
        gate = door(ctx, book)
        found = query.page(gate, Listing(["title", "authors", "first"], [Formula.of('title = "New"')])).records[0]
        assert found["authors"] == [made["Ben"], made["Ada"]]
        line = next(exporting.rows(gate, Listing(["title", "authors", "kinds"], [Formula.of('title = "New"')])))
        assert [cell[1] for cell in line] == ["New", "Ben, Ada", "Critic, Poet"]
    assert seen(library, library.manager, "author", made["Ben"])["books"] == 2


def test_conditions_on_links_are_drawn_and_read_again():
    kinds = {"authors": array_of(link_to("author"))}
    for operator in ("has", "lacks_one", "has_any", "has_none"):
        asked = [Condition("authors", operator, ("a", "b") if "_" in operator and operator != "lacks_one" else ("a",))]
        assert from_formula(Formula.of(to_formula(asked, kinds))) == asked


def test_more_than_a_transaction_works_out_is_left_to_a_job_and_told(library, monkeypatch):
    made = stocked(library)
    monkeypatch.setattr(recalculate, "IN_TRANSACTION", 1)
    with library.opened(library.manager) as ctx:
        book, author = library.table(ctx, "book"), library.table(ctx, "author")
        records.change(ctx, book, made["both"], {"price": Decimal(70)})
        assert recalculate.pending(ctx, author)
        assert recalculate.pending(ctx, book)  # it reads what the job will change
        waiting = list(ctx.conn.scalars(select(models.recalculation.c.id)))
    while waiting:
        with library.opened() as ctx:
            chores.recalculate_rest(ctx, str(waiting.pop()))
            waiting = list(ctx.conn.scalars(select(models.recalculation.c.id)))
    with library.opened() as ctx:
        assert not recalculate.pending(ctx, library.table(ctx, "author"))
    assert seen(library, library.manager, "author", made["Ada"])["worth"] == 110


def test_what_was_stored_wrongly_is_found(library):
    made = stocked(library)
    with library.opened() as ctx:
        author = library.table(ctx, "author")
        ctx.conn.execute(update(author.sql).where(author.sql.c.id == made["Ada"]).values(worth=7, dear=9))
    with library.opened() as ctx:
        found = sorted((d.field, d.stored, d.fresh) for d in verify.everywhere(ctx) if d.table == "author")
    assert found == [("dear", 9, 1), ("worth", 7, 100)]


def shelves(**more: Any) -> dict[str, Any]:
    """A crate lies in a shelf, a shelf in a room."""
    return {
        "language": 1, "app": "shop", "roles": [{"id": "manager"}],
        "tables": [
            {"id": "room", "title": "Room", "fields": [{"id": "name", "type": "text"},
                {"id": "crates", "type": "rollup", "label": "Crates", "over": "shelf.room", "aggregate": "sum", "value": "crates"}]},
            {"id": "shelf", "title": "Shelf", "fields": [{"id": "name", "type": "text"},
                {"id": "room", "type": "link", "table": "room"},
                {"id": "crates", "type": "rollup", "label": "Crates", "over": "crate.shelf", "aggregate": "sum",
                 "value": more.get("value", "busy")}]},
            {"id": "crate", "title": "Crate", "fields": [
                {"id": "shelf", "type": "link", "table": "shelf"},
                {"id": "where", "type": "lookup", "path": "shelf.room.name"},
                {"id": "busy", "type": "formula", "label": "Busy", "formula": "IF(flow.state = \"running\", 1, 0)"},
                {"id": "share", "type": "formula", "label": "Share", "formula": "shelf.room.crates + busy"},
                {"id": "old", "type": "formula", "formula": "DAYS(TODAY(), created_at)"}]},
        ],
        "access": [{"id": t, "who": {"role": "manager"}, "table": t, "do": ["read", "create", "update", "delete"]}
                   for t in ("room", "shelf", "crate")],
    }  # fmt: skip


def test_a_flow_s_state_is_followed_three_tables_up_and_back_down(make_shop):
    shop = make_shop(shelves())
    with shop.opened(shop.manager) as ctx:
        room, shelf, crate = (shop.table(ctx, t) for t in ("room", "shelf", "crate"))
        hall = records.create(ctx, room, {"name": "Hall"})
        top = records.create(ctx, shelf, {"room": hall})
        one, other = (records.create(ctx, crate, {"shelf": top}) for _ in range(2))
        records.set_flow_state(ctx, crate, one, "running")
    assert seen(shop, shop.manager, "room", hall)["crates"] == 1
    assert (seen(shop, shop.manager, "crate", one)["share"], seen(shop, shop.manager, "crate", other)["share"]) == (
        2,
        1,
    )
    assert seen(shop, shop.manager, "crate", one)["where"] == "Hall"
    with shop.opened(shop.manager) as ctx:
        records.set_flow_state(ctx, shop.table(ctx, "crate"), one, "approved")
        gate = door(ctx, shop.table(ctx, "crate"))
        page = query.page(gate, Listing(["where"], [Formula.of('AND(old = 0, where = "Hall")')], ["-old", "where"]))
        assert len(page.records) == 2
    assert seen(shop, shop.manager, "crate", other)["share"] == 0


def test_a_circle_is_told_in_the_words_of_the_form():
    problems = [str(p.message) for p in load(App, shelves(value="share")).analysis.problems()]
    assert any("Crate › Share → " in p and "Room › Crates" in p and "Shelf › Crates" in p for p in problems)
