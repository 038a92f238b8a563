"""The doors to records, through the Flask client, by people with and without rights."""

import json
import re

import pytest

from runtime import records


def book_of(shop, **values):
    with shop.opened(shop.manager) as ctx:
        return records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", **values})


def test_a_manager_fills_in_a_form_and_finds_the_record_in_the_list(shop, sign_in):
    manager = sign_in(shop, "manager")
    page = manager.get("/a/shop/f/book/new")
    assert page.status_code == 200
    assert 'id="f-title"' in page.text
    copies = json.dumps([{"place": "Hall", "count": "2"}])
    sent = manager.post("/a/shop/f/book/new", {"title": "Emma", "price": "10", "copies": copies, "kind": "essay"})
    assert sent.status_code == 204, sent.text
    record = sent.headers["HX-Redirect"]
    assert "Emma" in manager.get(record).text
    listed = manager.get("/a/shop/v/book/").text
    assert "Emma" in listed
    assert "B-0001" in listed


def test_every_problem_stands_beside_its_field_and_nothing_typed_is_lost(shop, sign_in):
    manager = sign_in(shop, "manager")
    answer = manager.post("/a/shop/f/book/new", {"title": "", "price": "ten", "kind": "essay"})
    assert answer.status_code == 422
    assert "Please fill this in." in answer.text
    assert "Enter a number." in answer.text
    assert 'value="ten"' in answer.text
    assert "<!doctype" not in answer.text


def test_live_values_are_worked_out_on_the_server(shop, sign_in):
    manager = sign_in(shop, "manager")
    rows = json.dumps([{"count": "3"}])
    answer = manager.post(
        "/a/shop/f/book/live", {"title": "E", "price": "2.50", "copies": rows, "_touched": '["price"]'}
    )
    assert answer.status_code == 200
    assert "7.50" in answer.text


def test_the_same_submission_twice_makes_one_record(shop, sign_in):
    manager = sign_in(shop, "manager")
    sent = [
        manager.post("/a/shop/f/book/new", {"title": "Emma", "_once": "k-1"}).headers["HX-Redirect"] for _ in range(2)
    ]
    assert sent[0] == sent[1]


def test_a_stale_change_shows_both_versions(shop, sign_in):
    id = book_of(shop)
    manager = sign_in(shop, "manager")
    manager.post(f"/a/shop/f/book/{id}", {"title": "Emma II", "_version": "1"})
    clash = manager.post(f"/a/shop/f/book/{id}", {"title": "Sense", "_version": "1"})
    assert clash.status_code == 409
    assert "Emma II" in clash.text
    assert 'value="Sense"' in clash.text
    again = re.search(r'name="_version" value="(\d+)"', clash.text)
    assert manager.post(f"/a/shop/f/book/{id}", {"title": "Sense", "_version": again[1]}).status_code == 204


def test_a_clerk_sees_neither_a_hidden_field_nor_another_ones_record(shop, sign_in):
    id = book_of(shop, kind="essay", cost="1", price="3")
    clerk = sign_in(shop, "clerk")
    assert clerk.get(f"/a/shop/t/book/{id}").status_code == 404
    assert clerk.get(f"/a/shop/f/book/{id}").status_code == 404
    assert 'name="cost"' not in clerk.get("/a/shop/f/book/new").text
    assert clerk.get("/a/shop/v/book/?sort=cost").status_code == 200
    assert "Emma" not in clerk.get("/a/shop/v/book/").text


def test_an_outsider_is_told_nothing_not_even_that_the_app_is_there(shop, sign_in):
    outsider = sign_in(shop, "outsider")
    id = book_of(shop)
    for url in ("/a/shop/", "/a/shop/v/book/", f"/a/shop/t/book/{id}", "/a/shop/f/book/new", "/a/none/"):
        assert outsider.get(url).status_code == 404, url
    assert outsider.post("/a/shop/f/book/new", {"title": "X"}).status_code == 404


def test_a_visitor_is_sent_to_sign_in_and_a_stranger_s_form_is_refused(shop, app):
    client = app.test_client()
    assert client.get("/a/shop/").headers["Location"].startswith("/sign-in?next=")
    assert client.post("/sign-in", data={"email": "a", "password": "b"}).status_code == 403


def test_deleting_offers_the_trash_and_restoring_brings_back(shop, sign_in):
    id = book_of(shop)
    manager = sign_in(shop, "manager")
    assert manager.post("/a/shop/t/book/trash", {"ids": str(id)}).status_code == 204
    assert "Emma" not in manager.get("/a/shop/v/book/").text
    assert "Emma" in manager.get("/a/shop/v/book/?trash=1").text
    assert manager.post("/a/shop/t/book/restore", {"ids": str(id)}).status_code == 204
    assert "Emma" in manager.get("/a/shop/v/book/").text


def test_history_names_who_changed_what(shop, sign_in):
    id = book_of(shop)
    manager = sign_in(shop, "manager")
    manager.post(f"/a/shop/f/book/{id}", {"title": "Emma II", "_version": "1"})
    told = manager.fragment(f"/a/shop/t/book/{id}/history").text
    assert "<del>Emma</del>" in told
    assert "<ins>Emma II</ins>" in told


def test_a_filter_is_drawn_as_conditions_and_kept_in_the_address(shop, sign_in):
    book_of(shop, price="5")
    manager = sign_in(shop, "manager")
    answer = manager.get("/a/shop/v/book/filter?field=price&operator=more&value=3&field=kind&operator=is&value=novel")
    assert "filter=AND%28price+%3E+3%2C+kind+%3D+%22novel%22%29" in answer.headers["Location"]
    shown = manager.get(answer.headers["Location"]).text
    assert "Emma" in shown
    assert "Emma" not in manager.get("/a/shop/v/book/?filter=price+%3E+30").text


@pytest.mark.parametrize(
    "query",
    [
        "filter=((",
        "filter=" + "NOT(" * 60 + "TRUE" + ")" * 60,
        "filter=nothing+%3D+1",
        "sort=none",
        "sort=copies",
        "after=%01",
        "size=9e9",
        "q='%25_\\",
    ],
)
def test_a_senseless_address_shows_the_list_and_never_fails(shop, sign_in, query):
    book_of(shop)
    answer = sign_in(shop, "manager").get(f"/a/shop/v/book/?{query}")
    assert answer.status_code == 200


def test_an_export_holds_what_the_list_shows_and_no_formula_of_a_stranger(shop, sign_in):
    book_of(shop, title="=HYPERLINK(1)", price="5")
    boss = sign_in(shop, "boss")
    sent = boss.get("/a/shop/export/book?as=csv")
    assert sent.status_code == 200
    text = sent.data.decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in text
    assert "5.00" in text
    assert boss.get("/a/shop/export/book").data[:2] == b"PK"
    assert sign_in(shop, "manager").get("/a/shop/export/book").status_code == 403
