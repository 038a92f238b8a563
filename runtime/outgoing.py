"""Addresses that people choose: how they are read, and which of them are ones of the open Internet.

What a name resolves to, and asking it, is the business of runtime/egress.py.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from schemas.messages import Message, say

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA = {ipaddress.ip_address("168.63.129.16")}
"""What only looks public: the host of an Azure machine."""
TRANSLATED = [ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")]
"""IPv6 addresses whose last 32 bits are an IPv4 address: NAT64 (both), IPv4-compatible, SIIT."""


PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:@%]+)(:[0-9]*)?").fullmatch
"""What may stand between // and /: no user's name, nothing after a bracket that some would read and others not."""
NOT_AN_ADDRESS = say("Enter a web address that begins with https:// or http://.")


class Refused(Exception):
    """The request may not be made, or not be followed; trying again changes nothing. `reason` is fit to show."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """Where a request goes: parsed, but not resolved yet."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


# -- reading ---------------------------------------------------------------------------------------


def parse(url: str) -> Target:
    """Raises Refused for what is no plain address: other schemes, user names, white space, a host that is none."""
    if not isinstance(url, str) or not url.isprintable() or any(c in url for c in " \\") or len(url) > 2_000:
        raise Refused(NOT_AN_ADDRESS)
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise Refused(NOT_AN_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not host or not PLACE(parts.netloc) or port == 0:
        raise Refused(NOT_AN_ADDRESS)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=-._~?")
    return Target(
        parts.scheme,
        _ascii(host),
        port or (443 if parts.scheme == "https" else 80),
        f"{path}?{query}" if query else path,
    )


def _ascii(host: str) -> str:
    if ":" in host:
        return host
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        raise Refused(NOT_AN_ADDRESS) from None


# -- what is public, and what is allowed besides ---------------------------------------------------


@dataclass(frozen=True)
class Allowed:
    """One entry of MORTISE_OUTGOING_ALLOW: a network or a name, with or without a port."""

    text: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    host: str
    port: int | None

    def covers(self, target: Target, address: Address) -> bool:
        if self.port is not None and self.port != target.port:
            return False
        if self.network is not None:
            return address.version == self.network.version and address in self.network
        return target.host == self.host or (self.host.startswith("*.") and target.host.endswith(self.host[1:]))


def allowed(text: str) -> tuple[Allowed, ...]:
    """`10.1.2.0/24:443, erp.example, [fd00::1]:8080` as entries. Raises ValueError."""
    return tuple(_allowed(part.strip()) for part in text.split(",") if part.strip())


def _allowed(text: str) -> Allowed:
    name, port = text, None
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or None
    elif text.count(":") == 1:
        name, _, port = text.partition(":")
    if port is not None and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("networks or names such as 10.1.2.0/24:443, erp.example")
    try:
        network = ipaddress.ip_network(name, strict=False)
    except ValueError:
        if "/" in name or ":" in name or not name.replace("*.", "").strip():
            raise ValueError("networks or names such as 10.1.2.0/24:443, erp.example") from None
        return Allowed(text, None, name.lower().rstrip("."), int(port) if port else None)
    return Allowed(text, network, "", int(port) if port else None)


def is_public(address: Address) -> bool:
    """Whether an address is one of the open Internet, and not a way to write another one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner or _isatap(address) or any(address in n for n in TRANSLATED):
            return False
        return (
            address.is_global and not address.is_multicast and not address.is_site_local and address in GLOBAL_UNICAST
        )
    return address.is_global and not address.is_multicast and not address.is_reserved and address not in METADATA


GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


def _isatap(address: ipaddress.IPv6Address) -> bool:
    return address.packed[8:12] in (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")
