"""A flow tells a group chat what happens: by its robot, signed as the chat asks, once, and with the address kept sealed."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from runtime import jobs, robots
from runtime.models_robots import robot
from schemas.errors import InvalidInput
from tests.runtime.conftest import Shop
from tests.runtime.test_flows import CLAIMS, fill_slots, send


class Chat:
    """A group chat that answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        self.status, self.answer = 200, {"errcode": 0, "errmsg": "ok"}
        self.got: list[tuple[str, Any]] = []
        chat = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                chat.got.append((self.path, json.loads(body)))
                said = json.dumps(chat.answer).encode()
                self.send_response(chat.status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *given: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/robot?key=well-hidden"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setenv("MORTISE_OUTGOING_ALLOW", "127.0.0.1")
    made = Chat()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def claims(make_shop: Callable[..., Shop]) -> Shop:
    package = deepcopy(CLAIMS)
    told = {"id": "chat", "type": "notify", "robots": ["Sales chat"], "text": {"en": "New claim {what} over {amount}"}}
    package["flows"][0]["steps"].insert(1, told)
    return fill_slots(make_shop(package))


def added(shop: Shop, chat: Chat, kind: str = "wecom", signing: str = "", name: str = "Sales chat") -> Any:
    with shop.opened(shop.boss) as ctx:
        return robots.add(ctx, name, kind, chat.url, signing)


def test_the_chat_is_told_once_when_the_record_is_saved(claims: Shop, chat: Chat, database_url: str) -> None:
    added(claims, chat)
    send(claims, amount="20")
    assert chat.got == [], "nothing goes out before the job"
    assert not jobs.drain_jobs(database_url)
    ((path, said),) = chat.got
    assert path == "/robot?key=well-hidden"
    text = said["text"]["content"].splitlines()
    assert text[0] == "New claim Paper over ¥20.00"
    assert text[1].startswith("http")
    assert said["msgtype"] == "text"


def test_a_flow_that_names_a_robot_that_is_gone_goes_on(claims: Shop, chat: Chat, database_url: str) -> None:
    send(claims, amount="20")
    assert not jobs.drain_jobs(database_url)
    assert chat.got == []


def test_a_chat_that_refuses_is_told_of_beside_its_robot_until_the_next_message_arrives(
    claims: Shop, chat: Chat, database_url: str
) -> None:
    id = added(claims, chat)
    chat.answer = {"errcode": 93000, "errmsg": "invalid webhook url"}
    send(claims, amount="20")
    jobs.drain_jobs(database_url)
    with claims.opened(claims.boss) as ctx:
        assert [one.problem for one in robots.all_of(ctx)] == ["invalid webhook url"]
        chat.answer = {"errcode": 0}
        assert robots.try_out(ctx, id, "Hello") == ""
        assert [one.problem for one in robots.all_of(ctx)] == [""]
        chat.status = 500
        assert robots.try_out(ctx, id, "Hello").startswith("HTTP 500")


def test_dingtalk_is_signed_in_the_address_and_feishu_in_the_body(claims: Shop, chat: Chat) -> None:
    chat.answer = {"code": 0}
    ids = [added(claims, chat, kind, "s3cret", kind) for kind in ("dingtalk", "feishu", "slack")]
    with claims.opened(claims.boss) as ctx:
        for id in ids:
            assert robots.try_out(ctx, id, "Hello") == ""
    (ding, plain), (address, lark), (_, slack) = chat.got
    asked = parse_qs(urlsplit(ding).query)
    digest = hmac.new(b"s3cret", f"{asked['timestamp'][0]}\ns3cret".encode(), hashlib.sha256).digest()
    assert asked["sign"] == [base64.b64encode(digest).decode()]
    assert plain == {"msgtype": "text", "text": {"content": "Hello"}}
    assert "sign" not in address
    digest = hmac.new(f"{lark['timestamp']}\ns3cret".encode(), b"", hashlib.sha256).digest()
    assert lark["sign"] == base64.b64encode(digest).decode()
    assert (lark["msg_type"], lark["content"]) == ("text", {"text": "Hello"})
    assert slack == {"text": "Hello"}


def test_the_address_and_the_secret_are_not_in_the_database(claims: Shop, chat: Chat) -> None:
    added(claims, chat, "dingtalk", "s3cret")
    with claims.opened(claims.boss) as ctx:
        row = ctx.conn.execute(select(robot)).one()
    assert "well-hidden" not in str(row)
    assert "s3cret" not in str(row)


@pytest.mark.parametrize(("given", "wrong"), [
    (("", "wecom", "http://127.0.0.1/robot"), "name"),
    (("Sales chat", "wecom", "http://127.0.0.1/robot"), "name"),
    (("Other", "icq", "http://127.0.0.1/robot"), "kind"),
    (("Other", "wecom", "not an address"), "address"),
    (("Other", "wecom", "http://10.0.0.1/robot"), "address"),
])  # fmt: skip
def test_a_robot_that_cannot_be_is_refused_with_a_reason(claims: Shop, chat: Chat, given: Any, wrong: str) -> None:
    added(claims, chat)
    with claims.opened(claims.boss) as ctx, pytest.raises(InvalidInput) as refused:
        robots.add(ctx, *given)
    assert list(refused.value.errors) == [wrong]
