"""Formulas evaluated as a spreadsheet does: unchecked, over cells."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.formula import ErrorValue, evaluate_untyped

CELLS: dict[str, Any] = {"A1": 1, "A2": "x", "A3": None, "B1": 2.5, "B2": True, "B3": 4, "list": [3, 1, 2]}


def value_of(source: str, excel: bool = False) -> Any:
    return evaluate_untyped(source, CELLS, datetime(2026, 11, 24, tzinfo=UTC), ZoneInfo("UTC"), excel)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("=A1+B1", Decimal("3.5")),
        ("SUM(A1:B3)", Decimal("7.5")),
        ("COUNT(A1:B3)", Decimal(3)),
        ("SUM($A$1:$B$3)", Decimal("7.5")),
        ('"2" * 3', Decimal(6)),
        ("A2 + 1", ErrorValue("#VALUE!")),
        ("total", ErrorValue("#NAME?")),
        ("FOO(1)", ErrorValue("#NAME?")),
        ("1 +", ErrorValue("#ERROR!")),
        ('1 < "a"', True),
        ('"a" < TRUE', True),
        ("0 = FALSE", False),
        ("LARGE(list, 1)", Decimal(3)),
        ("{1,2,3} * 2", [Decimal(2), Decimal(4), Decimal(6)]),
        ("SUM({1;2} * {10,20})", Decimal(90)),
        ("IF(FALSE, 1)", False),
        ("MONTH(DATE(2020,10,31)+1)", Decimal(11)),
        ("#N/A", ErrorValue("#N/A")),
        ('IFERROR(1/0, "none")', "none"),
        ("ISBLANK(A3)", True),
        ('A3 & "!"', "!"),
    ],
)
def test_gives(source: str, value: Any) -> None:
    assert value_of(source) == value


def test_blanks_compare_as_settled_or_as_in_excel() -> None:
    assert value_of("A3 = 0") is False
    assert value_of("A3 = 0", excel=True) is True
    assert value_of("A3 < 1") is False
    assert value_of("A3 < 1", excel=True) is True
