"""The pages of tokens and webhooks: made, shown once, revoked; and what those who may not see them get."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from runtime import definitions, webhooks
from tests.runtime.conftest import SHOP, Shop
from tests.web.test_api import Program


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(SHOP)


@pytest.fixture(scope="module")
def people(sign_in: Any, shop: Shop) -> dict[str, Any]:
    return {name: sign_in(shop, name) for name in ("clerk", "boss")}


def test_a_member_makes_a_token_of_their_own(people: dict[str, Any], app: Any) -> None:
    clerk = people["clerk"]
    assert "New token" in clerk.get("/tokens/").text
    form = clerk.get("/tokens/new").text
    assert "Every app" in form
    assert "Publish definitions" not in form
    refused = clerk.post("/tokens/new", {"name": "", "reach": "shop"})
    assert refused.status_code == 422
    assert "Give the token a name." in refused.text
    sent = {"name": "My script", "reach": ["shop.book", "shop.author"], "do": ["read"], "also": ["tasks"], "days": "30"}
    made = clerk.post("/tokens/new", sent)
    token = re.search(r'id="token">(mrt_[\w-]+)<', made.text)
    assert token, made.text
    person = Program(app, token[1])
    assert person.get("/api/v1/me").get_json()["scope"] == {
        "data": [{"app": "shop", "tables": ["book", "author"], "do": ["read"]}], "also": ["tasks"]
    }  # fmt: skip
    page = clerk.get("/tokens/").text
    assert token[1][:10] in page
    assert token[1] not in page
    id = re.findall(r"/tokens/([0-9a-f-]{36})/revoke", page)[0]
    assert people["boss"].get("/tokens/").text.count(token[1][:10]) == 1
    assert clerk.post(f"/tokens/{id}/revoke").status_code == 204
    assert person.get("/api/v1/me").status_code == 401


def test_only_an_administrator_makes_a_program_s_token(people: dict[str, Any], app: Any) -> None:
    sent = {
        "name": "ERP",
        "kind": "program",
        "word": "erp",
        "roles": ["shop.clerk", "shop.nothing"],
        "reach": "*",
        "do": "read",
    }
    assert people["clerk"].post("/tokens/new", sent).status_code == 404
    made = people["boss"].post("/tokens/new", sent)
    token = re.search(r'id="token">(mrt_[\w-]+)<', made.text)
    assert token
    assert Program(app, token[1]).get("/api/v1/me").get_json()["kind"] == "token"
    assert "already" in people["boss"].post("/tokens/new", sent).text
    mine = re.findall(r"/tokens/([0-9a-f-]{36})/revoke", people["boss"].get("/tokens/").text)
    assert people["clerk"].post(f"/tokens/{mine[0]}/revoke").status_code == 404


def test_webhooks_are_made_tested_paused_and_removed(people: dict[str, Any], shop: Shop) -> None:
    boss, base = people["boss"], "/build/shop/webhooks"
    assert people["clerk"].get(f"{base}/").status_code == 404
    assert "No webhooks yet" in boss.get(f"{base}/").text
    refused = boss.post(f"{base}/new", {"title": "ERP", "url": "http://localhost/", "events": "record.created"})
    assert refused.status_code == 422
    assert "inside the network" in refused.text
    sent = {"title": "ERP", "url": "https://1.1.1.1/hook", "events": ["record.created", "task.created"], "tables": "book", "roles": "clerk",
            "fields": "title, price"}  # fmt: skip
    where = boss.post(f"{base}/new", sent).headers["HX-Redirect"]
    page = boss.get(where).text
    assert "https://1.1.1.1/hook" in page
    assert "whsec_" in page
    assert 'value="title, price"' in boss.get(f"{where}/edit").text
    assert boss.post(f"{where}/edit", {**sent, "title": "ERP 2"}).status_code == 204
    assert boss.post(f"{where}/test").status_code == 204
    with shop.opened() as ctx:
        hook = webhooks.listed(ctx, definitions.installed(ctx, "shop"))[0]
        delivery = webhooks.log(ctx, hook.id)[0][0]
    assert "ERP 2" in boss.get(f"{base}/").text
    assert "Test" in boss.get(f"{where}?state=waiting").text
    assert boss.post(f"{where}/replay/{delivery.id}").status_code == 204
    for act, word in (("pause", "Paused since"), ("resume", "Pause")):
        assert boss.post(f"{where}/{act}").status_code == 204
        assert word in boss.get(where).text
    assert boss.post(f"{where}/fly").status_code == 404
    assert people["clerk"].post(f"{where}/remove").status_code == 404
    assert boss.post(f"{where}/remove").status_code == 204
    assert boss.get(where).status_code == 404
