"""A designer makes an aggregate table in one step, publishes it, and its figures follow what is sent."""

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from builder import aggregates, drafts
from builder.parts import join
from runtime import definitions, query, records
from runtime.access import door
from schemas.errors import InvalidInput
from tests.runtime.test_groups import STORE


@pytest.fixture
def plain(make_shop):
    package = deepcopy(STORE)
    package["tables"] = package["tables"][:3]
    for table in package["tables"]:
        table["fields"] = [f for f in table["fields"] if f["type"] != "group"]
        for field in table["fields"]:
            if "fields" in field:
                field["fields"] = field["fields"][:2]
    package["access"] = [g for g in package["access"] if g["table"] not in ("stock", "month")]
    return make_shop(package)


def rows_of(shop: Any, table: str) -> list[dict[str, Any]]:
    with shop.opened(shop.boss) as ctx:
        gate = door(ctx, shop.table(ctx, table))
        found = query.page(gate, query.Listing(sort=("by_2",))).records
        titles = query.titles(ctx, gate.live, [r.id for r in found])
        return [{**query.fetch(gate, r.id).values, "title": titles[r.id]} for r in found]


def test_from_the_page_to_figures(plain, sign_in):
    boss = sign_in(plain, "boss")
    assert "/build/shop/aggregate/" in boss.get("/build/shop/").text
    page = boss.get("/build/shop/aggregate/?of=receipt.lines").text
    for word in ('value="item"', 'value="place"', 'name="unit:day"', 'value="count"'):
        assert word in page
    sent = {"of": "receipt.lines", "title": "Received", "by": ["item", "day"], "unit:day": "quarter", "sums": ["count"]}
    assert boss.post("/build/shop/aggregate/", sent).status_code in (204, 303)
    with plain.opened(plain.clerk) as ctx:
        oak = records.create(ctx, plain.table(ctx, "item"), {"name": "Oak"})
        for month, count in ((1, 5), (3, 2), (4, 1)):
            lines = [{"item": oak, "count": count}]
            records.create(ctx, plain.table(ctx, "receipt"), {"day": date(2026, month, 1), "lines": lines})
    boss.post("/build/shop/publish", {"note": ""})
    assert [(r["title"], r["count"], r["sum_1"]) for r in rows_of(plain, "received")] == [
        ("Oak · 2026-Q1", 2, 7), ("Oak · 2026-Q2", 1, 1),
    ]  # fmt: skip
    assert sign_in(plain, "clerk").get("/a/shop/v/received/").status_code == 404, "nobody has been given the right"


def test_what_is_missing_is_said_and_what_was_chosen_stays(plain, sign_in):
    boss = sign_in(plain, "boss")
    again = boss.post("/build/shop/aggregate/", {"of": "receipt.lines", "title": "Received", "by": [], "sums": ["count"]})
    assert again.status_code == 422
    assert "Choose 1 to 30 fields to group by." in again.text
    assert 'value="Received"' in again.text
    assert boss.post("/build/shop/aggregate/", {"of": "gone", "title": "X", "by": ["item"]}).status_code == 422
    assert sign_in(plain, "clerk").get("/build/shop/aggregate/").status_code == 404


@pytest.mark.parametrize("unit", aggregates.UNITS)
def test_every_stretch_of_time_has_a_formula(unit, plain):
    with plain.opened(plain.boss) as ctx:
        draft = drafts.open_draft(ctx, "shop")
        made, form = aggregates.add(draft.parts, "收货", "receipt", [("day", unit), ("place", "")], [])
        assert made[f"tables/{form}"]["keys"] == [{"fields": ["by_1", "by_2"]}]
        definitions.load_app(join(made))
        with pytest.raises(InvalidInput):
            aggregates.add(draft.parts, "", "receipt", [("day", unit)], [])
