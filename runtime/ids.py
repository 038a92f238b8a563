"""Ids of records: UUIDv7 (RFC 9562), so that they sort by the time they were made."""

import os
import threading
import time
from uuid import UUID

CHANCE = (1 << 62) - 1
_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh id, larger than any that this process made before."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """Fresh ids, each larger than the one before it, and all than any that this process made before."""
    global _last
    if not count:
        return []
    chance = os.urandom(8 * count + 2)
    with _lock:
        first = max(time.time_ns() // 1_000_000 << 12 | int.from_bytes(chance[-2:]) >> 6, _last + 1)
        _last = first + count - 1
    return [_id(first + n, int.from_bytes(chance[8 * n : 8 * n + 8])) for n in range(count)]


def _id(stamp: int, chance: int) -> UUID:
    milliseconds, sub = stamp >> 12, stamp & 0xFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | sub << 64 | 0b10 << 62 | chance & CHANCE)
