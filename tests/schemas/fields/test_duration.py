from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadValue, DefinitionError
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"unit": "minutes"}, {"unit": "seconds"}, {"unit": "days", "minimum": 1, "maximum": 3}]
hours = made("duration")
minutes = made("duration", unit="minutes")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2:30", "2.5"), ("2 h 30 min", "2.5"), ("2小时30分", "2.5"), ("2个小时30分钟", "2.5"), ("150分钟", "2.5"),
        ("2.5", "2.5"), ("2.5h", "2.5"),
        ("1天", "24"), ("1 day, 1:30:00", "25.5"), ("-0:15", "-0.25"), ("90", "90"), (Decimal(3), "3"), ("36 s", "0.01"), ("1,000", "1000"),
    ],
)  # fmt: skip
def test_durations_as_people_write_them_in_hours(typed, value):
    assert hours.parse(typed) == Decimal(value)


def test_a_plain_number_is_of_the_declared_unit():
    assert minutes.parse("90") == 90
    assert minutes.parse("1:30") == 90


@pytest.mark.parametrize("typed", ["soon", "2:60", "1:2:3:4", "2 parsecs", True, "9" * 15])
def test_what_is_no_duration(typed):
    with pytest.raises(BadValue, match="duration"):
        hours.parse(typed)


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        ("2.5", "2 h 30 min", "2小时30分"),
        ("25", "1 d 1 h", "1天1小时"),
        ("0", "0 min", "0分"),
        ("-0.25", "-15 min", "-15分"),
        ("0.01", "36 s", "36秒"),
    ],
)
def test_how_it_is_read(value, en, zh):
    assert hours.show(Decimal(value), Reader("en", UTC)) == en
    assert hours.show(Decimal(value), Reader("zh", UTC)) == zh


def test_a_range_is_told_in_hours_and_minutes():
    field = made("duration", minimum="0.5", maximum=8)
    assert [str(m) for m in field.check(Decimal("0.25"))] == ["Must be at least 30 min."]
    assert [str(m) for m in field.check(Decimal(9))] == ["Must be at most 8 h."]
    with pytest.raises(DefinitionError):
        made("duration", minimum=2, maximum=1)


def test_a_filter_takes_what_is_typed_elsewhere():
    assert hours.literal("2:30") == "2.5"
    assert hours.literal("later") is None


@given(st.integers(-(10**8), 10**8), st.sampled_from(["seconds", "minutes", "hours", "days"]))
def test_every_second_survives_typing(seconds, unit):
    field = made("duration", unit=unit)
    value = field.parse(f"{seconds} s" if seconds >= 0 else f"-{-seconds} s")
    assert field.seconds_of(value) == seconds
    assert field.parse(field.typed(value)) == value
    assert field.parse(field.show(value, Reader("zh", UTC))) == value
