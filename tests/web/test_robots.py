"""Chat robots in the settings of the workspace: for its administrators alone."""

import re

import pytest

from runtime import robots
from tests.runtime.test_robots import chat  # noqa: F401


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


def test_an_administrator_adds_tries_and_removes_a_robot(boss, shop, chat):  # noqa: F811
    assert "No robots yet" in boss.get("/workspace/robots/").text
    sent = {"name": "Sales chat", "kind": "wecom", "address": chat.url}
    assert boss.post("/workspace/robots/", sent).status_code == 303
    page = boss.get("/workspace/robots/").text
    assert "Sales chat" in page
    assert "well-hidden" not in page, "the address is shown to nobody again"
    again = boss.post("/workspace/robots/", sent)
    assert again.status_code == 422
    assert "There is a robot of this name already." in again.text
    place = re.search(r'action="(/workspace/robots/[^/]+)/try"', page)[1]
    assert boss.post(f"{place}/try").status_code == 303
    assert chat.got[0][1]["text"]["content"].startswith("A message from")
    assert boss.post(f"{place}/remove").status_code == 303
    assert "No robots yet" in boss.get("/workspace/robots/").text


def test_nobody_else_sees_or_moves_robots(shop, sign_in, chat):  # noqa: F811
    with shop.opened(shop.boss) as ctx:
        id = robots.add(ctx, "Sales chat", "wecom", chat.url)
    clerk = sign_in(shop, "clerk")
    assert clerk.get("/workspace/robots/").status_code == 404
    for path in ("", f"{id}/try", f"{id}/remove"):
        assert clerk.post(f"/workspace/robots/{path}", {"name": "Mine"}).status_code == 404
    assert chat.got == []
