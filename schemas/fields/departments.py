from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.department import AnyDepartment
from schemas.fields.member import Several


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Departments(Several, AnyDepartment):
    """Several departments of the workspace, in the order chosen."""

    type = "departments"
    title = "Several departments"
    about = "Several departments of the team."
    icon = "network"
    place = 170
