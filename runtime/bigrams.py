"""Search by pairs of characters: finds two-character words in any script and needs no extension."""

import unicodedata
from collections.abc import Iterable
from operator import add

LONGEST = 20_000


def folded(text: str) -> str:
    """Full-width forms made plain, case folded, white space made one space."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def bigrams(text: str) -> set[str]:
    """The single characters and neighbouring pairs of a text, spaces apart."""
    return _parts(folded(text[:LONGEST]))


def of_texts(texts: Iterable[str]) -> list[str]:
    """What the search column of a record holds, in no order: its index sorts for itself."""
    return list(_parts(folded(" ".join([text[:LONGEST] for text in texts if text]))))


def _parts(whole: str) -> set[str]:
    found = {pair for pair in map(add, whole, whole[1:]) if " " not in pair}
    found.update(whole)
    found.discard(" ")
    return found


def like(text: str) -> str:
    """A pattern for ILIKE that matches the text anywhere, its own `%` and `_` taken literally."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
