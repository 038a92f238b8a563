from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.formula import Type
from schemas.formula.types import DATETIME
from schemas.messages import say
from schemas.moments import read_moment


@field_types.register
@dataclass(frozen=True, kw_only=True)
class DateTimeField(Field):
    """A moment, kept in UTC and shown in the workspace's zone."""

    type = "datetime"
    title = "Date and time"
    icon = "calendar-clock"
    place = 70
    storage = Storage.TIMESTAMP

    def value_type(self) -> Type:
        return DATETIME

    def parse(self, raw: Any) -> Any:
        return self.parse_in(raw, UTC)

    def parse_in(self, raw: Any, zone: tzinfo) -> Any:
        """As `parse`, with text that names no offset read in this zone."""
        return read_moment(raw, zone, say("Enter a date and time, such as 2026-11-24 09:30."))

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else str(value.astimezone(reader.zone).strftime("%Y-%m-%d %H:%M"))

    def dump(self, value: Any) -> Any:
        return None if value is None else value.astimezone(UTC).isoformat()

    def example(self) -> datetime:
        return datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
