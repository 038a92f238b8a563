"""What a public page carries instead of a session: a ticket that we signed, and the work that a visitor's browser did for it.

The work is to find a number that, written after the ticket, gives a SHA-256 beginning with so many zero bits. It needs no
other service, no picture that some people cannot read, and costs a program that sends thousands of answers real time.
"""

import hashlib
import hmac
import secrets
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

BITS = 16
"""About 65,000 hashes: well under a second in a browser, and again for every single answer."""
LASTS = 24 * 60 * 60
LONGEST = 400


def ticket(secret: str, link: UUID) -> str:
    """A fresh one for a page of this link."""
    return _signer(secret, link).dumps(secrets.token_urlsafe(12))


def is_ticket(secret: str, link: UUID, text: str) -> bool:
    """Whether it was given for a page of this link, within a day."""
    if len(text) > LONGEST:
        return False
    try:
        _signer(secret, link).loads(text, max_age=LASTS)
    except BadSignature:
        return False
    return True


def proves(ticket: str, number: str, bits: int = BITS) -> bool:
    """Whether the work has been done for this very ticket."""
    if not number.isascii() or not number.isdigit() or len(number) > 16:
        return False
    found = hashlib.sha256(f"{ticket}:{number}".encode()).digest()
    return int.from_bytes(found, "big") >> (256 - bits) == 0


def solved(ticket: str, bits: int = BITS) -> str:
    """The number that a browser would find."""
    return next(str(n) for n in range(1 << (bits + 8)) if proves(ticket, str(n), bits))


def _signer(secret: str, link: UUID) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=f"public page {link}")


# -- what is kept by a visitor -----------------------------------------------------------------------


def answer_key(secret: str, link: UUID, answer: UUID) -> str:
    """What stands in the private address by which an answer is changed: kept nowhere, so that no database gives it away."""
    text = URLSafeSerializer(secret, salt=f"public answer {link}").dumps(answer.hex)
    return text if isinstance(text, str) else text.decode()


def answer_of(secret: str, link: UUID, key: str) -> UUID | None:
    try:
        return UUID(URLSafeSerializer(secret, salt=f"public answer {link}").loads(key[:LONGEST]))
    except (BadSignature, ValueError, TypeError, AttributeError):
        return None


def pass_of(secret: str, link: UUID, password: str) -> str:
    """What the browser keeps that has entered the password, whose hash this is; another password makes another."""
    return hmac.new(secret.encode(), f"public pass {link} {password}".encode(), hashlib.sha256).hexdigest()
