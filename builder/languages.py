"""What an app says to people, language by language: on a page, and as one file per language.

A label is named by where it stands, by the ids of the things around it: `tables/claim/fields/amount/label`.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from builder.parts import KINDS, Parts, join, split
from schemas.errors import InvalidInput
from schemas.messages import say
from schemas.text import LANGUAGES

SAID = frozenset(
    {"title", "label", "help", "description", "placeholder", "section", "tab", "note", "group", "unit", "message", "yes",
     "no", "text", "subject", "confirm"}
)  # fmt: skip
"""Options that hold what people read. A plain text at one of them counts where it cannot be anything else."""
PLAIN = frozenset({"title", "label", "help", "description", "placeholder"})
HEADINGS = ("where", "original", "translation")
LONGEST = 4_000
MOST = 20_000


@dataclass(frozen=True)
class Label:
    """Something that an app says: where it stands, and its words by language; a plain text is under `""`."""

    path: str
    words: Mapping[str, str]

    def of(self, language: str) -> str:
        return self.words.get(language) or self.words.get("", "")

    def other(self, language: str) -> str:
        """The same in another language, to translate from."""
        others = [code for code in self.words if code != language]
        return self.words.get("") or next((self.words[code] for code in others if self.words[code]), "")


def labels(package: Mapping[str, Any]) -> list[Label]:
    """Everything that an app says, in the order of its definition."""
    return [Label("/".join(path), words) for path, _, _, words in _found(package, ())]


def _found(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any, dict[str, str]]]:
    """(path, holder, key, words) of every label."""
    if isinstance(value, dict):
        for name, inner in value.items():
            words = _words(name, inner)
            if words is not None:
                yield (*path, name), value, name, words
            else:
                yield from _found(inner, (*path, name))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            id = inner.get("id") if isinstance(inner, dict) else None
            yield from _found(inner, (*path, id if isinstance(id, str) else str(n + 1)))


def _words(name: str, value: Any) -> dict[str, str] | None:
    if name not in SAID:
        return None
    if isinstance(value, str):
        return {"": value} if value and name in PLAIN else None
    if (
        isinstance(value, dict)
        and value
        and set(value) <= set(LANGUAGES)
        and all(isinstance(v, str) for v in value.values())
    ):
        return dict(value)
    return None


def parts_of(found: list[Label]) -> dict[str, list[Label]]:
    """The labels by the object that they stand in; those of the app itself under `app`."""
    grouped: dict[str, list[Label]] = {}
    for label in found:
        names = label.path.split("/")
        key = "/".join(names[:2]) if names[0] in KINDS else "app"
        grouped.setdefault(key, []).append(label)
    return grouped


def translated(parts: Parts, language: str, texts: Mapping[str, str]) -> tuple[Parts, int, list[str]]:
    """The parts with labels in a language set anew; how many differ, and the paths that the app does not have."""
    package = deepcopy(join(parts))
    there = {"/".join(path): (holder, key, words) for path, holder, key, words in _found(package, ())}
    count = 0
    for path, text in texts.items():
        if path in there and _set(*there[path], language, text.strip()):
            count += 1
    kept = {name: part for name, part in parts.items() if name in ("bin", "upgrade")}
    return Parts({**split(package), **kept}), count, [path for path in texts if path not in there]


def _set(holder: Any, key: str, words: dict[str, str], language: str, text: str) -> bool:
    """An empty text leaves the label as it is in the other languages."""
    if not text or text == (words.get(language) or words.get("", "")):
        return False
    others = {code: words.get(code) or words.get("", "") for code in LANGUAGES if code != language}
    holder[key] = {code: said for code, said in {**words, **others, language: text}.items() if code and said}
    return True


# -- files -----------------------------------------------------------------------------------------


def to_csv(package: Mapping[str, Any], language: str) -> bytes:
    """One line for everything that an app says, with the original beside it; Excel opens it as it is."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(HEADINGS)
    for label in labels(package):
        writer.writerow((label.path, label.other(language), label.words.get(language, "")))
    return file.getvalue().encode("utf-8-sig")


def from_csv(data: bytes) -> dict[str, str]:
    """The translations of a file by where they stand. Raises InvalidInput."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidInput(
            {"file": [say("This is not a file of texts (CSV in UTF-8). Export one, and fill that in.")]}
        ) from None
    if not rows or [heading.strip() for heading in rows[0][:3]] != [*HEADINGS]:
        words = say("The first line must be {headings}. Export a file, and fill that in.", headings=", ".join(HEADINGS))
        raise InvalidInput({"file": [words]})
    if len(rows) > MOST:
        raise InvalidInput({"file": [say("At most {n} lines.", n=MOST)]})
    return {
        row[0].strip(): row[2].replace("\x00", "")[:LONGEST] for row in rows[1:] if len(row) >= 3 and row[0].strip()
    }
