from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from schemas.fields.base import Reader, Storage, field_types
from schemas.fields.date import Dated
from schemas.formula import Type
from schemas.formula.types import DATETIME
from schemas.messages import say
from schemas.moments import read_moment
from schemas.options import option
from schemas.parsers import Flag


@field_types.register
@dataclass(frozen=True, kw_only=True)
class DateTimeField(Dated):
    """A moment, kept in UTC and shown in the workspace's zone."""

    type = "datetime"
    title = "Date and time"
    about = "A day with its time, kept exactly and shown in the time zone of the team."
    icon = "calendar-clock"
    place = 70
    storage = Storage.TIMESTAMP
    may_be_unique = False

    seconds: bool = option(Flag(), "With seconds", False)

    def value_type(self) -> Type:
        return DATETIME

    def parse(self, raw: Any) -> Any:
        return self.parse_in(raw, UTC)

    def parse_in(self, raw: Any, zone: tzinfo) -> Any:
        """As `parse`, with text that names no offset read in this zone."""
        return read_moment(raw, zone, say("Enter a date and time, such as 2026-11-24 09:30."))

    def show(self, value: Any, reader: Reader) -> str:
        pattern = "%Y-%m-%d %H:%M:%S" if self.seconds else "%Y-%m-%d %H:%M"
        return "" if value is None else str(value.astimezone(reader.zone).strftime(pattern))

    @property
    def number_format(self) -> str:
        return "yyyy-mm-dd hh:mm:ss" if self.seconds else "yyyy-mm-dd hh:mm"

    def dump(self, value: Any) -> Any:
        return None if value is None else value.astimezone(UTC).isoformat()

    def example(self) -> datetime:
        return datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
