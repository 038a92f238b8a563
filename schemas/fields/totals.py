"""What stands below a column of a list: a sum where a sum means something, or what the field says."""

import re
from typing import TYPE_CHECKING

from schemas.text import Text

if TYPE_CHECKING:
    from schemas.fields.base import Field

TOTALS = ("auto", "none", "sum", "average", "min", "max")
MARKS = {"sum": "{}", "average": "⌀ {}", "min": "≥ {}", "max": "≤ {}"}
ADDED = ("count", "sum")
"""Rollups whose figures of several records may be added up."""
NOT_ADDED = re.compile(
    r"(?:^|[^a-z])(?:price|rate|ratio|percent(?:age)?|year|age|score|rank|discount|latitude|longitude)s?(?:$|[^a-z])"
    r"|单价|价格|售价|标价|比例|占比|折扣|年份|年龄|评分|得分|排名|序号|编号|经度|纬度|[率比]$|^年度?$"
)
ADDED_ALL_THE_SAME = re.compile(r"(?:^|[^a-z])(?:total|sum|amount)(?:$|[^a-z])|总|合计|小计|额")


def below(field: "Field") -> str:
    """How a list sums up this column: by its sum, average, smallest, largest, or not at all."""
    asked = getattr(field, "total", "auto")
    return asked if asked != "auto" else "sum" if _means_something(field) else "none"


def _means_something(field: "Field") -> bool:
    """Whether the sum over records says anything: not of prices, years, rates, averages and amounts by something."""
    if not field.adds_up or not getattr(field, "separators", True) or getattr(field, "aggregate", "sum") not in ADDED:
        return False
    unit = getattr(field, "unit", None)
    if isinstance(unit, Text) and any("/" in text for text in unit.by_language.values()):
        return False
    named = [label.casefold().strip() for label in field.label.by_language.values()] or [field.id.replace("_", " ")]
    return any(map(ADDED_ALL_THE_SAME.search, named)) or not any(map(NOT_ADDED.search, named))
