"""Working days: weekends, holidays, and China's working weekends."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendars import Calendar, of_country

DAYS = st.dates(date(2015, 1, 1), date(2035, 1, 1))
WEEKENDS = st.text("01", min_size=7, max_size=7)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 10, 1), False),  # National Day, a Tuesday
        (date(2024, 10, 12), True),  # a Saturday worked in return
        (date(2024, 10, 13), False),
        (date(2024, 10, 14), True),
        (date(2090, 1, 2), True),  # not yet decided: weekends only
        (date(2090, 1, 1), False),  # a Sunday
    ],
)
def test_china_works_at_some_weekends_and_rests_on_some_weekdays(day: date, works: bool) -> None:
    china = of_country("cn")
    assert china is not None
    assert china.works(day) is works


def test_other_countries_are_not_guessed() -> None:
    assert of_country("XX") is None


@given(DAYS, DAYS, WEEKENDS, st.frozensets(DAYS, max_size=5), st.frozensets(DAYS, max_size=5))
def test_a_span_counts_the_days_one_by_one(
    start: date, end: date, weekend: str, free: frozenset[date], worked: frozenset[date]
) -> None:
    end = start + (end - start) % timedelta(days=400)
    calendar = Calendar(weekend, free, worked)
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert calendar.between(start, end) == sum(map(calendar.works, days))
    assert calendar.between(end, start) == (
        -calendar.between(start, end) if start < end else calendar.between(start, end)
    )
