"""Requests to other programs as definitions describe them: made ready from formulas, sent through the one way out, read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from runtime import egress, errands, keyring
from runtime.context import Context, Opened
from runtime.definitions import Installed
from runtime.errands import Errand
from runtime.jobs import job
from runtime.outgoing import Refused
from runtime.running import Running, values_of
from schemas.engine import Perform
from schemas.errors import InvalidInput
from schemas.formula import ErrorValue, Formula
from schemas.messages import Message, say
from schemas.payloads import read_json
from schemas.request import Request, Value, address_of, as_json, as_text, nested, server_of
from schemas.steps.request import RequestStep

LATER = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which it may go better."""
PATIENCE = 15.0
SHOWN = 2_000


@dataclass(frozen=True)
class Prepared:
    """A request with all its formulas filled in; the secret is put in when it goes."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: str = ""
    secret: str = ""
    secret_header: str = ""
    secret_before: str = ""

    @property
    def told(self) -> dict[str, str]:
        """What may be shown of it."""
        return {"sent": f"{self.method} {self.address}"[:SHOWN], **({"values": self.body[:SHOWN]} if self.body else {})}


def prepare(request: Request, value: Value) -> Prepared:
    """Raises InvalidInput where a formula gives an error."""
    value = _faultless(value)
    address, headers = address_of(request, value), {part.name: as_text(value(part.value)) for part in request.headers}
    pairs = {part.name: value(part.value) for part in request.values}
    body, kind = "", {"json": "application/json", "urlencoded": "application/x-www-form-urlencoded", "text": "text/plain; charset=utf-8"}
    if request.send == "query":
        address = _with_query(address, pairs)
    elif request.send == "json":
        body = json.dumps(as_json(nested(pairs)), ensure_ascii=False)
    else:
        body = _form(pairs) if request.send == "urlencoded" else as_text(value(request.body or Formula.of('""')))
    if body and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = kind[request.send]
    kept = (request.secret or "", request.secret_header, request.secret_before)
    return Prepared(request.method, address, headers, body, *kept)


def _faultless(value: Value) -> Value:
    def checked(formula: Formula) -> Any:
        found = value(formula)
        if isinstance(found, ErrorValue):
            raise InvalidInput({"": [say("The formula gives {code}.", code=found.code)]})
        return found

    return checked


def _form(pairs: Mapping[str, Any]) -> str:
    return urlencode([(name, as_text(value)) for name, value in pairs.items() if value is not None])


def _with_query(address: str, pairs: Mapping[str, Any]) -> str:
    query = _form(pairs)
    return f"{address}{'&' if '?' in address else '?'}{query}" if query else address


def headers_of(ctx: Context, inst: Installed, prepared: Prepared) -> dict[str, str]:
    """The headers with the secret in its place. Raises Refused."""
    headers = {"Accept": "application/json", **prepared.headers}
    if prepared.secret:
        said = keyring.opened_for(ctx, inst, prepared.secret, server_of(prepared.address))
        headers[prepared.secret_header] = f"{prepared.secret_before} {said}".strip()
    return headers


def sent(prepared: Prepared, headers: Mapping[str, str], hops: int = 0, timeout: float = PATIENCE) -> egress.Answer:
    """Raises Refused, Unreachable. Redirects are not followed with a secret."""
    return egress.send(
        prepared.method, prepared.address, headers=headers, body=prepared.body.encode(), timeout=timeout, hops=hops,
        redirects=0 if prepared.secret else egress.REDIRECTS,
    )  # fmt: skip


def read(request: Request, key: str, answer: egress.Answer, zone: Any) -> Mapping[str, Any] | Message:
    """What an answer says, as the values that formulas expect; or why it does not count."""
    if not answer.ok and not request.refusals:
        return say("The other side refused: {status} {text}", status=answer.status, text=" ".join(answer.text.split())[:300])
    if not answer.whole:
        return say("The answer is too long.")
    try:
        body = read_json(answer.text)
    except ValueError:
        body = answer.text
    return request.fit(key, answer.status, body, zone)


# -- the step of a flow ----------------------------------------------------------------------------


def ask_later(ctx: Context, running: Running, step: Any, effect: Perform, hops: int) -> None:
    """A job asks once the transaction is kept, with what the formulas give now."""
    assert isinstance(step, RequestStep)
    prepared = prepare(step, values_of(ctx, running))
    errands.later(ctx, running, "flow_request", effect, hops, asdict(prepared))


@job("flow_request", queue="webhooks", retry=3, chunked=True, failed=errands.given_up)
def ask(opened: Opened, **arguments: Any) -> None:
    """Ask, and let the flow go on with the answer. Tried again where nobody answers, or too many ask."""
    errand = Errand(**arguments)
    prepared = Prepared(**errand.given)
    try:
        with opened() as ctx:
            found = errands.waiting(ctx, errand)
            if found is None:
                return
            headers, step, zone = headers_of(ctx, found[0].inst, prepared), found[1], ctx.zone
        assert isinstance(step, RequestStep)
        answer = sent(prepared, {"Idempotency-Key": errand.key, **headers}, errand.hops)
    except Refused as err:
        with opened() as ctx:
            errands.failed(ctx, errand, err.reason)
        return
    if answer.status in LATER and not step.refusals:
        raise egress.Unreachable(say("The other side refused: {status} {text}", status=answer.status, text=answer.text[:300]))
    said = read(step, step.id, answer, zone)
    with opened() as ctx:
        if isinstance(said, Message):
            errands.failed(ctx, errand, said)
        else:
            errands.done(ctx, errand, said, {**prepared.told, "status": answer.status})
