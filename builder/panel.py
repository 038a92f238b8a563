"""The panel: the options that a class declares as inputs, and what was put into them as JSON again."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas import parsers
from schemas.errors import BadValue, DefinitionError
from schemas.fields.choice import TONES, ChoiceOption
from schemas.fields.date import WEEKDAYS
from schemas.fields.link import Reverse
from schemas.fields.serial import DATE_WORDS, PERIODS
from schemas.formats import FORMATS
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import Option, load, options_of
from schemas.source import read_json

LANGUAGES = (("zh", "中文"), ("en", "English"))
SECTIONS = {
    "basic": say("Basic"), "default": say("Default value"), "range": say("Who may be chosen"), "checks": say("Checks"),
    "rules": say("Rules"), "style": say("Style"), "advanced": say("Advanced"),
}  # fmt: skip
LEFT_OUT = {"id", "fields", "hidden"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Input:
    """One option on the panel. `value` is what the widget shows; `choices` (id, words) for a select."""

    name: str
    label: Message
    help: Message | None
    section: str
    widget: str
    value: Any = None
    choices: Sequence[tuple[str, Any]] = ()
    errors: Sequence[Message] = ()
    required: bool = False
    unset: bool = False


def inputs(kind: Any, values: Mapping[str, Any], known: Mapping[str, Sequence[tuple[str, Any]]],
           errors: Mapping[str, Sequence[Message]] | None = None,
           typed: Mapping[str, Any] | None = None) -> list[tuple[Message, list[Input]]]:  # fmt: skip
    """The inputs in their sections. `known` offers ids for references by what they refer to; `typed` is kept on errors."""
    made: dict[str, list[Input]] = {}
    for option in options_of(kind):
        if option.name in LEFT_OUT or option.section == "hidden":
            continue
        made.setdefault(option.section, []).extend(
            _inputs_of(option, option.name, values, known, errors or {}, typed or {})
        )
    return [(SECTIONS.get(section, say("Basic")), items) for section, items in made.items()]


def _inputs_of(option: Option, name: str, values: Mapping[str, Any], known: Mapping[str, Sequence[tuple[str, Any]]],
               errors: Mapping[str, Sequence[Message]], typed: Mapping[str, Any]) -> Iterator[Input]:  # fmt: skip
    """The input of an option; of a nested object, those of its own options with the name before theirs."""
    widget = widget_of(option)
    if widget == "object":
        inner = values.get(option.name) or {}
        for part in options_of(option.parser.kind):  # type: ignore[attr-defined]
            yield from _inputs_of(part, f"{name}.{part.name}", inner, known, errors, typed)
        return
    value = typed.get(name, show(option, widget, values.get(option.name, default_of(option))))
    help = say(option.help) if option.help else None
    yield Input(name, say(option.label), help, option.section, widget, value, choices_of(option, widget, known),
                errors.get(name, ()), bool(option.parser.required), option.name not in values)  # fmt: skip


def default_of(option: Option) -> Any:
    value = option.default
    return value.dump() if hasattr(value, "dump") else value


def widget_of(option: Option) -> str:
    """Which input draws this parser."""
    parser = option.parser
    for kind, widget in WIDGETS:
        if isinstance(parser, kind):
            return widget
    if isinstance(parser, parsers.Many):
        return _list_widget(parser)
    if isinstance(parser, parsers.Object) and parser.kind is Reverse:
        return "reverse"
    return "object" if isinstance(parser, parsers.Object) else "json"


WIDGETS: tuple[tuple[type[Any], str], ...] = (
    (parsers.Label, "label"), (parsers.Flag, "flag"), (parsers.Whole, "whole"), (parsers.Number, "number"), (parsers.Words, "words"),
    (parsers.FormulaSource, "formula"), (parsers.Reference, "reference"), (parsers.Line, "line"), (parsers.Id, "line"),
    (parsers.Literal, "literal"), (parsers.Dictionary, "pairs"),
)  # fmt: skip


def _list_widget(parser: parsers.Many) -> str:
    item = parser.item
    if isinstance(item, parsers.Object) and item.kind is ChoiceOption:
        return "options"
    if isinstance(item, parsers.Either):
        return "serial"
    if isinstance(item, parsers.Words | parsers.Reference):
        return "several"
    return "names" if isinstance(item, parsers.Id | parsers.Line) else "json"


def choices_of(
    option: Option, widget: str, known: Mapping[str, Sequence[tuple[str, Any]]]
) -> Sequence[tuple[str, Any]]:
    if widget == "words":
        return [(w, WORDS.get(w) or say(w.replace("_", " "))) for w in option.parser.words]  # type: ignore[attr-defined]
    if widget == "several":
        item = option.parser.item  # type: ignore[attr-defined]
        if isinstance(item, parsers.Reference):
            return known.get(item.to, ())
        return [(w, WORDS.get(w) or say(w.replace("_", " "))) for w in item.words]
    if widget == "reference":
        return known.get(option.parser.to, ())  # type: ignore[attr-defined]
    return [(t, t) for t in TONES] if widget == "options" else ()


WORDS = {
    **WEEKDAYS,
    **{name: form.words for name, form in FORMATS.items()},
    "any": say("Any"),
    "keep": say("Kept"),
    "restrict": say("Not deleted"),
    "clear": say("Clear"),
    "dropdown": say("dropdown"),
    "radio": say("radio"),
    "chips": say("chips"),
    "checkboxes": say("checkboxes"),
}


# -- showing ---------------------------------------------------------------------------------------


def show(option: Option, widget: str, value: Any) -> Any:
    """An option's JSON as its input shows it."""
    if widget == "label":
        return _languages(value)
    if widget == "options":
        return [{**item, "label": _languages(item.get("label"))} for item in value or ()]
    if widget == "serial":
        return serial_text(value or ())
    if widget == "names":
        return ", ".join(value or ())
    if widget == "several":
        return list(value or ())
    if widget == "pairs":
        return "\n".join(f"{k} = {v}" for k, v in (value or {}).items())
    if widget == "reverse":
        return {"on": value is not None, "label": _languages((value or {}).get("label"))}
    if widget == "json":
        return "" if value in (None, (), []) else json.dumps(value, ensure_ascii=False, indent=1)
    if widget == "literal" and isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    if widget == "flag":
        return bool(value)
    return "" if value is None else str(value)


def _languages(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {"zh": value, "en": ""}
    return {code: (value or {}).get(code, "") for code, _ in LANGUAGES}


def serial_text(parts: Sequence[Any]) -> str:
    """`["EXP-", {"date": "yyyyMM"}, {"count": 4, "reset": "month"}]` as `EXP-{yyyyMM}-{4/month}`."""
    made = []
    for part in parts:
        if isinstance(part, str):
            made.append(part)
        elif "date" in part:
            made.append("{" + part["date"] + "}")
        else:
            reset = part.get("reset", "never")
            made.append("{" + str(part["count"]) + ("" if reset == "never" else f"/{reset}") + "}")
    return "".join(made)


def serial_parts(text: str) -> list[Any]:
    """The other way round. Raises BadValue."""
    made: list[Any] = []
    for piece in re.findall(r"\{[^{}]*\}|[^{}]+", text):
        inner = piece[1:-1] if piece.startswith("{") else None
        count = re.fullmatch(r"(\d{1,2})(?:/(\w+))?", inner or "")
        if inner is None:
            made.append(piece)
        elif inner in DATE_WORDS:
            made.append({"date": inner})
        elif count and (count[2] or "never") in PERIODS:
            made.append({"count": int(count[1]), **({"reset": count[2]} if count[2] else {})})
        else:
            raise BadValue(
                say(
                    "Write it like EXP-{yyyyMM}-{4/month}: dates are {dates}, a counter is its digits.",
                    dates=", ".join(DATE_WORDS),
                )
            )
    return made


# -- reading ---------------------------------------------------------------------------------------


def read(kind: Any, sent: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[Json, dict[str, list[Message]]]:
    """What the panel sent as options (None takes one away), and what is wrong with them, each by its name.

    `sent` maps a name to a text, or to a list of texts where there are several.
    """
    made: Json = {}
    errors: dict[str, list[Message]] = {}
    for option in options_of(kind):
        if option.name in LEFT_OUT or option.section == "hidden":
            continue
        widget = widget_of(option)
        if not any(name == option.name or name.startswith(f"{option.name}.") for name in sent):
            continue
        try:
            made[option.name] = _value(option, option.name, widget, sent, before.get(option.name))
        except BadValue as err:
            errors[option.name] = [err.message]
    for name, messages in problems_of(kind, {**before, **made}).items():
        errors.setdefault(name, []).extend(messages)
    return made, errors


def problems_of(kind: Any, json: Mapping[str, Any]) -> dict[str, list[Message]]:
    """What is wrong with an object's options, by option."""
    options = {k: v for k, v in json.items() if v is not None and k != "type"}
    try:
        load(kind, options)
    except DefinitionError as err:
        found: dict[str, list[Message]] = {}
        for problem in err.problems:
            found.setdefault(re.split(r"[.\[]", problem.path)[0], []).append(problem.message)
        return found
    return {}


def _value(option: Option, name: str, widget: str, sent: Mapping[str, Any], before: Any) -> Any:
    if widget == "object":
        parts = options_of(option.parser.kind)  # type: ignore[attr-defined]
        inner = {p.name: _value(p, f"{name}.{p.name}", widget_of(p), sent, (before or {}).get(p.name)) for p in parts}
        return {k: v for k, v in inner.items() if v is not None} or None
    if widget == "label":
        return _label(sent, name, before)
    if widget == "options":
        return list(_options(sent, name))
    if widget == "reverse":
        return {"label": _label(sent, f"{name}.label", None)} if _text(sent, f"{name}.on") else None
    if widget == "several":
        return [v for v in _list(sent, name) if v] or None
    text = _text(sent, name).strip()
    if widget == "flag":
        return True if text else (None if option.default is False else False)
    if not text:
        return None
    if widget in ("whole",):
        whole = read_whole(text.removeprefix("-"))
        return text if whole is None else -whole if text.startswith("-") else whole
    if widget == "pairs":
        return dict(_pairs(text))
    if widget == "names":
        return [item.strip() for item in text.replace("，", ",").split(",") if item.strip()]
    if widget == "serial":
        return serial_parts(text)
    if widget == "json" or (widget == "literal" and text[0] in "[{"):
        return read_json(text, say("This is not JSON that can be read."))
    if widget == "literal" and text in ("true", "false"):
        return text == "true"
    return text


def _text(sent: Mapping[str, Any], name: str) -> str:
    value = sent.get(name, "")
    return str(value[-1] if isinstance(value, list) else value)


def _label(sent: Mapping[str, Any], name: str, before: Any) -> Any:
    """One text where both languages say the same or only one is given, else both."""
    texts = {code: _text(sent, f"{name}.{code}").strip() for code, _ in LANGUAGES}
    filled = {code: text for code, text in texts.items() if text}
    others = {k: v for k, v in before.items() if k not in texts} if isinstance(before, dict) else {}
    if not filled and not others:
        return None
    if isinstance(before, str) and set(filled) == {"zh"}:
        return filled["zh"]
    return {**others, **filled}


def _options(sent: Mapping[str, Any], name: str) -> Iterator[Json]:
    """The rows of a choice's options; a new one gets the next id."""
    ids, zhs, ens, colors = (_list(sent, f"{name}.{part}") for part in ("id", "zh", "en", "color"))
    taken = {i for i in ids if i}
    for id, zh, en, color in zip(ids, zhs, ens, colors, strict=False):
        if not (zh.strip() or en.strip()):
            continue
        if not id:
            id = next(f"option_{n}" for n in range(1, 1_000) if f"option_{n}" not in taken)
            taken.add(id)
        label = {code: text.strip() for code, text in (("zh", zh), ("en", en)) if text.strip()}
        yield {"id": id, "label": label, **({"color": color} if color in TONES and color != "gray" else {})}


def _list(sent: Mapping[str, Any], name: str) -> list[str]:
    value = sent.get(name, [])
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if line.strip():
            own, equals, theirs = line.partition("=")
            if not equals:
                raise BadValue(say("Write one pair on each line: this field = the other field."))
            yield own.strip(), theirs.strip()
