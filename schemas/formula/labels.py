"""A formula as people read and type it: names by their labels in square brackets, `[Price] * [Items].[Count]`.

What is kept has ids only. Both directions work on the text, not on the tree, so that spaces and line breaks stay
and half a formula can be translated too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from schemas.formula.parse import RESERVED, TOKEN, FormulaError
from schemas.formula.tree import Path
from schemas.messages import say

SPOKEN = re.compile(r'(?P<text>"(?:[^"]|"")*")|\[(?P<label>[^\[\]\n]*)\]|(?P<bare>[^\W\d]\w*)|(?P<dot>\s*\.\s*)')
COMPARES = ("=", "<>", "==", "!=")


class Labels(Protocol):
    """What people call the names that a formula may use. A path may have several names at once, as `flow.state`."""

    def label(self, path: Path) -> str | None:
        """The label of the last name of a path, None for a stranger."""

    def find(self, path: Path, label: str) -> Path | None:
        """What this label stands for after a path."""

    def option(self, path: Path, id: str) -> str | None:
        """The label of an option of the choice at a path."""

    def option_named(self, path: Path, label: str) -> str | None:
        """The option of the choice at a path that has this label."""


@dataclass(frozen=True)
class Plain:
    """A formula by ids, and where each of its characters came from."""

    source: str
    origins: tuple[int, ...]

    def origin(self, position: int) -> int:
        """The place in what was typed of a place in the formula."""
        return self.origins[min(max(position, 0), len(self.origins) - 1)]


# -- ids to labels ---------------------------------------------------------------------------------


def labelled(source: str, labels: Labels) -> str:
    """The formula with labels for ids; whatever has none stays as it is."""
    pieces = list(_pieces(source))
    shown = []
    for n, (kind, text) in enumerate(pieces):
        if kind == "word" and not _is_call(pieces, n):
            shown.append(_labelled_path(tuple(text.split(".")), labels))
        elif kind == "text" and (path := _compared(pieces, n)):
            shown.append(_labelled_option(text, path, labels))
        else:
            shown.append(text)
    return "".join(shown)


def _pieces(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(source):
        found = TOKEN.match(source, at)
        if found is None:
            yield "stray", source[at]
            at += 1
        else:
            yield str(found.lastgroup), found.group()
            at = found.end()


def _is_call(pieces: list[tuple[str, str]], n: int) -> bool:
    after = next((text for kind, text in pieces[n + 1 :] if kind != "space"), "")
    return after in ("(", "（")


def _labelled_path(path: Path, labels: Labels) -> str:
    shown: list[str] = []
    at = 0
    while at < len(path):
        steps = 2 if at + 1 < len(path) and labels.label(path[: at + 2]) and not labels.label(path[: at + 1]) else 1
        label = labels.label(path[: at + steps])
        shown.append(f"[{label}]" if label else ".".join(path[at : at + steps]))
        at += steps
    return ".".join(shown)


def _compared(pieces: list[tuple[str, str]], n: int) -> Path | None:
    """The path that the text at a place is compared with: `stage = "won"`, `stage IN {"won","lost"}`."""
    before = [(k, t) for k, t in pieces[:n] if k != "space"]
    if len(before) > 1 and before[-1][1] in COMPARES and before[-2][0] == "word":
        return tuple(before[-2][1].split("."))
    opened = next(
        (m for m in range(len(before) - 1, -1, -1) if before[m][0] not in ("text",) and before[m][1] != ","), -1
    )
    if (
        opened > 1
        and before[opened][1] == "{"
        and before[opened - 1][1].upper() == "IN"
        and before[opened - 2][0] == "word"
    ):
        return tuple(before[opened - 2][1].split("."))
    after = [(k, t) for k, t in pieces[n + 1 :] if k != "space"]
    if len(after) > 1 and (after[0][1] in COMPARES or after[0][1].upper() == "IN") and after[1][0] == "word":
        return tuple(after[1][1].split("."))
    return None


def _labelled_option(text: str, path: Path, labels: Labels) -> str:
    label = labels.option(path, _unquoted(text))
    return text if label is None else _quoted(label)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"')


# -- labels to ids ---------------------------------------------------------------------------------


def plain(typed: str, labels: Labels) -> Plain:
    """The formula with ids for labels. Raises FormulaError, at the place in what was typed, for an unknown label."""
    source, origins = _without_labels(typed, labels)
    return _without_option_labels(source, origins, labels)


def _without_labels(typed: str, labels: Labels) -> tuple[str, list[int]]:
    pieces: list[str] = []
    origins: list[int] = []
    path: Path = ()
    dotted = False
    at = 0
    while at < len(typed):
        found = SPOKEN.match(typed, at)
        text, end = (found.group(), found.end()) if found else (typed[at], at + 1)
        kind = found.lastgroup if found else ""
        if kind == "dot" and path:
            dotted = True
        elif kind in ("label", "bare") and (name := _name(found, typed, path if dotted else (), labels)) is not None:  # type: ignore[arg-type]
            text = ".".join(name[len(path) if dotted else 0 :])
            path, dotted = name, False
        else:
            path, dotted = (), False
        if kind == "dot":
            text = "." if path else text
        pieces.append(text)
        origins += [at] * len(text)
        at = end
    return "".join(pieces), [*origins, len(typed)]


def _name(found: "re.Match[str]", typed: str, before: Path, labels: Labels) -> Path | None:
    """The path that a label in brackets or a bare word stands for; None for a function, a keyword, a plain id."""
    label, bare = found["label"], found["bare"]
    if bare is not None:
        if re.match(r"\s*[(（]", typed[found.end() :]) or bare.lower() in RESERVED - {"this", "flow"}:
            return None
        known = labels.find(before, bare) if not bare.isascii() else None
        if known is None and bare.isascii():
            return (*before, bare)
        label = bare
    else:
        known = labels.find(before, label.strip())
    if known is None:
        raise FormulaError(say("There is no field called “{name}” here.", name=label), found.start())
    return known


def _without_option_labels(source: str, origins: list[int], labels: Labels) -> Plain:
    pieces = list(_pieces(source))
    texts: list[str] = []
    places: list[int] = []
    at = 0
    for n, (kind, text) in enumerate(pieces):
        made = text
        if kind == "text" and (path := _compared(pieces, n)) and labels.option(path, _unquoted(text)) is None:
            id = labels.option_named(path, _unquoted(text))
            made = _quoted(id) if id is not None else text
        texts.append(made)
        places += [origins[at + min(k, len(text) - 1)] for k in range(len(made))]
        at += len(text)
    return Plain("".join(texts), (*places, origins[-1]))
