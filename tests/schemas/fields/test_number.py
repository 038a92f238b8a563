from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadValue
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [
    {},
    {"decimals": 2, "unit": {"zh": "公斤", "en": "kg"}},
    {"percent": True, "decimals": 1},
    {"percent": True},
    {"minimum": 5, "maximum": 9},
    {"separators": False, "decimals": 0},
]
weight = made("number", decimals=2, unit={"zh": "公斤", "en": "kg"})
share = made("number", percent=True, decimals=1)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1,234.5", "1234.5"),
        ("１２３４", "1234"),
        ("￥ 1,234.50", "1234.5"),
        ("(12.5)", "-12.5"),
        ("（1,200）", "-1200"),
        ("-¥5", "-5"),
        ("3.5 kg", "3.5"),
        ("3.5公斤", "3.5"),
        ("−2", "-2"),
        ("50%", "0.5"),
        (" 7 ", "7"),
    ],
)
def test_numbers_as_people_and_ledgers_write_them(typed, value):
    assert weight.parse(typed) == Decimal(value)


@pytest.mark.parametrize(
    "typed", ["ten", "1,5", "NaN", "Infinity", "--1", "1 m", "()", "%", "1,23,4", "9" * 19, True, [], {}]
)
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(BadValue, match="Enter a number"):
        weight.parse(typed)


@pytest.mark.parametrize(
    ("typed", "value"), [("12%", "0.12"), ("12", "0.12"), ("（12%）", "-0.12"), ("12.5％", "0.125"), (0.12, "0.12")]
)
def test_a_typed_percentage_is_kept_as_its_fraction(typed, value):
    assert share.parse(typed) == Decimal(value)


def test_a_percentage_in_json_and_files_cannot_be_mistaken_for_its_fraction():
    assert share.dump(Decimal("0.125")) == "12.5%"
    assert share.written(Decimal("0.125")).endswith("%")
    assert share.exported(Decimal("0.125"), Reader()) == Decimal("0.125")
    assert share.number_format == "#,##0.0%"


def test_range():
    bounded = made("number", minimum=0, maximum=100)
    assert [str(m) for m in bounded.check(Decimal(-1))] == ["Must be at least 0."]
    assert [str(m) for m in bounded.check(Decimal(101))] == ["Must be at most 100."]
    assert not list(bounded.check(Decimal(100)))


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, "1,234.5678"),
        ({"separators": False}, "1234.5678"),
        ({"decimals": 2}, "1,234.57"),
        ({"decimals": 0, "separators": False}, "1235"),
        ({"percent": True, "decimals": 0}, "123,457%"),
        ({"decimals": 1, "unit": "kg"}, "1,234.6 kg"),
    ],
)
def test_how_it_is_shown(options, shown):
    assert made("number", **options).show(Decimal("1234.5678"), Reader("en", UTC)) == shown


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=3))
def test_what_is_shown_can_be_typed_again(value):
    field = made("number", decimals=3, unit="kg")
    assert field.parse(field.show(value, Reader())) == value
