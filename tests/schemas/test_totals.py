"""What stands below a column of a list when nobody has said it."""

import pytest

from schemas.fields import field_types
from schemas.options import load


def below(type: str = "number", label: object = "", **options: object) -> str:
    return load(field_types[type], {"id": "field_1", "label": label, **options}).below


@pytest.mark.parametrize(
    "label", ["Hours", "数量", "金额", "总价", "Total price", "年度销售额", "折扣金额", "Usage", "Agents", "运费"]
)
def test_what_can_be_added_up_is(label: str) -> None:
    assert below(label=label) == "sum"


@pytest.mark.parametrize(
    "label", ["Unit price", "单价", "年份", "Year", "毛利率", "Exchange rate", "年龄", "折扣", "同比", "Score"]
)
def test_a_price_a_year_or_a_rate_is_not(label: str) -> None:
    assert below(label=label) == "none"
    assert below(label=label, total="average") == "average"


def test_the_kind_of_number_says_it_too() -> None:
    assert below(label={"zh": "单价", "en": "Cost"}) == "none"
    assert below(percent=True) == "none"
    assert below(separators=False) == "none"
    assert below(unit="元/件") == "none"
    assert below("rollup", "Dearest", over="a.b", aggregate="max", value="x") == "none"
    assert below("rollup", "Orders", over="a.b", aggregate="count") == "sum"
    assert below("rating", "Stars") == "none"
    assert below("formula", "Worth", formula="1", total="max") == "max"
