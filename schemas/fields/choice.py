from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, clean_list, clean_text, field_types
from schemas.formula import Formula, Type
from schemas.formula.types import CHOICE, TEXT, choice_of
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Id, Label, Many, Object, Reference, Words
from schemas.text import Sentence, Text

LONGEST = 1_000
LONGEST_OTHER = 200
TONES = ("gray", "red", "orange", "amber", "green", "teal", "blue", "indigo", "purple", "pink")


@dataclass(frozen=True, kw_only=True)
class ChoiceOption:
    """One answer to choose."""

    id: str = option(Id(required=True), "Id", section="advanced")
    label: Text = option(Label(), "Label", Text())
    color: str = option(Words(*TONES), "Colour", "gray")
    hidden: bool = option(Flag(), "No longer offered", False)
    of: tuple[str, ...] = option(
        Many(Id()), "Offered for", (), help="The answers to the field that this one depends on."
    )


@dataclass(frozen=True, kw_only=True)
class OptionSource:
    """Answers that are not listed in the field itself: the values which a field has in another table's records."""

    table: str = option(Reference("table", required=True), "Table", "")
    field: str = option(Reference("field", required=True), "Field", "")
    where: Formula | None = option(
        FormulaSource("boolean", "pick", allow_none=True), "Of which records",
        help="A condition on the other table; `this` is the record being filled in, in a subform its row first: kind = this.kind.",
    )  # fmt: skip


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a fixed list of answers."""

    type = "choice"
    title = "Single choice"
    about = "One of several options, as a list, chips or round buttons. Options have colours and may come from other records."
    icon = "circle-dot"
    place = 100
    may_be_key = True

    options: tuple[ChoiceOption, ...] = option(Many(Object(ChoiceOption), unique="id"), "Options", ())
    depends_on: str | None = option(
        Id(allow_none=True), "Depends on the answer to", help="Each option says for which of its answers it is offered."
    )  # fmt: skip
    source: OptionSource | None = option(Object(OptionSource, allow_none=True), "Options from another table")
    other: bool = option(Flag(), "Another answer may be written", False)
    display: str = option(Words("dropdown", "radio", "chips"), "Shown as", "dropdown")
    direction: str = option(
        Words("across", "down"), "Options stand", "across", help="Beside one another, or one below the other; not in a dropdown."
    )  # fmt: skip

    @property
    def grouping(self) -> str:
        return "radiogroup" if self.display in ("radio", "chips") else ""

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        ids = {o.id for o in self.options}
        if bool(self.options) == bool(self.source):
            yield "options", say("list the options, or name the table that they come from")
        if any(o.of for o in self.options) and not self.depends_on:
            yield "depends_on", say("name the field that the options depend on")
        if self.source:
            return
        for given in self._defaults():
            if given not in ids:
                yield "default", say("'{id}' is not one of the options", id=str(given)[:60])

    def _defaults(self) -> list[Any]:
        return [self.default] if isinstance(self.default, str) else []

    def value_type(self) -> Type:
        if self.other:
            return CHOICE
        return TEXT if self.source else choice_of(frozenset(o.id for o in self.options))

    def offered_for(self, answer: Any) -> frozenset[str] | None:
        """The options that go with this answer to the field it depends on; None for all of them."""
        if not self.depends_on:
            return None
        answers = set(answer) if isinstance(answer, list) else {answer}
        return frozenset(o.id for o in self.options if not o.of or answers & set(o.of))

    def named(self, id: str) -> ChoiceOption | None:
        return self._by_id.get(id)

    @cached_property
    def _by_id(self) -> dict[str, ChoiceOption]:
        return {o.id: o for o in reversed(self.options)}

    @cached_property
    def _words(self) -> dict[str, str]:
        return {id: " ".join(o.label.by_language.values()) for id, o in self._by_id.items()}

    @cached_property
    def _by_label(self) -> dict[str, str]:
        """Folded label, in whatever language -> id; the first option of a label has it."""
        return {label.casefold(): o.id for o in reversed(self.options) for label in o.label.by_language.values()}

    def pick(self, raw: Any) -> str:
        """The id of the option that this id or label names. Raises BadValue."""
        text = str(raw).strip()
        if self.source and len(text) <= LONGEST and "\x00" not in text:
            return text
        if self.named(text):
            return text
        if found := self._by_label.get(text.casefold()):
            return found
        if self.other and len(text) <= LONGEST_OTHER and (written := clean_text(text)):
            return written
        raise BadValue(say("'{text}' is not one of the options.", text=text[:60]))

    def written_beside(self, value: Any) -> str:
        """The answers that are none of the options, as they stand in the box for others."""
        given = value if isinstance(value, list) else [value]
        return ", ".join(v for v in given if v and self.named(v) is None) if self.other else ""

    def parse(self, raw: Any) -> Any:
        """What was written besides counts more than an option that was chosen too."""
        if self.other and isinstance(raw, list | tuple):
            raw = next(reversed(clean_list(raw)), None)
        text = super().parse(raw)
        return None if text is None else self.pick(text)

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else self.label_of(value, reader.language)

    def label_of(self, id: str, language: str) -> str:
        found = self.named(id)
        return (found.label.in_language(language) or id) if found else id

    def check(self, value: Any) -> Iterator[Sentence]:
        if self.named(value) is None and not self.source and not self.other:
            yield say("'{text}' is not one of the options.", text=str(value)[:60])

    def example(self) -> Any:
        return self.options[0].id if self.options else "Text"

    def words(self, value: Any) -> str:
        if self.source or (self.other and value and self.named(value) is None):
            return value or ""
        return self._words.get(value, "")
