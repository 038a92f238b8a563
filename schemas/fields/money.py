from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.fields.base import Reader, field_types
from schemas.fields.number import Number
from schemas.numbers import round_to
from schemas.options import option
from schemas.parsers import Flag, Whole, Words

SIGNS = {
    "CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$", "SGD": "S$", "MOP": "MOP$",
    "KRW": "₩", "AUD": "A$", "CAD": "C$", "CHF": "CHF ", "INR": "₹", "RUB": "₽", "THB": "฿", "VND": "₫", "MYR": "RM",
}  # fmt: skip
WRITTEN = {
    "CNY": ("元", "人民币", "rmb", "圆"),
    "USD": ("美元",),
    "EUR": ("欧元",),
    "GBP": ("英镑",),
    "JPY": ("日元", "円"),
    "HKD": ("港元", "港币"),
}


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Money(Number):
    """An amount in one currency."""

    type = "money"
    title = "Money"
    about = "An amount in one currency, with its sign and decimals."
    icon = "coins"
    place = 50
    may_be_unique = False

    currency: str = option(Words(*SIGNS), "Currency", "CNY")
    decimals: int | None = option(Whole(0, 6), "Decimals", 2)
    percent: bool = option(Flag(), "Shown as a percentage", False, section="hidden")

    def _units(self) -> list[str]:
        return [self.currency, SIGNS[self.currency], *WRITTEN.get(self.currency, ()), *super()._units()]

    @property
    def sign(self) -> str:
        return SIGNS[self.currency].strip()

    @property
    def number_format(self) -> str:
        return f'"{SIGNS[self.currency]}"' + (super().number_format or "#,##0.00")

    def show(self, value: Any, reader: Reader) -> str:
        if value is None:
            return ""
        sign = "-" if value < 0 else ""
        return f"{sign}{SIGNS[self.currency]}{self._text(abs(value))}"

    def example(self) -> Decimal:
        return round_to(super().example(), self.scale)
