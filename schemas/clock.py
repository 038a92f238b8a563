"""Times of day and spans of time as people type and read them."""

import re
from decimal import ROUND_HALF_UP, Decimal

DAY = 86_400
MORNING = ("上午", "早上", "凌晨", "早晨", "am", "a.m.")
AFTERNOON = ("下午", "晚上", "中午", "傍晚", "pm", "p.m.")
_CLOCK = re.compile(r"(\d{1,2})(?:[:：点时.h](\d{1,2}))?(?:[:：分](\d{1,2}))?(?:\.\d+)?[点时分秒整]?", re.ASCII)
_SPAN = re.compile(
    r"(\d+(?:\.\d+)?)(days?|d|天|日|hours?|hrs?|h|个?小时|时|minutes?|mins?|m|分钟?|seconds?|secs?|s|秒钟?)"
)
_COLONS = re.compile(r"(?:(\d+)days?,?)?(\d{1,6}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?", re.ASCII)
_LENGTHS = {
    "d": DAY,
    "天": DAY,
    "日": DAY,
    "h": 3600,
    "小": 3600,
    "个": 3600,
    "时": 3600,
    "m": 60,
    "分": 60,
    "s": 1,
    "秒": 1,
}


def read_clock(text: str) -> int | None:
    """The seconds since midnight that a text such as `9:30`, `下午3点半`, `3:30 PM` spells; None for no such time."""
    folded = "".join(text.casefold().split())
    late = any(word in folded for word in AFTERNOON)
    early = any(word in folded for word in MORNING)
    for word in (*AFTERNOON, *MORNING):
        folded = folded.replace(word, "")
    folded = folded.replace("半", "30").replace("一刻", "15").replace("三刻", "45")
    match = _CLOCK.fullmatch(folded)
    if match is None or (match[2] is None and folded.isdigit() and not (late or early)):
        return None
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if late and hour < 12:
        hour += 12
    if early and hour == 12:
        hour = 0
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 60 else None


def show_clock(seconds: int, with_seconds: bool) -> str:
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{clock}:{seconds % 60:02}" if with_seconds else clock


def read_span(text: str) -> int | None:
    """The seconds of `2:30`, `2 h 30 min`, `1天2小时`, `-0:15`; None where no unit or colon says what is meant."""
    folded = "".join(text.casefold().split())
    sign = -1 if folded[:1] in ("-", "−") else 1
    folded = folded.lstrip("-−+")
    if match := _COLONS.fullmatch(folded):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        whole = days * DAY + hours * 3600 + minutes * 60 + seconds
        return sign * whole if minutes < 60 and seconds < 60 else None
    pieces = list(_SPAN.finditer(folded))
    if not pieces or "".join(piece[0] for piece in pieces) != folded:
        return None
    total = sum((Decimal(piece[1]) * _LENGTHS[piece[2][0]] for piece in pieces), Decimal(0))
    return sign * int(total.to_integral_value(ROUND_HALF_UP))


WORDS = {"zh": ("天", "小时", "分", "秒"), "": ("d", "h", "min", "s")}


def show_span(seconds: int, language: str) -> str:
    """`2 h 30 min`, in Chinese `2小时30分`; nothing that is nought is said."""
    words, blank, gap = (WORDS["zh"], "", "") if language == "zh" else (WORDS[""], " ", " ")
    rest = abs(seconds)
    amounts = (rest // DAY, rest // 3600 % 24, rest // 60 % 60, rest % 60)
    said = [f"{amount}{blank}{word}" for amount, word in zip(amounts, words, strict=True) if amount]
    return ("-" if seconds < 0 else "") + (gap.join(said) or f"0{blank}{words[2]}")


def type_span(seconds: int) -> str:
    """`26:30`, with seconds where there are any: what a person types."""
    rest = abs(seconds)
    clock = f"{rest // 3600}:{rest // 60 % 60:02}" + (f":{rest % 60:02}" if rest % 60 else "")
    return f"-{clock}" if seconds < 0 else clock
