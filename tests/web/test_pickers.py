"""Choosing linked records: only those that the person may see and that the link's own condition allows."""

from copy import deepcopy

import pytest

from runtime import linking, records
from schemas.errors import InvalidInput
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


def test_what_the_condition_leaves_out_is_refused_whoever_writes(shop):
    with shop.opened(shop.manager) as ctx:
        author, book = shop.table(ctx, "author"), shop.table(ctx, "book")
        jane, mary = (records.create(ctx, author, {"name": n}) for n in ("Jane", "Mary"))
        emma = records.create(ctx, book, {"title": "Emma", "author": jane})
        sequel = records.create(ctx, book, {"title": "Emma II", "author": jane, "sequel_of": emma})
        with pytest.raises(InvalidInput) as err:
            records.create(ctx, book, {"title": "Mathilda", "author": mary, "sequel_of": emma})
        assert err.value.errors == {"sequel_of": [linking.UNPICKED]}
        records.change(ctx, book, sequel, {"author": mary})  # what was chosen before may stay


def test_many_records_are_asked_about_together(shop, monkeypatch):
    asked = []
    picked = linking._picked
    monkeypatch.setattr(linking, "_picked", lambda *given: asked.append(given) or picked(*given))
    with shop.opened(shop.manager) as ctx:
        author, book = shop.table(ctx, "author"), shop.table(ctx, "book")
        jane, mary = (records.create(ctx, author, {"name": n}) for n in ("Jane", "Mary"))
        emma = records.create(ctx, book, {"title": "Emma", "author": jane})
        many = [{"title": f"No. {n}", "author": (jane, mary)[n % 2], "sequel_of": emma} for n in range(20)]
        drafts = records.create_many(ctx, book, many)
    assert [bool(d.errors) for d in drafts] == [False, True] * 10
    assert len(asked) == 2
