"""How often something may be tried: counted in the database, so that every process and machine counts together."""

import ipaddress
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, or_, select, text

from runtime import models
from schemas.errors import Denied
from schemas.messages import say

WINDOW = timedelta(minutes=15)
MOST_ATTEMPTS = 10
"""Wrong passwords for one account, from browsers that have never been signed in to it."""
MOST_FROM_ADDRESS = 100
MOST_CODES = 10
MOST_MAILS = 5
MOST_MAILS_FROM_ADDRESS = 30


def count(engine: Engine, key: str, most: int) -> int:
    """Count a try, in a transaction of its own: those at the same moment see one another. Raises Denied after too many.

    What is refused is not counted, so that nobody keeps somebody else out by going on.
    """
    t, now = models.attempt, datetime.now(UTC)
    with engine.begin() as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7))"), {"key": key})
        tried = conn.scalar(select(func.count()).select_from(t).where(t.c.key == key, t.c.at > now - WINDOW)) or 0
        if tried >= most:
            raise Denied(say("Too many attempts. Wait a quarter of an hour and try again."))
        conn.execute(delete(t).where(t.c.at < now - 2 * WINDOW))
        return int(conn.scalar(insert(t).values(key=key, at=now).returning(t.c.id)) or 0)


def first_refusal(engine: Engine, key: str) -> bool:
    """Whether this window has not yet been told of: one line in the trail for a flood, not one for each drop."""
    try:
        count(engine, f"told:{key}", 1)
    except Denied:
        return False
    return True


def forget(conn: Connection, key: str, *counted: int) -> None:
    """What succeeded after all: the tries under this key, and others by their numbers."""
    t = models.attempt
    conn.execute(delete(t).where(or_(t.c.key == key, t.c.id.in_(counted))))


def network(address: str) -> str:
    """An address as far as one person may choose it: of IPv6 a whole household's 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if parsed.version == 6 and mapped is None:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(mapped or parsed)
