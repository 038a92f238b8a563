from datetime import UTC, datetime, timedelta, timezone

from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"seconds": True}, {"latest": "2030-01-01 00:00"}]
SHANGHAI = timezone(timedelta(hours=8))


def test_shown_on_the_workspace_s_clock_and_kept_in_utc():
    field = made("datetime")
    value = field.parse_in("2026-11-24 09:30", SHANGHAI)
    assert value == datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
    assert field.show(value, Reader(zone=SHANGHAI)) == "2026-11-24 09:30"


def test_with_seconds():
    field = made("datetime", seconds=True)
    assert field.show(field.parse("2026-11-24 09:30:15"), Reader(zone=UTC)) == "2026-11-24 09:30:15"
    assert field.number_format == "yyyy-mm-dd hh:mm:ss"


def test_the_weekday_is_that_of_the_workspace():
    field = made("datetime", weekdays=["tuesday"])
    late_on_monday = datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert list(field.outside(late_on_monday, {}, UTC))
    assert not list(field.outside(late_on_monday, {}, SHANGHAI))
