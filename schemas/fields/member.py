from dataclasses import dataclass
from typing import Any
from uuid import UUID

from schemas.fields.base import Field, Reader, Storage, field_types, parse_uuid
from schemas.formula import Type
from schemas.formula.types import MEMBER
from schemas.messages import say


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Member(Field):
    """A member of the workspace."""

    type = "member"
    title = "Member"
    icon = "user"
    place = 140
    may_be_key = True
    storage = Storage.UUID

    def value_type(self) -> Type:
        return MEMBER

    def parse(self, raw: Any) -> Any:
        return parse_uuid(raw, say("Choose a member."))

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else reader.names.get(value, "")

    def dump(self, value: Any) -> Any:
        return None if value is None else str(value)

    def example(self) -> Any:
        return UUID(int=1)
