"""Marshmallow fields for what definitions are made of: ids, words, texts, formulas, nested objects."""

import json
import re
from collections.abc import Callable, Hashable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import re2
from marshmallow import ValidationError
from marshmallow import fields as ma

from schemas import patterns
from schemas.errors import BadValue
from schemas.formula import RESERVED, Formula, FormulaError
from schemas.messages import Message, say
from schemas.numbers import read_number
from schemas.options import load_object
from schemas.registry import Registry
from schemas.text import UNKEEPABLE, Text

ID = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
LONGEST_TEXT = 4_000
LONGEST_NUMBER = 60


def refuse(message: Message) -> ValidationError:
    return ValidationError([message])


class Id(ma.Field[str]):
    """A stable word that names an object inside its parent."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not ID.match(value):
            raise refuse(say("'{id}' is not an id: use a-z, 0-9 and _, a letter first, at most 40", id=str(value)[:60]))
        if value.upper() in RESERVED or value in RESERVED:
            raise refuse(say("'{id}' is a reserved word", id=value))
        return value


class Reference(Id):
    """The id of another object; `to` says of what kind. The linker resolves it.

    May carry another app's slug: `slug.table`.
    """

    def __init__(self, to: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.to = to

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not all(ID.match(part) for part in value.split(".")):
            raise refuse(say("expected the id of a {thing}", thing=self.to))
        return value


class Words(ma.Field[str]):
    """One of a few words."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if value in self.words:
            return str(value)
        near = get_close_matches(str(value), self.words, n=1)
        if near:
            raise refuse(say("'{word}' is not known here (did you mean '{near}'?)", word=value, near=near[0]))
        raise refuse(say("'{word}' is not known here (one of: {known})", word=value, known=", ".join(self.words)))


class Tone(Words):
    """One of the colours of the palette, chosen by looking at them."""


class Flag(ma.Field[bool]):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise refuse(say("expected true or false"))
        return value


class Whole(ma.Field[int]):
    """A whole number within bounds."""

    def __init__(self, minimum: int = 0, maximum: int = 1_000_000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum, self.maximum = minimum, maximum

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.minimum <= value <= self.maximum:
            raise refuse(say("expected a whole number from {a} to {b}", a=self.minimum, b=self.maximum))
        return value


class Number(ma.Field[Decimal]):
    """A decimal of a size that records can hold, from a JSON number or text."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Decimal:
        refusal = say("expected a number below 10^18")
        if isinstance(value, str) and len(value) > LONGEST_NUMBER:
            raise refuse(refusal)
        try:
            number = read_number(value, refusal)
        except BadValue as err:
            raise refuse(err.message) from None
        if number is None or number.as_tuple().exponent < -LONGEST_NUMBER:  # type: ignore[operator]
            raise refuse(refusal)
        return number


class Line(ma.Field[str]):
    """Plain text without control characters, of bounded length."""

    def __init__(self, longest: int = LONGEST_TEXT, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise refuse(say("expected text"))
        if len(value) > self.longest:
            raise refuse(say("at most {n} characters", n=self.longest))
        if UNKEEPABLE.search(value):
            raise refuse(say("text may not contain NUL or half of a character"))
        return value


class Icon(Line):
    """The name of an icon; the builder offers those of `schemas/icons.py`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(40, **kwargs)


class Pattern(Line):
    """A regular expression in RE2's syntax, at most 500 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(500, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            patterns.compiled(text)
        except re2.error as err:
            raise refuse(
                say(
                    "'{pattern}' cannot be used as a pattern: {reason}",
                    pattern=text[:60],
                    reason=patterns.reason_of(err),
                )
            ) from None
        return text


class Label(ma.Field[Text]):
    """Text in one or several languages: `"报销单"` or `{"zh": "报销单", "en": "Claim"}`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Text:
        line = Line()
        if isinstance(value, str):
            return Text.of(line.deserialize(value))
        if not isinstance(value, Mapping) or not value:
            raise refuse(say("expected text, or texts by language"))
        for language in value:
            if not isinstance(language, str) or not LANGUAGE.match(language):
                raise refuse(say("'{language}' is not a language code", language=str(language)[:40]))
        return Text.of({language: line.deserialize(text) or "" for language, text in value.items()})


class Prose(Label):
    """A label of several lines."""


class FormulaSource(ma.Field[Formula]):
    """A formula, parsed at once; names and types are checked by the linker.

    `scope` and `result` tell the linker and the builder's editor what it may mention and must give.
    """

    def __init__(self, result: str = "any", scope: str = "record", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.result, self.scope = result, scope

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Formula:
        if not isinstance(value, str):
            raise refuse(say("expected a formula as text"))
        return parse_formula(value)


def parse_formula(source: str) -> Formula:
    try:
        return Formula.of(source)
    except FormulaError as err:
        raise refuse(say("at character {n}: {problem}", n=err.position + 1, problem=err.message)) from err


class Literal(ma.Field[Any]):
    """A JSON value, or a formula where the text starts with `=`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and value.startswith("="):
            return parse_formula(value[1:])
        return value


class Many(ma.Field[tuple[Any, ...]]):
    """A list, each item read by another parser; `unique` names an attribute that may not repeat."""

    def __init__(self, item: ma.Field[Any], unique: str = "", most: int = 2_000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item, self.unique, self.most = item, unique, most

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise refuse(say("expected a list"))
        if len(value) > self.most:
            raise refuse(say("at most {n} items", n=self.most))
        items, messages = _each(enumerate(value), self.item)
        for index, message in self._repeats(items):
            messages.setdefault(index, []).append(message)
        if messages:
            raise ValidationError(messages)
        return tuple(items.values())

    def _repeats(self, items: dict[Any, Any]) -> list[tuple[int, Message]]:
        seen: set[str] = set()
        repeats = []
        for index, item in items.items() if self.unique else ():
            name = getattr(item, self.unique, None)
            if name in seen:
                repeats.append((index, say("the id '{id}' is used twice", id=name)))
            if name is not None:
                seen.add(name)
        return repeats


class Dictionary(ma.Field[dict[str, Any]]):
    """An object whose keys are ids (dotted for columns of a subform), or `*` where `star` is set.

    `keys` says of what kind of object the keys are ids, for the builder.
    """

    def __init__(self, item: ma.Field[Any], star: bool = False, keys: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item, self.star, self.keys = item, star, keys

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise refuse(say("expected an object"))
        for key in value:
            if not (self.star and key == "*") and not all(ID.match(part) for part in str(key).split(".")):
                raise refuse(say("'{id}' is not the id of a field", id=str(key)[:60]))
        items, messages = _each(value.items(), self.item)
        if messages:
            raise ValidationError(messages)
        return items


class Object(ma.Field[Any]):
    """A nested object with options of its own."""

    def __init__(self, kind: type[Any] | Callable[[], type[Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kind = kind

    @property
    def kind(self) -> type[Any]:
        return self._kind if isinstance(self._kind, type) else self._kind()

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return load_object(self.kind, value)


class Kinds(ma.Field[Any]):
    """A nested object whose `type` chooses its class from a registry; without one it is of the kind `otherwise`."""

    def __init__(self, registry: Registry[Any], otherwise: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.registry, self.otherwise = registry, otherwise

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, Mapping):
            raise refuse(say("expected an object with a type"))
        options = dict(value)
        name = options.pop("type", self.otherwise or None)
        kind = self.registry.get(name) if isinstance(name, str) else None
        if kind is None:
            raise refuse(self.registry.unknown(name))
        return made_of(kind, options)


def made_of(kind: type[Any], options: Mapping[str, Any]) -> Any:
    """The object that these options describe: the same for the same ones, so that of a draft only what has changed is
    read anew. Raises ValidationError."""
    try:
        text = json.dumps(options, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return load_object(kind, options)
    hashable: Any = kind
    return _made_of(hashable, text)


@lru_cache(maxsize=20_000)
def _made_of(kind: Hashable, text: str) -> Any:
    made: Any = kind
    return load_object(made, json.loads(text))


class Either(ma.Field[Any]):
    """The first of several parsers that accepts the value, by the JSON type it takes."""

    def __init__(
        self, *, text: ma.Field[Any] | None = None, object: ma.Field[Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.text, self.object = text, object

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        parser = self.text if isinstance(value, str) else self.object
        if parser is None or not isinstance(value, str | Mapping):
            raise refuse(say("expected {kinds}", kinds=" or ".join(k for k in ("text", "object") if getattr(self, k))))
        return parser.deserialize(value)


def _each(pairs: Any, item: ma.Field[Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    items: dict[Any, Any] = {}
    messages: dict[Any, Any] = {}
    for key, value in pairs:
        try:
            items[key] = item.deserialize(value)
        except ValidationError as err:
            messages[key] = err.messages
    return items, messages
