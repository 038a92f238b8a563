from datetime import datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadValue
from schemas.formula.functions import FUNCTIONS
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"seconds": True}]
start = made("time")
exact = made("time", seconds=True)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("9:30", "09:30"), ("09:30:59", "09:30"), ("9：30", "09:30"), ("9点30分", "09:30"), ("9时", "09:00"),
        ("下午3:05", "15:05"),
        ("下午3点半", "15:30"), ("3:05 PM", "15:05"), ("12:00 am", "00:00"), ("上午12点", "00:00"), ("中午12点", "12:00"),
        ("23:59", "23:59"),
        (time(8, 15), "08:15"), (datetime(2026, 1, 1, 7, 45), "07:45"), (Decimal("0.5"), "12:00"), ("9.30", "09:30"),
    ],
)  # fmt: skip
def test_times_as_people_and_spreadsheets_write_them(typed, shown):
    assert start.typed(start.parse(typed)) == shown


@pytest.mark.parametrize("typed", ["24:00", "9:60", "9", "930", "noon", "-1:00", 1, Decimal("1.5"), True, "1:2:3:4"])
def test_what_is_no_time_of_day(typed):
    with pytest.raises(BadValue, match="time of day"):
        start.parse(typed)


def test_it_equals_what_the_formula_function_gives():
    assert exact.parse("09:30:15") == FUNCTIONS["TIME"].compute(Decimal(9), Decimal(30), Decimal(15))


def test_a_filter_writes_it_as_a_formula():
    assert start.entry == "time"
    assert start.literal("09:30") == "TIME(9,30,0)"
    assert start.literal("soon") is None


def test_a_file_holds_the_part_of_a_day_and_a_text_file_the_clock():
    assert start.number_format == "hh:mm"
    assert start.written(start.parse("09:30")) == "09:30"


@given(st.times())
def test_what_is_shown_can_be_typed_again(moment):
    value = exact.parse(moment)
    assert exact.parse(exact.typed(value)) == value
