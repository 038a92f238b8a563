"""Search by pairs of characters: finds two-character words in any script and needs no extension.

A pair is kept as the number that its two units of UTF-16 make, a single one as its own: four bytes each, quick to
sort and to compare. Where a character takes two units, it is a pair by itself; nothing is found by less than a unit.
"""

import struct
import unicodedata
from collections.abc import Iterable

LONGEST = 20_000
SPACE = 0x20


def folded(text: str) -> str:
    """Full-width forms made plain, case folded, white space made one space."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def bigrams(text: str) -> set[int]:
    """The single characters and neighbouring pairs of a text, spaces apart."""
    return _parts(folded(text[:LONGEST]))


def of_texts(texts: Iterable[str]) -> list[int]:
    """What the search column of a record holds, in no order: its index sorts for itself."""
    return list(_parts(folded(" ".join([text[:LONGEST] for text in texts if text]))))


def _parts(whole: str) -> set[int]:
    """The units, then the pairs that begin at even and at odd places, read as the numbers that their bytes are."""
    units = whole.encode("utf-16-le", "surrogatepass")
    found = {*_numbers("i", units), *_numbers("i", units[2:])}
    if " " in whole:
        found = {n for n in found if n & 0xFFFF != SPACE and n >> 16 != SPACE}
    found.update(_numbers("H", units))
    found.discard(SPACE)
    return found


def _numbers(kind: str, units: bytes) -> tuple[int, ...]:
    count = len(units) // struct.calcsize(f"<{kind}")
    return struct.unpack_from(f"<{count}{kind}", units)


def like(text: str) -> str:
    """A pattern for ILIKE that matches the text anywhere, its own `%` and `_` taken literally."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
