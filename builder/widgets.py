"""The inputs of the panel: how each kind of option is shown, and read again from what a browser sent.

A widget is found by the option's parser; its macro of the same name in `templates/builder/_widgets.html` draws it.
What cannot be read is told in `Sent.errors` and kept as it was typed.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builder.names import Book
from schemas import conditions, parsers
from schemas.errors import BadValue
from schemas.fields.choice import TONES, ChoiceOption
from schemas.fields.date import WEEKDAYS
from schemas.fields.serial import DATE_WORDS, PERIODS, Part
from schemas.formats import FORMATS
from schemas.formula import Formula, FormulaError
from schemas.formula.labels import labelled, plain
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import Option, options_of
from schemas.source import read_json
from schemas.text import Text

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
        return words_of(option.parser.words)  # type: ignore[attr-defined]


def words_of(words: Sequence[str]) -> Choices:
    return [(w, WORDS.get(w) or say(w.replace("_", " "))) for w in words]


WORDS: dict[str, Message] = {
    **WEEKDAYS, **{name: form.words for name, form in FORMATS.items()},
    "any": say("Any"),
    "keep": say("Kept"), "restrict": say("Not deleted"), "clear": say("Clear"), "dropdown": say("dropdown"),
    "radio": say("radio"), "chips": say("chips"), "checkboxes": say("checkboxes"),
}  # fmt: skip


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


# -- formulas --------------------------------------------------------------------------------------


def shown_formula(value: Any, book: Book | None) -> str:
    return labelled(str(value or ""), book) if book else str(value or "")


def read_formula(text: str, name: str, sent: Sent, book: Book | None) -> str:
    """The formula by ids. What cannot be read is kept as it was typed, with its problem."""
    try:
        return plain(text, book).source if book else text
    except FormulaError as err:
        sent.refuse(name, say("at character {n}: {problem}", n=err.position + 1, problem=err.message))
        return text


class FormulaText(Widget):
    """A formula in the formula editor."""

    name = "formula"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        parser: Any = option.parser
        book = near.book(parser.scope, near.values)
        return {"text": shown_formula(value, book), "place": book.place.key if book else "", "result": parser.result}

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        text = sent.text(name)
        return read_formula(text, name, sent, near.book(option.parser.scope, near.values)) if text else None  # type: ignore[attr-defined]


class ConditionRows(FormulaText):
    """A yes/no formula as rows of field, comparison and value; one that does not fit stays a formula."""

    name = "condition"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        shown = super().show(option, name, value, near)
        book = near.book(option.parser.scope, near.values)  # type: ignore[attr-defined]
        drawn = _drawn(str(value or "TRUE"), book) if book else None
        rows = drawn is not None and near.modes.get(f"{name}.mode") != "formula"
        return {**shown, "mode": "rows" if rows else "formula", "fits": drawn is not None, "drawn": drawn}

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        otherwise = "TRUE" if option.parser.required else None
        if (sent.text(f"{name}.mode"), sent.text(f"{name}.was")) != ("rows", "rows"):
            return super().read(option, name, sent, before, near) or otherwise
        book = near.book(option.parser.scope, near.values)  # type: ignore[attr-defined]
        fields, operators, values = (sent.all(f"{name}.{part}") for part in ("field", "operator", "value"))
        rows = [
            conditions.Condition(f, o, tuple(v.split(PARTED)) if v else ())
            for f, o, v in zip(fields, operators, values, strict=False)
            if f
        ]
        joined = "OR" if sent.text(f"{name}.joined") == "OR" else "AND"
        made = conditions.to_formula(rows, kinds_in(book), joined) if book else ""
        return made or otherwise


def kinds_in(book: Book) -> dict[str, Any]:
    return {word.id: word.type for word in book.first}


def _drawn(source: str, book: Book) -> conditions.Drawn | None:
    try:
        found = conditions.drawn(Formula.of(source), kinds_in(book))
    except FormulaError:
        return None
    words = {word.id: word for word in book.first}
    offered = found is not None and all(
        row.operator in {o.id for o in _offered(words[row.field])} for row in found.rows
    )
    return found if offered else None


def condition_fields(book: Book) -> list[dict[str, Any]]:
    """The fields that conditions in this place may be about, with operators and options."""
    return [
        {"id": w.id, "label": w.label, "kind": w.type.kind, "operators": _offered(w), "options": w.options}
        for w in book.first
        if _comparable(w.type) and w.id != "version"
    ]


def _offered(word: Any) -> list[conditions.Operator]:
    """People and records of one installation have no place in a definition; only what needs none is offered of them."""
    inner = word.type.of if word.type.kind == "array" else word.type
    found = conditions.operators_for(word.type)
    return [o for o in found if o.values == 0] if inner.kind in ("member", "department", "link") else found


def _comparable(kind: Any) -> bool:
    if kind.kind == "array":
        return bool(kind.of and kind.of.kind in ("choice", "text", "member", "department", "link"))
    return kind.kind not in ("rows", "any", "file")


# -- values that may be literal or a formula -------------------------------------------------------

QUICK: dict[str, Choices] = {
    "member": [("=ME()", say("The current user"))], "members": [("={ME()}", say("The current user"))],
    "department": [("=ME().department", say("The current user's department"))],
    "departments": [("=ME().departments", say("The current user's departments"))],
    "date": [("=TODAY()", say("Today"))], "datetime": [("=NOW()", say("Now"))],
}  # fmt: skip
LITERALS = {
    "text": "text", "long_text": "text", "rich_text": "text", "number": "number", "money": "number", "rating": "number",
    "duration": "text", "date": "date", "datetime": "datetime", "time": "time", "choice": "choice", "choices": "choices",
    "switch": "switch", "barcode": "text", "address": "text",
}  # fmt: skip


def literal_shown(value: Any, kind: Mapping[str, Any] | None, near: Near) -> Json:
    """A default value: none, a fixed one in an input of the field's type, one of a few usual formulas, or a formula."""
    type = (kind or {}).get("type", "")
    quick = QUICK.get(type, ())
    book = near.book("record", near.values)
    formula = isinstance(value, str) and value.startswith("=")
    mode = "none" if value is None else value if formula and value in dict(quick) else "formula" if formula else "value"
    return {
        "mode": mode, "input": LITERALS.get(type, "text" if mode == "value" else ""), "quick": quick,
        "options": [(o["id"], Text.of(o.get("label") or o["id"])) for o in (kind or {}).get("options", ())],
        "text": literal_text(value) if mode == "value" else "",
        "chosen": [str(v) for v in value] if isinstance(value, list) else [literal_text(value)],
        "formula": {
            "text": shown_formula(value[1:], book) if mode == "formula" else "", "result": "any",
            "place": book.place.key if book else "",
        },
    }  # fmt: skip


def literal_text(value: Any) -> str:
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def literal_read(name: str, sent: Sent, kind: Mapping[str, Any] | None, near: Near) -> Any:
    mode = sent.text(f"{name}.mode")
    if mode in ("", "none"):
        return None
    if mode.startswith("="):
        return mode
    if mode == "formula":
        text = sent.text(f"{name}.formula")
        book = near.book("record", near.values)
        return f"={read_formula(text, f'{name}.formula', sent, book)}" if text else '=""'
    return _literal(name, sent, (kind or {}).get("type", ""), kind or {})


def _literal(name: str, sent: Sent, type: str, kind: Mapping[str, Any]) -> Any:
    """What was typed as the field's type keeps it; a first, empty value where nothing was yet."""
    if type in ("choices",):
        return [v for v in sent.all(name) if v] or [o["id"] for o in kind.get("options", ())][:1]
    text = sent.text(name)
    if type == "switch":
        return text == "true"
    if not text:
        return next((o["id"] for o in kind.get("options", ())), FIRST_LITERALS.get(LITERALS.get(type, ""), ""))
    if text[0] in "[{":
        try:
            return read_json(text, say("This is not JSON that can be read."))
        except BadValue:
            return text
    return text


FIRST_LITERALS = {"number": "0", "date": "2026-01-01", "datetime": "2026-01-01 09:00", "time": "09:00"}


class Literal(Widget):
    """The default of a field."""

    name = "literal"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return literal_shown(value, near.values, near)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return literal_read(name, sent, near.values, near)


class Defaults(Widget):
    """Values by field, each literal or a formula."""

    name = "defaults"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return [
            {"field": id, "value": literal_shown(literal, near.field_at(id), near)}
            for id, literal in (value or {}).items()
        ]

    def choices(self, option: Option, near: Near) -> Choices:
        return near.known(option.parser.keys, near.values)  # type: ignore[attr-defined]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        made = {}
        for number in sent.numbers(name):
            if id := sent.text(f"{name}.{number}.field"):
                made[id] = literal_read(f"{name}.{number}.value", sent, near.field_at(id), near)
        return made or None


# -- lists of objects ------------------------------------------------------------------------------


class Options(Widget):
    """The options of a choice, as rows to name, colour and sort."""

    name = "options"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return [{**item, "label": languages(item.get("label"))} for item in value or ()]

    def choices(self, option: Option, near: Near) -> Choices:
        return [(tone, say(tone)) for tone in TONES]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        kept = {item["id"]: item for item in before or () if isinstance(item, Mapping) and "id" in item}
        ids, zhs, ens, colors = (sent.all(f"{name}.{part}") for part in ("id", "zh", "en", "color"))
        hidden = set(sent.all(f"{name}.hidden"))
        made: list[Json] = []
        for id, zh, en, color in zip(ids, zhs, ens, colors, strict=False):
            if zh.strip() or en.strip():
                id = id or _next_option({*kept, *ids, *(item["id"] for item in made)})
                made.append(_option(kept.get(id, {}), id, {"zh": zh.strip(), "en": en.strip()}, color, id in hidden))
        return [*made, *pasted(sent.text(f"{name}.lines"), made, kept)]


def _option(before: Mapping[str, Any], id: str, texts: Mapping[str, str], color: str, hidden: bool) -> Json:
    made = {**before, "id": id, "label": label_of(texts, before.get("label"))}
    made = {k: v for k, v in made.items() if k not in ("color", "hidden")}
    return {
        **made,
        **({"color": color} if color in TONES and color != "gray" else {}),
        **({"hidden": True} if hidden else {}),
    }


def _next_option(taken: set[str]) -> str:
    return next(f"option_{n}" for n in range(1, 5_000) if f"option_{n}" not in taken)


def pasted(lines: str, made: Sequence[Json], kept: Mapping[str, Any]) -> Iterator[Json]:
    """New options of lines pasted from elsewhere, in the colours' order; what is there already is passed over."""
    there = {text for item in made for text in languages(item["label"]).values() if text}
    taken = {*kept, *(item["id"] for item in made)}
    for text in dict.fromkeys(line.strip()[:200] for line in lines.splitlines()):
        if text and text not in there and len(taken) < 1_000:
            taken.add(id := _next_option(taken))
            yield {"id": id, "label": text, "color": TONES[1 + len(taken) % (len(TONES) - 1)]}


class Serial(Widget):
    """The parts of a serial number: texts, dates and the counter, in any order."""

    name = "serial"
    KINDS = ("text", "date", "count")

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return [
            {"kind": "text", "text": part}
            if isinstance(part, str)
            else {"kind": "date" if part.get("date") else "count", **part}
            for part in value or ()
        ]

    def choices(self, option: Option, near: Near) -> Choices:
        return [("dates", list(DATE_WORDS)), ("periods", [(p, say(PERIOD_WORDS[p])) for p in PERIODS])]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return [part for n in sent.numbers(name) if (part := self._part(sent, f"{name}.{n}"))]

    def _part(self, sent: Sent, name: str) -> Any:
        kind = sent.text(f"{name}.kind")
        if kind == "text":
            return str(sent.values.get(f"{name}.text", "-") or "-")
        if kind == "date":
            return {"date": sent.text(f"{name}.date") or next(iter(DATE_WORDS))}
        digits, start, reset = (sent.text(f"{name}.{part}") for part in ("count", "start", "reset"))
        made: Json = {"count": read_whole(digits) or 4}
        if reset and reset != "never":
            made["reset"] = reset
        return {**made, **({"start": read_whole(start)} if start != "1" and read_whole(start) is not None else {})}


PERIOD_WORDS = {"never": "never", "year": "every year", "month": "every month", "day": "every day"}


class Items(Widget):
    """A list of objects, each drawn from its own options; see `builder/panel.py`."""

    name = "items"


class Object(Widget):
    name = "object"


class Switchable(Widget):
    """An object that may be there or not, with its own options once it is."""

    name = "switchable"


def widget_of(option: Option) -> Widget:
    """The widget that edits what this parser reads."""
    parser = option.parser
    if isinstance(parser, parsers.Many):
        return _of_list(parser)
    if isinstance(parser, parsers.Object):
        return Switchable() if parser.allow_none else Object()
    if isinstance(parser, parsers.Dictionary):
        return _of_dictionary(parser)
    if isinstance(parser, parsers.FormulaSource):
        return ConditionRows() if parser.result == "boolean" else FormulaText()
    return next((widget() for kind, widget in BY_PARSER if isinstance(parser, kind)), JsonText())


BY_PARSER: tuple[tuple[type[Any], type[Widget]], ...] = (
    (parsers.Label, Label), (parsers.Flag, Flag), (parsers.Whole, Whole), (parsers.Number, Number), (parsers.Words, Words),
    (parsers.Reference, Reference), (parsers.Line, Widget), (parsers.Id, Widget), (parsers.Literal, Literal),
)  # fmt: skip


def _of_list(parser: parsers.Many) -> Widget:
    item = parser.item
    if isinstance(item, parsers.Object):
        return Options() if item.kind is ChoiceOption else Items()
    if isinstance(item, parsers.Either) and isinstance(item.object, parsers.Object) and item.object.kind is Part:
        return Serial()
    if isinstance(item, parsers.Reference):
        return References()
    if isinstance(item, parsers.Words):
        return WordList()
    return Names() if isinstance(item, parsers.Id | parsers.Line) else JsonText()


def _of_dictionary(parser: parsers.Dictionary) -> Widget:
    if isinstance(parser.item, parsers.Literal) and parser.keys:
        return Defaults()
    if isinstance(parser.item, parsers.Many) and parser.keys:
        return Offers()
    if isinstance(parser.item, parsers.Reference) and parser.keys:
        return Pairs()
    return PairLines() if isinstance(parser.item, parsers.Id | parsers.Line) else JsonText()


def inner_options(option: Option) -> tuple[Option, ...]:
    """The options of the objects in a list, or of a nested object."""
    parser: Any = option.parser
    return options_of(parser.item.kind if hasattr(parser, "item") else parser.kind)
