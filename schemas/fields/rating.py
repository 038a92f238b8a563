from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.formula import Type
from schemas.formula.types import NUMBER
from schemas.messages import say
from schemas.numbers import plain, read_number, round_to
from schemas.options import option
from schemas.parsers import Flag, Whole
from schemas.text import Sentence

HALF = Decimal("0.5")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Rating(Field):
    """A number of stars."""

    type = "rating"
    title = "Rating"
    about = "Stars, whole or half."
    icon = "star"
    place = 130
    storage = Storage.NUMERIC

    most: int = option(Whole(2, 10), "Most stars", 5)
    halves: bool = option(Flag(), "Half stars too", False)

    @property
    def scale(self) -> int:
        return 1

    @property
    def grouping(self) -> str:
        return "radiogroup"

    @property
    def steps(self) -> list[Decimal]:
        """The values that may be chosen, the lowest first."""
        step = HALF if self.halves else Decimal(1)
        return [step * n for n in range(1, int(self.most / step) + 1)]

    @property
    def adds_up(self) -> bool:
        return False

    def value_type(self) -> Type:
        return NUMBER

    def parse(self, raw: Any) -> Any:
        """Digits, or the stars themselves."""
        refusal = say("Choose from 1 to {n} stars.", n=self.most)
        if isinstance(raw, str) and raw.strip() and not raw.strip().strip("★☆½"):
            raw = str(raw.count("★") + raw.count("½") * HALF)
        number = read_number(raw, refusal)
        return None if number is None else round_to(number, 1)

    def check(self, value: Decimal) -> Iterator[Sentence]:
        if value not in self.steps:
            yield say("Choose from 1 to {n} stars.", n=self.most)

    def typed(self, value: Any) -> str:
        return "" if value is None else plain(value)

    def show(self, value: Any, reader: Reader) -> str:
        """Stars; beyond what there should be, digits."""
        if value is None:
            return ""
        if not 0 <= value <= self.most or value % HALF:
            return plain(value)
        half = "½" if value % 1 else ""
        return "★" * int(value) + half + "☆" * (self.most - int(value) - len(half))

    def dump(self, value: Any) -> Any:
        return None if value is None else plain(value)

    def written(self, value: Decimal) -> str:
        return plain(value)

    def example(self) -> Decimal:
        return Decimal(self.most - 1)
