"""How a value looks to those who may see no more of it than a mask: 138****1234."""

import re
from dataclasses import dataclass
from typing import Any

from schemas.options import option
from schemas.parsers import Whole

STAR = "*"
WHOLE = STAR * 4
"""What stands for a value of which nothing may be seen: its length would tell something too."""
SHAPES = {"phone": (3, 4), "mobile": (3, 4), "id_card": (3, 4), "postcode": (2, 0)}
"""How many characters of a form of text remain at its beginning and its end."""
SHOWING = ("text", "long_text", "serial", "barcode")
"""The types whose mask shows a part of the value; of an option, a number or a person it shows that there is one."""


@dataclass(frozen=True, kw_only=True)
class Mask:
    """How much of a text remains where only a mask may be seen."""

    first: int = option(Whole(0, 100), "Characters that remain at the beginning", 3)
    last: int = option(Whole(0, 100), "Characters that remain at the end", 4)


def masked(text: str, form: str = "", mask: Mask | None = None) -> str:
    """A text of which only the mask remains. What is too short for its mask is starred whole."""
    if mask is not None:
        return _between(text, mask.first, mask.last)
    if form == "email" and "@" in text:
        name, _, site = text.partition("@")
        return f"{_between(name, 1, 0)}@{site}"
    if form in SHAPES:
        return _between(text, *SHAPES[form])
    if re.fullmatch(r"[0-9\s-]{12,}", text):
        return _between(text, 0, 4)
    return _between(text, 3, 4) if len(text) > 10 else _between(text, 1, 0)


def _between(text: str, first: int, last: int) -> str:
    if len(text) <= first + last:
        return WHOLE
    hidden = len(text) - first - last
    stars = STAR * max(2, min(hidden, 12)) if first or last else WHOLE
    return text[:first] + stars + (text[-last:] if last else "")


def mask_of(field: Any, value: Any) -> str:
    """What a field's value looks like under its mask; only texts show a part of themselves."""
    if value is None or value == []:
        return ""
    if isinstance(value, str) and field.type in SHOWING:
        return masked(value, getattr(field, "format", ""), getattr(field, "mask", None))
    return WHOLE
