"""Search by pairs of characters: finds two-character words in any script and needs no extension.

A pair is kept as the number that its two units of UTF-16 make, a single one as its own: four bytes each, quick to
sort and to compare. Where a character takes two units, it is a pair by itself; nothing is found by less than a unit.
"""

import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from struct import Struct

LONGEST = 20_000
LONG = 12
"""From so many characters on a text is seldom one that was there before."""


def folded(text: str) -> str:
    """Full-width forms made plain, case folded, white space made one space."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def bigrams(text: str) -> set[int]:
    """The single characters and neighbouring pairs of a text, spaces apart."""
    found: set[int] = set()
    _read_into(found, text)
    return found


def of_texts(texts: Iterable[str]) -> list[int]:
    """What the search column of a record holds, in no order: its index sorts for itself."""
    found: set[int] = set()
    for text in texts:
        if len(text) >= LONG:
            _read_into(found, text)
        elif text:
            found |= _known(text)
    return list(found)


@lru_cache(maxsize=4096)
def _known(text: str) -> frozenset[int]:
    """Records of one table say the same short texts again and again."""
    return frozenset(bigrams(text))


def _read_into(found: set[int], text: str) -> None:
    """The units, and the pairs that begin at even and at odd places, read as the numbers that their bytes are."""
    for word in folded(text[:LONGEST]).split(" "):
        units = word.encode("utf-16-le", "surrogatepass")
        single, even, odd = _readers(len(units) // 2)
        found.update(single(units), even(units), odd(units, min(2, len(units))))


@lru_cache(maxsize=256)
def _readers(count: int) -> tuple[Callable[..., tuple[int, ...]], ...]:
    """For so many units: what reads them, and the pairs from the first and from the second on."""
    forms = f"<{count}H", f"<{count // 2}i", f"<{max(0, count - 1) // 2}i"
    return tuple(Struct(form).unpack_from for form in forms)


def like(text: str) -> str:
    """A pattern for ILIKE that matches the text anywhere, its own `%` and `_` taken literally."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
