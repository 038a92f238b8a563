"""Texts: taking apart, putting together, searching, converting."""

import re
from decimal import Decimal
from typing import Any

from schemas.formula.coerce import as_text, flat, is_blank
from schemas.formula.functions.base import function
from schemas.formula.functions.criteria import wildcards
from schemas.formula.functions.operators import equal
from schemas.formula.functions.rounding import whole
from schemas.formula.sql import Form, Given, Made, Sql, call
from schemas.formula.values import LONGEST_TEXT, NA, ONE, VALUE, ErrorValue, Fault, Run, fold


def held(text: str) -> str:
    """A text that is not too long."""
    if len(text) > LONGEST_TEXT:
        raise Fault(VALUE)
    return text


def joined(separator: str, parts: list[str]) -> str:
    """The parts with the separator between them; how long that becomes is known before it is made."""
    if sum(map(len, parts)) + len(separator) * (len(parts) - 1) > LONGEST_TEXT:
        raise Fault(VALUE)
    return separator.join(parts)


def count_of(number: Decimal) -> int:
    """How many characters are asked for; less than none is an error."""
    if number < 0:
        raise Fault(VALUE)
    return whole(number, 1_000_000)


def strings(run: Run, args: tuple[Any, ...]) -> list[str]:
    found = []
    for arg in args:
        for item in flat(arg):
            if isinstance(item, ErrorValue):
                raise Fault(item)
            found.append(as_text(item, run.world))
    return found


def _concat(*args: Given) -> Sql | None:
    if any(a.is_listed or a.kind in ("array", "rows") for a in args):
        return None
    return Sql("concat", tuple(a.value for a in args))


@function(
    "CONCATENATE",
    "texts... -> text",
    aliases=("CONCAT",),
    world=True,
    sql=_concat,
    zh="连接文本",
    en="Texts one after another.",
    example='CONCATENATE(name, " ", phone)',
)
def concatenate(run: Run, *args: Any) -> str:
    return joined("", strings(run, args))


@function(
    "JOIN",
    "texts, text -> text",
    world=True,
    sql=lambda items, sep: Sql("join", (items, sep)) if items.kind in ("choice", "text") and items.is_listed else None,
    zh="用分隔符连接列表",
    en="The values of a list with a separator between them.",
    example='JOIN(tags, "、")',
)
def join(run: Run, values: Any, separator: str) -> str:
    return joined(separator, [t for t in strings(run, (values,)) if t])


def _between(separator: Given, skip: Given, *texts: Given) -> Sql | None:
    if not isinstance(skip.constant, bool) or any(t.is_listed or t.kind in ("array", "rows") for t in texts):
        return None
    return Sql("concat_between", (separator.value, skip.constant, *texts))


@function(
    "TEXTJOIN",
    "text, boolean, texts... -> text",
    world=True,
    sql=_between,
    zh="用分隔符连接多个文本",
    en="Texts with a separator between them.",
    example='TEXTJOIN(", ", TRUE, a, b)',
)
def text_join(run: Run, separator: str, skip: bool, *args: Any) -> str:
    found = strings(run, args)
    return joined(separator, [t for t in found if t] if skip else found)


@function(
    "SPLIT",
    "text, text -> texts",
    zh="按分隔符拆分为列表",
    en="The parts of a text between separators.",
    example='SPLIT("a,b", ",")',
)
def split(text: str, separator: str) -> list[str]:
    if not text:
        return []
    return text.split(separator) if separator else list(text)


@function(
    "EXACT",
    "text, text -> boolean",
    sql=lambda a, b: Sql("exact", (a.value, b.value)),
    zh="区分大小写比较",
    en="Whether two texts are the same, capitals included.",
    example='EXACT("a", "A")',
)
def exact(one: str, other: str) -> bool:
    return one == other


def _negative(number: Given | None) -> Sql | None:
    if number is None or (number.is_constant and isinstance(number.constant, Decimal) and number.constant >= 0):
        return None
    return Sql("below_zero", (number.value,))


def _part(op: str) -> Any:
    return lambda text, n=None: Made(Sql(op, (text.value, n.value if n else Sql("one"))), _negative(n))


@function(
    "LEFT",
    "text, number? -> text",
    sql=_part("left"),
    zh="左边的几个字符",
    en="The first characters.",
    example='LEFT("Mortise", 3)',
)
def left(text: str, count: Decimal = ONE) -> str:
    return text[: count_of(count)]


@function(
    "RIGHT",
    "text, number? -> text",
    sql=_part("right"),
    zh="右边的几个字符",
    en="The last characters.",
    example="RIGHT(phone, 4)",
)
def right(text: str, count: Decimal = ONE) -> str:
    taken = count_of(count)
    return text[-taken:] if taken else ""


def _mid(text: Given, start: Given, count: Given) -> Made | None:
    plain = all(isinstance(g.constant, Decimal) and g.constant >= least for g, least in ((start, 1), (count, 0)))
    return Made(Sql("substr", (text.value, start.value, count.value))) if plain else None


@function(
    "MID",
    "text, number, number -> text",
    sql=_mid,
    zh="从指定位置取几个字符",
    en="Characters from a place on, counted from 1.",
    example="MID(id_card, 7, 8)",
)
def mid(text: str, start: Decimal, count: Decimal) -> str:
    if start < 1:
        raise Fault(VALUE)
    first = whole(start, 1_000_000) - 1
    return text[first : first + count_of(count)]


@function(
    "LEN",
    "text -> number",
    sql=lambda x: Sql("char_length", (x.value,)),
    zh="字符个数",
    en="How many characters.",
    example="LEN(title)",
)
def len_(text: str) -> Decimal:
    return Decimal(len(text))


@function(
    "LOWER",
    "text -> text",
    sql=lambda x: Sql("lower", (x.value,)),
    zh="转为小写",
    en="In small letters.",
    example='LOWER("ABC")',
)
def lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(_one(c, c.lower()) for c in text)


@function(
    "UPPER",
    "text -> text",
    sql=lambda x: Sql("upper", (x.value,)),
    zh="转为大写",
    en="In capital letters.",
    example='UPPER("abc")',
)
def upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(_one(c, c.upper()) for c in text)


def _one(character: str, changed: str) -> str:
    """Only letters that stay one letter change: the database does the same."""
    return changed if len(changed) == 1 else character


@function(
    "PROPER",
    "text -> text",
    zh="首字母大写",
    en="Every word with a capital.",
    example='PROPER("ann lee")',
)
def proper(text: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda m: m[0][0].upper() + m[0][1:].lower(), text)


@function(
    "TRIM",
    "text -> text",
    sql=lambda x: Sql("trim_spaces", (x.value,)),
    zh="去掉两端和多余的空格",
    en="Without spaces at the ends, one between words.",
    example='TRIM("  a  b ")',
)
def trim(text: str) -> str:
    return " ".join(part for part in text.split(" ") if part)


@function(
    "CLEAN",
    "text -> text",
    sql=call("without_controls"),
    zh="去掉不可打印字符",
    en="Without control characters.",
    example="CLEAN(notes)",
)
def clean(text: str) -> str:
    return "".join(c for c in text if ord(c) > 31)


def _replaced(text: Given, start: Given, count: Given, new: Given) -> Made:
    failing = Sql("either", (Sql("less_than_one", (start.value,)), Sql("below_zero", (count.value,))))
    return Made(Sql("replace_at", (text.value, start.value, count.value, new.value)), failing)


@function(
    "REPLACE",
    "text, number, number, text -> text",
    sql=_replaced,
    zh="替换指定位置的字符",
    en="With the characters from a place on replaced.",
    example='REPLACE(phone, 4, 4, "****")',
)
def replace_(text: str, start: Decimal, count: Decimal, new: str) -> str:
    if start < 1:
        raise Fault(VALUE)
    first = whole(start, 1_000_000) - 1
    return held(text[:first] + new + text[first + count_of(count) :])


@function(
    "SUBSTITUTE",
    "text, text, text, number? -> text",
    sql=lambda text, old, new, which=None: None if which else Sql("replace", (text.value, old.value, new.value)),
    zh="替换文本",
    en="With one text replaced by another.",
    example='SUBSTITUTE(phone, "-", "")',
)
def substitute(text: str, old: str, new: str, which: Decimal | None = None) -> str:
    if which is not None and which < 1:
        raise Fault(VALUE)
    if not old:
        return text
    if which is None:
        return joined(new, text.split(old))
    place = -1
    for _ in range(min(int(which), len(text) + 1)):
        place = text.find(old, place + 1)
        if place < 0:
            return text
    return held(text[:place] + new + text[place + len(old) :])


@function(
    "FIND",
    "text, text, number? -> number",
    sql=lambda what, where, start=None: None if start else _found(Sql("strpos", (where.value, what.value))),
    zh="查找文本的位置，区分大小写",
    en="Where a text begins in another, capitals counting.",
    example='FIND("@", email)',
)
def find(what: str, where: str, start: Decimal = ONE) -> Decimal:
    first = _begin(where, start)
    place = where.find(what, first)
    if place < 0:
        raise Fault(VALUE)
    return Decimal(place + 1)


def _found(place: Sql) -> Made:
    return Made(place, Sql("is_zero", (place,)))


def _begin(where: str, start: Decimal) -> int:
    if not 1 <= start <= len(where) + 1:
        raise Fault(VALUE)
    return int(start) - 1


def _search(what: Given, where: Given, start: Given | None = None) -> Made | None:
    if start or not isinstance(what.constant, str) or set(what.constant) & set("*?~"):
        return None
    return _found(Sql("strpos", (Sql("fold", (where.value,)), Sql("fold", (what.value,)))))


@function(
    "SEARCH",
    "text, text, number? -> number",
    sql=_search,
    zh="查找文本的位置，不区分大小写，可用通配符",
    en="Where a text begins in another; * and ? stand for anything.",
    example='SEARCH("st", title)',
)
def search(what: str, where: str, start: Decimal = ONE) -> Decimal:
    first = _begin(where, start)
    pattern = re.compile(wildcards(what).pattern.replace(".*", ".*?"), re.DOTALL)
    found = pattern.search(fold(where), first)
    if found is None:
        raise Fault(VALUE)
    return Decimal(found.start() + 1)


@function(
    "REPT",
    "text, number -> text",
    world=True,
    sql=lambda text, n: Made(Sql("repeated", (text.value, n.value)), Sql("not_repeated", (text.value, n.value))),
    zh="重复文本",
    en="A text several times.",
    example='REPT("*", 3)',
)
def rept(run: Run, text: str, times: Decimal) -> str:
    count = count_of(times)
    if count * len(text) > LONGEST_TEXT:
        raise Fault(VALUE)
    run.burn(count)
    return text * count


@function(
    "CONTAINS",
    "each, any -> boolean",
    world=True,
    sql=lambda x, y: Sql("contains", (x, y)),
    zh="文本包含某段文字，或列表包含某个值",
    en="Whether a text contains another, or a list a value.",
    example='CONTAINS(title, "urgent")',
)
def contains(run: Run, where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(equal(run, item, what) for item in flat(where) if not isinstance(item, ErrorValue))
    return fold(as_text(what, run.world)) in fold(as_text(where, run.world))


@function(
    "STARTSWITH",
    "text, text -> boolean",
    sql=lambda x, y: Sql("starts_with", (x.value, y.value)),
    zh="文本以某段文字开头",
    en="Whether a text begins with another.",
    example='STARTSWITH(phone, "138")',
)
def starts_with(text: str, beginning: str) -> bool:
    return fold(text).startswith(fold(beginning))


@function(
    "ENDSWITH",
    "text, text -> boolean",
    sql=call("ends_with"),
    zh="文本以某段文字结尾",
    en="Whether a text ends with another.",
    example='ENDSWITH(email, ".cn")',
)
def ends_with(text: str, ending: str) -> bool:
    return fold(text).endswith(fold(ending))


def _after(text: str, mark: str, which: Decimal) -> int:
    """Where the so-manieth mark begins, counted from the end if negative; -1 if there are not so many."""
    places = [m.start() for m in re.finditer(f"(?={re.escape(mark)})", text)] if mark else []
    place = int(which)
    if not place:
        raise Fault(VALUE)
    if abs(place) > len(places):
        return -1
    return places[place - 1 if place > 0 else place]


def _beside(op: str) -> Form:
    """The first mark only; which of several is looked for by Python alone."""

    def form(text: Given, mark: Given, which: Given | None = None) -> Made | None:
        given = (text.value, mark.value)
        return None if which else Made(Sql(op, given), Sql("unmarked", given))

    return form


@function(
    "TEXTBEFORE",
    "text, text, number? -> text",
    sql=_beside("before"),
    zh="标记之前的文本",
    en="What stands before a mark.",
    example='TEXTBEFORE(email, "@")',
)
def text_before(text: str, mark: str, which: Decimal = ONE) -> str:
    place = _after(text, mark, which)
    if place < 0:
        raise Fault(NA)
    return text[:place]


@function(
    "TEXTAFTER",
    "text, text, number? -> text",
    sql=_beside("after"),
    zh="标记之后的文本",
    en="What stands after a mark.",
    example='TEXTAFTER(email, "@")',
)
def text_after(text: str, mark: str, which: Decimal = ONE) -> str:
    place = _after(text, mark, which)
    if place < 0:
        raise Fault(NA)
    return text[place + len(mark) :]


@function(
    "UNION",
    "each... -> array",
    world=True,
    zh="合并去重",
    en="The different values of lists.",
    example="UNION(items.kind, tags)",
)
def union(run: Run, *args: Any) -> list[Any]:
    found: list[Any] = []
    seen: set[Any] = set()
    for arg in args:
        for item in flat(arg):
            key = fold(item) if isinstance(item, str) else (type(item), item)
            if not is_blank(item) and not isinstance(item, ErrorValue) and key not in seen:
                seen.add(key)
                found.append(item)
    return found
