"""Texts from numbers, numbers from texts, characters from codes."""

import unicodedata
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import as_number, number_in
from schemas.formula.functions.base import function
from schemas.formula.functions.formats import NUMBER_FORMAT, date_parts, formatted
from schemas.formula.functions.rounding import rounded, whole
from schemas.formula.functions.text import held
from schemas.formula.sql import Given, Made, Sql
from schemas.formula.values import NA, VALUE, ZERO, ErrorValue, Fault, Run

CHARACTERS = "".join(bytes([n]).decode("cp1252", "replace") for n in range(256))


@function(
    "CHAR",
    "number -> text",
    zh="代码对应的字符",
    en="The character with a code.",
    example="CHAR(10)",
)
def char(code: Decimal) -> str:
    if not 1 <= code < 256:
        raise Fault(VALUE)
    return CHARACTERS[int(code)]


@function(
    "CODE",
    "text -> number",
    zh="第一个字符的代码",
    en="The code of the first character.",
    example='CODE("A")',
)
def code(text: str) -> Decimal:
    if not text:
        raise Fault(VALUE)
    place = CHARACTERS.find(text[0])
    return Decimal(place if place >= 0 else 63)


@function(
    "UNICHAR",
    "number -> text",
    zh="Unicode 字符",
    en="The character with a Unicode number.",
    example="UNICHAR(26962)",
)
def unichar(number: Decimal) -> str:
    place = int(number)
    if not 1 <= place <= 0x10FFFF or 0xD800 <= place <= 0xDFFF:
        raise Fault(NA if 0xD800 <= place <= 0xDFFF else VALUE)
    return chr(place)


@function(
    "UNICODE",
    "text -> number",
    sql=lambda x: Made(Sql("code_point", (x.value,)), Sql("is_empty", (x.value,))),
    zh="第一个字符的 Unicode 编号",
    en="The Unicode number of the first character.",
    example='UNICODE("A")',
)
def unicode_(text: str) -> Decimal:
    if not text:
        raise Fault(VALUE)
    return Decimal(ord(text[0]))


def _formatted(value: Given, pattern: Given) -> Sql | None:
    """Formats written out that have one part, as most have: of a date its parts in any order, of a number `¥#,##0.0%`."""
    if not isinstance(pattern.constant, str):
        return None
    if value.kind in ("date", "datetime") and (parts := date_parts(pattern.constant)):
        return Sql("date_text", (value.raw, *parts))
    if value.kind == "number" and (found := NUMBER_FORMAT.fullmatch(pattern.constant)):
        places = len(found["places"] or ".") - 1
        return Sql(
            "number_text",
            (Sql("as_number", (value,)), found["before"], str(places), bool(found["grouped"]), bool(found["percent"])),
        )
    return None


@function(
    "TEXT",
    "any, text -> text",
    world=True,
    sql=_formatted,
    zh="按格式把数字或日期转为文本",
    en="A number or date written in a format.",
    example='TEXT(TODAY(), "yyyyMMdd")',
)
def text_(run: Run, value: Any, pattern: str) -> str:
    return held(formatted(run, value, pattern))


@function(
    "VALUE",
    "any -> number",
    world=True,
    zh="文本转为数字",
    en="The number that a text spells.",
    example='VALUE("12.5")',
)
def value_(run: Run, value: Any) -> Decimal:
    if isinstance(value, bool):
        raise Fault(VALUE)
    if isinstance(value, str):
        return value_in(run, value)
    return as_number(value, run.world)


def value_in(run: Run, text: str) -> Decimal:
    """The number, date or time of day that a text spells; an empty text is an error."""
    from schemas.formula.functions.date import time_in

    stripped = unicodedata.normalize("NFKC", text).strip()
    if stripped.startswith("(") and stripped.endswith(")"):
        number = number_in(stripped[1:-1])
        if number is not None:
            return -number
    if not stripped:
        raise Fault(VALUE)
    time = time_in(stripped)
    return time if time is not None else as_number(stripped, run.world)


@function(
    "NUMBERVALUE",
    "text, text?, text? -> number",
    zh="按分隔符把文本转为数字",
    en="The number that a text spells, with its own separators.",
    example='NUMBERVALUE("1.234,5", ",", ".")',
)
def number_value(text: str, decimal: str = ".", group: str = ",") -> Decimal:
    whole_part, point, fraction = "".join(text.split()).partition(decimal[:1] or ".")
    number = number_in(whole_part.replace(group[:1] or ",", "") + ("." if point else "") + fraction)
    if number is None:
        if text == "":
            return ZERO
        raise Fault(VALUE)
    return number


def _fixed(number: Given, digits: Given | None = None, plain: Given | None = None) -> Sql | None:
    places = digits.constant if digits else Decimal(2)
    bare = plain.constant if plain else False
    if not isinstance(places, Decimal) or not isinstance(bare, bool) or abs(places) > 100:
        return None
    return Sql("fixed", (number.value, str(whole(places, 127)), not bare))


@function(
    "FIXED",
    "number, number?, boolean? -> text",
    sql=_fixed,
    zh="保留小数位的文本",
    en="A number as a text with so many decimals.",
    example="FIXED(1234.567, 1)",
)
def fixed(number: Decimal, digits: Decimal = Decimal(2), plain: bool = False) -> str:
    if digits > 127:
        raise Fault(VALUE)
    places = whole(digits, 127)
    found = rounded(number, digits, "ROUND_HALF_UP") + ZERO
    text = f"{found:.{max(places, 0)}f}" if plain else f"{found:,.{max(places, 0)}f}"
    return text[1:] if text.startswith("-") and not found else text


@function(
    "DOLLAR",
    "number, number? -> text",
    zh="美元金额的文本，负数加括号",
    en="An amount in dollars as a text; negative ones stand in brackets.",
    example="DOLLAR(1234.567)",
)
def dollar(number: Decimal, digits: Decimal = Decimal(2)) -> str:
    text = fixed(abs(number), digits)
    return f"(${text})" if number < 0 and any(c in text for c in "123456789") else f"${text}"


@function(
    "T",
    "any -> text",
    sql=lambda x: x.raw if x.kind in ("text", "choice") else None,
    zh="文本本身，其他值为空",
    en="A text; nothing for any other value.",
    example='T("a")',
)
def t(value: Any) -> str:
    if isinstance(value, ErrorValue):
        raise Fault(value)
    return value if isinstance(value, str) else ""


NUMERALS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")


@function(
    "RMBCAP",
    "number -> text",
    zh="人民币大写金额",
    en="An amount in Chinese capitals.",
    example="RMBCAP(1234.5)",
)
def rmb(number: Decimal) -> str:
    """Up to 9999 trillion, rounded to cents."""
    cents = int((number.copy_abs() * 100).to_integral_value(rounding="ROUND_HALF_UP"))
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    if yuan >= 10**16:
        raise Fault(VALUE)
    if not cents:
        return "零元整"
    text = (capitals(yuan) + "元") if yuan else ""
    if jiao:
        text += NUMERALS[jiao] + "角"
    elif fen and yuan:
        text += "零"
    text += NUMERALS[fen] + "分" if fen else "整"
    return ("负" if number < 0 else "") + text


def capitals(number: int) -> str:
    """A whole number in Chinese capitals; one 零 stands for any run of zeros within."""
    text, gap = "", False
    digits = str(number)
    for place, digit in enumerate(reversed(range(len(digits)))):
        value = int(digits[place])
        if value:
            text += ("零" if gap else "") + NUMERALS[value] + PLACES[digit % 4]
            gap = False
        else:
            gap = bool(text)
        if digit % 4 == 0 and digit:
            text = _grouped(text, number // 10**digit, digit // 4)
    return text


def _grouped(text: str, above: int, group: int) -> str:
    """The name of a group of four digits, unless the group is empty; 亿 stands also above an empty 万."""
    if group == 2:
        return text + "亿"
    return text + ("万" if above % 10_000 else "")
