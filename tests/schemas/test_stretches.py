"""Stretches of days: what a calendar and a time line show."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.stretches import LENGTHS, Stretch, along, beginning, earlier, line, moved, shown_by, ticks

DAYS = st.dates(date(1800, 1, 1), date(2999, 1, 1))


@given(DAYS)
def test_a_month_is_shown_in_whole_weeks_from_monday(day: date) -> None:
    shown = shown_by("month", day)
    assert shown.first.weekday() == 0
    assert shown.last.weekday() == 6
    assert shown.first <= day.replace(day=1)
    assert shown.days in (28, 35, 42)
    assert day in list(shown)


@given(DAYS, st.sampled_from(["day", "week", "month"]), st.integers(-20, 20))
def test_the_stretches_follow_one_another_without_a_gap(day: date, span: str, steps: int) -> None:
    there = moved(span, day, steps)
    assert shown_by(span, moved(span, there, -steps)) == shown_by(span, day)
    if span != "month":
        assert shown_by(span, moved(span, day, 1)).first == shown_by(span, day).last + timedelta(days=1)


@given(DAYS, st.sampled_from(["day", "week", "month", "quarter"]))
def test_a_time_line_holds_its_day_and_is_divided_without_a_rest(day: date, scale: str) -> None:
    found = line(scale, day)
    parts = ticks(scale, found)
    assert found.first <= day <= found.last
    assert parts[0].first == found.first
    assert parts[-1].last == found.last
    assert all(b.first == a.last + timedelta(days=1) for a, b in zip(parts, parts[1:], strict=False))
    if scale in LENGTHS:
        assert found.days == LENGTHS[scale]
    assert line(scale, along(scale, day, 1)).first > found.first


def test_a_bar_lies_where_its_days_are_and_is_cut_at_the_edges() -> None:
    week = Stretch(date(2026, 11, 2), date(2026, 11, 8))
    assert week.place(date(2026, 11, 3), date(2026, 11, 3)) == (1, 2)
    assert week.place(date(2026, 10, 1), date(2026, 11, 4)) == (0, 3)
    assert week.place(date(2026, 11, 8), date(2027, 1, 1)) == (6, 7)
    assert week.place(date(2026, 11, 9), date(2026, 11, 10)) is None


PERIODS = st.sampled_from(["day", "week", "month", "quarter", "year"])


@given(DAYS, PERIODS)
def test_the_period_before_ends_where_this_one_begins(day: date, period: str) -> None:
    first = beginning(period, day)
    assert first <= day
    assert beginning(period, first) == first
    assert beginning(period, first - timedelta(days=1)) == earlier(period, first, "previous")


@given(DAYS, PERIODS)
def test_the_same_period_a_year_ago_begins_about_a_year_earlier(day: date, period: str) -> None:
    first = beginning(period, day)
    ago = earlier(period, first, "year")
    assert beginning(period, ago) == ago
    assert 363 <= (first - ago).days <= 366
