"""Tickets: what a mail or a cookie carries to prove something once, kept only as a hash."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from runtime.models_accounts import ticket as t
from schemas.errors import NotFound

LASTS = {
    "second": timedelta(minutes=10),
    "totp": timedelta(minutes=30),
    "reset": timedelta(hours=1),
    "email": timedelta(hours=24),
    "sign_up": timedelta(hours=24),
    "join": timedelta(hours=24),
    "sso": timedelta(minutes=10),
}
"""Kinds, and how long each is good."""


class Ticket(NamedTuple):
    """What a token was given for."""

    account_id: UUID | None
    data: dict[str, Any]


def give(conn: Connection, kind: str, account: UUID | None = None, alone: bool = False, **data: Any) -> str:
    """A token of 256 bits. With `alone` the account's earlier ones of this kind are no longer good."""
    now = datetime.now(UTC)
    if alone:
        withdraw(conn, account, kind)
    token = secrets.token_urlsafe(32)
    values = {"digest": digest(token), "kind": kind, "account_id": account, "data": data}
    conn.execute(insert(t).values(**values, made_at=now, ends_at=now + LASTS[kind]))
    conn.execute(delete(t).where(t.c.ends_at < now - timedelta(days=7)))
    return token


def look(conn: Connection, kind: str, token: str) -> Ticket:
    """What a token is good for, without using it up. Raises NotFound."""
    row = conn.execute(select(t.c.account_id, t.c.data).where(*_good(kind, token))).one_or_none()
    if row is None:
        raise NotFound
    return Ticket(row.account_id, row.data)


def use(conn: Connection, kind: str, token: str) -> Ticket:
    """Use a token up; of many who try at once one succeeds. Raises NotFound."""
    used = update(t).where(*_good(kind, token)).values(used_at=datetime.now(UTC)).returning(t.c.account_id, t.c.data)
    row = conn.execute(used).one_or_none()
    if row is None:
        raise NotFound
    return Ticket(row.account_id, row.data)


def withdraw(conn: Connection, account: UUID | None, *kinds: str) -> None:
    """An account's tickets, of these kinds or of all, are no longer good."""
    which = [t.c.account_id == account, *([t.c.kind.in_(kinds)] if kinds else [])]
    conn.execute(delete(t).where(*which))


def _good(kind: str, token: str) -> tuple[Any, ...]:
    return t.c.digest == digest(token), t.c.kind == kind, t.c.used_at.is_(None), t.c.ends_at > datetime.now(UTC)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
