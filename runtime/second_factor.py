"""Two-step sign-in: codes by time (RFC 6238) from an app on the phone, and recovery codes on paper."""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime
from urllib.parse import quote, urlencode
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from runtime import audit, limits, models, sealing, tickets
from runtime.models_accounts import recovery_code as r
from schemas.errors import Denied, InvalidInput
from schemas.messages import say

STEP = 30
DIGITS = 6
NEIGHBOURS = (0, -1, 1)
"""Steps before and after the present one that count too: clocks differ."""
RECOVERY_CODES = 10
ISSUER = "Mortise"
WRONG = say("The code is wrong, or was used already. Wait for the next one.")


# -- the codes themselves --------------------------------------------------------------------------


def new_secret() -> str:
    """160 bits, as authenticator apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int, digits: int = DIGITS, digest: str = "sha1") -> str:
    """The code of a time step (RFC 4226, section 5.3)."""
    key = base64.b32decode(secret)
    mac = hmac.new(key, step.to_bytes(8, "big"), digest).digest()
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The step near a moment whose code this is."""
    present = int(at.timestamp()) // STEP
    typed = re.sub(r"\s", "", code)
    steps = [present + n for n in NEIGHBOURS]
    fits = [
        step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), typed.encode("utf-8", "replace"))
    ]
    return fits[0] if fits else None


def address(secret: str, email: str) -> str:
    """What the QR code says to an authenticator app."""
    asked = urlencode({"secret": secret, "issuer": ISSUER, "digits": DIGITS, "period": STEP})
    return f"otpauth://totp/{quote(f'{ISSUER}:{email}')}?{asked}"


# -- of an account ---------------------------------------------------------------------------------


def wanted(conn: Connection, account: UUID) -> bool:
    """Whether signing in to this account takes a second step."""
    a = models.account
    return conn.scalar(select(a.c.totp.is_not(None)).where(a.c.id == account)) or False


def demanded(conn: Connection, account: UUID) -> bool:
    """Whether a workspace of the account wants everybody to have one."""
    w, m = models.workspace, models.membership
    query = select(w.c.id).join(m, m.c.workspace_id == w.c.id).where(m.c.account_id == account, w.c.second_factor)
    return conn.execute(query.limit(1)).first() is not None


def begin(conn: Connection, account: UUID) -> tuple[str, str]:
    """A new secret that counts once a code of it was typed: a token for the form, and the secret."""
    secret = new_secret()
    return tickets.give(conn, "totp", account, alone=True, secret=sealing.seal(secret, "totp")), secret


def begun(conn: Connection, account: UUID, token: str) -> str:
    """The secret that a form carries. Raises NotFound."""
    found = tickets.look(conn, "totp", token)
    secret = sealing.opened(found.data["secret"], "totp") if found.account_id == account else None
    if secret is None:
        raise InvalidInput({"code": [say("This page is too old. Begin anew.")]})
    return secret


def turn_on(conn: Connection, account: UUID, token: str, code: str) -> list[str]:
    """Recovery codes, shown this once. Raises InvalidInput for a wrong code, NotFound for an old page."""
    secret = begun(conn, account, token)
    step = step_of(secret, code, datetime.now(UTC))
    if step is None:
        raise InvalidInput({"code": [WRONG]})
    tickets.use(conn, "totp", token)
    a = models.account
    conn.execute(update(a).where(a.c.id == account).values(totp=sealing.seal(secret, "totp"), totp_step=step))
    audit.note_account(conn, account, "account.totp_on", name=_name(conn, account))
    return new_codes(conn, account, told=False)


def turn_off(conn: Connection, account: UUID) -> None:
    """Raises Denied where a workspace wants one."""
    if demanded(conn, account):
        raise Denied(say("A workspace that you belong to requires two-step sign-in."))
    a = models.account
    conn.execute(update(a).where(a.c.id == account).values(totp=None, totp_step=None))
    conn.execute(delete(r).where(r.c.account_id == account))
    audit.note_account(conn, account, "account.totp_off", name=_name(conn, account))


def new_codes(conn: Connection, account: UUID, told: bool = True) -> list[str]:
    """Ten codes to be written down; those before no longer count."""
    conn.execute(delete(r).where(r.c.account_id == account))
    codes = ["-".join(secrets.token_hex(2) for _ in range(3)) for _ in range(RECOVERY_CODES)]
    conn.execute(insert(r), [{"account_id": account, "digest": _digest(code)} for code in codes])
    if told:
        audit.note_account(conn, account, "account.codes_made", name=_name(conn, account))
    return codes


def codes_left(conn: Connection, account: UUID) -> int:
    query = select(func.count()).select_from(r).where(r.c.account_id == account, r.c.used_at.is_(None))
    return conn.scalar(query) or 0


def check(conn: Connection, account: UUID, code: str) -> None:
    """Take a code of the app, or a recovery code, once. Raises Denied, also after too many wrong ones."""
    counted = limits.count(conn.engine, f"second:{account}", limits.MOST_CODES)
    if not (_take_step(conn, account, code) or _take_recovery(conn, account, code)):
        audit.note_account(conn, account, "sign_in.second_failed", _name(conn, account))
        raise Denied(WRONG)
    limits.forget(conn, f"second:{account}", counted)


def _take_step(conn: Connection, account: UUID, code: str) -> bool:
    a = models.account
    sealed = conn.scalar(select(a.c.totp).where(a.c.id == account))
    secret = sealing.opened(sealed, "totp") if sealed else None
    step = step_of(secret, code, datetime.now(UTC)) if secret else None
    if step is None:
        return False
    # Each step once: whoever has looked over a shoulder comes too late.
    fresh = or_(a.c.totp_step.is_(None), a.c.totp_step < step)
    return conn.execute(update(a).where(a.c.id == account, fresh).values(totp_step=step)).rowcount == 1


def _take_recovery(conn: Connection, account: UUID, code: str) -> bool:
    unused = (r.c.account_id == account, r.c.digest == _digest(code), r.c.used_at.is_(None))
    taken = conn.execute(update(r).where(*unused).values(used_at=datetime.now(UTC))).rowcount == 1
    if taken:
        audit.note_account(conn, account, "account.code_used", name=_name(conn, account))
    return taken


def _digest(code: str) -> bytes:
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode("utf-8", "replace")).digest()


def _name(conn: Connection, account: UUID) -> str:
    return conn.scalar(select(models.account.c.name).where(models.account.c.id == account)) or ""
