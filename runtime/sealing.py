"""Secrets that must be read again, kept so that the database alone does not give them away."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

from runtime.settings import Settings, secret_key

_given: list[str] = []


def use(secret: str) -> None:
    """Said once by the program that serves: the secret of its settings."""
    _given[:] = [secret]


def secret() -> str:
    return _given[0] if _given else secret_key(Settings.read())


def seal(text: str, purpose: str) -> str:
    return _box(purpose).encrypt(text.encode()).decode()


def opened(sealed: str, purpose: str) -> str | None:
    """The text again; None where it was sealed by another installation, or for another purpose."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _box(purpose: str) -> Fernet:
    key = hashlib.blake2b(purpose.encode(), key=hashlib.sha256(secret().encode()).digest(), digest_size=32)
    return Fernet(base64.urlsafe_b64encode(key.digest()))
