from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadValue
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"currency": "JPY", "decimals": 0}, {"currency": "HKD"}, {"currency": "CHF"}]
yuan = made("money")


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1,234.5 元", "1234.5"), ("人民币 88", "88"), ("¥1,000.00", "1000"), ("CNY 5", "5"), ("(1,234.56)", "-1234.56"),
     ("-¥3.5", "-3.5"), ("¥-3.5", "-3.5"), ("１２．３４", "12.34")],
)  # fmt: skip
def test_amounts_as_people_and_ledgers_write_them(typed, value):
    assert yuan.parse(typed) == Decimal(value)


@pytest.mark.parametrize("typed", ["HK$ 5", "5 USD", "many"])
def test_another_currency_is_not_taken_for_this_one(typed):
    with pytest.raises(BadValue):
        yuan.parse(typed)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, "-¥1,234.50"),
        ({"currency": "HKD"}, "-HK$1,234.50"),
        ({"currency": "JPY", "decimals": 0}, "-¥1,235"),
        ({"currency": "CHF"}, "-CHF 1,234.50"),
    ],
)
def test_how_amounts_are_shown(options, shown):
    assert made("money", **options).show(Decimal("-1234.5"), Reader("zh", UTC)) == shown


def test_a_spreadsheet_shows_the_currency():
    assert made("money", currency="EUR").number_format == '"€"#,##0.00'


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2),
    st.sampled_from(["CNY", "HKD", "CHF", "VND"]),
)
def test_what_is_shown_can_be_typed_again(value, currency):
    field = made("money", currency=currency)
    assert field.parse(field.show(value, Reader())) == value
