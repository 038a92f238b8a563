"""Choosing linked records: only those that the person may see and that the link's own condition allows."""

from copy import deepcopy

import pytest

from runtime import records
from tests.runtime.conftest import SHOP


@pytest.fixture
def shop(make_shop):
    package = deepcopy(SHOP)
    book = package["tables"][1]
    book["fields"].append(
        {
            "id": "sequel_of",
            "type": "link",
            "table": "book",
            "pick": "AND(author = this.author, author.name = this.author.name)",
        }
    )
    return make_shop(package)


def test_a_picker_offers_what_fits_the_form_as_it_stands(shop, sign_in):
    with shop.opened(shop.manager) as ctx:
        author, book = shop.table(ctx, "author"), shop.table(ctx, "book")
        jane, mary = (records.create(ctx, author, {"name": n}) for n in ("Jane", "Mary"))
        emma = records.create(ctx, book, {"title": "Emma", "author": jane})
        records.create(ctx, book, {"title": "Frankenstein", "author": mary})
    manager = sign_in(shop, "manager")
    found = manager.get(f"/a/shop/pick/book/sequel_of?q=&with.author={jane}").json
    assert [one["id"] for one in found] == [str(emma)]
    assert manager.get("/a/shop/pick/book/sequel_of?q=").json == []
    assert [one["text"] for one in manager.get("/a/shop/pick/book/author?q=ja").json] == ["Jane"]
    assert 'data-with="author"' in manager.get("/a/shop/f/book/new").text


def test_a_picker_shows_nothing_to_whom_the_field_is_closed(shop, sign_in):
    assert sign_in(shop, "outsider").get("/a/shop/pick/book/author").status_code == 404
    clerk = sign_in(shop, "clerk")
    assert clerk.get("/a/shop/pick/book/title").status_code == 404
    assert clerk.get("/a/shop/pick/book/author?q=%25").json == []


def test_people_are_found_by_name(shop, sign_in):
    clerk = sign_in(shop, "clerk")
    assert [one["text"] for one in clerk.get("/pick/member?q=man").json] == ["Manager"]
    assert clerk.get("/pick/department?q=sal").json[0]["text"] == "Sales"
    assert clerk.get("/pick/robot").status_code == 404
