"""Another shop sends its orders to a flow: a secret address, signatures, each message once, not too many."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from runtime import definitions, incoming, jobs, query, webhooks
from runtime.access import door
from runtime.models_flow import flow_instance
from tests.runtime.conftest import Shop

SAMPLE = '{"orderNo": "A-1", "total": 12.5, "lines": [{"sku": "x", "qty": 2}]}'


def package(**options: Any) -> dict[str, Any]:
    steps = [
        {"id": "order", "type": "create", "table": "order", "set": {"no": "payload.order_no", "total": "payload.total"}},
        {"id": "each_line", "type": "each", "of": "payload.lines", "steps": [
            {"id": "line", "type": "create", "table": "line", "set": {"order": "order", "sku": "each_line.sku", "qty": "each_line.qty"}}]},
    ]  # fmt: skip
    flow = {
        "id": "orders",
        "trigger": {"incoming": {"sample": SAMPLE, **options}, "when": "payload.total > 0"},
        "steps": steps,
    }
    return {
        "language": 1, "app": "shop", "flows": [flow],
        "tables": [
            {"id": "order", "fields": [{"id": "no", "type": "text"}, {"id": "total", "type": "number", "decimals": 2}]},
            {"id": "line", "fields": [{"id": "order", "type": "link", "table": "order"}, {"id": "sku", "type": "text"},
                                      {"id": "qty", "type": "number"}]},
        ],
        "access": [{"id": t, "who": {"flow": "orders"}, "table": t, "do": ["read", "create"]} for t in ("order", "line")],
    }  # fmt: skip


def address(shop: Shop) -> incoming.Address:
    with shop.opened() as ctx:
        found = incoming.address(ctx, definitions.installed(ctx, "shop"), "orders")
    assert found is not None
    return found


def send(app: Flask, path: str, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().post(path, data=data, content_type="application/json", headers=named)


def rows(shop: Shop, table: str, *columns: str) -> list[tuple[Any, ...]]:
    with shop.opened() as ctx:
        page = query.page(door(ctx, shop.table(ctx, table)), query.Listing(columns))
        return [tuple(r.values[c] for c in columns) for r in page.records]


@pytest.fixture(scope="module")
def orders(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(package(once_by="payload.order_no", most=8))


def test_an_order_from_outside_becomes_records_once(app: Flask, orders: Shop, database_url: str) -> None:
    path = address(orders).path
    order = {
        "orderNo": "B-7",
        "total": 30,
        "lines": [{"sku": "pen", "qty": 1}, {"sku": "ink", "qty": "2"}],
        "more": [1],
    }
    first, again = send(app, path, order), send(app, path, {**order, "total": 31})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json == {**first.json, "repeated": True}
    assert send(app, path, {"orderNo": "B-8", "total": 0}).json == {"run": None}, "the flow does not want it"
    jobs.drain_jobs(database_url)
    assert rows(orders, "order", "no", "total") == [("B-7", 30)]
    assert sorted(rows(orders, "line", "sku", "qty")) == [("ink", 2), ("pen", 1)]
    with orders.opened() as ctx:
        assert ctx.conn.scalars(select(flow_instance.c.id)).all() == [ctx.conn.scalar(select(flow_instance.c.id))]
        assert str(ctx.conn.scalar(select(flow_instance.c.id))) == first.json["run"]


def test_strangers_and_floods_are_refused(app: Flask, orders: Shop) -> None:
    path = address(orders).path
    assert send(app, path[:-3] + "xyz", {}).status_code == 404
    assert send(app, path.replace(orders.workspace.slug, "nobody"), {}).status_code == 404
    assert send(app, path, "{not json").status_code in (400, 422)
    assert send(app, path, b"\xff\xfe").status_code in (400, 422)
    assert send(app, path, "[" + "1," * 200_000 + "1]").status_code == 413
    answers = [send(app, path, {"orderNo": f"C-{n}", "total": 0}) for n in range(9)]
    assert (answers[-1].status_code, answers[-1].headers["Retry-After"]) == (429, "60")


def test_only_a_signed_message_is_taken_and_a_new_address_ends_the_old_one(
    app: Flask, make_shop: Callable[..., Shop]
) -> None:
    shop = make_shop(package(signed=True))
    found, body, now = address(shop), json.dumps({"orderNo": "D-1", "total": 5}), int(datetime.now(UTC).timestamp())
    signed = {
        "webhook_id": "m1",
        "webhook_timestamp": str(now),
        "webhook_signature": webhooks.signature(found.signing, "m1", now, body),
    }
    wrong = webhooks.signature(webhooks.SIGNED + base64.b64encode(b"x" * 24).decode(), "m1", now, body)
    assert send(app, found.path, body).status_code == 403
    assert send(app, found.path, body, **{**signed, "webhook_signature": wrong}).status_code == 403
    assert send(app, found.path, body + " ", **signed).status_code == 403
    assert send(app, found.path, body, **{**signed, "webhook_timestamp": str(now - 1_000)}).status_code == 403
    assert send(app, found.path, body, **signed).status_code == 202
    with shop.opened() as ctx:
        incoming.renew(ctx, definitions.installed(ctx, "shop"), "orders")
    assert send(app, found.path, body, **signed).status_code == 404
    assert address(shop).path != found.path


def test_the_designer_shows_the_address_and_makes_a_new_one(make_shop: Callable[..., Shop], sign_in: Any) -> None:
    shop = make_shop(package())
    boss, found = sign_in(shop, "boss"), address(shop)
    studio = "/build/shop/flow/orders/"
    assert found.path in boss.get(f"{studio}?step=trigger:0").text
    renewed = boss.post(f"{studio}address", {"id": "trigger:0"})
    assert renewed.status_code == 200
    assert address(shop).path in renewed.text
    assert found.path not in renewed.text
    wrong = boss.post(f"{studio}options", {"path": "trigger:0", "incoming.sample": "{order:"})
    assert (wrong.status_code, "{order:" in wrong.text) == (422, True)
