"""A formula gives the same answer in Python and in PostgreSQL, whatever the values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from schemas.formula import ErrorValue, Expression, FormulaError
from schemas.formula.functions import FUNCTIONS, Function, Parameter
from tests.expressions_world import FIELDS, KINDS, Bench, bench, checked, in_python

WORDS = [
    "",
    " ",
    "a",
    "A",
    "aB",
    "Ab",
    "%",
    "_",
    "a%b",
    "ab",
    "é",
    "É",
    "ß",
    "出差",
    "出 差",
    "Ａ",
    "😀",
    "z",
    "10",
    '"',
    "\\",
]
NUMBERS = [
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "-0.5",
    "2.5",
    "1.005",
    "3",
    "7",
    "100",
    "12345678901234567890",
    "0.00000000000000000001",
    "-1e20",
    "-3000000",
    "99999",
    "-99999",
    "1e-15",
]
DAYS = [
    date(2024, 2, 29),
    date(2026, 1, 31),
    date(2026, 11, 24),
    date(1999, 12, 31),
    date(1970, 1, 1),
    date(2026, 11, 23),
    date(2026, 3, 8),
    date(2018, 11, 4),
    date(2018, 2, 18),
]
MOMENTS = [
    datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 23, 16, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 3, 30, tzinfo=UTC),
    datetime(1985, 5, 4, 12, 0, 0, 123456, tzinfo=UTC),
    datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2018, 11, 4, 2, 30, tzinfo=UTC),
    datetime(2018, 2, 18, 2, 30, tzinfo=UTC),
    datetime(2024, 2, 28, 23, 0, tzinfo=UTC),
]
ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "UTC")]
PEOPLE = [UUID(int=7), UUID(int=70), UUID(int=71)]
EACH = 15

numbers = st.sampled_from(NUMBERS).map(Decimal)
words = st.sampled_from(WORDS)
values = {
    "number": numbers,
    "text": words.map(lambda w: w or None),
    "date": st.sampled_from(DAYS),
    "datetime": st.sampled_from(MOMENTS),
    "boolean": st.booleans(),
    "choice": st.sampled_from(sorted(KINDS.options or ())),
    "member": st.sampled_from(PEOPLE),
    "department": st.sampled_from(PEOPLE),
    "link": st.none(),
    "array": st.lists(st.sampled_from(sorted(KINDS.options or ())), unique=True, max_size=3).map(
        lambda found: found or None
    ),
}
rows = st.fixed_dictionaries(
    {
        "what": st.none() | values["text"],
        "quantity": st.none() | numbers,
        "price": st.none() | numbers,
        "done": st.none() | st.booleans(),
        "on": st.none() | values["date"],
    }
)
records = st.fixed_dictionaries(
    {name: st.none() | values[kind.kind] for name, kind in FIELDS.items() if name not in ("items", "proof", "vendor")}
).flatmap(lambda record: st.lists(rows, max_size=3).map(lambda found: {**record, "items": found}))


def text_literal(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


literals = {
    "number": numbers.map(lambda n: f"{n:f}" if n >= 0 else f"({n:f})"),
    "text": words.map(text_literal),
    "boolean": st.sampled_from(["TRUE", "FALSE"]),
    "choice": st.sampled_from(sorted(KINDS.options or ())).map(text_literal),
}
fields = {
    kind: st.sampled_from([name for name, found in FIELDS.items() if found.kind == kind])
    for kind in ("number", "text", "date", "datetime", "boolean", "choice", "member", "department")
}
columns = {
    "number": ["items.price", "items.quantity"],
    "text": ["items.what"],
    "boolean": ["items.done"],
    "date": ["items.on"],
}


def made(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: template.format(*found))


def formulas(depth: int, lifted: bool = False) -> dict[str, st.SearchStrategy[str]]:
    """Well-typed formulas of every kind; `lifted` ones have a value for every row."""
    leaf = {kind: fields[kind] | literals[kind] if kind in literals else fields[kind] for kind in fields}
    if lifted:
        leaf = {kind: st.sampled_from(columns[kind]) | leaf[kind] if kind in columns else leaf[kind] for kind in leaf}
    if depth == 0:
        return leaf
    inner = formulas(depth - 1, lifted)
    row = formulas(depth - 1, True) if not lifted else None
    n, s, d, m, p, k = (inner[x] for x in ("number", "text", "date", "datetime", "boolean", "choice"))
    signs = st.sampled_from(["=", "<>", "<", ">", "<=", ">="])
    number = [
        leaf["number"],
        made("({} {} {})", n, st.sampled_from("+-*/"), n),
        made("-{}", n),
        made("{}%", leaf["number"]),
        made("ROUND({}, {})", n, st.sampled_from(["0", "2", "-2", "1.7"])),
        made("DAYS({}, {})", d | m, d | m),
        made("({} - {})", d, d | m),
        made("IF({}, {}, {})", p, n, n),
        made("MAX({}, {})", n, n),
        made("MIN({}, {}, {})", n, n, n),
        made("SUM({}, {})", n, n),
        made("COUNT({}, {})", n, s),
        made("IFS({}, {}, {}, {})", p, n, p, n),
        made("({} + {} - {} + {})", n, n, n, n),
    ]
    boolean = [
        leaf["boolean"],
        made("({} {} {})", n, signs, n),
        made("({} {} {})", s, signs, s),
        made("({} {} {})", d | m, signs, d | m),
        made("({} {} {})", k, st.sampled_from(["=", "<>"]), leaf["choice"]),
        made("AND({}, {})", p, p),
        made("OR({}, {})", p, p),
        made("XOR({}, {})", p, p),
        made("NOT({})", p),
        made("ISBLANK({})", n | s | d | k),
        made("CONTAINS({}, {})", s, s),
        made("({} IN {{{},{}}})", s, literals["text"], literals["text"]),
        made("({} IN {{{},{}}})", k, literals["choice"], literals["choice"]),
        made("({} = {})", p, p),
        made('({} = "")', s | n | d | p),
        made("({} IN tags)", k),
        made("CONTAINS(tags, {})", literals["choice"]),
        made("({} = {})", fields["member"], fields["member"] | st.just("ME()")),
        st.just("(department IN ME().headed_departments)"),
    ]
    if row is not None:
        number += [
            made("SUM({}, {})", row["number"], n),
            made("COUNT({})", row["number"] | row["text"]),
            made("MAX({})", row["number"]),
            made("MIN({}, {})", row["number"], n),
            st.just("COUNT(items)"),
            st.just("COUNT(tags)"),
        ]
        boolean += [
            made("OR({})", row["boolean"]),
            made("AND({}, {})", row["boolean"], p),
            made("({} IN items.what)", s),
        ]
    text = [
        leaf["text"],
        made("({} & {})", s, s | n | d | m | p),
        made("IF({}, {}, {})", p, s, s),
        made('IF({}, {}, "")', p, s),
    ]
    return {
        **inner,
        "number": st.one_of(number),
        "boolean": st.one_of(boolean),
        "text": st.one_of(text),
        "date": st.one_of(
            leaf["date"],
            made("({} + {})", d, n),
            made("({} - {})", d, n),
            st.just("TODAY()"),
            made("MAX({}, {})", d, d),
        ),
        "datetime": st.one_of(
            leaf["datetime"],
            made("({} + {})", m, st.sampled_from(["1", "0.5", "-0.25", "a", "-3000000", "3000000"])),
            st.just("NOW()"),
        ),
        "choice": st.one_of(leaf["choice"], made("IF({}, {}, {})", p, k, k)),
    }


every = formulas(3)


@pytest.fixture(scope="module")
def claims(engine):
    with engine.connect() as conn, bench(conn) as kept:
        yield kept


def outside(value: Any, expression: Expression) -> Any:
    """What a value is to those who ask: no error, no blank condition."""
    if isinstance(value, ErrorValue):
        value = None
    if expression.type.kind == "boolean":
        return bool(value)
    return value


def compare(claims: Bench, expression: Expression, record: dict[str, Any], zone: ZoneInfo) -> None:
    with claims.conn.begin_nested() as kept:
        claims.keep(record)
        in_sql = outside(claims.ask(expression, zone), expression)
        kept.rollback()
    assert in_sql == outside(in_python(expression, record, zone=zone), expression)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(list(every.values())), records, st.sampled_from(ZONES))
def test_python_and_sql_agree(claims, source, record, zone):
    expression = checked(source)
    assert expression.no_sql is None
    compare(claims, expression, record, zone)


SIZES = ["0", "1", "-1", "2", "3", "-3", "7", "0.5", "1.9", "-0.25", "100"]
UNITS = ["y", "M", "w", "d", "h", "m", "s", "quarter", "days", "minutes"]
SPANS = ["d", "m", "y", "ym", "md", "yd", "YD", "h", "min", "s"]
FORMATS = [
    "yyyy-MM-dd",
    "yyyy-mm",
    "yy/m/d",
    "yyyy年m月d日 aaaa",
    "hh:mm:ss",
    "h:m",
    "ddd d mmm yyyy",
    "dddd mmmm",
    "mm:ss",
]
NUMBER_FORMATS = ["0", "0.00", "#,##0", "¥#,##0.00", "0%", "0.0%", "#,##0.000"]
WEEKS = ["1", "2", "11", "13", "17", "21", "3", "9"]
PLACES = ["31.23,121.47", "-33.86, 151.21", "90,0", "0,-180", "91,0", "a", "", "1,2,3", " 48.85 ,2.35 "]


def quoted(words: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(words).map(text_literal)


@cache
def written() -> dict[str, list[st.SearchStrategy[str]]]:
    """Calls of functions whose arguments must be written out, or say little unless they are of a certain kind."""
    n, s, p = INNER["number"], INNER["text"], INNER["boolean"]
    d, m, size = INNER["date"], INNER["datetime"], st.sampled_from(SIZES)
    count, week = st.sampled_from(SIZES) | fields["number"], st.sampled_from(WEEKS)
    weekend = st.sampled_from(["11", "1", '"0000011"', "9"])
    place = quoted(PLACES) | st.sampled_from(['(s & "")', '("31.2,121." & DAY(d))', '("1,2" & s)'])
    return {
        "TEXT": [made("TEXT({}, {})", d | m, quoted(FORMATS)), made("TEXT({}, {})", n, quoted(NUMBER_FORMATS))],
        "DATEADD": [made("DATEADD({}, {}, {})", d | m, count, quoted(UNITS)), made("DATEADD({}, {})", d | m, count)],
        "DATEDIF": [made("DATEDIF({}, {}, {})", d | m, d | m, quoted(SPANS))],
        "DATE": [made("DATE({}, {}, {})", st.sampled_from(["2024", "1899", "YEAR(d)"]) | n, count, count)],
        "WEEKDAY": [made("WEEKDAY({}, {})", d | m, week), made("WEEKDAY({})", d)],
        "WEEKNUM": [made("WEEKNUM({}, {})", d | m, week)],
        "DAYS360": [made("DAYS360({}, {}, {})", d, d, literals["boolean"])],
        "NETWORKDAYS": [made('NETWORKDAYS({}, {}, "CN")', d | m, d), made("NETWORKDAYS({}, {})", d, d)],
        "NETWORKDAYS.INTL": [made("NETWORKDAYS.INTL({}, {}, {})", d, d, weekend)],
        "WORKDAY": [made('WORKDAY({}, {}, "CN")', d | m, size), made("WORKDAY({}, {})", d, size)],
        "WORKDAY.INTL": [made("WORKDAY.INTL({}, {}, {})", d, size, weekend)],
        "FIXED": [made("FIXED({}, {}, {})", n, st.sampled_from(["0", "2", "-2", "1.7"]), literals["boolean"])],
        "TEXTJOIN": [made("TEXTJOIN({}, {}, {}, {})", s, literals["boolean"], s | n, s | d)],
        "DISTANCE": [made("DISTANCE({}, {})", place, place)],
        "CHOOSE": [made("CHOOSE({}, {}, {})", count, n, n), made("CHOOSE({}, {}, {}, {})", n, s, s, s)],
        "CEILING": [made("CEILING({}, {})", n, size)], "FLOOR": [made("FLOOR({}, {})", n, size)],
        "MROUND": [made("MROUND({}, {})", n, size)],
        "CEILING.MATH": [made("CEILING.MATH({}, {}, {})", n, size, st.sampled_from("01"))],
        "FLOOR.MATH": [made("FLOOR.MATH({}, {}, {})", n, size, st.sampled_from("01"))],
        "TIME": [made("TIME({}, {}, {})", size, size, size)],
        "HOUR": [made("HOUR({})", st.sampled_from(["0.5", "(a/7)", "(a/b)", "1.25", "TIME(23,59,59)"]))],
        "MINUTE": [made("MINUTE({})", st.sampled_from(["0.5", "(a/7)", "0.999999999999"]))],
        "SECOND": [made("SECOND({})", st.sampled_from(["(a/7)", "(a/86400)", "1.1"]))],
        "LARGE": [made("LARGE(items.price, {})", size), made("LARGE(items.price * items.quantity, {})", size)],
        "SMALL": [made("SMALL(items.price, {})", size)],
        "REPT": [made("REPT({}, {})", s, size)], "REPLACE": [made("REPLACE({}, {}, {}, {})", s, size, size, s)],
        "TEXTBEFORE": [made("TEXTBEFORE({}, {})", s, quoted(["b", "", "%", "差"]))],
        "TEXTAFTER": [made("TEXTAFTER({}, {})", s, quoted(["a", " ", "_"]))],
        "N": [made("N({})", p | s | n)], "ISLOGICAL": [made("ISLOGICAL({})", p)],
        "GETUSERNAME": [st.just("GETUSERNAME()")],
    }  # fmt: skip


@cache
def arguments(kind: str, listed: bool) -> st.SearchStrategy[str]:
    """Arguments of a kind: single values, and columns of rows where lists are taken."""
    single = {"moment": "datetime"}.get(kind, kind)
    found = INNER[single] | INNER["date"] if kind == "moment" else INNER[single]
    return found | ROW["date" if kind == "moment" else kind] if listed and kind != "datetime" else found


def call_of(function: Function) -> st.SearchStrategy[str]:
    """A call with arguments of the kinds that the function takes, of one kind where it takes any."""
    most = function.most or function.least + 2
    counts = [n for n in range(function.least, most + 1) if function.places(n) is not None]
    places = st.sampled_from(counts).map(function.places)
    anything = st.sampled_from(["number", "text", "date", "datetime", "choice", "boolean"])

    def call(chosen: tuple[tuple[Parameter, ...], str]) -> st.SearchStrategy[str]:
        kinds = [(chosen[1] if p.element == "any" else p.element, p.takes_lists) for p in chosen[0]]
        parts = st.tuples(*(arguments(kind, listed) for kind, listed in kinds))
        return parts.map(lambda found: f"{function.name}({', '.join(found)})")

    return st.tuples(places, anything).flatmap(call)


INNER, ROW = formulas(1), formulas(1, True)
FORMED = sorted({f.name for f in FUNCTIONS.values() if f.form is not None})


@pytest.mark.parametrize("name", FORMED)
def test_every_function_with_an_sql_form_agrees(claims, name):
    @settings(max_examples=EACH, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(*written().get(name, [call_of(FUNCTIONS[name])])), records, st.sampled_from(ZONES))
    def agrees(source, record, zone):
        try:
            expression = checked(source)
        except FormulaError:
            assume(False)
        if expression.no_sql is not None:
            assume(False)
        met.append(source)
        compare(claims, expression, record, zone)

    met: list[str] = []
    agrees()
    assert met, f"{name} was never computed by the database"
