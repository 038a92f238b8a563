from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.member import AnyMember, Several


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Members(Several, AnyMember):
    """Several members of the workspace, in the order chosen."""

    type = "members"
    title = "Several members"
    about = "Several members of the team."
    icon = "users"
    place = 150
