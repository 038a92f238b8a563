from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.formula import Type
from schemas.formula.types import DATE
from schemas.messages import say
from schemas.moments import read_date


@field_types.register
@dataclass(frozen=True, kw_only=True)
class DateField(Field):
    """A day."""

    type = "date"
    title = "Date"
    icon = "calendar"
    place = 60
    storage = Storage.DATE
    may_be_unique = True

    def value_type(self) -> Type:
        return DATE

    def parse(self, raw: Any) -> Any:
        return read_date(raw, say("Enter a date, such as 2026-11-24."))

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else str(value.isoformat())

    def dump(self, value: Any) -> Any:
        return None if value is None else value.isoformat()

    def example(self) -> date:
        return date(2026, 11, 24)
