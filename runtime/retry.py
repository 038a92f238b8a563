"""Doing a whole piece of work again when it only lost against another one."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

Result = TypeVar("Result")

RETRIES = 3
PASSING = {"40001", "40P01", "55P03"}
"""SQLSTATEs of a serialisation failure, a deadlock and a lock not had in time: worth another try."""


GIVEN_UP = "57014"
"""SQLSTATE of a statement that took longer than it may, or was cancelled."""


def was_given_up(err: BaseException | None) -> bool:
    """Whether the database stopped a statement because it took too long."""
    return isinstance(err, DBAPIError) and getattr(err.orig, "sqlstate", "") == GIVEN_UP


class Overtaken(Exception):
    """Something that this transaction had read was replaced before it could write."""


def attempt(work: Callable[[], Result]) -> Result:
    """The result of `work`, which opens its own transaction; told again from the start up to three times."""
    for _ in range(RETRIES):
        try:
            return work()
        except Overtaken:
            continue
        except DBAPIError as err:
            if getattr(err.orig, "sqlstate", "") not in PASSING:
                raise
    return work()
