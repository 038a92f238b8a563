"""Passwords: which ones are good enough, and how they are kept."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.errors import InvalidInput
from schemas.messages import Message, say

HASHER = PasswordHasher()
NOBODY = HASHER.hash(secrets.token_hex(8))
"""Verified when there is no such account, so that the time taken does not tell."""
SHORTEST = 8
LONGEST = 200


def problem(password: str, *about: str) -> Message | None:
    """Why a password is too easy to guess; `about` is what others know of the person: their name, their address."""
    if not SHORTEST <= len(password) <= LONGEST:
        return say("Choose a password of at least {n} characters.", n=SHORTEST)
    plain = password.casefold()
    if plain in _common() or len(set(plain)) < 4 or plain in "01234567890123456789" or plain[::-1] in "0123456789" * 2:
        return say("This password is among the first that are tried. Choose one that nobody else has.")
    known = [part for text in about for part in (text, *text.replace("@", " ").replace(".", " ").split())]
    if any(len(part) >= 4 and len(plain) - len(part) < 4 and part.casefold() in plain for part in known):
        return say("The password is too close to your name or address.")
    return None


def require_good(password: str, *about: str, field: str = "password") -> None:
    """Raises InvalidInput with the field's name."""
    if wrong := problem(password, *about):
        raise InvalidInput({field: [wrong]})


@cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def hashed(password: str) -> str:
    return HASHER.hash(password)


def verify(kept: str | None, password: str) -> bool:
    """Whether it is the password; against a hash of nobody's where there is none, which takes as long."""
    try:
        return HASHER.verify(kept or NOBODY, password[:LONGEST]) and bool(kept) and len(password) <= LONGEST
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Whether it was hashed with less work than today's."""
    return HASHER.check_needs_rehash(kept)


def made_up() -> str:
    """A first password, to be handed over and then changed."""
    return secrets.token_urlsafe(9)
