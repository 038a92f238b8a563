"""What every widget of a dashboard is."""

from dataclasses import dataclass
from typing import ClassVar

from schemas.formula import Formula
from schemas.options import option
from schemas.parsers import FormulaSource, Id, Label, Reference
from schemas.registry import Registry
from schemas.text import Text


@dataclass(frozen=True, kw_only=True)
class Widget:
    """One figure or chart over a table."""

    type: ClassVar[str]
    title_word: ClassVar[str]

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    table: str = option(Reference("table", required=True), "Table", "")
    filter: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only records where")


widget_types: Registry[Widget] = Registry("widget type")
