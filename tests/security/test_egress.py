"""What Mortise asks of other servers never leads inside: not by any spelling, name, redirect, port or slow answer."""

import ast
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime import egress
from runtime.egress import Unreachable, send
from runtime.outgoing import Refused, allowed, is_public, parse
from runtime.settings import Settings

ROOT = Path(__file__).parents[2]
INNER = [
    "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.1", "0", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
    "[fec0::1]", "[fd00::1]", "[ff02::1]", "[2001:0:1:1:1:1:80ff:fffe]", "[fe80::5efe:7f00:1]", "10.0.0.1", "172.16.0.1",
    "192.168.1.1", "100.64.0.1", "100.100.100.200", "169.254.169.254", "168.63.129.16", "198.18.0.1", "192.0.0.1",
    "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "①②⑦.⓪.⓪.①", "localhost", "localhost.", "LOCALHOST",
    "[2a01:4f8::5efe:7f00:1]",
]  # fmt: skip
NO_ADDRESS = [
    "file:///etc/passwd", "gopher://a/", "ftp://a/", "dict://a:1/", "jar:http://a!/", "data:text/plain,a", "unix:/run/x",
    "http+unix://x/", " http://example.com", "http://a@127.0.0.1/", "http://a\\@127.0.0.1/", "http://[::1]a/",
    "http://example.com:0/", "http://example.com:70000/", "http://exa\tmple.com/", "http://exa\nmple.com/", "http://",
    "http:///x", "//example.com", "", "http://[fe80::1%25lo]/", "http://" + "a" * 3000,
]  # fmt: skip


class Listener:
    """A server that answers what it is told, and remembers what it got."""

    def __init__(self, answer: bytes, drip: float = 0) -> None:
        self.answer, self.drip, self.got, self.asked = answer, drip, b"", 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(conn,), daemon=True).start()

    def _talk(self, conn: socket.socket) -> None:
        self.asked += 1
        try:
            self.got += conn.recv(65_536)
            for n in range(0, len(self.answer), 1 if self.drip else 65_536):
                conn.sendall(self.answer[n : n + (1 if self.drip else 65_536)])
                time.sleep(self.drip)
        except OSError:
            pass
        finally:
            conn.close()


@contextmanager
def listening(answer: bytes, drip: float = 0) -> Iterator[Listener]:
    listener = Listener(answer, drip)
    try:
        yield listener
    finally:
        listener.socket.close()


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{n}: {v}" for n, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def settings(allow: str = "", reach: str = "public") -> Settings:
    return Settings.read({"MORTISE_OUTGOING_ALLOW": allow, "MORTISE_OUTGOING": reach})


@pytest.mark.parametrize("host", INNER)
def test_no_spelling_of_an_inner_address_is_reached(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", refuse_to_connect)
    with pytest.raises((Refused, Unreachable)):
        send("GET", f"http://{host}/", settings=settings())


def refuse_to_connect(*given: Any, **named: Any) -> Any:
    raise AssertionError(f"connected to {given}")


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_only_plain_web_addresses_are_read(url: str) -> None:
    with pytest.raises(Refused):
        parse(url)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2001:4860:4860::8888"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_listener_inside_sees_nothing_unless_it_is_allowed() -> None:
    with listening(answer("200 OK", b"secret")) as inner:
        url = f"http://127.0.0.1:{inner.port}/x?y=1"
        with pytest.raises(Refused) as refused:
            send("GET", url, settings=settings())
        assert "MORTISE_OUTGOING_ALLOW" in str(refused.value)
        assert (inner.asked, inner.got) == (0, b"")
        for allow in (f"127.0.0.1:{inner.port + 1}", "127.0.1.0/24", "localhost"):
            with pytest.raises(Refused):
                send("GET", url, settings=settings(allow))
        assert inner.asked == 0
        found = send("GET", url, headers={"X-A": "b", "Host": "evil"}, settings=settings(f"127.0.0.0/24:{inner.port}"))
        assert (found.status, found.text, found.whole) == (200, "secret", True)
        assert b"GET /x?y=1 HTTP/1.1" in inner.got
        assert f"Host: 127.0.0.1:{inner.port}".encode() in inner.got
        assert b"X-A: b" in inner.got
        assert b"evil" not in inner.got
        assert b"Mortise-Hops: 1" in inner.got


def test_a_name_is_resolved_once_and_only_what_was_looked_at_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS that answers a public address first and an inner one afterwards leads to the public one, or nowhere."""
    asked: list[Any] = []
    turns = iter(["93.184.216.34"])

    def once(host: str, port: int, timeout: float) -> list[Any]:
        return [ipaddress.ip_address(next(turns, "127.0.0.1"))]

    def connect(address: Any, timeout: float) -> Any:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(egress, "look_up", once)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        send("GET", "http://rebind.example/", settings=settings())
    assert asked == [("93.184.216.34", 80)]
    with pytest.raises(Refused):
        send("GET", "http://rebind.example/", settings=settings())


def test_one_inner_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address("10.0.0.5")]
    monkeypatch.setattr(egress, "look_up", lambda *_: both)
    monkeypatch.setattr(socket, "create_connection", refuse_to_connect)
    with pytest.raises(Refused):
        send("GET", "http://both.example/", settings=settings())


@pytest.mark.parametrize("port", [22, 25, 3000, 5432, 6379, 11211])
def test_other_ports_than_those_of_web_servers_are_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "look_up", lambda *_: [ipaddress.ip_address("93.184.216.34")])
    monkeypatch.setattr(socket, "create_connection", refuse_to_connect)
    with pytest.raises(Refused) as refused:
        send("GET", f"http://example.com:{port}/", settings=settings())
    assert str(port) in str(refused.value)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects_are_looked_at_like_any_address(status: str) -> None:
    with listening(answer("200 OK", b"secret")) as inner, listening(b"") as front:
        where = f"http://127.0.0.1:{inner.port}/"
        front.answer = answer(status, Location=where)
        with pytest.raises(Refused):
            send("GET", f"http://127.0.0.1:{front.port}/", settings=settings(f"127.0.0.1:{front.port}"))
        front.answer = answer(status, Location="file:///etc/passwd")
        with pytest.raises(Refused):
            send("GET", f"http://127.0.0.1:{front.port}/", settings=settings(f"127.0.0.1:{front.port}"))
        assert inner.asked == 0


def test_redirects_come_to_an_end_and_credentials_stay_with_their_server() -> None:
    with listening(answer("200 OK", b"there")) as other, listening(b"") as front:
        open_to = settings("127.0.0.0/8")
        front.answer = answer("302 Found", Location="/again")
        with pytest.raises(Refused):
            send("GET", f"http://127.0.0.1:{front.port}/", settings=open_to)
        assert front.asked == 4
        front.answer = answer("302 Found", Location=f"http://127.0.0.1:{other.port}/")
        found = send(
            "GET", f"http://127.0.0.1:{front.port}/", headers={"Authorization": "Bearer canary"}, settings=open_to
        )
        assert found.text == "there"
        assert b"canary" in front.got
        assert b"canary" not in other.got
        front.answer = answer("307 Temporary", Location=f"http://127.0.0.1:{other.port}/")
        with pytest.raises(Refused):
            send("POST", f"http://127.0.0.1:{front.port}/", body=b"canary", settings=open_to)
        assert b"canary" not in other.got
        assert send("POST", f"http://127.0.0.1:{front.port}/", redirects=0, settings=open_to).status == 307


def test_an_endless_or_slow_answer_is_cut_off() -> None:
    with listening(answer("200 OK", b"x" * 200_000)) as large:
        found = send("GET", f"http://127.0.0.1:{large.port}/", most=1_000, settings=settings("127.0.0.1"))
        assert (len(found.body), found.whole) == (1_000, False)
    with listening(answer("200 OK", b"x" * 1_000), drip=0.05) as slow:
        began = time.monotonic()
        with pytest.raises(Unreachable) as late:
            send("GET", f"http://127.0.0.1:{slow.port}/", timeout=0.5, settings=settings("127.0.0.1"))
        assert time.monotonic() - began < 2
        assert "in time" in str(late.value)


def test_a_closed_port_and_a_broken_answer_are_told_alike() -> None:
    with listening(b"nonsense\r\n\r\n") as broken:
        port = broken.port
        with pytest.raises(Unreachable) as first:
            send("GET", f"http://127.0.0.1:{port}/", settings=settings("127.0.0.1"))
    with pytest.raises(Unreachable) as second:
        send("GET", f"http://127.0.0.1:{port}/", settings=settings("127.0.0.1"))
    assert str(first.value) == str(second.value)


def test_requests_may_be_switched_off_or_held_to_what_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "look_up", lambda *_: [ipaddress.ip_address("93.184.216.34")])
    monkeypatch.setattr(socket, "create_connection", refuse_to_connect)
    for reach in ("off", "listed"):
        with pytest.raises(Refused):
            send("GET", "http://example.com/", settings=settings(reach=reach))
    with pytest.raises(Refused):
        send("GET", "http://example.com/", hops=egress.DEEPEST, settings=settings())


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(answer("200 OK", b"proxied")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(Refused):
            send("GET", "http://10.0.0.1/", settings=settings())
        assert proxy.asked == 0


@pytest.mark.parametrize("header", [{"X-A\r\nX-B": "c"}, {"X-A": "b\r\nX-C: d"}, {"": "a", "X A": "b"}, {"X-A": "é"}])
def test_a_header_cannot_bring_another_one(header: dict[str, str]) -> None:
    with pytest.raises(Refused):
        send("GET", "http://example.com/", headers=header, settings=settings())


def test_entries_of_the_list_are_read_strictly() -> None:
    entries = allowed("10.1.2.0/24:443, erp.example, [fd00::/8]:8080, *.inner.example:80")
    assert [(e.host or str(e.network), e.port) for e in entries] == [
        ("10.1.2.0/24", 443), ("erp.example", None), ("fd00::/8", 8080), ("*.inner.example", 80)
    ]  # fmt: skip
    for wrong in ("10.0.0.0/99", "a:b", "a:99999", "*."):
        with pytest.raises(ValueError, match="networks or names"):
            allowed(wrong)


WAYS_OUT = {
    "http.client",
    "urllib.request",
    "socket",
    "ssl",
    "requests",
    "httpx",
    "urllib3",
    "aiohttp",
    "ftplib",
    "telnetlib",
}
MAY_REACH_OUT = {
    "runtime/assistants.py": "asks the server that its user names on the command line, from the user's own machine",
    "runtime/egress.py": "is the way out",
    "runtime/mail.py": "asks the mail server of the settings; nobody chooses it in the browser",
    "runtime/server.py": "finds a free port for the embedded database",
    "runtime/processes.py": "listens, and asks itself whether it answers",
    "runtime/live.py": "holds the connections of browsers that have come in",
    "runtime/web/notices.py": "hands such a connection on",
}  # fmt: skip


def test_nothing_else_reaches_out() -> None:
    found = set()
    for path in [
        *(ROOT / "runtime").rglob("*.py"),
        *(ROOT / "builder").rglob("*.py"),
        ROOT / "wsgi.py",
        ROOT / "cli.py",
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if WAYS_OUT & set(names):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == set(MAY_REACH_OUT)
