"""Dates and moments in PostgreSQL, within the years 1 to 9999 that Python knows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import (
    Date,
    DateTime,
    Double,
    Integer,
    Numeric,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    not_,
)

from runtime.sql_operations import Column, Piece, any_error, constant, divide, failing, integer

MOST_DAYS = 4_000_000
MOST_MONTHS = 200_000
FIRST_DAY = date(1, 1, 1)
LAST_DAY = date(9999, 12, 31)
FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
DAY_MICROSECONDS = 86_400_000_000
HOUR_MICROSECONDS = 3_600_000_000


def part(name: str, local: Column) -> Column:
    """A part of what the workspace's clock shows: a date or a timestamp without zone."""
    taken = extract(name, cast(local, DateTime()) if name in ("hour", "minute", "second") else local)
    return cast(func.floor(taken), Numeric())


def add_days(moment: Piece, days: Piece) -> Piece:
    """A moment some days later; a fraction moves only what has a time. An error outside years 1 to 9999."""
    if moment.kind == "datetime":
        return _add_microseconds(moment, days)
    whole, day = func.floor(days.value), moment.value
    first, last = (
        cast(literal(FIRST_DAY, Date()).op("-")(day), Numeric()),
        cast(literal(LAST_DAY, Date()).op("-")(day), Numeric()),
    )
    fits = and_(whole >= first, whole <= last)
    value = case((fits, day.op("+", return_type=Date())(integer(whole, -4_000_000, 4_000_000))))
    return failing(Piece(value, any_error(moment, days), "date"), not_(fits))


def _add_microseconds(moment: Piece, days: Piece) -> Piece:
    # The sum is looked at as a number first: PostgreSQL would raise beyond the moments that it knows.
    most = literal(Decimal(MOST_DAYS * DAY_MICROSECONDS), Numeric())
    wanted = func.round(days.value * DAY_MICROSECONDS, type_=Numeric())
    total = func.least(func.greatest(wanted, -most), most, type_=Numeric())
    sum_ = cast(extract("epoch", moment.value), Numeric()) * 1_000_000 + wanted
    fits = and_(sum_ >= _epoch(FIRST_MOMENT), sum_ <= _epoch(LAST_MOMENT))
    later = case((fits, moment.value.op("+", return_type=DateTime(timezone=True))(interval(total))))
    return failing(Piece(later, any_error(moment, days), "datetime"), not_(fits))


def _epoch(moment: datetime) -> Column:
    """A moment in microseconds since 1970."""
    return literal(Decimal((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)), Numeric())


def interval(microseconds: Column) -> Column:
    """An exact span: whole hours apart from the rest, because seconds are a floating-point number."""
    hours = func.div(microseconds, HOUR_MICROSECONDS, type_=Numeric())
    seconds = (microseconds - hours * HOUR_MICROSECONDS) * literal(Decimal("0.000001"), Numeric())
    return func.make_interval(0, 0, 0, 0, cast(hours, Integer()), 0, cast(seconds, Double()))


def between_moments(left: Piece, right: Piece, unit: int) -> Piece:
    """The time from one moment to another in units of so many seconds, with its fraction."""
    span = extract("epoch", left.value.op("-")(right.value))
    seconds = Piece(cast(span, Numeric()), any_error(left, right), "number", 12, 6)
    return divide(seconds, constant(Decimal(unit), "number"))


def add_months(day: Piece, months: Piece | None, to_month_end: bool = False) -> Piece:
    """The same day some months later, or the last one of its month. An error outside the years 1 to 9999."""
    midnight = cast(day.value, DateTime())
    start = func.date_trunc("month", midnight) if to_month_end else midnight
    count = literal(0, Integer) if months is None else integer(months.value, -MOST_MONTHS, MOST_MONTHS)
    # As with moments, the month is first looked at as a number.
    month = cast(extract("year", day.value), Integer) * 12 + cast(extract("month", day.value), Integer) + count
    fits = and_(month > FIRST_DAY.year * 12, month <= LAST_DAY.year * 12 + 12)
    later = cast(start.op("+")(func.make_interval(0, count)), Date())
    last = cast(start.op("+")(func.make_interval(0, count + 1)), Date()).op("-", return_type=Date())(1)
    value = case((fits, last if to_month_end else later))
    errors = any_error(day) if months is None else any_error(day, months)
    return failing(Piece(value, errors, "date"), not_(fits))


def between_days(left: Piece, right: Piece) -> Piece:
    return Piece(cast(left.value.op("-")(right.value), Numeric()), any_error(left, right), "number", 8, 0)
