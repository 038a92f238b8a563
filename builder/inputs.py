"""The inputs of the panel for single values and ids: how each is shown, and read again from what a browser sent.

What cannot be read is told in `Sent.errors` and kept as it was typed.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from builder.names import Book
from builder.option_words import WORDS
from schemas.errors import BadValue
from schemas.icons import ICONS
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import Option
from schemas.source import read_json

LANGUAGES = (("zh", "中文"), ("en", "English"))
PARTED = "\x1f"
Json = dict[str, Any]
Choices = Sequence[tuple[str, Any]]


@dataclass
class Sent:
    """What a browser sent, by name, and what is wrong with it."""

    values: Mapping[str, Any]
    errors: dict[str, list[Message]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return any(n == name or n.startswith(f"{name}.") for n in self.values)

    def text(self, name: str) -> str:
        value = self.values.get(name, "")
        return str(value[-1] if isinstance(value, list) else value).strip()

    def all(self, name: str) -> list[str]:
        value = self.values.get(name, [])
        return [str(v) for v in value] if isinstance(value, list) else [str(value)]

    def numbers(self, name: str) -> list[str]:
        """The items of a list, as they were sent: `rules.0.when`, `rules.2.when` give 0 and 2."""
        found = (re.match(rf"{re.escape(name)}\.(\w+)\.", n) for n in self.values)
        return list(dict.fromkeys(m[1] for m in found if m))

    def refuse(self, name: str, message: Message) -> None:
        self.errors.setdefault(name, []).append(message)


@dataclass(frozen=True)
class Near:
    """What stands around an option: the other options of its object, and who knows names and ids.

    `book` gives the names for a formula of a scope, `known` the ids of a kind, `field` a field's JSON by its path.
    """

    values: Mapping[str, Any]
    book: Callable[[str, Mapping[str, Any]], Book | None]
    known: Callable[[str, Mapping[str, Any]], Choices]
    field_at: Callable[[str], Mapping[str, Any] | None] = lambda path: None
    modes: Mapping[str, str] = field(default_factory=dict)

    def within(self, values: Mapping[str, Any]) -> "Near":
        """The same around a nested object; names of the outer one are still seen."""
        return Near({**self.values, **values}, self.book, self.known, self.field_at, self.modes)


class Widget:
    """How one kind of option is edited: what its input shows, what is read from it, what may be chosen."""

    name = "line"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return "" if value is None else str(value)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return sent.text(name) or None

    def choices(self, option: Option, near: Near) -> Choices:
        return ()


# -- simple values ---------------------------------------------------------------------------------


class Whole(Widget):
    name = "whole"

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        text = sent.text(name)
        whole = read_whole(text.removeprefix("-"))
        return text or None if whole is None else -whole if text.startswith("-") else whole


class Number(Widget):
    name = "number"


class Flag(Widget):
    name = "flag"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return bool(value)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return True if sent.text(name) else (None if option.default is False else False)


class Words(Widget):
    name = "words"

    def choices(self, option: Option, near: Near) -> Choices:
        none = [("", say("–"))] if option.parser.allow_none else []
        return [*none, *words_of(option.parser.words)]  # type: ignore[attr-defined]


def words_of(words: Sequence[str]) -> Choices:
    return [(w, WORDS.get(w) or w.replace("_", " ")) for w in words]


class Icon(Widget):
    """An icon, chosen by looking at those there are."""

    name = "icon"

    def choices(self, option: Option, near: Near) -> Choices:
        return [(name, name) for name in ICONS]


class Tone(Words):
    """A colour of the palette, chosen by looking at them."""

    name = "tone"


class Label(Widget):
    """A text in each of our languages; texts in others are kept."""

    name = "label"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return languages(value)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        texts = {code: sent.text(f"{name}.{code}") for code, _ in LANGUAGES}
        return label_of(texts, before)


def label_of(texts: Mapping[str, str], before: Any) -> Any:
    """One text where only one was there and is still, else by language."""
    filled = {code: text for code, text in texts.items() if text}
    others = {k: v for k, v in before.items() if k not in texts} if isinstance(before, dict) else {}
    if not filled and not others:
        return None
    if isinstance(before, str) and set(filled) == {"zh"}:
        return filled["zh"]
    return {**others, **filled}


def languages(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {"zh": value, "en": ""}
    return {code: (value or {}).get(code, "") for code, _ in LANGUAGES}


class Prose(Label):
    """The same in several lines."""

    name = "prose"


class JsonText(Widget):
    """What no other widget knows, as JSON."""

    name = "json"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        if isinstance(value, str):
            return value
        return "" if value in (None, (), []) else json.dumps(value, ensure_ascii=False, indent=1)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        text = sent.text(name)
        try:
            return read_json(text, say("This is not JSON that can be read.")) if text else None
        except BadValue as err:
            sent.refuse(name, err.message)
            return text


class LongText(Widget):
    """A text of several lines."""

    name = "long_text"


class Clock(Widget):
    """A time of day."""

    name = "clock"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return value.strftime("%H:%M") if isinstance(value, time) else str(value or "")


class Names(Widget):
    """Several short texts, parted by commas."""

    name = "names"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return ", ".join(value or ())

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return [item for part in re.split(r"[,，、\n]", sent.text(name)) if (item := part.strip())] or None


# -- references ------------------------------------------------------------------------------------


class Reference(Widget):
    name = "reference"

    def choices(self, option: Option, near: Near) -> Choices:
        return near.known(option.parser.to, near.values)  # type: ignore[attr-defined]


class References(Widget):
    """Several ids, chosen from those there are."""

    name = "references"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return list(value or ())

    def choices(self, option: Option, near: Near) -> Choices:
        return near.known(option.parser.item.to, near.values)  # type: ignore[attr-defined]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        chosen = [v for v in sent.all(name) if v]
        return chosen if chosen or option.parser.required else None


class WordList(References):
    """Several of a few words."""

    def choices(self, option: Option, near: Near) -> Choices:
        return words_of(option.parser.item.words)  # type: ignore[attr-defined]


class Pairs(Widget):
    """Ids of one kind with ids of another."""

    name = "pairs"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return list(value.items()) if isinstance(value, Mapping) else []

    def choices(self, option: Option, near: Near) -> Choices:
        parser: Any = option.parser
        return [("keys", near.known(parser.keys, near.values)), ("values", near.known(parser.item.to, near.values))]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        pairs = zip(sent.all(f"{name}.key"), sent.all(f"{name}.value"), strict=False)
        return {own: theirs for own, theirs in pairs if own and theirs} or None


class Offers(Widget):
    """Fields with options, each with those of its options that count."""

    name = "offers"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        held = value if isinstance(value, Mapping) else {}
        return [{"of": of, "chosen": list(ids), "known": near.known("options", {"of": of})} for of, ids in held.items()]

    def choices(self, option: Option, near: Near) -> Choices:
        return near.known(option.parser.keys, near.values)  # type: ignore[attr-defined]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        made = {}
        for number in sent.numbers(name):
            if of := sent.text(f"{name}.{number}.of"):
                chosen = [v for v in sent.all(f"{name}.{number}.chosen") if v]
                made[of] = chosen or [id for id, _ in near.known("options", {"of": of})]
        return made or None


class PairLines(Widget):
    """As `Pairs`, where nobody knows the ids: one `key = value` on each line."""

    name = "pair_lines"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return value if isinstance(value, str) else "\n".join(f"{k} = {v}" for k, v in (value or {}).items())

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        lines = [line.partition("=") for line in sent.text(name).splitlines() if line.strip()]
        if any(not equals for _, equals, _ in lines):
            sent.refuse(name, say("Write one pair on each line: this field = the other field."))
            return sent.text(name)
        return {own.strip(): theirs.strip() for own, _, theirs in lines} or None
