"""The reference of the language: every object, option, type and function, written from their declarations."""

from collections.abc import Iterable, Iterator
from typing import Any

from schemas import parsers
from schemas.app import App
from schemas.documents import block_types
from schemas.fields import field_types
from schemas.formula.functions import FUNCTIONS
from schemas.formula.functions.base import Function
from schemas.options import Option, options_of
from schemas.registry import Registry
from schemas.steps import step_types
from schemas.text import Text
from schemas.views import view_types
from schemas.widgets import widget_types

REGISTRIES: tuple[tuple[str, str, Registry[Any]], ...] = (
    ("Field types", "The `fields` of a table.", field_types),
    ("Steps", "The `steps` of a flow.", step_types),
    ("Views", "The `views` of an app.", view_types),
    ("Widgets", "The `widgets` of a dashboard.", widget_types),
    ("Blocks of print templates", "The `blocks` of a print template.", block_types),
)


def reference() -> str:
    """The whole page, as Markdown."""
    lines = ["# The language of definitions", "", "Written from the code by `make docs`; do not edit.", ""]
    inside: list[Any] = list(_objects(App, set()))
    for kind in inside:
        lines += [f"## {kind.__name__}", "", *_about(kind), *_options(options_of(kind))]
    for title, text, registry in REGISTRIES:
        lines += [f"## {title}", "", text, ""]
        kinds: list[Any] = sorted(registry, key=lambda k: k.type)
        for kind in kinds:
            lines += [f"### `{kind.type}`", "", *_about(kind), *_options(options_of(kind))]
    return "\n".join([*lines, *_functions()]).rstrip() + "\n"


def objects() -> list[Any]:
    """Every class that declares options: those of the registries, and of the objects in an app."""
    return [*(k for _, _, registry in REGISTRIES for k in registry), *_objects(App, set())]


def _about(kind: type[Any]) -> Iterator[str]:
    words = (kind.__doc__ or "").split("\n\n")[0].split()
    if words and not words[0].startswith(f"{kind.__name__}("):
        yield " ".join(words)
        yield ""


# -- objects ---------------------------------------------------------------------------------------


def _objects(kind: Any, seen: set[Any]) -> Iterator[Any]:
    """A class and the classes of the objects inside it, each once; kinds of a registry have chapters of their own."""
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    of_registries = [k for _, _, registry in REGISTRIES for k in sorted(registry, key=lambda k: k.type)]
    kinds: list[Any] = [kind, *(of_registries if kind is App else ())]
    for declared in kinds:
        for option in options_of(declared):
            for inner in _kinds_in(option.parser):
                yield from _objects(inner, seen)


def _kinds_in(parser: Any) -> Iterator[type[Any]]:
    if isinstance(parser, parsers.Object):
        yield parser.kind
    elif isinstance(parser, parsers.Either):
        for part in (parser.text, parser.object):
            yield from _kinds_in(part)
    elif isinstance(parser, parsers.Many | parsers.Dictionary):
        yield from _kinds_in(parser.item)


def _options(options: Iterable[Option]) -> Iterator[str]:
    rows = [_row(o) for o in options if o.section != "hidden"]
    if rows:
        yield "| option | takes | default | meaning |"
        yield "|---|---|---|---|"
        yield from rows
        yield ""


def _row(option: Option) -> str:
    default = "required" if option.parser.required else _default(option.default)
    meaning = f"{option.label}. {option.help}".rstrip(". ") + "." if option.help else option.label
    return f"| `{option.name}` | {_takes(option.parser)} | {default} | {_cell(meaning)} |"


def _default(value: Any) -> str:
    if isinstance(value, Text):
        value = value.dump()
    if value is None or value in ("", (), {}) or hasattr(value, "__dataclass_fields__"):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else _cell(str(value))}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _takes(parser: Any) -> str:
    """What a parser reads, in a few words."""
    if isinstance(parser, parsers.Many):
        return f"list of {_takes(parser.item)}"
    if isinstance(parser, parsers.Dictionary):
        return f"object of {_takes(parser.item)} by id"
    if isinstance(parser, parsers.Object):
        return f"[{parser.kind.__name__}](#{parser.kind.__name__.lower()})"
    if isinstance(parser, parsers.Kinds):
        return f"object with a `type` ({parser.registry.thing})"
    if isinstance(parser, parsers.Either):
        return " or ".join(_takes(part) for part in (parser.text, parser.object) if part is not None)
    if isinstance(parser, parsers.Words):
        return " ".join(f"`{w}`" for w in parser.words)
    if isinstance(parser, parsers.Whole):
        return f"whole number, {parser.minimum} to {parser.maximum}"
    if isinstance(parser, parsers.FormulaSource):
        return "formula" + ("" if parser.result == "any" else f" that gives a {parser.result}")
    if isinstance(parser, parsers.Reference):
        return f"id of a {parser.to}"
    return next((words for kind, words in TAKES if isinstance(parser, kind)), type(parser).__name__.lower())


TAKES: tuple[tuple[type[Any], str], ...] = (
    (parsers.Id, "id"), (parsers.Flag, "`true` or `false`"), (parsers.Line, "text"), (parsers.Label, "text, or texts by language"),
    (parsers.Literal, "value, or a formula after `=`"), (parsers.Number, "number"),
)  # fmt: skip


# -- functions -------------------------------------------------------------------------------------


def _functions() -> Iterator[str]:
    yield "## Functions"
    yield ""
    yield "SQL: whether the database can compute it, so that it may filter, sort and aggregate."
    yield ""
    groups: dict[str, dict[str, Function]] = {}
    for name, function in sorted(FUNCTIONS.items()):
        groups.setdefault(function.group, {})[name] = function
    for group in sorted(groups):
        yield f"### {group}"
        yield ""
        yield "| function | in English | 中文 | example | SQL |"
        yield "|---|---|---|---|---|"
        yield from (_function(name, function) for name, function in groups[group].items())
        yield ""


def _function(name: str, function: Function) -> str:
    usage = f"{name}{function.usage[len(function.name) :]}"
    texts = function.summary.by_language
    cells = [
        f"`{_cell(usage)}`",
        texts.get("en", ""),
        texts.get("zh", ""),
        f"`{_cell(function.example)}`" if function.example else "",
    ]
    return f"| {' | '.join(_cell(c) for c in cells)} | {'yes' if function.form else ''} |"
