"""The inputs of the panel: which one edits an option, and those that edit lists of objects.

A widget is found by the option's parser; its macro of the same name in `templates/builder/_widgets.html` draws it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from builder import flow_inputs
from builder.formula_inputs import ConditionRows, Defaults, FormulaText, Literal
from builder.inputs import (
    Choices,
    Flag,
    Json,
    JsonText,
    Label,
    Names,
    Near,
    Number,
    Offers,
    PairLines,
    Pairs,
    Prose,
    Reference,
    References,
    Sent,
    Whole,
    Widget,
    WordList,
    Words,
    label_of,
    languages,
)
from schemas import parsers, spans
from schemas.fields.choice import TONES, ChoiceOption
from schemas.fields.serial import DATE_WORDS, PERIODS, Part
from schemas.messages import say
from schemas.numbers import read_whole
from schemas.options import Option, options_of
from schemas.steps import due, parallel, people, who


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


BY_PARSER: tuple[tuple[type[Any], Callable[[], Widget]], ...] = (
    (who.People, flow_inputs.People), (who.Substitute, flow_inputs.Substitute),
    (spans.SpanOf, flow_inputs.Span), (due.DeadlineOf, flow_inputs.Deadline),
    (people.Quorum, lambda: flow_inputs.Counted(flow_inputs.QUORUMS, {"percent": 60, "count": 2})),
    (parallel.Join, lambda: flow_inputs.Counted(flow_inputs.JOINS, {"count": 1})),
    (parsers.Prose, Prose), (parsers.Label, Label),
    (parsers.Flag, Flag), (parsers.Whole, Whole), (parsers.Number, Number), (parsers.Words, Words),
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
    if parser.star and isinstance(parser.item, parsers.Words):
        return flow_inputs.FieldRights()
    if isinstance(parser.item, parsers.FormulaSource):
        return flow_inputs.SetValues()
    if isinstance(parser.item, parsers.Label):
        return flow_inputs.Renames()
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
