"""Secrets in the settings of the workspace: put in by its administrators, read by nobody, chosen for an app's posts."""

import re

import pytest

from runtime import definitions, keyring
from tests.runtime.test_requests_of_flows import shop_with


@pytest.fixture
def place(make_shop):
    return make_shop(shop_with("api.example.com"))


def test_an_administrator_adds_changes_and_removes_a_secret(place, sign_in):
    boss = sign_in(place, "boss")
    assert "No secrets yet" in boss.get("/workspace/secrets/").text
    sent = {"name": "Prices", "servers": "api.example.com", "value": "well-hidden"}
    assert boss.post("/workspace/secrets/", sent).status_code == 303
    page = boss.get("/workspace/secrets/").text
    assert "Prices" in page
    assert "well-hidden" not in page
    again = boss.post("/workspace/secrets/", {**sent, "value": "well-typed"})
    assert again.status_code == 422
    assert "There is a secret of this name already." in again.text
    assert "well-typed" not in again.text
    path = re.search(r'action="(/workspace/secrets/[^/"]+)"', page)[1]
    assert boss.post(path, {"value": ""}).status_code == 422
    assert boss.post(path, {"value": "other"}).status_code == 303
    assert boss.post(f"{path}/remove").status_code == 303
    assert "No secrets yet" in boss.get("/workspace/secrets/").text


def test_nobody_else_sees_or_moves_secrets(place, sign_in):
    with place.opened(place.boss) as ctx:
        id = keyring.add(ctx, "Prices", "api.example.com", "well-hidden")
    clerk = sign_in(place, "clerk")
    assert clerk.get("/workspace/secrets/").status_code == 404
    for path in ("", f"{id}", f"{id}/remove"):
        assert clerk.post(f"/workspace/secrets/{path}", {"name": "Mine", "value": "x"}).status_code == 404


def test_a_secret_is_chosen_under_who_is_who(place, sign_in):
    with place.opened(place.boss) as ctx:
        id = keyring.add(ctx, "Prices", "api.example.com", "well-hidden")
    boss = sign_in(place, "boss")
    assert "Price key" in boss.get("/build/shop/people").text
    boss.post("/build/shop/people", {"slot:key": str(id)})
    with place.opened(place.boss) as ctx:
        assert definitions.slots(ctx, definitions.installed(ctx, "shop"))["key"] == id
    assert f'value="{id}" selected' in boss.get("/build/shop/people").text
    boss.post("/build/shop/people", {"slot:key": ""})
    with place.opened(place.boss) as ctx:
        assert "key" not in definitions.slots(ctx, definitions.installed(ctx, "shop"))
