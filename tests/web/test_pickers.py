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


# -- what depends on the row's own answers ----------------------------------------------------------


@pytest.fixture
def library(make_shop):
    """Copies name an author of their own, and a title and a book of that one's."""
    package = deepcopy(SHOP)
    copies = next(f for f in package["tables"][1]["fields"] if f["id"] == "copies")
    copies["fields"] += [
        {"id": "author", "type": "link", "table": "author"},
        {
            "id": "title",
            "type": "choice",
            "source": {"table": "book", "field": "title", "where": "author = this.author"},
        },
        {
            "id": "twin",
            "type": "link",
            "table": "book",
            "pick": "author = this.author",
            "show_columns": ["no", "price"],
        },
    ]
    shop = make_shop(package)
    with shop.opened(shop.boss) as ctx:
        author, book = shop.table(ctx, "author"), shop.table(ctx, "book")
        shop.jane, shop.mary = (records.create(ctx, author, {"name": n}) for n in ("Jane", "Mary"))
        shop.emma = records.create(ctx, book, {"title": "Emma", "author": shop.jane, "price": 5})
        shop.mathilda = records.create(ctx, book, {"title": "Mathilda", "author": shop.mary})
    return shop


def test_a_choice_and_a_link_of_a_row_go_by_the_row_s_own_answers_first(library, sign_in):
    boss = sign_in(library, "boss")
    by_row = f"q=&with.author={library.mary}&with..author={library.jane}"
    assert [o["text"] for o in boss.get(f"/a/shop/pick/book/copies.title?{by_row}").json] == ["Emma"]
    [one] = boss.get(f"/a/shop/pick/book/copies.twin?several=1&{by_row}").json
    assert (one["id"], one["note"]) == (str(library.emma), "B-0001 · ¥5.00")
    page = boss.get("/a/shop/f/book/new").text
    assert page.count('data-with=".author"') == 2
    assert 'data-choose="author"' in page


def test_what_does_not_go_with_the_row_is_refused_beside_it(library):
    fitting = {"author": library.jane, "title": "Emma", "twin": library.emma}
    wrong = {"author": library.jane, "title": "Mathilda", "twin": library.mathilda}
    with library.opened(library.boss) as ctx:
        book = library.table(ctx, "book")
        records.create(ctx, book, {"title": "Good", "author": library.mary, "copies": [fitting, dict(fitting)]})
        with pytest.raises(InvalidInput) as err:
            records.create(ctx, book, {"title": "Bad", "author": library.mary, "copies": [fitting, wrong]})
        assert set(err.value.errors) == {"copies[1].title", "copies[1].twin"}


def test_several_records_become_rows_at_once(library, sign_in, opened):
    page = opened(sign_in(library, "boss"))
    page.goto("/a/shop/f/book/new", wait_until="networkidle")
    page.click("[data-choose=author]")
    for name in ("Jane", "Mary"):
        page.check(f".choose-line:has-text('{name}') input")
    page.click(".choose-dialog button:has-text('Add 2 rows')")
    rows = page.locator("[data-rows=copies] tbody tr[data-row]")
    rows.nth(1).locator(".ts-control .item").first.wait_for()
    shown = [rows.nth(n).locator("[data-column=author] .item").inner_text() for n in (0, 1)]
    assert sorted(shown) == ["Jane", "Mary"]
    page.click("[data-choose=author]")
    assert page.locator(".choose-line:has-text('Jane') small").inner_text() == "already in a row"
