"""Importing records in the browser: what is mapped, what is settled once for all rows, and changed again."""

import io
import re

import pytest

from runtime import jobs, query, records
from runtime.access import door
from runtime.query import Listing

BOOKS = b"title,by,kind\nEmma,JaneAusten,novel\nSense,JaneAusten,tale\nMary,Jane Austen,tale\n"
COLUMNS = {"column:title": "title", "column:author": "by", "match:author": "name", "column:kind": "kind"}


@pytest.fixture
def boss(shop, sign_in):
    with shop.opened(shop.boss) as ctx:
        for name in ("Jane Austen", "Mary Shelley"):
            records.create(ctx, shop.table(ctx, "author"), {"name": name})
    return sign_in(shop, "boss")


@pytest.fixture
def run(boss):
    sent = {"file": (io.BytesIO(BOOKS), "books.csv"), "encoding": "utf-8"}
    return boss.post("/a/shop/import/book/", sent, content_type="multipart/form-data").headers["Location"]


def said(*pairs):
    """Replacements as the page sends them."""
    paths, befores, afters = map(list, zip(*pairs, strict=True))
    return {"replace_path": paths, "replace_from": befores, "replace_to": afters}


def test_each_value_that_is_not_known_is_one_line_with_the_nearest_proposed(boss, run):
    page = boss.post(run, {**COLUMNS, "act": "try"}).text
    assert "0 rows can be imported" in page
    lines = re.findall(r"<tr><td>[^<]*</td><td><code>([^<]*)</code></td><td class=\"number\"[^>]*>(\d+)</td>", page)
    assert sorted(lines) == [("JaneAusten", "2"), ("tale", "2")]
    assert re.search(r'value="JaneAusten">\s*<select.*?<option selected>Jane Austen</option>', page, re.DOTALL)


def test_a_replacement_can_be_changed_before_it_is_used(boss, run, shop, database_url):
    first = said(("author", "JaneAusten", "Mary Shelley"), ("kind", "tale", "novel"))
    page = boss.post(run, {**COLUMNS, **first, "act": "try"}).text
    assert "3 rows can be imported" in page
    assert "What to settle" not in page
    assert re.search(r'value="JaneAusten">\s*<select.*?<option selected>Mary Shelley</option>', page, re.DOTALL)
    second = said(("author", "JaneAusten", "Jane Austen"), ("kind", "tale", "-"))
    boss.post(run, {**COLUMNS, **second, "act": "import"})
    assert jobs.drain_jobs(database_url) == []
    assert "3 of 3 rows imported" in boss.get(run).text
    with shop.opened(shop.boss) as ctx:
        book = door(ctx, shop.table(ctx, "book"))
        found = query.page(book, Listing(columns=("title", "by", "kind"))).records
    assert {r["by"] for r in found} == {"Jane Austen"}


def test_a_link_is_found_by_what_its_records_are_called_unless_said_otherwise(boss):
    sent = {"file": (io.BytesIO(b"what\nx\n"), "books.csv")}
    place = boss.post("/a/shop/import/book/", sent, content_type="multipart/form-data").headers["Location"]
    page = boss.get(place).text
    options = re.search(r'name="match:author".*?</select>', page, re.DOTALL)[0]
    assert re.findall(r'<option value="(\w+)"', options)[0] == "name"


def test_a_list_comes_again_and_changes_the_records_that_its_key_finds(boss, shop, database_url):
    with shop.opened(shop.boss) as ctx:
        for title in ("Emma", "Sense"):
            records.create(ctx, shop.table(ctx, "book"), {"title": title, "price": 1})
    file = b"no,title,price\nB-0001,Emma,5\nB-0002,Sense,1\nB-0009,Mary,1\n,Mary,2\n"
    sent = {"file": (io.BytesIO(file), "books.csv"), "encoding": "utf-8"}
    run = boss.post("/a/shop/import/book/", sent, content_type="multipart/form-data").headers["Location"]
    page = boss.get(run).text
    assert re.search(r'value="no"[^>]*name="key"|name="key" value="no"[^>]*checked', page)
    columns = {f"column:{name}": name for name in ("no", "title", "price")}
    refused = boss.post(run, {**columns, "mode": "both", "act": "try"})
    assert (refused.status_code, "choose at least one field" in refused.text) == (422, True)
    again = {**columns, "mode": "both", "key": ["no"], "blank": "keep"}
    page = boss.post(run, {**again, "act": "try"}).text
    assert "3 rows can be imported" in page
    assert "1 new records, 1 changed, 1 left as they are" in page
    assert "No record has this number" in page
    boss.post(run, {**again, "act": "import"})
    assert jobs.drain_jobs(database_url) == []
    assert "1 new records, 1 changed, 1 left as they are" in boss.get(run).text
    with shop.opened(shop.boss) as ctx:
        found = query.page(door(ctx, shop.table(ctx, "book")), Listing(columns=("no", "price"))).records
    assert {r["no"]: r["price"] for r in found} == {"B-0001": 5, "B-0002": 1, "B-0003": 2}


LIST = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [{"id": "lead", "fields": [{"id": "no", "type": "text"}, {"id": "name", "type": "text"}, {"id": "note", "type": "text"}]}],
    "flows": [{"id": "greet", "trigger": [{"created": "lead"}, {"changed": {"table": "lead", "fields": ["name"]}}], "steps": [
        {"id": "noted", "type": "update", "set": {"note": "\"seen \" & name"}}]}],
    "access": [{"id": "leads", "who": {"role": "clerk"}, "table": "lead", "do": ["read", "create", "update", "import"]},
               {"id": "its", "who": {"flow": "greet"}, "table": "lead", "do": ["read", "update"]}],
}  # fmt: skip


def notes(shop):
    with shop.opened(shop.boss) as ctx:
        found = query.page(door(ctx, shop.table(ctx, "lead")), Listing(columns=("no", "note"))).records
    return {r["no"]: r["note"] for r in found}


def test_what_an_import_adds_and_changes_starts_flows_where_that_is_wanted(make_shop, sign_in, database_url):
    shop = make_shop(LIST)
    clerk = sign_in(shop, "clerk")

    def bring(file: bytes, **more):
        sent = {"file": (io.BytesIO(file), "leads.csv"), "encoding": "utf-8"}
        run = clerk.post("/a/shop/import/lead/", sent, content_type="multipart/form-data").headers["Location"]
        assert "Flows that wait for new or changed records start" in clerk.get(run).text
        columns = {f"column:{name}": name for name in ("no", "name")}
        clerk.post(run, {**columns, **more, "act": "import"})
        assert jobs.drain_jobs(database_url) == []

    bring(b"no,name\n1,Ann\n2,Bob\n")
    assert notes(shop) == {"1": None, "2": None}, "quietly"
    bring(b"no,name\n2,Bea\n3,Cy\n1,Ann\n", flows="on", mode="both", key=["no"])
    assert notes(shop) == {"1": None, "2": "seen Bea", "3": "seen Cy"}, "what did not change starts nothing"
