"""The panel: the options that a class declares as inputs, and what was put into them as JSON again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builder.inputs import Choices, Json, Near, Sent
from builder.parts import fresh
from builder.widgets import Items, Object, Switchable, inner_options, widget_of
from schemas import parsers
from schemas.errors import DefinitionError
from schemas.messages import Message, say
from schemas.options import Option, load, options_of

SECTIONS = {
    "basic": say("Basic"), "default": say("Default value"), "range": say("Who may be chosen"), "checks": say("Checks"),
    "events": say("Asking other programs"),
    "rules": say("Rules"), "time": say("Time"), "access": say("Fields"), "seen": say("Who sees it"), "style": say("Style"),
    "advanced": say("Advanced"),
}  # fmt: skip
LEFT_OUT = {"id", "fields", "hidden"}
NO_INPUT = {("id", "advanced"), ("layout", "basic")}
"""Options of nested objects that have no input: their ids, and what stands where, which is drawn by dragging."""
NEW = "new"


def left_out(option: Option) -> bool:
    """Options that have no input here: the id, what is hidden, and the fields of a table or subform, which are drawn."""
    drawn = option.name in LEFT_OUT and not isinstance(option.parser, parsers.Dictionary)
    return drawn or option.section == "hidden"


Errors = Mapping[str, Sequence[Message]]


@dataclass(frozen=True)
class Input:
    """One option on the panel. `value` is what the widget shows, `choices` what may be chosen.

    `items` are the inputs of each object in a list, `blank` those of a new one; `inner` those of a nested object.
    """

    name: str
    label: Message
    help: Message | None
    section: str
    widget: str
    value: Any = None
    choices: Choices = ()
    errors: Sequence[Message] = ()
    required: bool = False
    items: Sequence["Item"] = ()
    blank: "Item | None" = None
    inner: Sequence["Input"] = ()


@dataclass(frozen=True)
class Item:
    """One object of a list. `id` is its own, `was` where it stood before."""

    name: str
    id: str
    was: str
    inputs: Sequence[Input]
    errors: Sequence[Message] = ()


# -- showing ---------------------------------------------------------------------------------------


def inputs(
    kind: Any, values: Mapping[str, Any], near: Near, errors: Errors | None = None
) -> list[tuple[Message, list[Input]]]:
    """The inputs of an object's options in their sections."""
    made: dict[str, list[Input]] = {}
    around = near.within(values)
    for option in options_of(kind):
        if not left_out(option):
            made.setdefault(option.section, []).extend(_inputs(option, option.name, values, around, errors or {}))
    ordered = sorted(made.items(), key=lambda pair: list(SECTIONS).index(pair[0]) if pair[0] in SECTIONS else 99)
    return [(SECTIONS.get(section, say("Basic")), items) for section, items in ordered]


def _inputs(option: Option, name: str, values: Mapping[str, Any], near: Near, errors: Errors) -> Iterator[Input]:
    """The input of an option; for a nested object that is always there, those of its own options."""
    widget = widget_of(option)
    value = values.get(option.name, default_of(option))
    if isinstance(widget, Object):
        yield from _inner(option, name, value or {}, near, errors)
        return
    help = say(option.help) if option.help else None
    nested = isinstance(widget, Items | Switchable)
    yield Input(
        name, say(option.label), help, option.section, widget.name,
        value is not None if isinstance(widget, Switchable) else widget.show(option, name, value, near),
        widget.choices(option, near), _errors_of(name, errors, nested), bool(option.parser.required),
        list(_items(option, name, value, near, errors)) if isinstance(widget, Items) else (),
        _item(option, name, NEW, starter_item(option), near, {}) if isinstance(widget, Items) else None,
        list(_inner(option, name, value or {}, near, errors)) if isinstance(widget, Switchable) else (),
    )  # fmt: skip


def _inner(option: Option, name: str, values: Any, near: Near, errors: Errors) -> Iterator[Input]:
    held = values if isinstance(values, Mapping) else {}
    for part in inner_options(option):
        if part.section != "hidden" and (part.name, part.section) not in NO_INPUT:
            yield from _inputs(part, f"{name}.{part.name}", held, near.within(held), errors)


def _items(option: Option, name: str, value: Any, near: Near, errors: Errors) -> Iterator[Item]:
    for number, held in enumerate(value if isinstance(value, list | tuple) else ()):
        yield _item(option, name, str(number), held, near, errors)


def _item(option: Option, name: str, number: str, held: Any, near: Near, errors: Errors) -> Item:
    own = f"{name}.{number}"
    found = list(_inner(option, own, held, near, errors))
    inside = {i.name for i in found}
    loose = [m for n, ms in errors.items() if _under(n, own) and not any(_under(n, i) for i in inside) for m in ms]
    return Item(own, held.get("id", "") if number != NEW else "", number if number != NEW else "", found, loose)


def _errors_of(name: str, errors: Errors, nested: bool) -> list[Message]:
    return [m for n, messages in errors.items() if n == name or (not nested and _under(n, name)) for m in messages]


def _under(name: str, outer: str) -> bool:
    return name == outer or name.startswith(f"{outer}.")


def default_of(option: Option) -> Any:
    value = option.default
    return value.dump() if hasattr(value, "dump") else value


def starter_item(option: Option) -> Json:
    """What a new object of a list begins with, so that it is sound at once."""
    made: Json = {}
    for part in inner_options(option):
        if part.parser.required and isinstance(part.parser, parsers.FormulaSource):
            made[part.name] = "TRUE"
        elif part.parser.required and isinstance(part.parser, parsers.Label):
            made[part.name] = {"zh": "请检查填写的内容。", "en": "Please check what you have filled in."}
    return made


# -- reading ---------------------------------------------------------------------------------------


def read(
    kind: Any, values: Mapping[str, Any], before: Mapping[str, Any], near: Near
) -> tuple[Json, dict[str, list[Message]]]:
    """What the panel sent as options (None takes one away), and what is wrong with them, each by its name.

    `values` maps a name to a text, or to a list of texts where there are several.
    """
    sent = Sent(values)
    around = near.within(before)
    made: Json = {}
    for option in options_of(kind):
        if not left_out(option) and sent.has(option.name):
            made[option.name] = _value(option, option.name, sent, before.get(option.name), around)
            around = around.within({option.name: made[option.name]})
    for name, messages in problems_of(kind, {**before, **made}).items():
        if not any(_under(name, known) for known in sent.errors):
            sent.errors.setdefault(name, []).extend(messages)
    return made, sent.errors


def _value(option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
    widget = widget_of(option)
    if isinstance(widget, Items):
        return [_read_item(option, f"{name}.{n}", sent, before, near) for n in sent.numbers(name)] or None
    if isinstance(widget, Switchable) and not sent.text(f"{name}.on"):
        return None
    if isinstance(widget, Object | Switchable):
        made = _read_parts(option, name, sent, before or {}, near)
        return made if made or isinstance(widget, Switchable) else None
    return widget.read(option, name, sent, before, near)


def _read_parts(option: Option, name: str, sent: Sent, before: Mapping[str, Any], near: Near) -> Json:
    held = dict(before)
    for part in inner_options(option):
        if part.section != "hidden" and (part.name, part.section) not in NO_INPUT and sent.has(f"{name}.{part.name}"):
            held[part.name] = _value(part, f"{name}.{part.name}", sent, before.get(part.name), near.within(held))
    return {k: v for k, v in held.items() if v is not None}


def _read_item(option: Option, name: str, sent: Sent, before: Any, near: Near) -> Json:
    """One object of a list; options that no input shows stay as they were."""
    was = sent.text(f"{name}._was")
    old = before[int(was)] if was.isdecimal() and before and int(was) < len(before) else {}
    made = _read_parts(option, name, sent, old, near)
    if any(part.name == "id" for part in inner_options(option)):
        word = re.sub(r".*?([A-Z][a-z]+)$", r"\1", inner_kind(option).__name__).lower()
        taken = [item.get("id") for item in before or ()] + [n for n in sent.values if n.endswith("._id")]
        made = {"id": sent.text(f"{name}._id") or fresh(word, [*taken, *_given(sent, name, word)]), **made}
        sent.values = {**sent.values, f"{name}._id": made["id"]}
    return made


def _given(sent: Sent, name: str, word: str) -> list[str]:
    """The ids that new items of the same list have been given."""
    prefix = name.rpartition(".")[0]
    return [str(v) for n, v in sent.values.items() if n.startswith(f"{prefix}.") and n.endswith("._id") and v]


def inner_kind(option: Option) -> type[Any]:
    parser: Any = option.parser
    return parser.item.kind  # type: ignore[no-any-return]


def problems_of(kind: Any, json: Mapping[str, Any]) -> dict[str, list[Message]]:
    """What is wrong with an object's options, by the name of the input."""
    options = {k: v for k, v in json.items() if v is not None and k != "type"}
    try:
        load(kind, options)
    except DefinitionError as err:
        found: dict[str, list[Message]] = {}
        for problem in err.problems:
            found.setdefault(input_name(problem.path), []).append(problem.message)
        return found
    return {}


def input_name(path: str) -> str:
    """The name of the input that a place in the JSON belongs to: `rules[0].when` is `rules.0.when`."""
    return re.sub(r"\[(\d+)\]", r".\1", path)
