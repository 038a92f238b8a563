"""Flows that the clock starts: plans over months, clock changes and downtime; dates of records, before, after and again."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.calendars import Calendar, of_country
from schemas.errors import DefinitionError
from schemas.options import load
from schemas.schedules import MOST_MISSED, Reached, Schedule, reckon

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
CHINA = of_country("CN") or Calendar()


def plan(**options: Any) -> Schedule:
    return load(Schedule, options)


def moments(found: Schedule, start: str, zone: ZoneInfo = SHANGHAI, count: int = 3) -> list[str]:
    """The next times, on the zone's clock."""
    at: datetime | None = datetime.fromisoformat(start).replace(tzinfo=zone)
    told = []
    for _ in range(count):
        assert at is not None
        at = found.after(at, zone, CHINA)
        assert at is not None
        told.append(at.astimezone(found.zone or zone).strftime("%Y-%m-%d %H:%M"))
    return told


@pytest.mark.parametrize(
    ("options", "start", "expected"),
    [
        ({"every": "day", "at": "09:00"}, "2026-03-02T09:00", ["2026-03-03 09:00", "2026-03-04 09:00"]),
        ({"every": "day", "at": "09:00"}, "2026-03-02T08:59", ["2026-03-02 09:00", "2026-03-03 09:00"]),
        ({"every": "hour", "at": "00:15"}, "2026-03-02T09:15", ["2026-03-02 10:15", "2026-03-02 11:15"]),
        ({"every": "week", "on": ["friday", "monday"]}, "2026-03-02T10:00", ["2026-03-06 09:00", "2026-03-09 09:00"]),
        ({"every": "week"}, "2026-03-02T10:00", ["2026-03-09 09:00", "2026-03-16 09:00"]),
        ({"every": "workday"}, "2026-09-30T10:00", ["2026-10-08 09:00", "2026-10-09 09:00", "2026-10-10 09:00"]),
        (
            {"every": "month", "day": 31},
            "2026-01-31T10:00",
            ["2026-02-28 09:00", "2026-03-31 09:00", "2026-04-30 09:00"],
        ),
        ({"every": "month", "off": "workday_after"}, "2026-04-30T10:00", ["2026-05-06 09:00", "2026-06-01 09:00"]),
        (
            {"every": "month", "day": 31, "off": "workday_before"},
            "2026-01-01T00:00",
            ["2026-01-30 09:00", "2026-02-28 09:00"],
        ),
        ({"every": "day", "off": "skip"}, "2026-03-06T10:00", ["2026-03-09 09:00"]),
        ({"every": "year", "month": 2, "day": 29}, "2026-03-01T00:00", ["2027-02-28 09:00", "2028-02-29 09:00"]),
        ({"every": "day", "at": "09:00", "zone": "UTC"}, "2026-03-02T12:00", ["2026-03-02 09:00", "2026-03-03 09:00"]),
    ],
)
def test_a_plan_names_its_next_times(options: dict[str, Any], start: str, expected: list[str]) -> None:
    assert moments(plan(**options), start, count=len(expected)) == expected


def test_a_time_that_the_clock_change_leaves_out_comes_later_and_one_that_it_repeats_comes_once() -> None:
    early = plan(every="day", at="02:30")
    assert moments(early, "2026-03-07T12:00", NEW_YORK) == ["2026-03-08 03:30", "2026-03-09 02:30", "2026-03-10 02:30"]
    twice = plan(every="day", at="01:30")
    assert moments(twice, "2026-10-31T12:00", NEW_YORK) == ["2026-11-01 01:30", "2026-11-02 01:30", "2026-11-03 01:30"]


@pytest.mark.parametrize(
    ("missed", "days", "runs"),
    [
        ("once", 5, 1),
        ("each", 5, 6),
        ("skip", 5, 0),
        ("once", 0, 1),
        ("skip", 0, 1),
        ("each", 0, 1),
        ("each", 400, MOST_MISSED),
    ],
)
def test_what_was_missed_is_made_up_for_as_the_plan_says(missed: str, days: int, runs: int) -> None:
    daily, planned = plan(every="day", missed=missed), datetime(2026, 3, 2, 1, tzinfo=UTC)
    now = planned + timedelta(days=days, minutes=2 if days == 0 else 60)
    found = reckon(daily, planned, now, SHANGHAI, CHINA)
    assert len(found.runs) == runs
    assert found.next == planned + timedelta(days=days + 1)
    assert all(moment <= now for moment in found.runs)


def test_a_clock_that_jumps_back_starts_nothing_again() -> None:
    daily, planned = plan(every="day"), datetime(2026, 3, 3, 1, tzinfo=UTC)
    assert reckon(daily, planned, planned - timedelta(hours=3), SHANGHAI, CHINA).runs == ()


@pytest.mark.parametrize(
    "wrong", [{"every": "minute"}, {"every": "day", "at": "25:00"}, {"every": "day", "zone": "Mars"}]
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        plan(**wrong)


def reached(value: Any, since: str, until: str, **options: Any) -> list[str]:
    trigger = load(Reached, {"table": "t", "field": "f", **options})
    start, end = (datetime.fromisoformat(at).replace(tzinfo=SHANGHAI) for at in (since, until))
    first, last = trigger.bases(start, end, SHANGHAI)
    found = trigger.moments(value, start, end, SHANGHAI, CHINA)
    day = value.astimezone(SHANGHAI).date() if isinstance(value, datetime) else value
    assert not found or ((first is None or first <= day) and day <= last), "it would have been looked for"
    return [moment.astimezone(SHANGHAI).strftime("%m-%d %H:%M") for moment in found]


@pytest.mark.parametrize(
    ("value", "since", "until", "options", "expected"),
    [
        (date(2026, 3, 5), "2026-03-05T08:00", "2026-03-05T09:00", {}, ["03-05 09:00"]),
        (date(2026, 3, 5), "2026-03-05T09:00", "2026-03-06T09:00", {}, []),
        (date(2026, 3, 5), "2026-03-02T00:00", "2026-03-03T00:00", {"before": "3 days", "at": "18:00"},
         ["03-02 18:00"]),
        (date(2026, 10, 8), "2026-09-01T00:00", "2026-10-01T00:00", {"before": "2 workdays"}, ["09-29 09:00"]),
        (date(2026, 9, 30), "2026-10-01T00:00", "2026-10-12T00:00", {"after": "1 workdays"}, ["10-08 09:00"]),
        (datetime(2026, 3, 5, 6, 30, tzinfo=UTC), "2026-03-05T12:00", "2026-03-05T14:00", {"before": "1 hours"},
         ["03-05 13:30"]),
        (datetime(2026, 3, 5, 6, 30, tzinfo=UTC), "2026-03-05T14:29", "2026-03-05T14:30", {}, ["03-05 14:30"]),
        (date(1990, 2, 28), "2026-01-01T00:00", "2027-01-01T00:00", {"repeat": "year", "before": "1 days"},
         ["02-27 09:00"]),
        (date(2026, 1, 31), "2026-02-01T00:00", "2026-04-30T23:00", {"repeat": "month"},
         ["02-28 09:00", "03-31 09:00", "04-30 09:00"]),
        (date(2026, 3, 2), "2026-03-01T00:00", "2026-04-30T00:00", {"repeat": "week", "times": 3},
         ["03-02 09:00", "03-09 09:00", "03-16 09:00"]),
    ],
)  # fmt: skip
def test_a_date_is_reached(value: Any, since: str, until: str, options: dict[str, Any], expected: list[str]) -> None:
    assert reached(value, since, until, **options) == expected
