"""Dates and times."""

from datetime import date, datetime
from decimal import Decimal

from schemas.formula.values import Run
from schemas.formula.functions.base import function
from schemas.formula.sql import Sql


@function("TODAY", "-> date", world=True, volatile=True, sql=lambda: Sql("today"),
          zh="今天", en="Today, in the workspace's time zone.", example="TODAY()")  # fmt: skip
def today(run: Run) -> date:
    return run.world.today()


@function("NOW", "-> datetime", world=True, volatile=True, sql=lambda: Sql("now"), aliases=("SYSTIME",),
          zh="现在", en="This moment.", example="NOW()")  # fmt: skip
def now(run: Run) -> datetime:
    return run.world.now


@function("DAYS", "date, date -> number", sql=lambda a, b: Sql("days_between", (a.raw, b.raw, "date", "date")),
          zh="两个日期相差的天数：结束, 开始", en="Days from the second date to the first.",
          example="DAYS(TODAY(), created_at)")  # fmt: skip
def days(end: date | None, start: date | None) -> Decimal | None:
    if end is None or start is None:
        return None
    return Decimal((end - start).days)
