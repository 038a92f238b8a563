from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.fields.base import Reader, Storage, clean_list, field_types, texts_in
from schemas.fields.choice import Choice
from schemas.formula import Type
from schemas.formula.types import array_of
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Whole, Words
from schemas.text import Sentence


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Choices(Choice):
    """Any number of a fixed list of answers."""

    type = "choices"
    title = "Multiple choice"
    about = "Several of the options at once, each with a colour."
    icon = "list-checks"
    place = 110
    may_be_key = False
    storage = Storage.TEXTS
    several = True
    sortable = False

    display: str = option(Words("dropdown", "checkboxes", "chips"), "Shown as", "chips")
    fewest: int = option(Whole(0, 200), "Fewest to choose", 0, section="checks")
    most: int = option(Whole(1, 200), "Most to choose", 200, section="checks")

    @property
    def grouping(self) -> str:
        return "group" if self.display in ("checkboxes", "chips") else ""

    def _defaults(self) -> list[Any]:
        return self.default if isinstance(self.default, list) else []

    def value_type(self) -> Type:
        return array_of(super().value_type())

    def parse(self, raw: Any) -> Any:
        if raw is None:
            return None
        items = self._parts(raw) if isinstance(raw, str) else raw
        if self.other and isinstance(items, list | tuple):
            items = [part for item in clean_list(items) for part in self._parts(item)]
        return clean_list([self.pick(item) for item in clean_list(items)]) or None

    def _parts(self, item: Any) -> list[Any]:
        """A cell, and what stands in the box for others, may hold several answers; one that is an option is no list."""
        return [item] if not isinstance(item, str) or self.named(item) is not None else texts_in(item)

    def check(self, value: Any) -> Iterator[Sentence]:
        for item in value:
            yield from super().check(item)
        if len(value) < self.fewest:
            yield say("Choose at least {n}.", n=self.fewest)
        if len(value) > self.most:
            yield say("Choose at most {n}.", n=self.most)

    def show(self, value: Any, reader: Reader) -> str:
        return ", ".join(self.label_of(item, reader.language) for item in value or ())

    def dump(self, value: Any) -> Any:
        return None if value is None else list(value)

    def example(self) -> Any:
        return [o.id for o in self.options[: max(1, self.fewest)]] or [f"Text {n}" for n in range(max(1, self.fewest))]

    def words(self, value: Any) -> str:
        return " ".join(super(Choices, self).words(item) for item in value or ())
