from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.fields.base import Reader, field_types
from schemas.fields.number import Number
from schemas.options import option
from schemas.parsers import Flag, Whole, Words

SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$", "SGD": "S$"}


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Money(Number):
    """An amount in one currency."""

    type = "money"
    title = "Money"
    icon = "coins"
    place = 50
    may_be_unique = False

    currency: str = option(Words(*SIGNS), "Currency", "CNY")
    decimals: int | None = option(Whole(0, 6), "Decimals", 2)
    percent: bool = option(Flag(), "Shown as a percentage", False, section="hidden")

    def show(self, value: Any, reader: Reader) -> str:
        if value is None:
            return ""
        sign = "-" if value < 0 else ""
        return f"{sign}{SIGNS[self.currency]}{self._text(abs(value))}"

    def example(self) -> Decimal:
        return super().example().quantize(Decimal("0.01"))
