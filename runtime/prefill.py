"""Links to a form with values in it, some of which may be fixed: signed, so that nobody can change those."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from schemas.errors import InvalidInput
from schemas.messages import say

LONGEST = 6_000


@dataclass(frozen=True)
class Prefill:
    """Raw answers by field, which of them cannot be changed, and the token that says so."""

    values: Mapping[str, Any] = field(default_factory=dict)
    locked: Collection[str] = ()
    token: str = ""


def signed(secret: str, app: str, form: str, values: Mapping[str, Any], locked: Collection[str]) -> str:
    """A token for this form with these answers. Raises InvalidInput when it would be too long for an address."""
    token = _signer(secret, app, form).dumps({"values": dict(values), "locked": sorted(locked)})
    text = token if isinstance(token, str) else token.decode()
    if len(text) > LONGEST:
        raise InvalidInput({"": [say("These values are too long for a link. Leave some out.")]})
    return text


def read(secret: str, app: str, form: str, token: str) -> Prefill:
    """What a token says. Raises InvalidInput when it is not one of ours, or was made for another form."""
    if not token:
        return Prefill()
    try:
        said = _signer(secret, app, form).loads(token)
    except BadSignature:
        raise InvalidInput({"": [say("This link has been changed or is incomplete. Ask for a new one.")]}) from None
    return Prefill(said["values"], frozenset(said["locked"]), token)


def _signer(secret: str, app: str, form: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=f"prefill {app} {form}")
