from dataclasses import dataclass
from typing import Any

from schemas.fields.base import field_types, parse_uuid
from schemas.fields.member import People
from schemas.formula import Type
from schemas.formula.types import DEPARTMENT
from schemas.messages import say


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Department(People):
    """A department of the workspace."""

    type = "department"
    title = "Department"
    icon = "building"
    place = 160
    may_be_key = True
    picks = "department"

    def value_type(self) -> Type:
        return DEPARTMENT

    def parse(self, raw: Any) -> Any:
        return parse_uuid(raw, say("Choose a department."))
