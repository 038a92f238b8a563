"""A shop imports its list of books again: by number, by title, in part, by people who may not do everything."""

from copy import deepcopy
from decimal import Decimal

import pytest

from runtime import answers, history, importing, jobs, query, records, upserting
from runtime.access import door
from runtime.importing import mappings_of
from runtime.query import Listing
from runtime.sheets import read_sheet
from schemas.errors import Denied, InvalidInput
from schemas.matching import Matching
from tests.runtime.conftest import SHOP

BY_TITLE = Matching(key=("title",))
BY_NUMBER = Matching(key=("no",))
COLUMNS = {
    "no": {"column": "no"}, "title": {"column": "title"}, "author": {"column": "by", "match": "name"},
    "price": {"column": "price"}, "copies.place": {"column": "place"}, "copies.count": {"column": "count"},
}  # fmt: skip


@pytest.fixture
def shelf(shop):
    """Two authors; Emma (5, in the hall) and Sense (3), both Jane's, and two books that are both called Twin."""
    with shop.opened(shop.boss) as ctx:
        jane = records.create(ctx, shop.table(ctx, "author"), {"name": "Jane"})
        mary = records.create(ctx, shop.table(ctx, "author"), {"name": "Mary"})
        book = shop.table(ctx, "book")
        hall = [{"place": "Hall", "count": Decimal(2)}]
        common = {"author": jane, "owner": shop.clerk.id}
        emma = records.create(ctx, book, {"title": "Emma", "price": Decimal(5), "copies": hall, **common})
        sense = records.create(ctx, book, {"title": "Sense", "price": Decimal(3), **common})
        for _ in range(2):
            records.create(ctx, book, {"title": "Twin", "owner": shop.manager.id})
    shop.emma, shop.sense, shop.jane, shop.mary = emma, sense, jane, mary
    return shop


def worth(shop, ctx, id):
    return query.fetch(door(ctx, shop.table(ctx, "author")), id)["worth"]


def lines(text, columns, ctx, shop, by, dry=False):
    sheet = read_sheet(text.encode(), "again.csv")
    mappings = mappings_of({p: t for p, t in COLUMNS.items() if p in columns})
    run = importing.trial if dry else importing.run_now
    return run(ctx, shop.table(ctx, "book"), sheet, mappings, by)


AGAIN = """no,title,by,price,place,count
B-0001,Emma,Mary,6,Hall,2
B-0001,,,,Attic,1
B-0002,Sense,Jane,3,,
B-0003,Twin,,,,
,New one,Jane,10,Yard,4
B-0099,Lost,,,,
"""


def test_a_file_comes_again_by_number_and_every_row_is_told_first_and_then_done(shelf):
    paths = list(COLUMNS)
    with shelf.opened(shelf.boss) as ctx:
        report = lines(AGAIN, paths, ctx, shelf, BY_NUMBER, dry=True)
        assert dict(report.counts) == {"changed": 1, "unchanged": 2, "added": 1}
        assert (report.total, report.sound, report.refused) == (6, 5, 1)
        assert [str(t.message) for t in report.sorted()] == [str(upserting.UNNUMBERED)]
        assert query.fetch(door(ctx, shelf.table(ctx, "book")), shelf.emma)["price"] == 5
        assert query.total(door(ctx, shelf.table(ctx, "book")), Listing()) == (4, True)
    with shelf.opened(shelf.boss) as ctx:
        assert lines(AGAIN, paths, ctx, shelf, BY_NUMBER).counts == report.counts
        emma = query.fetch(door(ctx, shelf.table(ctx, "book")), shelf.emma)
        assert (emma["author"], emma["price"], emma["total"], emma["by"]) == (shelf.mary, 6, 18, "Mary")
        assert [(row["place"], row["count"], row["value"]) for row in emma["copies"]] == [
            ("Hall", 2, 12),
            ("Attic", 1, 6),
        ]
        assert (worth(shelf, ctx, shelf.mary), worth(shelf, ctx, shelf.jane)) == (18, 40)
        assert query.fetch(door(ctx, shelf.table(ctx, "book")), shelf.sense).version == 1
        [entry, _] = history.of_record(ctx, shelf.table(ctx, "book"), shelf.emma)
        assert (entry.version, entry.changes["price"]) == (2, ["5.00", "6.00"])
    with shelf.opened(shelf.boss) as ctx:
        again = AGAIN.replace(",New one", "B-0005,New one")
        assert dict(lines(again, paths, ctx, shelf, BY_NUMBER).counts) == {"unchanged": 4}


def test_by_title_one_key_that_names_two_is_ambiguous_and_modes_say_what_is_left_alone(shelf):
    text = "title,price\nEMMA,7\nTwin,1\nNobody,2\n"
    columns = ("title", "price")
    for mode, counts, sound in (
        ("both", {"changed": 1, "ambiguous": 1, "added": 1}, 2),
        ("update", {"changed": 1, "ambiguous": 1}, 1),
        ("add", {"unchanged": 1, "ambiguous": 1, "added": 1}, 2),
    ):
        with shelf.opened(shelf.boss) as ctx:
            report = lines(text, columns, ctx, shelf, Matching(key=("title",), mode=mode), dry=True)
            assert (dict(report.counts), report.sound) == (counts, sound)
    with shelf.opened(shelf.boss) as ctx:
        lines(text, columns, ctx, shelf, Matching(key=("title",), mode="update"))
        emma = query.fetch(door(ctx, shelf.table(ctx, "book")), shelf.emma)
        assert (emma["title"], emma["price"]) == ("Emma", 7)


def test_an_empty_cell_keeps_what_is_there_or_clears_it(shelf):
    text = "no,title,price,place\nB-0001,,,\n"
    with shelf.opened(shelf.boss) as ctx:
        assert dict(lines(text, ("no", "price", "copies.place"), ctx, shelf, BY_NUMBER).counts) == {"unchanged": 1}
        clear = Matching(key=("no",), blank="clear")
        assert dict(lines(text, ("no", "price", "copies.place"), ctx, shelf, clear).counts) == {"changed": 1}
        emma = query.fetch(door(ctx, shelf.table(ctx, "book")), shelf.emma)
        assert (emma["price"], emma["copies"], emma["title"]) == (None, None, "Emma")
        report = lines(text, ("no", "title"), ctx, shelf, clear)
        assert [str(t.message) for t in report.sorted()] == ["Please fill this in."]


def test_who_may_change_only_some_rows_and_fields_changes_only_those(make_shop):
    package = deepcopy(SHOP)
    own = next(g for g in package["access"] if g["id"] == "own")
    own["do"].append("import")
    shop = make_shop(package)
    with shop.opened(shop.boss) as ctx:
        book = shop.table(ctx, "book")
        for title, who in (
            ("Mine", shop.clerk),
            ("Yours", shop.manager),
            ("Essay", shop.manager),
            ("Gift", shop.clerk),
        ):
            kind = "essay" if title == "Essay" else "novel"
            records.create(ctx, book, {"title": title, "owner": who.id, "kind": kind, "price": 1, "cost": 1})
    given = [
        {"title": "Mine", "price": "2"}, {"title": "Yours", "price": "2"}, {"title": "Essay", "price": "2"},
        {"title": "mine too", "due": "2026-01-01"}, {"title": "Gift", "owner": str(shop.manager.id), "price": "2"},
    ]  # fmt: skip
    with shop.opened(shop.clerk) as ctx:
        book = shop.table(ctx, "book")
        for dry in (True, False):
            told = upserting.upsert(ctx, book, given, BY_TITLE, dry=dry)
            assert [o.what for o in told] == ["changed", "refused", "added", "refused", "refused"]
            assert [list(o.errors) for o in told] == [[], [""], [], ["due"], [""]]
        with pytest.raises(InvalidInput):
            upserting.upsert(ctx, book, given, Matching(key=("cost",)))
    with shop.opened(shop.boss) as ctx:
        found = query.page(door(ctx, shop.table(ctx, "book")), Listing(columns=("title", "price"), sort=["created_at"]))
        kept = [(r["title"], r["price"]) for r in found.records]
        assert kept == [("Mine", 2), ("Yours", 1), ("Essay", 1), ("Gift", 1), ("Essay", 2)]
    with pytest.raises(Denied), shop.opened(shop.manager) as ctx:
        upserting.require(ctx, shop.table(ctx, "book"), BY_TITLE, "import")


def test_changing_many_is_as_changing_each(shelf):
    with shelf.opened(shelf.boss) as ctx:
        book = shelf.table(ctx, "book")
        changes = {shelf.emma: {"price": Decimal(9)}, shelf.sense: {"price": Decimal(1), "cost": Decimal(2)}}
        emma, sense = records.change_many(ctx, book, changes)
        assert emma.changes["total"] == ["10.00", "18.00"]
        assert [str(m) for messages in sense.errors.values() for m in messages] == ["Too cheap"]
        assert query.fetch(door(ctx, book), shelf.sense)["price"] == 3
        assert worth(shelf, ctx, shelf.jane) == 18
        answers.forget(ctx, book)
        assert [d.changes for d in records.change_many(ctx, book, {shelf.emma: {"price": Decimal(9)}})] == [{}]
        assert query.fetch(door(ctx, book), shelf.emma).version == 2


def test_a_job_keeps_lines_of_one_key_together_over_chunks_and_counts_each_line(shelf, database_url, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 2)
    text = "title,price,place\nEmma,5,Hall\nA,1,\nB,2,\nTwin,3,\nC,4,x\nEmma,5,Yard\nC,4,y\nemma,5,Roof\n"
    columns = {p: COLUMNS[p] for p in ("title", "price", "copies.place")}
    with shelf.opened(shelf.boss) as ctx:
        run = importing.begin(ctx, shelf.table(ctx, "book"), "many.csv", text.encode())
        row = importing.run_of(ctx, run)
        with pytest.raises(InvalidInput):
            importing.save_mapping(ctx, row, columns, {"mode": "both", "key": ["owner"]})
        importing.save_mapping(ctx, row, columns, {"mode": "both", "key": ["title"]})
        importing.start(ctx, row)
    assert jobs.drain_jobs(database_url) == []
    with shelf.opened(shelf.boss) as ctx:
        row = importing.run_of(ctx, run)
        assert (row.state, row.done, row.refused) == ("done", 7, 1)
        assert row.counts == {"changed": 1, "added": 3, "ambiguous": 1}
        emma = query.fetch(door(ctx, shelf.table(ctx, "book")), shelf.emma)
        assert [(r["place"], r["count"]) for r in emma["copies"]] == [("Hall", 2), ("Yard", None), ("Roof", None)]


def test_a_link_is_found_though_its_name_folds_differently_here_and_there(shop):
    with shop.opened(shop.boss) as ctx:
        house = records.create(ctx, shop.table(ctx, "author"), {"name": "Groß  & Söhne"})
        report = lines("title,by\nEmma,groß & söhne\n", ("title", "author"), ctx, shop, None)
        assert report.sound == 1
        found = query.page(door(ctx, shop.table(ctx, "book")), Listing(columns=("author",))).records
        assert found[0]["author"] == house
