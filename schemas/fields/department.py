from dataclasses import dataclass
from typing import Any

from schemas.fields.base import field_types, parse_uuid
from schemas.fields.member import Member
from schemas.formula import Type
from schemas.formula.types import DEPARTMENT
from schemas.messages import say


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Department(Member):
    """A department of the workspace."""

    type = "department"
    title = "Department"
    icon = "building"
    place = 160

    def value_type(self) -> Type:
        return DEPARTMENT

    def parse(self, raw: Any) -> Any:
        return parse_uuid(raw, say("Choose a department."))
