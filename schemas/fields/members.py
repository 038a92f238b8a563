from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from schemas.fields.base import Reader, Storage, clean_list, field_types, parse_uuid
from schemas.fields.member import AnyMember, count_problems, ids_shown
from schemas.formula import Type
from schemas.formula.types import MEMBER, array_of
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Whole
from schemas.text import Sentence


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Members(AnyMember):
    """Several members of the workspace, in the order chosen."""

    type = "members"
    title = "Several members"
    icon = "users"
    place = 150
    storage = Storage.UUIDS
    several = True
    sortable = False

    fewest: int = option(Whole(0, 200), "Fewest to choose", 0, section="checks")
    most: int = option(Whole(1, 200), "Most to choose", 200, section="checks")

    def value_type(self) -> Type:
        return array_of(MEMBER)

    def parse(self, raw: Any) -> Any:
        refusal = say("Choose a member.")
        return clean_list([parse_uuid(item, refusal) for item in clean_list(raw)]) or None

    def check(self, value: Any) -> Iterator[Sentence]:
        yield from count_problems(value, self.fewest, self.most)

    def show(self, value: Any, reader: Reader) -> str:
        return ids_shown(value, reader)

    def dump(self, value: Any) -> Any:
        return None if value is None else [str(item) for item in value]

    def example(self) -> Any:
        return [UUID(int=n) for n in range(1, max(1, self.fewest) + 1)]
