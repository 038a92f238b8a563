"""Importing a shop's books from files as people really send them."""

import io
from decimal import Decimal

import pytest
import xlsxwriter

from runtime import importing, importing_people, jobs, people, query, records
from runtime.access import door
from runtime.query import Listing
from runtime.sheets import read_sheet
from schemas.errors import Denied, InvalidInput, NotFound

BOOKS = """书名,author,kind,price,who,place,count
Emma,Jane  Austen,novel,"1,200.50",clerk,Hall,2
Sense,JaneAusten,essay,3,Clerk,,
Mary,,novel,,,Attic,1
Bad,Jane Austen,poem,ten,nobody,Hall,x
"""
MAPPING = {
    "title": {"column": "书名"},
    "author": {"column": "author", "match": "name"},
    "kind": {"column": "kind"},
    "price": {"column": "price"},
    "owner": {"column": "who", "match": "name"},
    "copies.place": {"column": "place"},
    "copies.count": {"column": "count"},
}


@pytest.fixture
def jane(shop):
    with shop.opened(shop.boss) as ctx:
        records.create(ctx, shop.table(ctx, "author"), {"name": "Jane Austen"})
    return shop


def test_a_dry_run_tells_every_problem_by_value_and_keeps_nothing(jane):
    with jane.opened(jane.boss) as ctx:
        book = jane.table(ctx, "book")
        sheet = read_sheet(BOOKS.encode("gb18030"), "books.csv")
        report = importing.trial(ctx, book, sheet, importing.mappings_of(MAPPING))
        told = {(t.path, t.value): (t.count, t.rows, t.nearest) for t in report.sorted()}
        assert (report.total, report.sound) == (4, 2)
        assert told[("author", "JaneAusten")] == (1, [3], "Jane Austen")
        assert told[("kind", "poem")][1] == [5]
        assert ("price", "ten") in told
        assert ("owner", "nobody") in told
        assert report.blank["author"] == 1
        assert query.total(door(ctx, book), Listing()) == (0, True)


def test_a_replacement_settles_one_value_for_all_rows(jane):
    with jane.opened(jane.boss) as ctx:
        book = jane.table(ctx, "book")
        mapping = {**MAPPING, "author": {"column": "author", "match": "name", "values": {"JaneAusten": "Jane Austen"}}}
        report = importing.run_now(ctx, book, read_sheet(BOOKS.encode(), "b.csv"), importing.mappings_of(mapping))
        assert report.sound == 3
        found = {
            r["title"]: query.fetch(door(ctx, book), r.id)
            for r in query.page(door(ctx, book), Listing(columns=("title",))).records
        }
    assert set(found) == {"Emma", "Sense", "Mary"}
    assert found["Emma"]["price"] == Decimal("1200.50")
    assert found["Emma"]["total"] == Decimal("2401.00")
    assert found["Emma"]["owner"] == jane.clerk.id
    assert found["Sense"]["copies"] is None
    assert found["Mary"]["author"] is None


def test_a_job_imports_in_chunks_counts_and_keeps_what_is_sound(jane, database_url):
    lines = ["title,price"] + [f"T{n},{n if n % 7 else 'x'}" for n in range(1, 1201)]
    with jane.opened(jane.boss) as ctx:
        run = importing.begin(ctx, jane.table(ctx, "book"), "many.csv", "\n".join(lines).encode())
    with jane.opened(jane.boss) as ctx:
        row = importing.run_of(ctx, run)
        assert row.mapping == {"title": {"column": "title"}, "price": {"column": "price"}}
        importing.start(ctx, row)
    assert jobs.drain_jobs(database_url) == []
    with jane.opened(jane.boss) as ctx:
        row = importing.run_of(ctx, run)
        assert (row.state, row.done, row.refused) == ("done", 1029, 171)
        assert row.report[0]["text"] == "Enter a number."
        assert query.total(door(ctx, jane.table(ctx, "book")), Listing()) == (1029, True)


def test_a_cancelled_import_begins_no_further_chunk(jane, database_url):
    with jane.opened(jane.boss) as ctx:
        run = importing.begin(ctx, jane.table(ctx, "book"), "b.csv", b"title\nA\nB")
    with jane.opened(jane.boss) as ctx:
        importing.start(ctx, importing.run_of(ctx, run))
        importing.cancel(ctx, importing.run_of(ctx, run))
    jobs.drain_jobs(database_url)
    with jane.opened(jane.boss) as ctx:
        assert importing.run_of(ctx, run).state == "cancelled"
        assert query.total(door(ctx, jane.table(ctx, "book")), Listing()) == (0, True)


def test_who_may_not_import_may_not_and_another_s_run_is_not_there(jane):
    with pytest.raises(Denied), jane.opened(jane.clerk) as ctx:
        importing.begin(ctx, jane.table(ctx, "book"), "b.csv", b"title\nA")
    with jane.opened(jane.boss) as ctx:
        run = importing.begin(ctx, jane.table(ctx, "book"), "b.csv", b"title\nA")
    with pytest.raises(NotFound), jane.opened(jane.manager) as ctx:
        importing.run_of(ctx, run)


def workbook(rows):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Books")
    for n, row in enumerate(rows):
        sheet.write_row(n, 0, row)
    book.close()
    return out.getvalue()


def test_excel_s_floats_become_the_decimals_that_they_show():
    sheet = read_sheet(
        workbook([["title", "price", "price"], ["A", 0.1, 12], ["", "", ""], ["B", 1e20, True]]), "b.xlsx"
    )
    assert sheet.headings == ["title", "price", "price (3)"]
    assert sheet.rows[0] == {"title": "A", "price": Decimal("0.1"), "price (3)": Decimal("12.0")}
    assert len(sheet.rows) == 2


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"PK\x03\x04nonsense", "a.xlsx"),
        (b"MZ", "a.exe"),
        (b"\x00\x01", "a.csv"),
        (b"\xff\xfe\xfa", "b.csv"),
        (b"\n\n", "c.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_words(content, name):
    with pytest.raises(InvalidInput):
        read_sheet(content, name)


def test_members_and_departments_come_from_a_file_and_keep_who_is_known(shop):
    sheet = read_sheet(b"agent,boss,office\nAnna,Dustin,North\nClerk,Dustin,North\nBo,Cara,South\n,,\n", "team.csv")
    columns = {"name": "agent", "head": "boss", "department": "office"}
    with shop.opened(shop.boss) as ctx:
        tried = importing_people.import_people(ctx, sheet, columns, dry=True)
        assert tried.members == ["Anna", "Dustin", "Bo", "Cara"]
        assert {u.name for u in people.Directory.of(ctx).units.values()} == {"Sales"}
    with shop.opened(shop.boss) as ctx:
        came = importing_people.import_people(ctx, sheet, columns)
        directory = people.Directory.of(ctx)
        heads = {u.name: directory.person(u.head).name for u in directory.units.values() if u.head}
        assert came.known == 1
        assert heads["North"] == "Dustin"
        assert heads["South"] == "Cara"
        assert importing_people.import_people(ctx, sheet, columns).members == []
    with pytest.raises(InvalidInput), shop.opened(shop.boss) as ctx:
        importing_people.import_people(ctx, sheet, {"name": "nobody"})
