"""The one way out: every HTTP request that Mortise makes to an address which people chose.

The address is parsed once and resolved once, every address it resolves to must be a public one (or stand in
MORTISE_OUTGOING_ALLOW), and the connection goes to that very address: a name that answers differently the second
time leads nowhere else. Redirects come back here. Proxy variables of the environment are not looked at.
"""

import errno
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from runtime.outgoing import Address, Refused, Target, is_public, parse
from runtime.resources import VERSION
from runtime.settings import Settings
from schemas.messages import Message, say

WEB_PORTS = {80, 443, 8000, 8080, 8443}
"""Where a public web server may listen; other ports have to be allowed by name."""
TIMEOUT = 10.0
LARGEST = 1_000_000
REDIRECTS = 3
DEEPEST = 5
"""How many requests of ours may set one another off by way of our own doors."""
HOPS = "Mortise-Hops"
NOT_TAKEN_ALONG = {"authorization", "cookie", "proxy-authorization"}
NOT_GIVEN = {"host", "content-length", "transfer-encoding", "connection", "user-agent", HOPS.lower()}


class Unreachable(Exception):
    """Nobody answered, or not in time; it may go better later. `reason` is fit to show, and always tells the same."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is cut off at the limit, and then `whole` is False."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    whole: bool = True

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").replace("\x00", "\ufffd")


INNER = say(
    "This address is inside the network and is not allowed. An administrator can allow it in MORTISE_OUTGOING_ALLOW."
)
ODD_PORT = say("Port {port} is not one of a web server. An administrator can allow it in MORTISE_OUTGOING_ALLOW.")
SILENT = say("The address could not be reached.")
LATE = say("The address did not answer in time.")


def send(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"", timeout: float = TIMEOUT,
    most: int = LARGEST, redirects: int = REDIRECTS, hops: int = 0, settings: Settings | None = None,
) -> Answer:  # fmt: skip
    """One request and its answer, whatever its status. Raises Refused or Unreachable.

    `timeout` bounds the whole, `most` the bytes of the answer that are kept, `redirects` how many are followed (with
    none of them the redirect is the answer). `hops` says how many requests of ours led to this one.
    """
    settings = settings or Settings.read()
    _refuse_switched_off(settings, hops)
    ends = time.monotonic() + timeout
    sent = _clean_headers(headers or {})
    for left in range(redirects, -1, -1):
        target = parse(url)
        answer = _ask(method, url, target, sent, body, ends, most, hops, settings)
        if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers or not redirects:
            return answer
        if not left:
            break
        url = urljoin(url, answer.headers["location"])
        sent, method, body = _taken_along(target, parse(url), answer.status, sent, method, body)
    raise Refused(say("The address leads on too often."))


def check(url: str, settings: Settings | None = None) -> None:
    """Raises Refused for an address that would never be asked, and nothing for one whose name is not known just now."""
    settings = settings or Settings.read()
    target = parse(url)
    try:
        _permitted(target, settings, time.monotonic() + TIMEOUT)
    except Unreachable:
        return


# -- what is asked ---------------------------------------------------------------------------------


def _clean_headers(headers: Mapping[str, str]) -> dict[str, str]:
    clean = {}
    for name, value in headers.items():
        if not all(c.isalnum() or c in "-_" for c in name) or not name.isascii() or not _printable(value):
            raise Refused(say("The header '{name}' cannot be sent.", name=name[:60]))
        if name.lower() not in NOT_GIVEN:
            clean[name] = value
    return clean


def _printable(value: str) -> bool:
    return value.isascii() and (not value or value.isprintable())


def _refuse_switched_off(settings: Settings, hops: int) -> None:
    if settings.outgoing == "off":
        raise Refused(say("Requests to other servers are switched off (MORTISE_OUTGOING)."))
    if hops >= DEEPEST:
        raise Refused(say("Too many requests set one another off; this one was not made."))


def _taken_along(
    before: Target, after: Target, status: int, headers: dict[str, str], method: str, body: bytes
) -> tuple[dict[str, str], str, bytes]:
    """What goes on to where a redirect leads. Only the same server gets what was meant for it."""
    if before.scheme == "https" and after.scheme == "http":
        raise Refused(say("The address leads from https to http."))
    if status == 303 or (status in (301, 302) and method == "POST"):
        method, body = "GET", b""
        headers = {n: v for n, v in headers.items() if not n.lower().startswith("content-")}
    if after.origin != before.origin:
        if body:
            raise Refused(say("The address leads to another server; what is sent is meant for this one only."))
        headers = {n: v for n, v in headers.items() if n.lower() in ("accept", "accept-language")}
    return headers, method, body


# -- where it goes ---------------------------------------------------------------------------------


def _permitted(target: Target, settings: Settings, ends: float) -> list[Address]:
    """The addresses that a target may be reached at. Raises Refused unless all that it resolves to are allowed."""
    found = look_up(target.host, target.port, max(0.1, ends - time.monotonic()))
    for address in found:
        if any(entry.covers(target, address) for entry in settings.outgoing_allow):
            continue
        if settings.outgoing == "listed" or not is_public(address) or _is_own(address, target.port):
            raise Refused(INNER)
        if target.port not in WEB_PORTS:
            raise Refused(say(ODD_PORT.text, port=target.port))
    return found


def look_up(host: str, port: int, timeout: float) -> list[Address]:
    """Every address of a name, in the system's order. Raises Unreachable."""
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as err:
            answers.put(err)

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=timeout)
    except queue.Empty:
        raise Unreachable(LATE) from None
    if isinstance(found, Exception) or not found:
        raise Unreachable(SILENT)
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def _is_own(address: Address, port: int) -> bool:
    """Whether a public address is this very machine's; asking the routing table sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), port))
            return ipaddress.ip_address(probe.getsockname()[0].partition("%")[0]) == address
    except OSError:
        return False


# -- how it is asked -------------------------------------------------------------------------------


def _ask(
    method: str, url: str, target: Target, headers: Mapping[str, str], body: bytes, ends: float, most: int, hops: int,
    settings: Settings,
) -> Answer:  # fmt: skip
    addresses = _permitted(target, settings, ends)
    try:
        with _connected(target, addresses, ends) as connection:
            connection.request(method, target.path, body or None, {**headers, **_own_headers(hops)})
            response = connection.getresponse()
            kept = response.read(most + 1)
            if time.monotonic() >= ends:
                raise TimeoutError
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, kept[:most], url, len(kept) <= most)
    except (OSError, http.client.HTTPException, ValueError) as err:
        late = time.monotonic() >= ends or isinstance(err, TimeoutError)
        raise Unreachable(LATE if late else SILENT) from err


def _own_headers(hops: int) -> dict[str, str]:
    return {
        "User-Agent": f"Mortise/{VERSION}", "Accept-Encoding": "identity", "Connection": "close", HOPS: str(hops + 1)
    }  # fmt: skip


@contextmanager
def _connected(target: Target, addresses: Iterable[Address], ends: float) -> Iterator[http.client.HTTPConnection]:
    """A connection to one of these addresses and no other, cut off when the time is over."""
    sock = _socket(target, addresses, ends)
    handle = sock.dup()  # TLS takes the socket itself over
    end = threading.Timer(max(0.0, ends - time.monotonic()), _cut_off, [handle])
    end.daemon = True
    end.start()
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = sock
    try:
        if target.scheme == "https":
            connection.default_port = 443
            connection.sock = _secured(sock, target)
        yield connection
    finally:
        end.cancel()
        connection.close()
        handle.close()


def _socket(target: Target, addresses: Iterable[Address], ends: float) -> socket.socket:
    problem: OSError = OSError(errno.EHOSTUNREACH, "no address")
    for address in addresses:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            sock = socket.create_connection((str(address), target.port), timeout=left)
        except OSError as err:
            problem = err
            continue
        if ipaddress.ip_address(sock.getpeername()[0].partition("%")[0]) != address:
            sock.close()
            raise Refused(INNER)
        return sock
    raise problem


def _secured(sock: socket.socket, target: Target) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(sock, server_hostname=target.host)


def _cut_off(sock: socket.socket) -> None:
    """End a connection under whoever reads from it: a server that sends a byte now and then does not hold us."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
