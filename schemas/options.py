"""An option is declared once, on the dataclass; parser, builder panel and docs are read from there."""

import dataclasses
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

from marshmallow import EXCLUDE, Schema, ValidationError
from marshmallow import fields as ma

from schemas.errors import DefinitionError, Problem
from schemas.messages import Message, say

Kind = TypeVar("Kind")


@dataclasses.dataclass(frozen=True)
class Option:
    """One declared option: its JSON key, how it is parsed, and how it is presented."""

    name: str
    parser: ma.Field[Any]
    label: str
    section: str
    help: str
    default: Any


def option(parser: ma.Field[Any], label: str, default: Any = None, *, section: str = "basic", help: str = "") -> Any:
    """Declare an option of a definition. `label` and `help` are English msgids."""
    metadata = {"parser": parser, "label": label, "section": section, "help": help}
    return dataclasses.field(default=default, metadata=metadata)


@cache
def options_of(kind: Any) -> tuple[Option, ...]:
    """Every option that a class declares, in order."""
    return tuple(
        Option(f.name, f.metadata["parser"], f.metadata["label"], f.metadata["section"], f.metadata["help"], f.default)
        for f in dataclasses.fields(kind)
        if "parser" in f.metadata
    )


@cache
def schema_of(kind: Any) -> Schema:
    declared: dict[str, Any] = {o.name: o.parser for o in options_of(kind)}
    return Schema.from_dict(declared, name=f"{kind.__name__}Options")(unknown=EXCLUDE)


def meaning(option: Option, json: Mapping[str, Any]) -> Any:
    """What an option of this JSON comes to: written out as its default it means the same as left out; unreadable, itself."""
    if option.name not in json:
        return option.default
    try:
        return option.parser.deserialize(json[option.name])
    except ValidationError:
        return json[option.name]


def load(kind: type[Kind], json: Any, path: str = "") -> Kind:
    """The object that this JSON describes, or DefinitionError with every problem in it."""
    try:
        return load_object(kind, json)
    except ValidationError as err:
        raise DefinitionError(problems_in(err.messages, path)) from err


def load_object(kind: type[Kind], json: Any) -> Kind:
    """As `load`, for use inside a marshmallow field: raises ValidationError in the JSON's shape."""
    if not isinstance(json, Mapping):
        raise ValidationError([say("expected an object with options")])
    declared: Any = kind
    known = {o.name for o in options_of(declared)}
    messages: dict[Any, Any] = {}
    strange = [_unknown(str(name), known) for name in json if name not in known]
    if strange:
        messages["_schema"] = strange
    try:
        values = schema_of(declared).load({k: v for k, v in json.items() if k in known})
    except ValidationError as err:
        messages = {**err.normalized_messages(), **messages}  # type: ignore[no-untyped-call]
    if messages:
        raise ValidationError(messages)
    made: Kind = kind(**values)
    _check_whole(made)
    return made


def _check_whole(made: Any) -> None:
    """Let an object complain about options that do not go together."""
    problems = getattr(made, "problems", None)
    if problems is not None and (found := list(problems())):
        raise ValidationError({name or "_schema": [message] for name, message in found})


def _unknown(name: str, known: set[str]) -> Message:
    near = get_close_matches(name, known, n=1)
    if near:
        return say("unknown option '{name}' (did you mean '{near}'?)", name=name, near=near[0])
    return say("unknown option '{name}' (known: {known})", name=name, known=", ".join(sorted(known)))


def problems_in(messages: Any, path: str) -> Iterator[Problem]:
    """Marshmallow's nested messages as a flat list with paths such as `tables[0].fields[3].minimum`."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from problems_in(inner, _join(path, key))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from problems_in(message, path)
    else:
        said = messages if isinstance(messages, Message) else OURS.get(str(messages)) or Message(str(messages))
        yield Problem(path, said)


OURS = {
    "Missing data for required field.": say("This is required."),
    "Field may not be null.": say("This may not be empty."),
}
"""What marshmallow says by itself, in words that are translated."""


def _join(path: str, key: Any) -> str:
    if key == "_schema":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)
