"""Numbers as people type and read them."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any

from schemas.errors import BadValue
from schemas.messages import Message

LARGEST = Decimal(10) ** 18
MOST_DIGITS = 9
SIGNS = "¥￥$€£"
_WIDTHS = str.maketrans("０１２３４５６７８９．，－＋％（）−", "0123456789.,-+%()-")

_PLAIN = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,30})?").fullmatch
"""What most numbers look like, and needs no second look."""


def read_number(raw: Any, refusal: Message, units: Iterable[str] = ()) -> Decimal | None:
    """A finite number below 10^18 from JSON or from text such as `1,234.50`, `￥12`, `12%`, `(3.5)`; None for nothing.

    `units` may stand after the number. Raises BadValue with `refusal`.
    """
    if raw is None or raw == "":
        return None
    if isinstance(raw, str) and _PLAIN(raw):
        return Decimal(raw)
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        raise BadValue(refusal)
    text = _bare(raw, units) if isinstance(raw, str) else str(raw)
    percent = text.endswith("%")
    text = _without_separators(text.removesuffix("%"))
    if not text and isinstance(raw, str) and not raw.strip():
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadValue(refusal) from None
    if not number.is_finite() or number.adjusted() >= LARGEST.adjusted():
        raise BadValue(refusal)
    return number / 100 if percent else number


def read_whole(text: str) -> int | None:
    """A small whole number from an address or a form; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def _bare(text: str, units: Iterable[str]) -> str:
    """The number in a text without blanks, a currency's sign or a unit; in parentheses it is negative, as accountants write."""
    text = "".join(text.translate(_WIDTHS).split()).casefold()
    negative = text.startswith("(") and text.endswith(")")
    text = text[1:-1] if negative else text
    sign = text[:1] if text[:1] in ("-", "+") else ""
    text = text.removeprefix(sign)
    for unit in sorted(("".join(u.translate(_WIDTHS).split()).casefold() for u in units), key=len, reverse=True):
        if unit and unit != "%" and (text.startswith(unit) or text.endswith(unit)):
            text = text.removeprefix(unit).removesuffix(unit)
            break
    stripped = text.lstrip(SIGNS)
    if stripped != text and not sign and stripped[:1] in ("-", "+"):
        sign, stripped = stripped[0], stripped[1:]
    text = stripped
    return ("-" if negative else sign) + text


def _without_separators(text: str) -> str:
    """`1,234.5` as `1234.5`; a comma that does not stand between groups of three stays, and is refused."""
    whole, dot, fraction = text.partition(".")
    groups = whole.lstrip("+-").split(",")
    if len(groups) > 1 and all(len(g) == 3 for g in groups[1:]) and 1 <= len(groups[0]) <= 3:
        whole = whole.replace(",", "")
    return whole + dot + fraction


def round_to(number: Decimal, scale: int) -> Decimal:
    """Rounded half away from zero to this many decimals."""
    return number.quantize(_last_place(scale), rounding=ROUND_HALF_UP)


@cache
def _last_place(scale: int) -> Decimal:
    return Decimal(1).scaleb(-scale)


def plain(number: Decimal) -> str:
    """Digits without exponent and without idle zeros: what a person would type."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def grouped(number: Decimal, decimals: int | None) -> str:
    """With separators, to a fixed number of decimals or to as many as there are."""
    if decimals is not None:
        return f"{round_to(number, decimals):,f}"
    whole, dot, fraction = plain(number).partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{dot}{fraction}"
