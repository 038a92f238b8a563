"""Search by pairs of characters: finds two-character words in any script and needs no extension.

A pair is kept as the number that its two units of UTF-16 make, a single one as its own: four bytes each, quick to
sort and to compare. Where a character takes two units, it is a pair by itself; nothing is found by less than a unit.
"""

import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from struct import Struct

LONGEST = 20_000
LONG = 8
"""From so many characters on a word is seldom one that was there before: a number, an address, a sentence of Chinese."""


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
    return set().union(*[_known(word) if len(word) < LONG else _read(word) for word in whole.split(" ")])


def _read(word: str) -> frozenset[int]:
    """The units, and the pairs that begin at even and at odd places, read as the numbers that their bytes are."""
    units = word.encode("utf-16-le", "surrogatepass")
    single, even, odd = _readers(len(units) // 2)
    return frozenset((*single(units), *even(units), *odd(units, min(2, len(units)))))


_known = lru_cache(maxsize=4096)(_read)
"""Records of one table say the same short words again and again."""


@lru_cache(maxsize=256)
def _readers(count: int) -> tuple[Callable[..., tuple[int, ...]], ...]:
    """For so many units: what reads them, and the pairs from the first and from the second on."""
    forms = f"<{count}H", f"<{count // 2}i", f"<{max(0, count - 1) // 2}i"
    return tuple(Struct(form).unpack_from for form in forms)


def like(text: str) -> str:
    """A pattern for ILIKE that matches the text anywhere, its own `%` and `_` taken literally."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
