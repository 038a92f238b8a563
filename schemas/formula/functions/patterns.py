"""Patterns in RE2's syntax, which take no longer for hostile texts than for others."""

import re
from decimal import Decimal
from typing import Any

import re2

from schemas.formula.functions.base import function
from schemas.formula.functions.rounding import whole
from schemas.formula.functions.text import held
from schemas.formula.types import TEXT, Type, array_of
from schemas.formula.values import LONGEST_TEXT, NA, VALUE, ZERO, Fault, Run
from schemas.patterns import compiled

LONGEST_PATTERN = 500


def _pattern(source: str, caseless: Decimal) -> Any:
    if caseless not in (0, 1) or not 0 < len(source) <= LONGEST_PATTERN:
        raise Fault(VALUE)
    try:
        return compiled(f"(?i){source}" if caseless else source)
    except re2.error:
        raise Fault(VALUE) from None


@function(
    "REGEXTEST",
    "text, text, number? -> boolean",
    aliases=("REGEXMATCH",),
    zh="文本中是否有符合正则表达式的部分；第三个参数为 1 时不区分大小写",
    en="Whether a part of a text fits a pattern; with 1 as third argument, capitals or not.",
    example='REGEXTEST(plate, "^[A-Z0-9]{6}$")',
)
def regex_test(text: str, pattern: str, caseless: Decimal = ZERO) -> bool:
    return _pattern(pattern, caseless).search(text) is not None


def _extracted(types: list[Type]) -> Type:
    return TEXT if len(types) < 3 else array_of(TEXT)


@function(
    "REGEXEXTRACT",
    "text, text, number?, number? -> text",
    result=_extracted,
    world=True,
    zh="提取符合正则表达式的第一处；第三个参数 1 取全部，2 取各分组",
    en="The first part of a text that fits a pattern; all of them with 1 as third argument, its groups with 2.",
    example='REGEXEXTRACT("订单 A-1024", "[0-9]+")',
)
def regex_extract(run: Run, text: str, pattern: str, mode: Decimal | None = None, caseless: Decimal = ZERO) -> Any:
    found = _pattern(pattern, caseless)
    first = found.search(text)
    if mode is not None and mode not in (0, 1, 2):
        raise Fault(VALUE)
    if first is None:
        raise Fault(NA)
    if not mode:
        return first.group() if mode is None or run.world.untyped else [first.group()]
    if mode == 1:
        return [match.group() for match in found.finditer(text)]
    if not first.groups():
        raise Fault(VALUE)
    return [group or "" for group in first.groups()]


@function(
    "REGEXREPLACE",
    "text, text, text, number?, number? -> text",
    zh="替换符合正则表达式的部分；第四个参数指定第几处，0 为全部，$1 为分组",
    en="With what fits a pattern replaced: all of it, or the so-manieth; $1 stands for a group.",
    example='REGEXREPLACE(phone, "(\\d{3})\\d{4}", "$1****")',
)
def regex_replace(text: str, pattern: str, new: str, which: Decimal = ZERO, caseless: Decimal = ZERO) -> str:
    matches = list(_pattern(pattern, caseless).finditer(text))
    place = whole(which)
    if place:
        place += len(matches) if place < 0 else -1
        matches = matches[place : place + 1] if place >= 0 else []
    made, end, size = [], 0, len(text)
    for match in matches:
        made += [text[end : match.start()], _filled(new, match)]
        end, size = match.end(), size + len(made[-1])
        if size > 2 * LONGEST_TEXT:
            raise Fault(VALUE)
    return held("".join(made) + text[end:])


def _filled(new: str, match: Any) -> str:
    """The replacement with the match's groups; `$0` is all of it, `$$` a dollar."""

    def part(found: re.Match[str]) -> str:
        if found[1] == "$":
            return "$"
        if int(found[1]) > len(match.groups()):
            raise Fault(VALUE)
        return match.group(int(found[1])) or ""

    return re.sub(r"\$(\$|[0-9])", part, new)
