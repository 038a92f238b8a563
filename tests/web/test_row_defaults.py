"""Defaults of a subform's columns follow what they read while a form is filled in, until somebody fills in the cell."""

import json
from copy import deepcopy

import pytest
from playwright.sync_api import expect

from runtime import filling, records
from tests.runtime.conftest import SHOP


@pytest.fixture
def shop(make_shop):
    package = deepcopy(SHOP)
    copies = next(f for f in package["tables"][1]["fields"] if f["id"] == "copies")
    copies["fields"] += [
        {"id": "tag", "type": "text", "default": "=title & \"-\" & place"},
        {"id": "label", "type": "text", "default": "=tag & \"!\""},
    ]  # fmt: skip
    return make_shop(package)


def rows_of(ctx, begun, answers, typed, changed=()):
    touched = {name.partition("[")[0] for name in answers} | set(typed)
    return filling.as_sent(ctx, begun, answers, touched, changed, typed).values["copies"]


def test_an_untouched_cell_follows_and_a_typed_one_stays(shop):
    with shop.opened(shop.boss) as ctx:
        book = shop.table(ctx, "book")
        begun = filling.blank(ctx, book, book.inst.app.all_forms["book"])
        lines = [{"place": "Hall", "tag": "old", "label": "mine"}, {"place": "Attic", "tag": "mine", "label": ""}]
        typed = {"copies[0].place", "copies[0].label", "copies[1].tag"}
        made = rows_of(ctx, begun, {"title": "Emma", "copies": lines}, typed)
        assert [(row["tag"], row["label"]) for row in made] == [("Emma-Hall", "mine"), ("mine", "mine!")]
        emptied = {"copies[0].tag", "copies[0].label"}
        made = rows_of(ctx, begun, {"title": "Emma", "copies": [{"place": "Hall", "tag": "", "label": "x"}]}, emptied)
        assert (made[0]["tag"], made[0]["label"]) == (None, "x")
        kept = filling.as_sent(ctx, begun, {"title": "Emma", "copies": lines}, {"copies"}).values["copies"]
        assert kept[0]["tag"] == "old"


def test_rows_that_are_stored_keep_what_they_have(shop):
    with shop.opened(shop.boss) as ctx:
        book = shop.table(ctx, "book")
        id = records.create(ctx, book, {"title": "Emma", "copies": [{"place": "Hall"}]})
        begun = filling.of_record(ctx, book, book.inst.app.all_forms["book"], id)
        [row] = begun.values["copies"]
        assert row["tag"] == "Emma-Hall"
        sent = [{"_id": str(row["_id"]), "place": "Attic", "tag": "Emma-Hall", "label": "Emma-Hall!"}, {"place": "New"}]
        made = rows_of(ctx, begun, {"title": "Emma", "copies": sent}, {"copies[0].place", "copies[1].place"})
        assert [r["tag"] for r in made] == ["Emma-Hall", "Emma-New"]


def test_in_the_browser_a_moved_row_takes_its_typed_cells_along(shop, sign_in, opened):
    page = opened(sign_in(shop, "boss"))
    page.goto("/a/shop/f/book/new", wait_until="networkidle")
    page.fill("[name=title]", "Emma")
    for n, place in enumerate(("Hall", "Attic")):
        page.click("[data-row-add]")
        page.fill(f"[name='copies[{n}].place']", place)
        expect(page.locator(f"[name='copies[{n}].tag']")).to_have_value(f"Emma-{place}")
    page.fill("[name='copies[1].tag']", "mine")
    expect(page.locator("[name='copies[1].label']")).to_have_value("mine!")
    page.focus("[name='copies[1].place']")
    page.keyboard.press("Alt+ArrowUp")
    page.fill("[name=title]", "Sense")
    expect(page.locator("[name='copies[1].tag']")).to_have_value("Sense-Hall")
    assert page.input_value("[name='copies[0].tag']") == "mine"
    data = json.loads(page.evaluate("new FormData(document.querySelector('form.form')).get('copies')"))
    assert [(row["place"], row["tag"]) for row in data] == [("Attic", "mine"), ("Hall", "Sense-Hall")]
