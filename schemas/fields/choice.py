from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, field_types
from schemas.formula import Type
from schemas.formula.types import choice_of
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, Id, Label, Many, Object, Words
from schemas.text import Sentence, Text

TONES = ("gray", "red", "orange", "amber", "green", "teal", "blue", "indigo", "purple", "pink")


@dataclass(frozen=True, kw_only=True)
class ChoiceOption:
    """One answer to choose."""

    id: str = option(Id(required=True), "Id", section="advanced")
    label: Text = option(Label(), "Label", Text())
    color: str = option(Words(*TONES), "Colour", "gray")
    hidden: bool = option(Flag(), "No longer offered", False)


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a fixed list of answers."""

    type = "choice"
    title = "Single choice"
    icon = "circle-dot"
    place = 100
    may_be_key = True

    options: tuple[ChoiceOption, ...] = option(Many(Object(ChoiceOption), unique="id", required=True), "Options", ())
    display: str = option(Words("dropdown", "radio", "chips"), "Shown as", "dropdown")

    @property
    def grouping(self) -> str:
        return "radiogroup" if self.display in ("radio", "chips") else ""

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        ids = {o.id for o in self.options}
        for given in self._defaults():
            if given not in ids:
                yield "default", say("'{id}' is not one of the options", id=str(given)[:60])

    def _defaults(self) -> list[Any]:
        return [self.default] if isinstance(self.default, str) else []

    def value_type(self) -> Type:
        return choice_of(frozenset(o.id for o in self.options))

    def named(self, id: str) -> ChoiceOption | None:
        return self._by_id.get(id)

    @cached_property
    def _by_id(self) -> dict[str, ChoiceOption]:
        return {o.id: o for o in reversed(self.options)}

    @cached_property
    def _by_label(self) -> dict[str, str]:
        """Folded label, in whatever language -> id; the first option of a label has it."""
        return {label.casefold(): o.id for o in reversed(self.options) for label in o.label.by_language.values()}

    def pick(self, raw: Any) -> str:
        """The id of the option that this id or label names. Raises BadValue."""
        text = str(raw).strip()
        if self.named(text):
            return text
        if found := self._by_label.get(text.casefold()):
            return found
        raise BadValue(say("'{text}' is not one of the options.", text=text[:60]))

    def parse(self, raw: Any) -> Any:
        text = super().parse(raw)
        return None if text is None else self.pick(text)

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else self.label_of(value, reader.language)

    def label_of(self, id: str, language: str) -> str:
        found = self.named(id)
        return (found.label.in_language(language) or id) if found else id

    def check(self, value: Any) -> Iterator[Sentence]:
        if self.named(value) is None:
            yield say("'{text}' is not one of the options.", text=str(value)[:60])

    def example(self) -> Any:
        return self.options[0].id if self.options else None

    def words(self, value: Any) -> str:
        found = self.named(value) if value else None
        return " ".join(found.label.by_language.values()) if found else ""
