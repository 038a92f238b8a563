"""The formats of TEXT: numbers, dates and times written as spreadsheets write them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from schemas.formula.coerce import EPOCH, moment_in, number_in, of_serial, serial_of
from schemas.formula.values import EXACT, VALUE, ErrorValue, Fault, Run, number_text

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CHINESE_DAYS = "一二三四五六日"
PIECES = re.compile(
    r"""(?P<quoted>"[^"]*"?)|(?P<escaped>\\.|_.|\*.)|(?P<elapsed>\[(?:h+|m+|s+)\])|(?P<bracket>\[[^\]]*\])"""
    r"""|(?P<noon>AM/PM|A/P|上午/下午)|(?P<general>General|G/通用格式)"""
    r"""|(?P<time>y+|m+|d+|h+|s+(?:\.0+)?|a{3,4})|(?P<power>E[+-]0+)|(?P<digit>[0#?])|(?P<other>.)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
NUMBER_FORMAT = re.compile(r"(?P<before>[¥￥$€£]?)(?P<grouped>#,##)?0(?P<places>\.0+)?(?P<percent>%?)")
"""The formats of numbers that a database writes too."""
Piece = tuple[str, str]


@dataclass
class Section:
    """One of the parts of a format between semicolons."""

    pieces: list[Piece] = field(default_factory=list)
    condition: tuple[str, Decimal] | None = None

    def has(self, *kinds: str) -> bool:
        return any(kind in kinds for kind, _ in self.pieces)


@lru_cache(maxsize=512)
def sections(pattern: str) -> tuple[Section, ...]:
    found = [Section()]
    for match in PIECES.finditer(pattern):
        kind, text = str(match.lastgroup), match.group()
        if kind == "other" and text == ";":
            found.append(Section())
        elif kind == "bracket":
            _bracket(found[-1], text)
        elif kind == "quoted":
            found[-1].pieces.append(("plain", text.strip('"')))
        elif kind == "escaped":
            found[-1].pieces.append(("plain", {"_": " ", "*": ""}.get(text[0], text[1:])))
        else:
            found[-1].pieces.append((kind, text))
    return tuple(found)


def _bracket(section: Section, text: str) -> None:
    """A colour, a currency with its region, or a condition."""
    if condition := re.fullmatch(r"\[(<=|>=|<>|<|>|=)(-?[\d.]+)\]", text):
        section.condition = (condition[1], Decimal(condition[2]))
    elif currency := re.fullmatch(r"\[\$([^-\]]*)(?:-[^\]]*)?\]", text):
        section.pieces.append(("plain", currency[1]))


def formatted(run: Run, value: Any, pattern: str) -> str:
    """A value as the format writes it."""
    if isinstance(value, ErrorValue):
        raise Fault(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        spelled = number_in(value) if value else None
        value = spelled if spelled is not None else moment_in(value, run.world) or value
    if isinstance(value, str) or not pattern:
        return _words(value, pattern) if pattern else ""
    if not isinstance(value, Decimal | date) and value is not None:
        raise Fault(VALUE)
    parts = sections(pattern)
    number = serial_of(value, run.world) if isinstance(value, date) else value or Decimal(0)
    section, shown = _section(parts, number)
    if section.has("time", "noon", "elapsed"):
        if value is None and not run.world.untyped:
            return ""
        return _time(section, run, value if isinstance(value, date) else number)
    return _number(section, shown)


def date_parts(pattern: str) -> list[str]:
    """A plain format of dates in parts: codes, minutes as `n`, and what stands between them after a `=`."""
    (section, *others) = sections(pattern)
    pieces = section.pieces
    if (
        others
        or section.condition
        or not section.has("time")
        or section.has("noon", "elapsed", "general", "digit", "power")
    ):
        return []
    if any(kind == "time" and ("." in text or text[0] in "bB") for kind, text in pieces):
        return []
    return [_minutes(pieces, n, text) if kind == "time" else f"={text}" for n, (kind, text) in enumerate(pieces)]


def _words(text: str, pattern: str) -> str:
    """A text in a format: `@` stands for it; numbers' formats leave it alone."""
    parts = sections(pattern)
    section = parts[3] if len(parts) > 3 else next((p for p in parts if ("other", "@") in p.pieces), None)
    if section is None:
        return text
    return "".join(text if piece == ("other", "@") else piece[1] for piece in section.pieces)


def _section(parts: tuple[Section, ...], number: Decimal) -> tuple[Section, Decimal]:
    """The part of a format that is meant for a number, and the number as that part shows it."""
    tests: dict[str, Callable[[Decimal], bool]] = {
        "<": number.__lt__,
        ">": number.__gt__,
        "<=": number.__le__,
        ">=": number.__ge__,
        "=": number.__eq__,
        "<>": number.__ne__,
    }
    if any(p.condition for p in parts):
        for part in parts:
            if part.condition is None or tests[part.condition[0]](part.condition[1]):
                return part, number
        return parts[-1], number
    if number < 0 and len(parts) > 1:
        return parts[1], -number
    if number == 0 and len(parts) > 2:
        return parts[2], number
    return parts[0], number


# -- numbers ---------------------------------------------------------------------------------------


def _number(section: Section, number: Decimal) -> str:
    pieces = list(section.pieces)
    if section.has("general") or ("other", "@") in pieces:
        shown = general(number)
        return "".join(shown if k == "general" or (k, t) == ("other", "@") else t for k, t in pieces)
    if not section.has("digit"):
        return ("-" if number < 0 else "") + "".join(t for _, t in pieces)
    for _, text in pieces:
        if text == "%":
            number = EXACT.scaleb(number, 2)
    if section.has("power"):
        return _scientific(pieces, number)
    if ("other", "/") in pieces:
        return _fraction(pieces, number)
    return _decimal(pieces, number)


def general(number: Decimal) -> str:
    """A number as a cell without a format shows it: at most eleven characters."""
    if number and (abs(number) >= Decimal("1E11") or abs(number) < Decimal("1E-9")):
        mantissa, _, power = f"{number:.5E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{power[0]}{int(power[1:]):02d}"
    whole_digits = max(len(str(int(abs(number)))), 1)
    return number_text(number.quantize(Decimal(1).scaleb(whole_digits - 10), rounding=ROUND_HALF_UP))


def _decimal(pieces: list[Piece], number: Decimal) -> str:
    digits = [n for n, p in enumerate(pieces) if p[0] == "digit"]
    point = next((n for n, p in enumerate(pieces) if p == ("other", ".")), None)
    before = [n for n in digits if point is None or n < point]
    after = [n for n in digits if point is not None and n > point]
    last = max(digits)
    scale = sum(1 for p in _run_of_commas(pieces, max(before) if before else last, last))
    size = EXACT.scaleb(number.copy_abs(), -3 * scale)
    rounded = size.quantize(Decimal(1).scaleb(-len(after)), rounding=ROUND_HALF_UP, context=EXACT)
    whole, _, fraction = f"{rounded:f}".partition(".")
    grouped = any(pieces[n] == ("other", ",") for n in range(before[0], before[-1])) if before else False
    signed = "-" if number < 0 and rounded else ""
    shown = _whole_digits(pieces, before, "" if whole == "0" else whole, grouped)
    shown.update(_fraction_digits(pieces, after, fraction))
    text = "".join(_shown(n, piece, shown, before, last) for n, piece in enumerate(pieces))
    return signed + text


def _run_of_commas(pieces: list[Piece], whole: int, last: int) -> list[int]:
    """Commas right behind the last digit before the point, or the last of all: each divides by a thousand."""
    found = []
    for start in {whole, last}:
        place = start + 1
        while place < len(pieces) and pieces[place] == ("other", ","):
            found.append(place)
            place += 1
    return found


def _shown(place: int, piece: Piece, shown: dict[int, str], before: list[int], last: int) -> str:
    if piece[0] == "digit":
        return shown[place]
    if piece == ("other", ","):
        inside = bool(before) and before[0] < place < before[-1]
        scaling = bool(before) and place > before[-1] and place <= last + 3
        return "" if inside or scaling else ","
    return piece[1]


def _whole_digits(pieces: list[Piece], places: list[int], whole: str, grouped: bool) -> dict[int, str]:
    """The digits before the point, from the right; the first place takes all that are left."""
    shown: dict[int, str] = {}
    rest, count = whole, 0
    for place in reversed(places):
        digit, rest = (rest[-1], rest[:-1]) if rest else ({"0": "0", "#": "", "?": " "}[pieces[place][1]], "")
        shown[place] = digit + ("," if grouped and digit.strip() and count and count % 3 == 0 else "")
        count += bool(digit)
    if places and rest:
        first = places[0]
        for digit in reversed(rest):
            shown[first] = digit + ("," if grouped and count % 3 == 0 else "") + shown[first]
            count += 1
    return shown


def _fraction_digits(pieces: list[Piece], places: list[int], fraction: str) -> dict[int, str]:
    shown = dict(zip(places, fraction, strict=True))
    for place in reversed(places):
        if shown[place] != "0" or pieces[place][1] == "0":
            break
        shown[place] = "" if pieces[place][1] == "#" else " "
    return shown


def _scientific(pieces: list[Piece], number: Decimal) -> str:
    point = next((n for n, p in enumerate(pieces) if p == ("other", ".")), None)
    power = next(n for n, p in enumerate(pieces) if p[0] == "power")
    after = sum(1 for n, p in enumerate(pieces) if p[0] == "digit" and point is not None and point < n < power)
    before = max(1, sum(1 for n, p in enumerate(pieces[:power]) if p[0] == "digit") - after)
    exponent = number.adjusted() if number else 0
    exponent -= exponent % before if before > 1 else 0
    mantissa = number.copy_abs().scaleb(-exponent).quantize(Decimal(1).scaleb(-after), rounding=ROUND_HALF_UP)
    if mantissa >= 10**before:
        mantissa, exponent = (
            mantissa.scaleb(-1).quantize(Decimal(1).scaleb(-after), rounding=ROUND_HALF_UP),
            exponent + 1,
        )
    width = pieces[power][1].count("0")
    sign = "-" if exponent < 0 else "+" if pieces[power][1][1] == "+" else ""
    head = "".join(t for k, t in pieces[: next(n for n, p in enumerate(pieces) if p[0] == "digit")])
    tail = "".join(t for k, t in pieces[power + 1 :])
    return f"{'-' if number < 0 else ''}{head}{mantissa:f}E{sign}{abs(exponent):0{width}d}{tail}"


def _fraction(pieces: list[Piece], number: Decimal) -> str:
    """`# ?/?`: the nearest fraction whose denominator has so many digits, or is the one given."""
    from fractions import Fraction

    slash = pieces.index(("other", "/"))
    tail = "".join(t for _, t in pieces[slash + 1 :])
    size = abs(number)
    fixed = re.match(r"\d+", tail)
    has_whole = sum(1 for p in pieces[:slash] if p[0] == "digit") > 1 and any(p[1] == " " for p in pieces[:slash])
    whole = int(size) if has_whole else 0
    rest = Fraction(size - whole)
    if fixed and int(fixed[0]):
        below = int(fixed[0])
        above = round(rest * below)
    else:
        found = rest.limit_denominator(10 ** max(1, tail.count("?") + tail.count("#")) - 1)
        above, below = found.numerator, found.denominator
    if has_whole and above == below:
        whole, above = whole + 1, 0
    sign = "-" if number < 0 else ""
    if has_whole and not above:
        return f"{sign}{whole}"
    head = f"{whole} " if has_whole and whole else ""
    return f"{sign}{head}{above}/{below}"


# -- dates and times -------------------------------------------------------------------------------


def _time(section: Section, run: Run, value: "date | Decimal") -> str:
    seconds = next((t for k, t in section.pieces if k == "time" and t[0] in "sS" and "." in t), "")
    places = len(seconds.partition(".")[2])
    moment, elapsed = _moment(run, value, places)
    noon = section.has("noon")
    texts = []
    for n, (kind, text) in enumerate(section.pieces):
        if kind == "time":
            texts.append(_time_part(_minutes(section.pieces, n, text), moment, noon))
        elif kind == "noon":
            texts.append(_noon(text, moment))
        elif kind == "elapsed":
            texts.append(_elapsed(text, elapsed))
        else:
            texts.append(text)
    return "".join(texts)


def _moment(run: Run, value: "date | Decimal", places: int) -> tuple[datetime, timedelta]:
    """What the clock shows, rounded to what is shown; and the time since Excel's day zero."""
    if isinstance(value, Decimal):
        value = of_serial(value, run.world)
    local = run.world.local(value)
    shown = local.replace(tzinfo=None) if isinstance(local, datetime) else datetime(local.year, local.month, local.day)
    unit = 10 ** (6 - min(places, 6))
    since = shown - datetime(EPOCH.year, EPOCH.month, EPOCH.day)
    micro = since // timedelta(microseconds=1)
    since = timedelta(microseconds=(micro + unit // 2) // unit * unit)
    return (datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=UTC) + since).replace(tzinfo=None), since


def _minutes(pieces: tuple[Piece, ...] | list[Piece], place: int, text: str) -> str:
    """`m` beside hours or seconds means minutes."""
    if text[0] not in "mM" or len(text) > 2:
        return text.lower()
    times = [n for n, p in enumerate(pieces) if p[0] in ("time", "elapsed")]
    at = times.index(place)
    before = pieces[times[at - 1]][1].strip("[").lower() if at else ""
    after = pieces[times[at + 1]][1].strip("[").lower() if at + 1 < len(times) else ""
    return "n" * len(text) if before[:1] == "h" or after[:1] == "s" else text.lower()


def _time_part(code: str, moment: datetime, noon: bool) -> str:
    hour = (moment.hour % 12 or 12) if noon else moment.hour
    match code[0], len(code):
        case "y", size:
            return f"{moment.year:04d}" if size > 2 else f"{moment.year % 100:02d}"
        case "m", 1:
            return str(moment.month)
        case "m", 2:
            return f"{moment.month:02d}"
        case "m", size:
            name = MONTHS[moment.month - 1]
            return name[:3] if size == 3 else name[0] if size == 5 else name
        case "d", 1:
            return str(moment.day)
        case "d", 2:
            return f"{moment.day:02d}"
        case "d", size:
            return DAYS[moment.weekday()][: 3 if size == 3 else None]
        case "a", size:
            return ("星期" if size == 4 else "") + CHINESE_DAYS[moment.weekday()]
        case "h", size:
            return f"{hour:0{min(size, 2)}d}"
        case "n", size:
            return f"{moment.minute:0{size}d}"
    return _seconds(code, moment)


def _seconds(code: str, moment: datetime) -> str:
    letters, point, zeros = code.partition(".")
    text = f"{moment.second:0{min(len(letters), 2)}d}"
    return text + (f".{moment.microsecond:06d}"[: len(zeros) + 1] if point else "")


def _noon(text: str, moment: datetime) -> str:
    before, _, after = text.partition("/")
    return after if moment.hour >= 12 else before


def _elapsed(text: str, since: timedelta) -> str:
    unit = {"h": 3600, "m": 60, "s": 1}[text[1].lower()]
    return f"{since // timedelta(seconds=unit):0{len(text) - 2}d}"
