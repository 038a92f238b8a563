"""Search by pairs of characters: finds two-character words in any script and needs no extension."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 20_000


def folded(text: str) -> str:
    """Full-width forms made plain, case folded, white space made one space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).casefold().strip()


def bigrams(text: str) -> set[str]:
    """The single characters and neighbouring pairs of a text, spaces apart."""
    found: set[str] = set()
    for word in folded(text[:LONGEST]).split(" "):
        found.update(word)
        found.update(word[i : i + 2] for i in range(len(word) - 1))
    return found


def of_texts(texts: Iterable[str]) -> list[str]:
    """What the search column of a record holds."""
    return sorted(set().union(*(bigrams(t) for t in texts if t)))


def like(text: str) -> str:
    """A pattern for ILIKE that matches the text anywhere, its own `%` and `_` taken literally."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
