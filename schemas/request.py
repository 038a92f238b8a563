"""A question to another program over HTTP: what is asked where, and what comes back as values of formulas."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from schemas import payloads
from schemas.errors import Problem
from schemas.formula import Formula, FormulaError, Type
from schemas.formula.types import ANY, NUMBER
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Line, Many, Object, Reference, Words
from schemas.wording import parts_of

if TYPE_CHECKING:
    from schemas.app import App

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LONGEST_ADDRESS = 2_000
MOST_PARTS = 60
LARGEST_WHOLE = 2**53
HEADER = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
Value = Callable[[Formula], Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A name and what it is to hold."""

    name: str = option(Line(100, required=True), "Name", "")
    value: Formula = option(FormulaSource("any", scope="request", required=True), "Value", Formula.of('""'))


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request. Its server stands in the definition; only what comes after the server may be calculated."""

    method: str = option(Words(*METHODS), "Method", "GET")
    address: str = option(
        Line(LONGEST_ADDRESS, required=True), "Address", "",
        help="https://… Formulas in braces are filled in after the server's name: https://api.example.com/orders/{no}",
    )  # fmt: skip
    send: str = option(Words("query", "json", "urlencoded", "text"), "Values go", "query")
    values: tuple[Part, ...] = option(
        Many(Object(Part), most=MOST_PARTS), "Values", (),
        help="A dot makes an object: item.name. What is empty is sent as null, and left out of an address or form.",
    )  # fmt: skip
    body: Formula | None = option(FormulaSource("any", scope="request", allow_none=True), "Text to send")
    headers: tuple[Part, ...] = option(Many(Object(Part), most=MOST_PARTS), "Headers", ())
    secret: str | None = option(
        Reference("secret", allow_none=True), "Secret",
        help="A post for a secret: an administrator puts in which one under “Who is who”, and it goes to its own servers only.",
    )  # fmt: skip
    secret_header: str = option(Line(100), "Header of the secret", "Authorization")
    secret_before: str = option(Line(100), "Word before the secret", "Bearer")
    sample: str = option(
        payloads.Sample(), "A sample of the answer", "",
        help="Paste one answer in JSON: its names can then be used in formulas.",
    )  # fmt: skip
    refusals: bool = option(
        Flag(), "Go on when the answer is a refusal", False,
        help="Otherwise only an answer from 200 to 299 counts; the number is in status.",
    )  # fmt: skip

    def problems(self) -> Iterator[tuple[str, Message]]:
        """What is wrong with the request in itself, but for its address, which is written last."""
        if self.send != "query" and self.method in ("GET", "DELETE"):
            yield "send", say("{method} sends its values in the address", method=self.method)
        if (self.send == "text") != (self.body is not None):
            yield "body", say("write the text to send, and only where it is sent as a text")
        if self.send == "text" and self.values:
            yield "values", say("a text is sent as it is: its values are not used")
        for index, header in enumerate(self.headers):
            if not HEADER.match(header.name):
                yield f"headers[{index}].name", say("a header's name has letters, digits, - and _ only")
        if not HEADER.match(self.secret_header):
            yield "secret_header", say("a header's name has letters, digits, - and _ only")

    def asked(self) -> Iterator[tuple[str, Formula]]:
        """Every formula of it, with where it stands."""
        try:
            yield from (("address", part) for part in parts_of(self.address) if isinstance(part, Formula))
        except FormulaError:
            return
        for name, several in (("values", self.values), ("headers", self.headers)):
            yield from ((f"{name}[{index}].value", part.value) for index, part in enumerate(several))
        if self.body is not None:
            yield "body", self.body

    def answer(self, key: str) -> Type:
        """The type of what comes back: `status`, and `body` as the sample has it."""
        text = self.sample.strip()
        body = payloads.type_of(payloads.read_json(text), f"{key}.body") if text else ANY
        return Type("any", target=f"{key}.answer", parts={"status": NUMBER, "body": body})

    def fit(self, key: str, status: int, body: Any, zone: Any) -> Mapping[str, Any]:
        """What came back, as values of that type."""
        parts = self.answer(key).parts or {}
        return {"status": Decimal(status), "body": payloads.in_zone(payloads.fit(body, parts["body"]), zone)}

    def unready(self, app: "App") -> Iterator[Problem]:
        """What a draft may still lack: an address, and a post of the app for the secret."""
        if problem := address_problem(self.address):
            yield Problem("address", problem)
        if self.secret is not None and self.secret not in {s.id for s in app.slots if s.type == "secret"}:
            yield Problem("secret", say("there is no post for a secret '{id}'", id=self.secret))


# -- addresses -------------------------------------------------------------------------------------


def address_problem(address: str) -> Message | None:
    try:
        parts = parts_of(address)
    except FormulaError as err:
        return err.message
    first = parts[0] if parts and isinstance(parts[0], str) else ""
    if not server_of(first):
        return say("write an address that begins with https:// or http:// and the server's name")
    if len(parts) > 1 and "/" not in first.partition("://")[2]:
        return say("the server's name may not be calculated; write it out, with a / behind it")
    return None


def server_of(address: str) -> str:
    """`host` or `host:port` of a web address in lower case; empty for anything else."""
    try:
        found = urlsplit(address)
        port = found.port
    except ValueError:
        return ""
    if found.scheme not in ("http", "https") or not found.hostname or "@" in found.netloc:
        return ""
    return f"{found.hostname}:{port}" if port else found.hostname


def address_of(request: Request, value: Value) -> str:
    """The address with its formulas filled in, each as one piece that changes nothing around it."""
    return "".join(part if isinstance(part, str) else quote(as_text(value(part)), safe="") for part in parts_of(request.address))


# -- values as others read them --------------------------------------------------------------------


def as_json(value: Any) -> Any:
    """A value of a formula as JSON that any program reads: numbers exact, or as texts where JSON has no room."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Decimal | int | float):
        return _number(Decimal(str(value)))
    if isinstance(value, Mapping):
        return {str(name): as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    return as_text(value)


def _number(value: Decimal) -> int | float | str:
    if value == value.to_integral_value() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def as_text(value: Any) -> str:
    """A value as it stands in an address, a form or a header."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ",".join(as_text(one) for one in value)
    return str(value)


def nested(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """`{"item.name": "Li"}` as `{"item": {"name": "Li"}}`; a value stands before what would be inside it."""
    made: dict[str, Any] = {}
    for path, value in pairs.items():
        *outer, last = path.split(".")
        place = made
        for name in outer:
            inner = place.setdefault(name, {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            place[last] = value
    return made
