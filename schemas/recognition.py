"""What kind of field each column of a sheet is: the strictest kind that reads everything in it."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from schemas.errors import BadValue
from schemas.fields import field_types
from schemas.fields.base import Field, clean_text, texts_in
from schemas.fields.choice import TONES
from schemas.importing import fold_key
from schemas.messages import Message, say
from schemas.options import load

Json = dict[str, Any]
Values = Sequence[Any]
"""The cells of a column that hold something, as a sheet has them."""

MOST_OPTIONS = 30
FEW = 8
MOST_KEPT_OPTIONS = 200
LONGEST_OPTION = 60
LONG_TEXT = 120
EXAMPLES = 3

CODE = re.compile(
    r"编号|编码|代码|单号|号码|学号|工号|账号|卡号|证号|条码|\b(?:id|code|no|number|sku|account|barcode|ref)\b\.?", re.I
)
PHONE = re.compile(r"电话|手机|传真|phone|mobile|tel\b|fax", re.I)
POST = re.compile(r"邮编|邮政编码|postcode|zip", re.I)
AMOUNT = re.compile(
    r"金额|价格|单价|总价|售价|费用|成本|工资|薪|预算|款|税额|\b(?:amount|price|cost|salary|budget|revenue|fee|total|value)\b",
    re.I,
)
SIGNS = {"¥": "CNY", "￥": "CNY", "$": "USD", "€": "EUR", "£": "GBP"}
PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?|-?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]{1,10})?")
"""What is a number and no code: no leading zeros, no more digits than Excel keeps."""
PERCENT = re.compile(r"-?[0-9.,]+[%％]")
MOBILE = re.compile(r"1[3-9][0-9]{9}")
LOOKS_DATED = re.compile(r"[0-9]{4}[-/.年][0-9]{1,2}")
YES_OR_NO = {"是", "否", "yes", "no", "true", "false", "√", "×", "y", "n"}


@dataclass(frozen=True)
class Names:
    """The members and departments of the workspace by their folded names, which a column may be made of."""

    members: Collection[str] = ()
    departments: Collection[str] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of field that a column may become: its title, what its definition says of these values, and when it fits."""

    title: Message
    define: Callable[[Values], Json]
    fits: Callable[[str, Values, Names], bool]


@dataclass(frozen=True)
class Column:
    """A column of a sheet: the kind that it is recognised as, or that somebody chose, and what that kind does not read."""

    heading: str
    kind: str
    definition: Json
    """Type and options of the field, without its id and label."""
    examples: tuple[str, ...]
    filled: int
    distinct: bool
    """Whether every row has a value, and no two the same."""
    unread: tuple[str, ...] = ()
    """Some of the values that the kind does not read."""
    unread_count: int = 0


def column(heading: str, cells: Sequence[Any], zone: tzinfo, names: Names, kind: str = "") -> Column:
    """A column as it is recognised, or as the kind that was chosen."""
    values = [cell for cell in cells if cell is not None]
    chosen = kind if kind in KINDS else recognise(heading, values, zone, names)
    definition = KINDS[chosen].define(values)
    texts = [text_of(value) for value in values]
    unread = list(_unread(definition, values, zone, names))
    return Column(
        heading, chosen, definition, tuple(dict.fromkeys(texts))[:EXAMPLES], len(values),
        len(set(texts)) == len(cells), tuple(dict.fromkeys(map(text_of, unread)))[:EXAMPLES], len(unread),
    )  # fmt: skip


def recognise(heading: str, values: Values, zone: tzinfo, names: Names) -> str:
    """The first kind that fits and reads every value; text where none does."""
    if not values:
        return "text"
    for name, kind in KINDS.items():
        if kind.fits(heading, values, names) and not any(True for _ in _unread(kind.define(values), values, zone, names)):
            return name
    return "text"


def text_of(value: Any) -> str:
    """A cell as it reads."""
    if isinstance(value, datetime) and (value.hour, value.minute, value.second) == (0, 0, 0):
        return value.date().isoformat()
    return clean_text(value) or "" if isinstance(value, Decimal) else " ".join(str(value).split())[:200]


def _unread(definition: Json, values: Values, zone: tzinfo, names: Names) -> Iterator[Any]:
    known = {"member": names.members, "department": names.departments}.get(definition["type"])
    if known is not None:
        yield from (value for value in values if fold_key(text_of(value)) not in known)
        return
    field: Field = load(
        field_types[definition["type"]], {"id": "a", **{k: v for k, v in definition.items() if k != "type"}}
    )
    seen: dict[Any, bool] = {}
    for value in values:
        if value not in seen:
            seen[value] = _reads(field, value, zone)
        if not seen[value]:
            yield value


def _reads(field: Field, value: Any, zone: tzinfo) -> bool:
    try:
        read = field.parse_in(value, zone)
    except BadValue:
        return False
    return read is None or not list(field.check(read))


# -- what kinds there are --------------------------------------------------------------------------


def _typed(type: str, **options: Any) -> Callable[[Values], Json]:
    return lambda values: {"type": type, **options}


def _number(values: Values) -> Json:
    return {"type": "number", "decimals": _decimals(values)}


def _percent(values: Values) -> Json:
    return {"type": "number", "percent": True, "decimals": _decimals(values)}


def _decimals(values: Values) -> int:
    """As many as the values have, up to six."""
    texts = [text_of(v).rstrip("%％").replace(",", "") for v in values]
    return min(6, max((len(text.partition(".")[2]) for text in texts), default=0))


def _money(values: Values) -> Json:
    signs = Counter(SIGNS.get(text_of(v)[:1], "") for v in values)
    signs.pop("", None)
    currency = signs.most_common(1)[0][0] if signs else "CNY"
    return {"type": "money", **({"currency": currency} if currency != "CNY" else {})}


def _options(texts: Sequence[str]) -> list[Json]:
    """An option for each text, the most frequent first."""
    found = [text for text, _ in Counter(texts).most_common(MOST_KEPT_OPTIONS)]
    return [{"id": f"option_{n}", "label": text, "color": TONES[n % len(TONES)]} for n, text in enumerate(found, 1)]


def _choice(values: Values) -> Json:
    return {"type": "choice", "options": _options([text_of(v) for v in values]) or _options(["1"])}


def _choices(values: Values) -> Json:
    return {
        "type": "choices",
        "options": _options([p for v in values for p in texts_in(text_of(v))]) or _options(["1"]),
    }


def _texts(heading: str, values: Values, names: Names) -> bool:
    return all(isinstance(v, str) for v in values)


def _looks(pattern: re.Pattern[str]) -> Callable[[str, Values, Names], bool]:
    return lambda heading, values, names: all(pattern.fullmatch(text_of(v)) for v in values)


def _named(pattern: re.Pattern[str]) -> Callable[[str, Values, Names], bool]:
    return lambda heading, values, names: bool(pattern.search(heading))


def _holds(sign: str) -> Callable[[str, Values, Names], bool]:
    return lambda heading, values, names: all(sign in text_of(v) for v in values)


def _is_code(heading: str, values: Values, names: Names) -> bool:
    """Digits that nobody adds up, or that a number would lose: `007`, an order's number, 18 digits."""
    texts = [text_of(v) for v in values]
    if not all(re.fullmatch(r"[0-9]+", text) for text in texts):
        return False
    return bool(CODE.search(heading)) or any(len(t) > 15 or t[0] == "0" and len(t) > 1 for t in texts)


def _is_yes_or_no(heading: str, values: Values, names: Names) -> bool:
    return all(isinstance(v, bool) or fold_key(str(v)) in YES_OR_NO for v in values)


def _is_number(heading: str, values: Values, names: Names) -> bool:
    return all(isinstance(v, Decimal) or isinstance(v, str) and PLAIN.fullmatch(v.strip()) for v in values)


def _is_money(heading: str, values: Values, names: Names) -> bool:
    signed = all(isinstance(v, str) and v.strip()[:1] in SIGNS for v in values)
    return signed or bool(AMOUNT.search(heading)) and _is_number(heading, values, names) and _decimals(values) <= 2


def _is_dated(heading: str, values: Values, names: Names) -> bool:
    return all(isinstance(v, date) or isinstance(v, str) and LOOKS_DATED.match(v.strip()) for v in values)


def _is_day(heading: str, values: Values, names: Names) -> bool:
    moments = [v for v in values if isinstance(v, datetime)]
    timed = any(v.hour or v.minute or v.second for v in moments) or any(isinstance(v, str) and ":" in v for v in values)
    return not timed and _is_dated(heading, values, names)


def _is_clock(heading: str, values: Values, names: Names) -> bool:
    return all(isinstance(v, str) and re.fullmatch(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", v.strip()) for v in values)


def _repeats(texts: Sequence[str]) -> bool:
    """Few answers, given again and again: not names, of which each new row may bring another."""
    found = set(texts)
    short = all(len(text) <= LONGEST_OPTION for text in found)
    few = len(found) <= FEW or len(found) * 10 <= len(texts)
    return short and 2 <= len(found) <= MOST_OPTIONS and few and len(found) * 2 <= len(texts)


def _is_choice(heading: str, values: Values, names: Names) -> bool:
    return not CODE.search(heading) and _texts(heading, values, names) and _repeats([text_of(v) for v in values])


def _is_choices(heading: str, values: Values, names: Names) -> bool:
    if not _texts(heading, values, names):
        return False
    parts = [texts_in(v) for v in values]
    return sum(len(p) > 1 for p in parts) * 4 >= len(parts) and _repeats([text for p in parts for text in p])


def _is_long(heading: str, values: Values, names: Names) -> bool:
    return any(isinstance(v, str) and ("\n" in v or len(v) > LONG_TEXT) for v in values)


def _of(known: str) -> Callable[[str, Values, Names], bool]:
    def fits(heading: str, values: Values, names: Names) -> bool:
        return bool(getattr(names, known)) and _texts(heading, values, names)

    return fits


def _never(heading: str, values: Values, names: Names) -> bool:
    return False


KINDS: Mapping[str, Kind] = {
    "switch": Kind(say("Switch"), _typed("switch"), _is_yes_or_no),
    "id_card": Kind(say("Identity card"), _typed("text", format="id_card"), _texts),
    "mobile": Kind(say("Mobile phone"), _typed("text", format="mobile"), _looks(MOBILE)),
    "phone": Kind(say("Phone"), _typed("text", format="phone"), _named(PHONE)),
    "email": Kind(say("E-mail"), _typed("text", format="email"), _holds("@")),
    "url": Kind(say("Web address"), _typed("text", format="url"), _holds("://")),
    "postcode": Kind(say("Postcode"), _typed("text", format="postcode"), _named(POST)),
    "code": Kind(say("Digits as text"), _typed("text"), _is_code),
    "percent": Kind(say("Percent"), _percent, _looks(PERCENT)),
    "money": Kind(say("Money"), _money, _is_money),
    "number": Kind(say("Number"), _number, _is_number),
    "date": Kind(say("Date"), _typed("date"), _is_day),
    "datetime": Kind(say("Date and time"), _typed("datetime"), _is_dated),
    "time": Kind(say("Time of day"), _typed("time"), _is_clock),
    "member": Kind(say("Member"), _typed("member"), _of("members")),
    "department": Kind(say("Department"), _typed("department"), _of("departments")),
    "choice": Kind(say("Single choice"), _choice, _is_choice),
    "choices": Kind(say("Multiple choice"), _choices, _is_choices),
    "long_text": Kind(say("Long text"), _typed("long_text"), _is_long),
    "text": Kind(say("Text"), _typed("text"), _never),
}  # fmt: skip
"""By the order in which they are tried."""
