from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from schemas.fields.base import Field, Reader, Storage, clean_list, field_types, parse_uuid
from schemas.formula import Formula, Type
from schemas.formula.types import MEMBER, array_of
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Many, Reference, Whole
from schemas.text import Sentence


@dataclass(frozen=True, kw_only=True)
class People(Field):
    """What fields of members and of departments share: who may be chosen."""

    storage = Storage.UUID
    several: ClassVar[bool] = False
    picks: ClassVar[str]
    """What the picker offers: "member" or "department"."""
    one: ClassVar[Type]
    refusal: ClassVar[Message]

    slots: tuple[str, ...] = option(
        Many(Reference("slot")), "Only these members or departments", (), section="range",
        help="A department stands for its people and for those below it.",
    )  # fmt: skip
    among: Formula | None = option(
        FormulaSource("any", allow_none=True), "Only those that a formula gives", section="range",
        help="Members or departments, such as ME().department or another field of this form.",
    )  # fmt: skip

    @property
    def ranged(self) -> bool:
        """Whether only some may be chosen."""
        return bool(self.slots or self.among is not None)

    @property
    def bounded(self) -> bool:
        return self.ranged

    def value_type(self) -> Type:
        return self.one

    def parse(self, raw: Any) -> Any:
        return parse_uuid(raw, self.refusal)

    def show(self, value: Any, reader: Reader) -> str:
        return "" if value is None else reader.names.get(value, "")

    def dump(self, value: Any) -> Any:
        return None if value is None else str(value)

    def example(self) -> Any:
        return UUID(int=1)


@dataclass(frozen=True, kw_only=True)
class AnyMember(People):
    """Members, also by their roles."""

    picks = "member"
    one = MEMBER
    refusal = say("Choose a member.")

    roles: tuple[str, ...] = option(Many(Reference("role")), "Only members with these roles", (), section="range")

    @property
    def ranged(self) -> bool:
        return bool(self.roles) or super().ranged


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Member(AnyMember):
    """A member of the workspace."""

    type = "member"
    title = "Member"
    about = "One member of the team. Flows can ask them, and rights can be given to whoever stands here."
    icon = "user"
    place = 140
    may_be_key = True


@dataclass(frozen=True, kw_only=True)
class Several(People):
    """Any number of them, in the order chosen."""

    storage = Storage.UUIDS
    several = True
    sortable = False

    fewest: int = option(Whole(0, 200), "Fewest to choose", 0, section="checks")
    most: int = option(Whole(1, 200), "Most to choose", 200, section="checks")

    def value_type(self) -> Type:
        return array_of(self.one)

    def parse(self, raw: Any) -> Any:
        return clean_list([parse_uuid(item, self.refusal) for item in clean_list(raw)]) or None

    def check(self, value: Any) -> Iterator[Sentence]:
        yield from count_problems(value, self.fewest, self.most)

    def show(self, value: Any, reader: Reader) -> str:
        return ids_shown(value, reader)

    def dump(self, value: Any) -> Any:
        return None if value is None else [str(item) for item in value]

    def example(self) -> Any:
        return [UUID(int=n) for n in range(1, max(1, self.fewest) + 1)]


def ids_shown(value: Any, reader: Reader) -> str:
    """Names in the order in which they were chosen; those that the reader may not see are left out."""
    return ", ".join(name for item in value or () if (name := reader.names.get(item, "")))


def count_problems(value: Any, fewest: int, most: int) -> Iterator[Any]:
    if len(value) < fewest:
        yield say("Choose at least {n}.", n=fewest)
    if len(value) > most:
        yield say("Choose at most {n}.", n=most)
