from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.fields.choice import ChoiceOption
from schemas.fields.number import FOOTERS
from schemas.fields.totals import TOTALS
from schemas.formula import ErrorValue, Formula
from schemas.numbers import grouped
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Label, Many, Object, Whole, Words
from schemas.text import Text


@dataclass(frozen=True, kw_only=True)
class Computed(Field):
    """A field whose value the engine keeps. Its column and type follow from its formula."""

    storage = Storage.NONE
    computed = True
    importable = False

    decimals: int | None = option(Whole(0, 10, allow_none=True), "Decimals")
    percent: bool = option(Flag(), "Shown as a percentage", False)
    unit: Text = option(Label(), "Unit", Text())

    footer: str = option(Words(*FOOTERS), "Below its column in a subform", "none")
    total: str = option(
        Words(*TOTALS), "Below its column in a list", "auto",
        help="Automatic: the sum, unless its name says that it is a price, a rate, a year or the like.",
    )  # fmt: skip

    @property
    def adds_up(self) -> bool:
        return not self.percent

    @property
    def recipe(self) -> tuple[Any, ...]:
        """What its value follows from, of its own options: where this changes, stored values are worked out again."""
        return ()

    @property
    def scale(self) -> int:
        if self.decimals is None:
            return 10
        return self.decimals + 2 if self.percent else self.decimals

    def parse(self, raw: Any) -> Any:
        return None

    def show(self, value: Any, reader: Reader) -> str:
        if value is None:
            return ""
        if isinstance(value, ErrorValue):
            return value.code
        if isinstance(value, Decimal):
            text = grouped(value * 100 if self.percent else value, self.decimals)
            unit = self.unit.in_language(reader.language)
            return text + ("%" if self.percent else "") + (f" {unit}" if unit else "")
        return show_any(value, reader)

    def dump(self, value: Any) -> Any:
        return dump_any(value)

    def example(self) -> Any:
        return None

    def words(self, value: Any) -> str:
        return value if isinstance(value, str) else ""


@field_types.register
@dataclass(frozen=True, kw_only=True)
class FormulaField(Computed):
    """A value calculated from other fields."""

    type = "formula"
    title = "Formula"
    about = "A value worked out from other fields as in Excel. It follows every change and cannot be typed."
    group = "advanced"
    icon = "function"
    place = 60

    formula: Formula = option(FormulaSource("any", required=True), "Formula", None)
    options: tuple[ChoiceOption, ...] = option(
        Many(Object(ChoiceOption), unique="id"), "Names of results", (),
        help="Labels and colours for the texts that the formula gives, as of a choice.",
    )  # fmt: skip

    @property
    def recipe(self) -> tuple[Any, ...]:
        return (self.formula.source,)

    def named(self, id: Any) -> ChoiceOption | None:
        """The label and colour of a result, if it has one."""
        return next((o for o in self.options if o.id == id), None)

    def show(self, value: Any, reader: Reader) -> str:
        found = self.named(value) if isinstance(value, str) else None
        return (found.label.in_language(reader.language) or found.id) if found else super().show(value, reader)

    def words(self, value: Any) -> str:
        found = self.named(value) if isinstance(value, str) else None
        return " ".join(found.label.by_language.values()) if found else super().words(value)


def show_any(value: Any, reader: Reader) -> str:
    """A computed value, by its Python type."""
    if isinstance(value, bool):
        return {"zh": ("否", "是")}.get(reader.language, ("No", "Yes"))[value]
    if hasattr(value, "astimezone"):
        return str(value.astimezone(reader.zone).strftime("%Y-%m-%d %H:%M"))
    if isinstance(value, list):
        return ", ".join(show_any(item, reader) for item in value)
    if isinstance(value, Decimal):
        return grouped(value, None)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(reader.names.get(value, "")) if hasattr(value, "bytes") else str(value)


def dump_any(value: Any) -> Any:
    """A computed value as JSON."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, ErrorValue):
        return {"error": value.code}
    if isinstance(value, list):
        return [dump_any(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
