from dataclasses import dataclass
from typing import Any

from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.formula import Type
from schemas.formula.types import BOOLEAN
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Label
from schemas.text import Text

YES = {"true", "yes", "y", "on", "1", "1.0", "是", "对", "√", "开"}
NO = {"false", "no", "n", "off", "0", "0.0", "否", "错", "×", "关"}


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Switch(Field):
    """Yes or no."""

    type = "switch"
    title = "Switch"
    about = "Yes or no."
    icon = "toggle-right"
    place = 120
    storage = Storage.BOOLEAN

    yes: Text = option(Label(), "Word for yes", Text.of({"zh": "是", "en": "Yes"}))
    no: Text = option(Label(), "Word for no", Text.of({"zh": "否", "en": "No"}))

    def value_type(self) -> Type:
        return BOOLEAN

    def parse(self, raw: Any) -> Any:
        if raw is None or isinstance(raw, bool):
            return raw
        text = str(raw).strip().casefold()
        if not text:
            return None
        if text in YES or text in {t.casefold() for t in self.yes.by_language.values()}:
            return True
        if text in NO or text in {t.casefold() for t in self.no.by_language.values()}:
            return False
        raise BadValue(say("Answer yes or no."))

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else (self.yes if value else self.no).in_language(reader.language)

    def example(self) -> bool:
        return True
