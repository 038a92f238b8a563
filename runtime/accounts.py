"""Accounts and sessions: signing in and out, with passwords that are expensive to guess."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from runtime import audit, models
from runtime.context import Workspace
from runtime.ids import new_id
from runtime.workspaces import workspace_columns, workspace_of
from schemas.errors import Denied, InvalidInput
from schemas.formats import FORMATS
from schemas.messages import say

HASHER = PasswordHasher()
NOBODY = HASHER.hash(secrets.token_hex(8))
"""Verified when there is no such account, so that the time taken does not tell."""
SESSION_LASTS = timedelta(days=14)
WINDOW = timedelta(minutes=15)
MOST_ATTEMPTS = 10
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class SignedIn:
    """Whose session it is, and in which workspace they are."""

    account_id: UUID
    name: str
    email: str
    language: str | None
    digest: bytes
    workspace: Workspace | None


def add_account(conn: Connection, email: str, name: str, password: str, language: str | None = None) -> UUID:
    """Raises InvalidInput when the e-mail address is taken or the password too short."""
    email = email.strip().casefold()
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput({"password": [say("Choose a password of at least {n} characters.", n=SHORTEST_PASSWORD)]})
    a = models.account
    if conn.scalar(select(a.c.id).where(a.c.email == email)):
        raise InvalidInput({"email": [say("There is an account with this e-mail address already.")]})
    id = new_id()
    conn.execute(insert(a).values(id=id, email=email, name=name, password=HASHER.hash(password), language=language))
    return id


def find_account(conn: Connection, email: str) -> UUID | None:
    return conn.scalar(select(models.account.c.id).where(models.account.c.email == email.strip().casefold()))


def set_password(conn: Connection, account: UUID, password: str) -> None:
    conn.execute(update(models.account).where(models.account.c.id == account).values(password=HASHER.hash(password)))
    conn.execute(delete(models.session).where(models.session.c.account_id == account))


def new_password() -> str:
    """A first password, to be handed over and then changed."""
    return secrets.token_urlsafe(9)


def change_password(conn: Connection, account: UUID, old: str, new: str) -> None:
    """Raises InvalidInput by field when the old one is wrong or the new one too short."""
    a = models.account
    kept = conn.scalar(select(a.c.password).where(a.c.id == account))
    if not _verify(kept or NOBODY, old[:LONGEST_PASSWORD]):
        raise InvalidInput({"old": [say("This is not your present password.")]})
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        raise InvalidInput({"new": [say("Choose a password of at least {n} characters.", n=SHORTEST_PASSWORD)]})
    set_password(conn, account, new)


def workspaces_of(conn: Connection, account: UUID) -> set[UUID]:
    m = models.membership
    return set(conn.scalars(select(m.c.workspace_id).where(m.c.account_id == account)))


def join(conn: Connection, account: UUID, workspace: UUID) -> None:
    conn.execute(insert(models.membership).values(account_id=account, workspace_id=workspace))


def sign_in(conn: Connection, email: str, password: str, address: str, agent: str) -> str:
    """A session's token for the right password. Raises Denied, with the same words whatever was wrong."""
    email = email.strip().casefold()[:320]
    counted = _count_attempt(conn, email, address)
    a = models.account
    row = conn.execute(
        select(a.c.id, a.c.name, a.c.password).where(a.c.email == email, a.c.disabled_at.is_(None))
    ).one_or_none()
    if not _verify(row.password if row and row.password else NOBODY, password[:LONGEST_PASSWORD]) or row is None:
        audit.note_account(conn, row.id if row else None, "sign_in.failed", _told(email))
        raise Denied(say("The e-mail address or the password is wrong."))
    t = models.attempt
    # Only failures count against an address: a whole office may sign in from one.
    conn.execute(delete(t).where(or_(t.c.key == f"account:{email}", t.c.id.in_(counted))))
    audit.note_account(conn, row.id, "sign_in.succeeded", name=row.name)
    return open_session(conn, row.id, address, agent)


def _told(email: str) -> str:
    """What was typed as an e-mail address; who typed a password there shall not find it in the trail."""
    return email if FORMATS["email"].problem(email) is None else ""


def _verify(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _count_attempt(conn: Connection, email: str, address: str) -> list[int]:
    """The attempts noted. Raises Denied after too many on one account, or from one address, within a quarter of an hour."""
    t = models.attempt
    noted: list[int] = []
    since = datetime.now(UTC) - WINDOW
    for key, most in ((f"account:{email}", MOST_ATTEMPTS), (f"address:{address}", MOST_ATTEMPTS * 10)):
        tried = conn.scalar(select(func.count()).select_from(t).where(t.c.key == key, t.c.at > since)) or 0
        if tried >= most:
            raise Denied(say("Too many attempts. Wait a quarter of an hour and try again."))
        noted += conn.scalars(insert(t).values(key=key).returning(t.c.id))
    conn.execute(delete(t).where(t.c.at < since - WINDOW))
    return noted


def open_session(conn: Connection, account: UUID, address: str = "", agent: str = "") -> str:
    token = secrets.token_urlsafe(32)
    m = models.membership
    workspace = conn.scalar(select(m.c.workspace_id).where(m.c.account_id == account).limit(1))
    conn.execute(
        insert(models.session).values(
            digest=_digest(token), account_id=account, workspace_id=workspace, ends_at=datetime.now(UTC) + SESSION_LASTS,
            address=address[:64], agent=agent[:300],
        )
    )  # fmt: skip
    return token


def resume(conn: Connection, token: str) -> SignedIn | None:
    """Whose session a token opens, if it still does."""
    s, a, w = models.session, models.account, models.workspace
    now = datetime.now(UTC)
    query = (
        select(a.c.id, a.c.name, a.c.email, a.c.language, s.c.digest, s.c.seen_at, *workspace_columns())
        .join(a, a.c.id == s.c.account_id)
        .join(w, w.c.id == s.c.workspace_id, isouter=True)
        .where(s.c.digest == _digest(token), s.c.ends_at > now, a.c.disabled_at.is_(None))
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    if now - row.seen_at > SEEN_EVERY:
        conn.execute(update(s).where(s.c.digest == row.digest).values(seen_at=now, ends_at=now + SESSION_LASTS))
    id, name, email, language, digest, _, *workspace = row
    return SignedIn(id, name, email, language, digest, workspace_of(workspace) if workspace[0] else None)


def sign_out(conn: Connection, token: str) -> None:
    conn.execute(delete(models.session).where(models.session.c.digest == _digest(token)))


def set_language(conn: Connection, account: UUID, language: str) -> None:
    conn.execute(update(models.account).where(models.account.c.id == account).values(language=language))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
