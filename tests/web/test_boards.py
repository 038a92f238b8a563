"""Boards: a lane for every option, one for what has none, one for answers that are none of the options."""

import re
from copy import deepcopy

from runtime import query, records
from runtime.access import door
from tests.runtime.conftest import SHOP


def lanes(page):
    """Label, count and titles of each lane, and whether cards can be put there."""
    found = re.findall(
        r'<header id=.lane[^>]*>.*?<span>([^<]*)</span>.*?class="sum">(\d+)</span>.*?<div class="board-cards"([^>]*)>(.*?)</div>',
        page, re.DOTALL,
    )  # fmt: skip
    return [
        (label, int(n), re.findall(r'class="title ellipsis">([^<]*)<', cards), "data-sort-closed" not in attributes)
        for label, n, attributes, cards in found
    ]


def test_other_answers_and_none_have_lanes_of_their_own(make_shop, sign_in):
    package = deepcopy(SHOP)
    kind = next(f for f in package["tables"][1]["fields"] if f["id"] == "kind")
    kind |= {"other": True, "options": [{"id": "novel"}, {"id": "essay"}]}
    package["views"] = [{"id": "kinds", "table": "book", "type": "kanban", "group": "kind", "card": ["price"]}]
    shop = make_shop(package)
    with shop.opened(shop.boss) as ctx:
        book = shop.table(ctx, "book")
        made = {
            title: records.create(ctx, book, {"title": title, "kind": kind, "price": 3})
            for title, kind in (("Emma", "novel"), ("Zine", 'fan "mag"'), ("Map", "atlas"), ("Blank", None))
        }
    boss = sign_in(shop, "boss")
    page = boss.get("/a/shop/v/kinds/").text
    assert lanes(page) == [
        ("(blank)", 1, ["Blank"], True),
        ("novel", 1, ["Emma"], True),
        ("essay", 0, [], True),
        ("Other", 2, ["Map", "Zine"], False),
    ]
    assert "atlas" in page
    assert boss.post("/a/shop/v/kinds/move", json={"key": str(made["Zine"]), "to": "essay"}).status_code == 204
    assert boss.post("/a/shop/v/kinds/move", json={"key": str(made["Emma"]), "to": ""}).status_code == 204
    with shop.opened(shop.boss) as ctx:
        gate = door(ctx, shop.table(ctx, "book"))
        assert [query.fetch(gate, made[t])["kind"] for t in ("Zine", "Emma")] == ["essay", None]
