"""Which days people work: weekends, holidays, and a country's working weekends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

from chinese_calendar import constants

SATURDAY_SUNDAY = "0000011"
"""A weekend as seven signs from Monday on, 1 for a free day."""


@dataclass(frozen=True)
class Calendar:
    """A weekend with its exceptions: free weekdays (`holidays`) and working days at weekends (`workdays`)."""

    weekend: str = SATURDAY_SUNDAY
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        if day in self.holidays:
            return False
        return day in self.workdays or self.weekend[day.weekday()] == "0"

    def also_free(self, days: Iterable[date]) -> "Calendar":
        """The calendar with holidays of one's own."""
        return Calendar(self.weekend, self.holidays | set(days), self.workdays)

    def between(self, start: date, end: date) -> int:
        """Working days from start to end, both counted; negative when the end comes first."""
        if start > end:
            return -self.between(end, start)
        weeks, rest = divmod((end - start).days + 1, 7)
        count = weeks * self.weekend.count("0")
        count += sum(self.weekend[(start.weekday() + n) % 7] == "0" for n in range(rest))
        exceptions = (d for d in self.holidays | self.workdays if start <= d <= end)
        return count + sum(self.works(d) - (self.weekend[d.weekday()] == "0") for d in exceptions)


@cache
def of_country(code: str, weekend: str = SATURDAY_SUNDAY) -> Calendar | None:
    """The official calendar of a country; years that it does not know yet have weekends only. None for others."""
    if code.upper() != "CN":
        return None
    return Calendar(weekend, frozenset(constants.holidays), frozenset(constants.workdays))
