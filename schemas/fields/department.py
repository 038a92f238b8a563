from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.member import People
from schemas.formula.types import DEPARTMENT
from schemas.messages import say


@dataclass(frozen=True, kw_only=True)
class AnyDepartment(People):
    """What fields of one and of several departments share."""

    picks = "department"
    one = DEPARTMENT
    refusal = say("Choose a department.")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Department(AnyDepartment):
    """A department of the workspace."""

    type = "department"
    title = "Department"
    about = "One department of the team. Rights, flows and charts can follow it."
    icon = "building"
    place = 160
    may_be_key = True
