"""Accounts and sessions: who somebody is, wherever they belong, and where they are signed in."""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from runtime import audit, limits, models, passwords, sealing, second_factor, tickets
from runtime.context import Workspace
from runtime.ids import new_id
from runtime.workspaces import find, workspace_columns, workspace_of
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.formats import FORMATS
from schemas.messages import say
from schemas.text import LANGUAGES

SESSION_LASTS = timedelta(days=14)
"""After the last use; and at most `SESSION_ENDS` after it was opened."""
SESSION_ENDS = timedelta(days=90)
SEEN_EVERY = timedelta(minutes=5)
CONFIRMED_LASTS = timedelta(minutes=15)
"""How long a proof of who somebody is counts for what is dangerous."""
LONGEST_NAME = 120


class SecondStep(Exception):
    """The password is right; a code has to follow. `token` goes into the form that asks for it."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token


@dataclass(frozen=True)
class SignedIn:
    """Whose session it is, in which workspace they are, and when they last proved who they are."""

    account_id: UUID
    name: str
    email: str
    language: str | None
    digest: bytes
    workspace: Workspace | None
    zone: str | None = None
    confirmed_at: datetime | None = None
    several: bool = False
    """Whether the account belongs to more than one workspace."""

    @property
    def workspace_id(self) -> UUID | None:
        return self.workspace.id if self.workspace else None

    def confirmed(self, now: datetime) -> bool:
        return self.confirmed_at is not None and timedelta() <= now - self.confirmed_at < CONFIRMED_LASTS


def canonical(email: str) -> str:
    """The one way in which an address is kept and compared."""
    return unicodedata.normalize("NFKC", email).strip().casefold()[:320]


# -- accounts --------------------------------------------------------------------------------------


def add_account(
    conn: Connection, email: str, name: str, password: str, language: str | None = None, *, verified: bool = False
) -> UUID:
    """Raises InvalidInput when the e-mail address is taken or the password too easy to guess."""
    email = canonical(email)
    passwords.require_good(password, name, email)
    if find_account(conn, email):
        raise InvalidInput({"email": [say("There is an account with this e-mail address already.")]})
    return _insert(conn, email, name, passwords.hashed(password), language, verified)


def add_without_password(conn: Connection, email: str, name: str, language: str | None, *, verified: bool) -> UUID:
    """An account that is signed in to elsewhere; `verified` where we believe what is said there of its address."""
    return _insert(conn, canonical(email), name, None, language, verified)


def _insert(
    conn: Connection, email: str, name: str, password: str | None, language: str | None, verified: bool
) -> UUID:
    id, now = new_id(), datetime.now(UTC)
    values = {"id": id, "email": email, "name": name[:LONGEST_NAME], "password": password, "language": language}
    conn.execute(insert(models.account).values(**values, verified_at=now if verified else None))
    return id


def find_account(conn: Connection, email: str) -> UUID | None:
    return conn.scalar(select(models.account.c.id).where(models.account.c.email == canonical(email)))


@dataclass(frozen=True)
class Account:
    """An account as its owner sees it."""

    id: UUID
    email: str
    name: str
    language: str | None
    zone: str | None
    verified: bool
    has_password: bool
    second_factor: bool


def account(conn: Connection, id: UUID) -> Account:
    """Raises NotFound."""
    row = conn.execute(select(models.account).where(models.account.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return Account(
        row.id, row.email, row.name, row.language, row.zone, row.verified_at is not None, row.password is not None,
        row.totp is not None,
    )  # fmt: skip


def describe(conn: Connection, id: UUID, name: str, language: str, zone: str) -> None:
    """What an owner says of themselves. Raises InvalidInput by field."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidInput({"name": [say("Give a name of at most {n} characters.", n=LONGEST_NAME)]})
    values = {"name": name, "language": language if language in LANGUAGES else None, "zone": zone or None}
    conn.execute(update(models.account).where(models.account.c.id == id).values(**values))


def set_language(conn: Connection, account: UUID, language: str) -> None:
    conn.execute(update(models.account).where(models.account.c.id == account).values(language=language))


# -- passwords -------------------------------------------------------------------------------------

new_password = passwords.made_up


def set_password(conn: Connection, account: UUID, password: str) -> None:
    """The password is another one: every session ends, and what was sent by mail is no longer good."""
    a = models.account
    conn.execute(update(a).where(a.c.id == account).values(password=passwords.hashed(password)))
    conn.execute(delete(models.session).where(models.session.c.account_id == account))
    tickets.withdraw(conn, account)


def change_password(conn: Connection, id: UUID, old: str, new: str) -> None:
    """Raises InvalidInput by field when the old one is wrong or the new one too easy to guess; Denied after too many."""
    kept = conn.execute(select(models.account).where(models.account.c.id == id)).one()
    counted = limits.count(conn.engine, f"password:{id}", limits.MOST_ATTEMPTS)
    if not passwords.verify(kept.password, old):
        raise InvalidInput({"old": [say("This is not your present password.")]})
    limits.forget(conn, f"password:{id}", counted)
    passwords.require_good(new, kept.name, kept.email, field="new")
    set_password(conn, id, new)
    audit.note_account(conn, id, "account.password_changed", name=kept.name)


# -- workspaces ------------------------------------------------------------------------------------


def workspaces_of(conn: Connection, account: UUID) -> set[UUID]:
    m = models.membership
    return set(conn.scalars(select(m.c.workspace_id).where(m.c.account_id == account)))


def join(conn: Connection, account: UUID, workspace: UUID) -> None:
    conn.execute(insert(models.membership).values(account_id=account, workspace_id=workspace))


@dataclass(frozen=True)
class Belonging:
    """A workspace that somebody belongs to."""

    id: UUID
    slug: str
    title: str


def belongings(conn: Connection, account: UUID) -> list[Belonging]:
    """The workspaces of an account by title."""
    w, m = models.workspace, models.membership
    query = select(w.c.id, w.c.slug, w.c.title).join(m, m.c.workspace_id == w.c.id).where(m.c.account_id == account)
    return [Belonging(*row) for row in conn.execute(query.order_by(w.c.title, w.c.slug))]


def enter_workspace(conn: Connection, signed_in: SignedIn, workspace: UUID) -> None:
    """The session goes on in another workspace of the account. Raises NotFound."""
    if workspace not in workspaces_of(conn, signed_in.account_id):
        raise NotFound
    s = models.session
    conn.execute(update(s).where(s.c.digest == signed_in.digest).values(workspace_id=workspace))


# -- signing in ------------------------------------------------------------------------------------


def sign_in(conn: Connection, email: str, password: str, address: str, agent: str, device: str = "") -> str:
    """A session's token for the right password. Raises Denied, with the same words whatever was wrong, and SecondStep.

    `device` is the mark of a browser that was signed in before: tries of others do not keep it out.
    """
    email = canonical(email)
    a = models.account
    row = conn.execute(
        select(a.c.id, a.c.name, a.c.password, a.c.totp).where(a.c.email == email, a.c.disabled_at.is_(None))
    ).one_or_none()
    key = _key(email, row.id if row else None, device)
    counted = _count(conn, email, key, address)
    if not passwords.verify(row.password if row else None, password) or row is None:
        audit.note_account(conn, row.id if row else None, "sign_in.failed", _told(email))
        raise Denied(say("The e-mail address or the password is wrong."))
    # Only failures count against an address: a whole office may sign in from one.
    limits.forget(conn, key, *counted)
    if passwords.outdated(row.password):
        conn.execute(update(a).where(a.c.id == row.id).values(password=passwords.hashed(password)))
    if row.totp:
        raise SecondStep(tickets.give(conn, "second", row.id, alone=True))
    return entered(conn, row.id, address, agent)


def _key(email: str, account: UUID | None, device: str) -> str:
    return f"device:{device}" if account and device and device_of(account, device) else f"account:{email}"


def _count(conn: Connection, email: str, key: str, address: str) -> list[int]:
    try:
        first = limits.count(conn.engine, f"address:{limits.network(address)}", limits.MOST_FROM_ADDRESS)
        return [first, limits.count(conn.engine, key, limits.MOST_ATTEMPTS)]
    except Denied:
        if limits.first_refusal(conn.engine, key):
            audit.note_account(conn, find_account(conn, email), "sign_in.limited", _told(email))
        raise


def _told(email: str) -> str:
    """What was typed as an e-mail address; who typed a password there shall not find it in the trail."""
    return email if FORMATS["email"].problem(email) is None else ""


def second_step(conn: Connection, token: str, code: str, address: str, agent: str) -> tuple[UUID, str]:
    """The account, and a session's token, for a right code. Raises NotFound for an old page, Denied."""
    found = tickets.look(conn, "second", token)
    if found.account_id is None:
        raise NotFound
    second_factor.check(conn, found.account_id, code)
    tickets.use(conn, "second", token)
    return found.account_id, entered(conn, found.account_id, address, agent)


def entered(conn: Connection, id: UUID, address: str, agent: str) -> str:
    """A session's token for one who has proved who they are, noted in the trail."""
    name = conn.scalar(select(models.account.c.name).where(models.account.c.id == id)) or ""
    audit.note_account(conn, id, "sign_in.succeeded", name=name)
    return open_session(conn, id, address, agent)


def device_mark(account: UUID) -> str:
    """What a browser keeps that somebody has signed in with: it opens nothing, but is counted by itself."""
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{_mac(account, nonce)}"


def device_of(account: UUID, mark: str) -> bool:
    nonce, _, mac = mark.partition(".")
    return hmac.compare_digest(mac.encode("utf-8", "replace"), _mac(account, nonce).encode())


def _mac(account: UUID, nonce: str) -> str:
    key = sealing.secret().encode()
    return hmac.new(key, f"device {account} {nonce}".encode("utf-8", "replace"), "sha256").hexdigest()


def confirm(conn: Connection, signed_in: SignedIn, password: str, code: str = "") -> None:
    """The person has proved again who they are. Raises Denied."""
    kept = conn.execute(select(models.account).where(models.account.c.id == signed_in.account_id)).one()
    if kept.totp and (code or not kept.password):
        second_factor.check(conn, kept.id, code)
    else:
        counted = limits.count(conn.engine, f"password:{kept.id}", limits.MOST_ATTEMPTS)
        if not passwords.verify(kept.password, password):
            raise Denied(say("This is not your password."))
        limits.forget(conn, f"password:{kept.id}", counted)
    note_confirmed(conn, signed_in)


def note_confirmed(conn: Connection, signed_in: SignedIn) -> None:
    s = models.session
    conn.execute(update(s).where(s.c.digest == signed_in.digest).values(confirmed_at=datetime.now(UTC)))
    audit.note_account(conn, signed_in.account_id, "account.confirmed", name=signed_in.name)


# -- sessions --------------------------------------------------------------------------------------


def open_session(conn: Connection, account: UUID, address: str = "", agent: str = "") -> str:
    """A new session, in the workspace that the account used last."""
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    s, m = models.session, models.membership
    here = select(m.c.workspace_id).where(m.c.account_id == account)
    last = select(s.c.workspace_id).where(s.c.account_id == account, s.c.workspace_id.in_(here))
    workspace = conn.scalar(last.order_by(s.c.seen_at.desc()).limit(1)) or conn.scalar(here.limit(1))
    conn.execute(delete(s).where(s.c.account_id == account, s.c.ends_at < now))
    conn.execute(
        insert(s).values(
            digest=_digest(token), account_id=account, workspace_id=workspace, ends_at=now + SESSION_LASTS,
            confirmed_at=now, address=address[:64], agent=agent[:300],
        )
    )  # fmt: skip
    return token


def resume(conn: Connection, token: str, address: str = "") -> SignedIn | None:
    """Whose session a token opens, if it still does."""
    s, a, m, w = models.session, models.account, models.membership, models.workspace
    now = datetime.now(UTC)
    places = select(func.count()).where(m.c.account_id == a.c.id).correlate(a).scalar_subquery()
    belongs = exists().where(m.c.account_id == s.c.account_id, m.c.workspace_id == s.c.workspace_id)
    query = (
        select(
            a.c.id, a.c.name, a.c.email, a.c.language, s.c.digest, a.c.zone, s.c.confirmed_at, s.c.seen_at,
            s.c.created_at, belongs, places, *workspace_columns(),
        )
        .join(a, a.c.id == s.c.account_id)
        .join(w, w.c.id == s.c.workspace_id, isouter=True)
        .where(s.c.digest == _digest(token), s.c.ends_at > now, a.c.disabled_at.is_(None))
    )  # fmt: skip
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    id, name, email, language, digest, zone, confirmed_at, seen_at, created_at, belonging, count, *place = row
    workspace = workspace_of(place) if belonging else _another_workspace(conn, id, digest)
    if now - seen_at > SEEN_EVERY:
        ends = min(now + SESSION_LASTS, created_at + SESSION_ENDS)
        seen = {"seen_at": now, "ends_at": ends, **({"address": address[:64]} if address else {})}
        conn.execute(update(s).where(s.c.digest == digest).values(**seen))
    return SignedIn(id, name, email, language, digest, workspace, zone, confirmed_at, count > 1)


def _another_workspace(conn: Connection, account: UUID, digest: bytes) -> Workspace | None:
    """Where the session goes on when the account no longer belongs to its workspace."""
    m, s = models.membership, models.session
    first = select(m.c.workspace_id).where(m.c.account_id == account).order_by(m.c.workspace_id).limit(1)
    id = conn.scalar(first)
    conn.execute(update(s).where(s.c.digest == digest, s.c.workspace_id.is_distinct_from(id)).values(workspace_id=id))
    return find(conn, id=id) if id else None


@dataclass(frozen=True)
class Session:
    """Where an account is signed in."""

    id: str
    agent: str
    address: str
    since: datetime
    seen: datetime
    present: bool


def sessions(conn: Connection, signed_in: SignedIn) -> list[Session]:
    """The account's sessions, this one first, then by their last use."""
    s = models.session
    query = select(s).where(s.c.account_id == signed_in.account_id, s.c.ends_at > datetime.now(UTC))
    found = [
        Session(row.digest.hex(), row.agent or "", row.address or "", row.created_at, row.seen_at, row.digest == signed_in.digest)
        for row in conn.execute(query.order_by(s.c.seen_at.desc()))
    ]  # fmt: skip
    return sorted(found, key=lambda one: not one.present)


def end_session(conn: Connection, signed_in: SignedIn, id: str) -> None:
    """End one of the account's sessions. Raises NotFound."""
    s = models.session
    own = [one for one in sessions(conn, signed_in) if one.id == id]
    if not own:
        raise NotFound
    conn.execute(delete(s).where(s.c.account_id == signed_in.account_id, s.c.digest == bytes.fromhex(id)))
    audit.note_account(conn, signed_in.account_id, "account.session_ended", own[0].agent, name=signed_in.name)


def still_open(conn: Connection, digests: Collection[bytes], workspace: UUID) -> set[bytes]:
    """Those of the sessions that still lead into the workspace."""
    s, a, m = models.session, models.account, models.membership
    query = (
        select(s.c.digest)
        .join(a, a.c.id == s.c.account_id)
        .join(m, m.c.account_id == s.c.account_id)
        .where(
            s.c.digest.in_(digests), s.c.ends_at > datetime.now(UTC), a.c.disabled_at.is_(None), m.c.workspace_id == workspace
        )
    )  # fmt: skip
    return set(conn.scalars(query))


def end_others(conn: Connection, signed_in: SignedIn) -> int:
    """End every session of the account but this one."""
    s = models.session
    others = (s.c.account_id == signed_in.account_id, s.c.digest != signed_in.digest)
    ended = conn.execute(delete(s).where(*others)).rowcount
    audit.note_account(conn, signed_in.account_id, "account.sessions_ended", name=signed_in.name, n=ended)
    return ended


def sign_out(conn: Connection, token: str) -> None:
    conn.execute(delete(models.session).where(models.session.c.digest == _digest(token)))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def note_verified(conn: Connection, account: UUID) -> None:
    """A mail to its address was followed."""
    a = models.account
    conn.execute(update(a).where(a.c.id == account).values(verified_at=datetime.now(UTC)))


def disabled(conn: Connection, account: UUID) -> bool:
    a = models.account
    return conn.scalar(select(a.c.disabled_at.is_not(None)).where(a.c.id == account)) is not False
