"""Copies on an app's page: of a form and a dashboard in the draft, of the whole app with what is in it."""

import pytest

from runtime import definitions, query, records
from runtime.access import door
from runtime.query import Listing
from runtime.tables import live


@pytest.fixture
def boss(shop, sign_in):
    with shop.opened(shop.boss) as ctx:
        author = records.create(ctx, shop.table(ctx, "author"), {"name": "Jane Austen"})
        records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "author": author})
    return sign_in(shop, "boss")


def test_a_form_is_copied_into_the_draft_and_can_be_undone(boss, shop):
    assert boss.post("/build/shop/forms/book/copy").headers["HX-Redirect"] == "/build/shop/"
    assert "/build/shop/forms/book_2/copy" in boss.get("/build/shop/").text
    assert boss.post("/build/shop/undo").status_code < 400
    assert "/build/shop/forms/book_2/copy" not in boss.get("/build/shop/").text
    assert boss.post("/build/shop/forms/nothing/copy").status_code == 404


def test_the_whole_app_is_copied_with_its_records_and_the_first_stays_as_it_is(boss, shop):
    place = boss.post("/build/shop/copy", {"title": "Second shop", "records": "on"}).headers["HX-Redirect"]
    assert place.startswith("/build/second_shop/")
    with shop.opened(shop.boss) as ctx:
        for slug in ("shop", "second_shop"):
            inst = definitions.installed(ctx, slug)
            book = door(ctx, live(ctx, inst, "book"))
            (one,) = [query.fetch(book, id).values for id in query.ids(book, Listing(["title"]))]
            assert one["title"] == "Emma"
            assert query.fetch(door(ctx, live(ctx, inst, "author")), one["author"]).values["name"] == "Jane Austen"


def test_a_copy_without_records_is_empty_and_needs_a_name(boss, shop):
    assert boss.post("/build/shop/copy", {"title": " "}).status_code == 422
    boss.post("/build/shop/copy", {"title": "Empty shop"})
    with shop.opened(shop.boss) as ctx:
        gate = door(ctx, live(ctx, definitions.installed(ctx, "empty_shop"), "book"))
        assert query.ids(gate, Listing(["title"])) == []


def test_who_does_not_build_finds_no_copies_to_make(shop, sign_in):
    clerk = sign_in(shop, "clerk")
    for path in ("/build/shop/copy", "/build/shop/forms/book/copy", "/build/shop/dashboards/sums/copy"):
        assert clerk.post(path, {"title": "Mine"}).status_code == 404
