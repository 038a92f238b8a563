"""Search by pairs of characters: finds two-character words in any script and needs no extension.

A pair is kept as the number that its two units of UTF-16 make, a single one as its own: four bytes each, quick to
sort and to compare. Where a character takes two units, it is a pair by itself; nothing is found by less than a unit.
"""

import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from struct import Struct

LONGEST = 20_000
LONG = 16
"""From so many characters on a text is seldom one that was there before."""


def folded(text: str) -> str:
    """Full-width forms made plain, case folded, white space made one space."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def bigrams(text: str) -> set[int]:
    """The single characters and neighbouring pairs of a text, spaces apart."""
    return set(_read(text))


def of_texts(texts: Iterable[str]) -> list[int]:
    """What the search column of a record holds, in no order: its index sorts for itself."""
    return list(set().union(*[_known(text) if len(text) < LONG else _read(text) for text in texts if text]))


def _read(text: str) -> frozenset[int]:
    words = folded(text[:LONGEST]).split(" ")
    return _pairs(words[0]) if len(words) == 1 else frozenset().union(*map(_pairs, words))


_known = lru_cache(maxsize=4096)(_read)
"""Records of one table say the same short texts again and again."""


def _pairs(word: str) -> frozenset[int]:
    """The units, and the pairs that begin at even and at odd places, read as the numbers that their bytes are."""
    units = word.encode("utf-16-le", "surrogatepass")
    single, even, odd = _readers(len(units) // 2)
    return frozenset((*single(units), *even(units), *odd(units, min(2, len(units)))))


@lru_cache(maxsize=256)
def _readers(count: int) -> tuple[Callable[..., tuple[int, ...]], ...]:
    """For so many units: what reads them, and the pairs from the first and from the second on."""
    forms = f"<{count}H", f"<{count // 2}i", f"<{max(0, count - 1) // 2}i"
    return tuple(Struct(form).unpack_from for form in forms)


def like(text: str) -> str:
    """A pattern for ILIKE that matches the text anywhere, its own `%` and `_` taken literally."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
