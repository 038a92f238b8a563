"""Ids of records: UUIDv7 (RFC 9562), so that they sort by the time they were made."""

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh id, larger than any that this process made before."""
    global _last
    with _lock:
        stamp = max(time.time_ns() // 1_000_000 << 12 | secrets.randbits(10), _last + 1)
        _last = stamp
    milliseconds, sub = stamp >> 12, stamp & 0xFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | sub << 64 | 0b10 << 62 | secrets.randbits(62))
