"""Patterns that run in linear time, so that nobody's text can hang a server."""

from functools import cache
from typing import Any

import re2

_SILENT = re2.Options()
_SILENT.log_errors = False


@cache
def compiled(source: str) -> Any:
    """A compiled pattern. Raises re2.error."""
    return re2.compile(source, _SILENT)


@cache
def _tester(source: str) -> Any:
    """The same for whoever only asks whether: nothing is noted of where the parts of a match are."""
    options = re2.Options()
    options.log_errors, options.never_capture = False, True
    return re2.compile(source, options)


def matches(source: str, text: str) -> bool:
    """Whether the whole text has the form. Asked in bytes, so that places need not be counted back into characters."""
    return _tester(source).fullmatch(text.encode()) is not None


def reason_of(err: Exception) -> str:
    """RE2's own words, which it gives as bytes."""
    given = err.args[0] if err.args else ""
    return given.decode("utf-8", "replace") if isinstance(given, bytes) else str(given)
