"""Deliveries entered together with the order that they belong to: records of their own, or nothing of it at all."""

import json
import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from runtime import query
from runtime.access import door
from runtime.models_flow import flow_instance
from schemas.app import App
from schemas.options import load

SHOP: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "order", "title_formula": "no", "fields": [
            {"id": "no", "type": "text", "label": "No"}, {"id": "place", "type": "text", "label": "Place"},
            {"id": "sum", "type": "rollup", "over": "delivery.order", "aggregate": "sum", "value": "count"},
            {"id": "deliveries", "type": "query", "label": "Deliveries", "table": "delivery", "together": True,
             "where": "AND(order = this, place = this.place)", "columns": ["day", "what", "count", "driver", "double"]}]},
        {"id": "delivery", "title_formula": "what", "fields": [
            {"id": "order", "type": "link", "table": "order", "required": True}, {"id": "place", "type": "text"},
            {"id": "day", "type": "date", "label": "Day", "default": "=TODAY()"},
            {"id": "what", "type": "text", "label": "What", "required": True}, {"id": "count", "type": "number", "label": "Count"},
            {"id": "driver", "type": "member", "label": "Driver"},
            {"id": "hidden", "type": "text", "label": "Hidden", "default": "=\"of \" & order.no"},
            {"id": "double", "type": "formula", "formula": "count * 2"}],
         "checks": [{"id": "some", "formula": "count > 0", "message": "How many?"}]}],
    "forms": [{"id": "order", "table": "order", "layout": [{"row": [id]} for id in ("no", "place", "sum", "deliveries")]}],
    "flows": [{"id": "planned", "trigger": {"created": "delivery"}, "steps": [{"id": "n", "type": "calculate", "formula": "count"}]}],
    "access": [{"id": "orders", "who": {"role": "clerk"}, "table": "order", "do": ["read", "create", "update"]},
               {"id": "deliveries", "who": {"role": "clerk"}, "table": "delivery", "do": ["read", "create"],
                "fields": {"*": "write", "driver": "read", "hidden": "hidden"}},
               {"id": "others", "who": {"role": "manager"}, "table": "order", "do": ["read", "create"]}],
}  # fmt: skip
NEW = "/a/shop/f/order/new"


@pytest.fixture
def shop(make_shop):
    return make_shop(SHOP)


@pytest.fixture
def clerk(shop, sign_in):
    return sign_in(shop, "clerk")


def rows(*lines: dict[str, Any]) -> dict[str, str]:
    return {"deliveries": json.dumps(lines)}


def kept(shop: Any, table: str, *columns: str) -> list[tuple[Any, ...]]:
    with shop.opened(shop.boss) as ctx:
        found = query.page(door(ctx, shop.table(ctx, table)), query.Listing(columns=columns, sort=("created_at",))).records
        return [tuple(r[c] for c in columns) for r in found]


def test_rows_stand_on_a_new_form_and_become_records_that_belong_to_it(shop, clerk):
    page = clerk.get(NEW).text
    assert 'data-rows="deliveries"' in page
    heads = re.search(r'data-rows="deliveries".*?</thead>', page, re.DOTALL)[0]
    for label, shown in {"Day": True, "What": True, "Count": True, "Driver": False, "Hidden": False}.items():
        assert (f">{label}<" in heads) is shown, label
    lines = rows({"day": "2026-12-01", "what": "Oak", "count": "3"}, {"what": "Ash", "count": "4"}, {"what": ""})
    assert clerk.post(NEW, {"no": "A 1", "place": "Gate 2", **lines}).status_code == 204
    assert set(kept(shop, "delivery", "what", "count", "place")) == {("Oak", 3, "Gate 2"), ("Ash", 4, "Gate 2")}
    assert set(kept(shop, "delivery", "hidden")) == {("of A 1",)}
    assert date(2026, 12, 1) in {day for (day,) in kept(shop, "delivery", "day")}
    assert kept(shop, "order", "no", "sum") == [("A 1", 7)]
    with shop.opened(shop.boss) as ctx:
        assert len(list(ctx.conn.scalars(select(flow_instance.c.state)))) == 2, "flows see them"


def test_where_one_is_refused_nothing_is_kept_and_everything_typed_stays(shop, clerk):
    sent = {"no": "A 1", **rows({"day": "soon", "what": "Oak", "count": "1"}, {"what": "", "count": "2"})}
    unread = clerk.post(NEW, sent)
    assert unread.status_code == 422
    assert 'value="Oak"' in unread.text
    refused = clerk.post(NEW, {**sent, **rows({"what": "", "count": "2"}, {"what": "Ash", "count": "0"})})
    assert refused.status_code == 422
    assert "How many?" in refused.text
    assert 'value="Ash"' in refused.text
    assert re.search(r'id="f-deliveries-0--what-cell".*?class="error"', refused.text, re.DOTALL)
    assert kept(shop, "order", "no") == []
    assert kept(shop, "delivery", "what") == []


def test_rows_stay_while_the_form_is_calculated(clerk):
    sent = {"no": "A 1", "_touched": "[\"no\", \"deliveries\"]", "_changed": "[\"no\"]", **rows({"what": "Oak", "count": "3"})}
    page = clerk.post("/a/shop/f/order/live", sent).text
    assert 'name="deliveries[0].what"' in page
    assert 'value="Oak"' in page


def test_the_record_shows_them_as_its_query_and_takes_no_rows(shop, clerk):
    clerk.post(NEW, {"no": "A 1", **rows({"what": "Oak", "count": "3"})})
    with shop.opened(shop.boss) as ctx:
        order = query.page(door(ctx, shop.table(ctx, "order")), query.Listing()).records[0].id
    page = clerk.get(f"/a/shop/f/order/{order}").text
    assert "Oak" in page
    assert "data-rows" not in page
    sent = {"no": "A 2", "_version": "1", **rows({"what": "Ash", "count": "1"})}
    assert clerk.post(f"/a/shop/f/order/{order}", sent).status_code == 204
    assert kept(shop, "delivery", "what") == [("Oak",)]


def test_who_may_add_none_enters_none(shop, sign_in):
    manager = sign_in(shop, "manager")
    assert 'data-rows="deliveries"' not in manager.get(NEW).text
    assert manager.post(NEW, {"no": "A 1", **rows({"what": "Oak", "count": "3"})}).status_code == 204
    assert kept(shop, "delivery", "what") == []


def test_what_does_not_belong_to_the_record_cannot_be_entered_with_it():
    fields = SHOP["tables"][0]["fields"]
    order = {**SHOP["tables"][0], "fields": [*fields[:3], {**fields[3], "where": "place = this.place"}]}
    problems = [str(p.message) for p in load(App, {**SHOP, "tables": [order, SHOP["tables"][1]]}).analysis.problems()]
    assert any("must name the link" in one for one in problems)
