"""The values that formulas compute with: errors, numbers, texts, and the world they ask."""

import decimal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

ZERO = Decimal(0)
ONE = Decimal(1)
DECIMALS = 20
QUANTUM = Decimal(1).scaleb(-DECIMALS)
LARGEST = Decimal("1E308")
LONGEST_TEXT = 32767
EXACT = decimal.Context(prec=4000, rounding=ROUND_HALF_UP, Emin=-999999, Emax=999999, traps=[decimal.InvalidOperation])
TRUNCATING = decimal.Context(prec=80, rounding=ROUND_DOWN, Emin=-999999, Emax=999999, traps=[decimal.InvalidOperation])
FOLDED = {ord(upper): ord(upper) + 32 for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@dataclass(frozen=True)
class ErrorValue:
    """An error as a value: it spreads through whatever reads it."""

    code: str

    def __str__(self) -> str:
        return self.code


DIV0 = ErrorValue("#DIV/0!")
VALUE = ErrorValue("#VALUE!")
NAME = ErrorValue("#NAME?")
NUM = ErrorValue("#NUM!")
REF = ErrorValue("#REF!")
NA = ErrorValue("#N/A")
FUEL = ErrorValue("#FUEL!")
SYNTAX = ErrorValue("#ERROR!")
ERRORS = {e.code: e for e in (DIV0, VALUE, NAME, NUM, REF, NA, FUEL)}


class Fault(Exception):
    """An error on its way up through an evaluation; whoever keeps values turns it into its ErrorValue."""

    def __init__(self, error: ErrorValue) -> None:
        super().__init__(error.code)
        self.error = error


@dataclass(frozen=True)
class Need:
    """A question to the world.

    - `path`: a value beyond a link, member or department; through rows, a list aligned with the rows.
    - `me`: a fact about the member who asks; the empty path is the member.
    """

    kind: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class World:
    """What a formula may know besides its record.

    `now` is aware; `seed` makes RAND repeatable. `untyped` is for formulas that were not checked, where
    functions meet whatever a spreadsheet's cell may hold; `excel_blanks` compares blanks as Excel does.
    """

    now: datetime
    zone: ZoneInfo
    me: UUID | None = None
    answers: Mapping[Need, Any] = field(default_factory=lambda: MappingProxyType({}))
    fuel: int = 100_000
    seed: str = ""
    untyped: bool = False
    excel_blanks: bool = False

    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def local(self, moment: date) -> date:
        """A moment as the workspace's clock shows it; a plain date stays."""
        return moment.astimezone(self.zone) if isinstance(moment, datetime) else moment

    def day(self, moment: date) -> date:
        return moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment

    def midnight(self, day: date) -> datetime:
        """The first moment of a day in the workspace's zone; of two midnights the later, as in PostgreSQL."""
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        later = local.replace(fold=1)
        first, second = local.utcoffset(), later.utcoffset()
        assert first is not None
        assert second is not None
        return (later if first > second else local).astimezone(UTC)


class Run:
    """One evaluation: the record's values, the world, the row at hand and the fuel left."""

    __slots__ = ("drawn", "fuel", "row", "values", "world")

    def __init__(self, values: Mapping[str, Any], world: World) -> None:
        self.values = values
        self.world = world
        self.fuel = world.fuel
        self.row = -1
        self.drawn = 0

    def burn(self, amount: int) -> None:
        self.fuel -= amount
        if self.fuel < 0:
            raise Fault(FUEL)


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The quotient rounded half up to 20 decimals, exactly as SQL computes it."""
    if not divisor:
        raise Fault(DIV0)
    context = TRUNCATING
    places = dividend.adjusted() - divisor.adjusted() + DECIMALS + 3
    if places > context.prec:
        context = context.copy()
        context.prec = places
    # Truncation keeps the digit after the last one exactly, so that rounding afterwards rounds once.
    return bounded(EXACT.quantize(context.divide(dividend, divisor), QUANTUM))


def bounded(number: Decimal) -> Decimal:
    if -LARGEST < number < LARGEST:
        return number
    raise Fault(NUM)


def fold(text: str) -> str:
    """A text with ASCII letters made small: texts compare by this."""
    return text.lower() if text.isascii() else text.translate(FOLDED)


def number_text(number: Decimal) -> str:
    """All digits of a number, without an exponent or trailing zeros."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
