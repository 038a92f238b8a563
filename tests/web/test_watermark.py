"""The watermark of an app: a manager turns it on, and every page says who looked and when."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from runtime import records
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import Person


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    made = deepcopy(SHOP)
    made["views"] = [{"id": "all", "table": "book", "columns": ["title"]}]
    made["documents"] = [
        {"id": "slip", "table": "book", "title": "Slip", "blocks": [{"id": "h", "type": "heading", "text": "{title}"}]}
    ]
    return make_shop(made)


@pytest.fixture(scope="module")
def boss(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "boss")


def veil(page: Any) -> str:
    found = re.search(r'id="watermark".*?<text[^>]*>([^<]*)<', page.text, re.S)
    return found[1] if found else ""


def published(boss: Person, *parts: str) -> None:
    assert boss.post("/build/shop/watermark", {"watermark": [*parts, "nonsense"]}).status_code in (204, 303)
    assert boss.post("/build/shop/publish", {}).status_code in (204, 303)


def test_pages_of_the_app_say_who_looks_and_when_and_only_they(shop: Shop, boss: Person, sign_in: Any) -> None:
    with shop.opened() as ctx:
        book = records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "owner": shop.clerk.id})
    clerk = sign_in(shop, "clerk")
    pages = ("/a/shop/v/all/", f"/a/shop/t/book/{book}", "/a/shop/f/book/new")
    assert not any(veil(clerk.get(page)) for page in pages)
    published(boss, "time", "name")
    said = [veil(clerk.get(page)) for page in pages]
    assert all(re.fullmatch(r"Clerk \d{4}-\d\d-\d\d \d\d:\d\d", line) for line in said), said
    assert veil(boss.get("/a/shop/v/all/")).startswith("Boss ")
    assert veil(clerk.get("/account/")) == ""
    sheet = boss.get(f"/a/shop/t/book/{book}/print?template=slip").text
    assert re.search(r'class="watermark looked"[^>]*><span>Boss \d{4}', sheet)
    assert "checked" in re.search(r'value="name"[^>]*>', boss.get("/build/shop/").text)[0]  # type: ignore[index]


def test_who_looks_as_another_is_named_themselves(shop: Shop, boss: Person) -> None:
    published(boss, "name")
    boss.post("/a/shop/view-as", {"member": str(shop.clerk.id)})
    assert "You are looking as" in (page := boss.get("/a/shop/v/all/")).text
    assert veil(page) == "Boss"
    boss.post("/view-as/stop")


def test_nothing_chosen_takes_it_away(shop: Shop, boss: Person) -> None:
    published(boss, "workspace")
    assert veil(boss.get("/a/shop/v/all/"))
    published(boss)
    assert veil(boss.get("/a/shop/v/all/")) == ""


def test_the_name_is_text_and_no_markup(shop: Shop, boss: Person) -> None:
    boss.post("/account/", {"name": "<b>Bo & Co"})
    published(boss, "name")
    assert veil(boss.get("/a/shop/v/all/")) == "&lt;b&gt;Bo &amp; Co"
