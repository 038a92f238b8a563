from datetime import UTC, date

import pytest

from schemas.errors import BadValue, DefinitionError
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"precision": "month"}, {"precision": "year"}, {"earliest": "2020-01-01", "weekdays": ["tuesday"]}]


@pytest.mark.parametrize(
    ("precision", "typed", "shown"),
    [
        ("day", "2026/1/5", "2026-01-05"), ("day", "2026年1月5日", "2026-01-05"), ("day", "20260105", "2026-01-05"),
        ("month", "2026-11", "2026-11"), ("month", "2026年3月", "2026-03"), ("month", "2026-11-24", "2026-11"), ("year", "2026", "2026"),
        ("year", "2026年", "2026"), ("year", "2026-11-24", "2026"),
    ],
)  # fmt: skip
def test_days_months_and_years(precision, typed, shown):
    field = made("date", precision=precision)
    assert field.show(field.parse(typed), Reader()) == shown


def test_a_month_is_kept_as_its_first_day():
    assert made("date", precision="month").parse("2026-11-24") == date(2026, 11, 1)
    assert made("date", precision="year").parse("2026") == date(2026, 1, 1)
    assert made("date", precision="month").number_format == "yyyy-mm"


@pytest.mark.parametrize(
    ("precision", "typed"),
    [("day", "2026-11"), ("day", "2026-02-30"), ("month", "2026-13"), ("year", "26"), ("year", "0000")],
)
def test_what_is_no_such_day(precision, typed):
    with pytest.raises(BadValue):
        made("date", precision=precision).parse(typed)


def test_days_outside_the_limits():
    field = made("date", earliest="2026-11-01", latest="2026-11-30", weekdays=["monday", "friday"])

    def said(day):
        return [str(m) for m in field.outside(day, field.limits(), UTC)]

    assert said(date(2026, 11, 23)) == []
    assert said(date(2026, 10, 30)) == ["Not before 2026-11-01."]
    assert said(date(2026, 12, 4)) == ["Not after 2026-11-30."]
    assert said(date(2026, 11, 24)) == ["Not on this weekday. Choose another day."]


def test_a_limit_that_is_no_date_is_a_problem_of_the_definition():
    with pytest.raises(DefinitionError) as refused:
        made("date", earliest="soon")
    assert refused.value.problems[0].path == "earliest"
