from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas import parsers
from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.fields.totals import TOTALS
from schemas.formula import Type
from schemas.formula.types import NUMBER
from schemas.messages import Message, say
from schemas.numbers import LARGEST, grouped, plain, read_number, round_to
from schemas.options import option
from schemas.parsers import Flag, Label, Whole, Words
from schemas.text import Sentence, Text

FOOTERS = ("none", "sum", "average", "min", "max")


def footer(column: Field, values: Iterable[Any], reader: Reader) -> str:
    """What stands below a column of a subform, if it asks for it."""
    how = getattr(column, "footer", "none")
    numbers = [v for v in values if isinstance(v, Decimal)]
    if how == "none" or not numbers:
        return ""
    figures = {"sum": sum(numbers, Decimal(0)), "min": min(numbers), "max": max(numbers)}
    figure = figures.get(how, figures["sum"] / len(numbers))
    shown = column.show(round_to(figure, column.scale if column.scale is not None else 10), reader)
    return {"sum": "∑ {}", "average": "⌀ {}", "min": "≥ {}", "max": "≤ {}"}[how].format(shown)


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number, with an optional range. A percentage is kept as its fraction: 5 % is 0.05."""

    type = "number"
    title = "Number"
    about = "A number, with decimals, a unit, limits, or as a percentage."
    icon = "hash"
    place = 40
    numeric = True
    storage = Storage.NUMERIC
    may_be_unique = True

    decimals: int | None = option(Whole(0, 10, allow_none=True), "Decimals")
    minimum: Decimal | None = option(parsers.Number(allow_none=True), "Smallest allowed", section="checks")
    maximum: Decimal | None = option(parsers.Number(allow_none=True), "Largest allowed", section="checks")
    percent: bool = option(Flag(), "Shown as a percentage", False)
    separators: bool = option(Flag(), "Thousands separators", True)
    unit: Text = option(Label(), "Unit", Text())
    footer: str = option(Words(*FOOTERS), "Below its column in a subform", "none")
    total: str = option(
        Words(*TOTALS), "Below its column in a list", "auto",
        help="Automatic: the sum, unless its name says that it is a price, a rate, a year or the like.",
    )  # fmt: skip

    @property
    def scale(self) -> int:
        if self.decimals is None:
            return 10
        return self.decimals + 2 if self.percent else self.decimals

    @property
    def adds_up(self) -> bool:
        return not self.percent

    def value_type(self) -> Type:
        return NUMBER

    def parse(self, raw: Any) -> Any:
        typed_percent = self.percent and isinstance(raw, str) and not raw.strip().rstrip(")）").endswith(("%", "％"))
        number = read_number(raw, say("Enter a number."), self._units())
        if number is None:
            return None
        if self.percent and not typed_percent and abs(number) >= LARGEST / 100:
            raise BadValue(say("Enter a number."))
        return round_to(number / 100 if typed_percent else number, self.scale)

    def _units(self) -> list[str]:
        """What may stand after a typed number."""
        return list(self.unit.by_language.values())

    def check(self, value: Decimal) -> Iterator[Sentence]:
        if self.minimum is not None and value < self.minimum:
            yield say("Must be at least {minimum}.", minimum=self._text(self.minimum))
        if self.maximum is not None and value > self.maximum:
            yield say("Must be at most {maximum}.", maximum=self._text(self.maximum))

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield "maximum", say("the largest allowed is below the smallest allowed")

    def show(self, value: Any, reader: Reader) -> str:
        if value is None:
            return ""
        unit = self.unit.in_language(reader.language)
        return f"{self._text(value)} {unit}" if unit else self._text(value)

    def _text(self, value: Decimal) -> str:
        number = value * 100 if self.percent else value
        decimals = self.decimals
        text = (
            grouped(number, decimals)
            if self.separators
            else plain(number if decimals is None else round_to(number, decimals))
        )
        return text + "%" if self.percent else text

    def typed(self, value: Decimal | None) -> str:
        """What a person would type for this value."""
        return "" if value is None else plain(value * 100 if self.percent else value)

    def written(self, value: Decimal) -> str:
        return f"{value * 100:f}%" if self.percent else f"{value:f}"

    @property
    def number_format(self) -> str:
        if self.decimals is None:
            return "0.00%" if self.percent else ""
        zeros = "." + "0" * self.decimals if self.decimals else ""
        return ("#,##0" if self.separators else "0") + zeros + ("%" if self.percent else "")

    def dump(self, value: Any) -> Any:
        """Exact digits as text; a percentage with its sign, so that it is not mistaken for its fraction."""
        if value is None:
            return None
        if self.percent:
            return self._digits(Decimal(value) * 100) + "%"
        return self._digits(value if value.__class__ is Decimal else Decimal(value))

    def _digits(self, number: Decimal) -> str:
        if self.decimals is None:
            return plain(number)
        text = f"{number:f}"  # what is stored is rounded, so that it seldom has to be done once more
        exact = len(text.partition(".")[2]) == self.decimals
        return text if exact else f"{round_to(number, self.decimals):f}"

    def example(self) -> Decimal:
        low = self.minimum if self.minimum is not None else Decimal(1)
        return low if self.maximum is None else min(low, self.maximum)
