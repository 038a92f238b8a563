"""Administrators read, search and export the trail; nobody else does."""

from typing import Any

import pytest

from runtime.devices import device
from tests.runtime.conftest import Shop


def test_what_people_do_is_read_by_administrators_only(shop: Shop, sign_in: Any) -> None:
    boss, clerk = sign_in(shop, "boss"), sign_in(shop, "clerk")
    assert [clerk.get(url).status_code for url in ("/audit/", "/audit/export")] == [404, 404]
    assert clerk.post("/audit/retention", {"days": "90"}).status_code == 404
    clerk.post("/sign-in", {"email": f"clerk-{shop.clerk.id}@example.com", "password": "guessed"})
    page = boss.get("/audit/").text
    assert "Published revision 1 of shop" in page
    assert f"Failed to sign in as clerk-{shop.clerk.id}@example.com" in page
    assert "127.0.0.1" in page


def test_the_trail_is_searched_and_exported_and_the_export_is_noted(shop: Shop, sign_in: Any) -> None:
    boss = sign_in(shop, "boss")
    page = boss.get("/audit/?group=app&q=shop&since=2020-01-01&until=2999-01-01&before=nonsense").text
    assert "Published revision 1" in page
    assert "Signed in" not in boss.get("/audit/?group=app").text
    assert "Published" not in boss.get("/audit/?until=2020-01-01").text
    file = boss.get("/audit/export?group=app")
    assert file.headers["Content-Type"].startswith("text/csv")
    assert "Published revision 1 of shop" in file.text
    assert "Signed in" not in file.text
    assert "Exported the audit trail" in boss.get("/audit/").text


def test_how_long_it_is_kept_is_said_in_days(shop: Shop, sign_in: Any) -> None:
    boss = sign_in(shop, "boss")
    assert boss.post("/audit/retention", {"days": "7"}).status_code == 422
    assert boss.post("/audit/retention", {"days": "seven"}).status_code == 422
    assert boss.post("/audit/retention", {"days": "365"}).status_code == 303
    assert 'value="365"' in boss.get("/audit/").text
    assert boss.post("/audit/retention", {"days": ""}).status_code == 303
    assert 'value="365"' not in boss.get("/audit/").text


@pytest.mark.parametrize(("agent", "told"), [
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36", "Chrome · Windows"),
    ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge · Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1", "Safari · iPhone"),
    ("Mozilla/5.0 (Linux; Android 14; 23127PN0CC) Version/4.0 Chrome/116 Mobile Safari/537.36 MicroMessenger/8.0.47", "WeChat · Android"),
    ("curl/8.5", ""), (None, ""),
])  # fmt: skip
def test_a_browser_is_called_what_people_call_it(agent: str | None, told: str) -> None:
    assert str(device(agent)) == told
