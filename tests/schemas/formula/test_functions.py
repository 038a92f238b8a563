"""Every function: its help, and what it gives."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.formula import ErrorValue, Formula, evaluate_untyped
from schemas.formula.functions import FUNCTIONS
from schemas.formula.tree import Call, walk

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=ZoneInfo("UTC"))
ASKED = [
    "AND",
    "OR",
    "NOT",
    "XOR",
    "IF",
    "IFS",
    "SWITCH",
    "TRUE",
    "FALSE",
    "ISBLANK",
    "CONCATENATE",
    "JOIN",
    "SPLIT",
    "CHAR",
    "EXACT",
    "LEFT",
    "RIGHT",
    "MID",
    "LEN",
    "LOWER",
    "UPPER",
    "TRIM",
    "REPLACE",
    "SUBSTITUTE",
    "SEARCH",
    "FIND",
    "REPT",
    "TEXT",
    "VALUE",
    "RMBCAP",
    "UNION",
    "CONTAINS",
    "STARTSWITH",
    "ABS",
    "AVERAGE",
    "CEILING",
    "FLOOR",
    "COUNT",
    "COUNTA",
    "COUNTIF",
    "SUM",
    "SUMIF",
    "SUMIFS",
    "SUMPRODUCT",
    "INT",
    "TRUNC",
    "ROUND",
    "ROUNDUP",
    "ROUNDDOWN",
    "FIXED",
    "MAX",
    "MIN",
    "LARGE",
    "SMALL",
    "MEDIAN",
    "LN",
    "LOG",
    "EXP",
    "MOD",
    "POWER",
    "PRODUCT",
    "SQRT",
    "SIGN",
    "SIN",
    "COS",
    "TAN",
    "COT",
    "RADIANS",
    "PI",
    "RAND",
    "RANDBETWEEN",
    "DATE",
    "TIME",
    "DATEVALUE",
    "DATEDELTA",
    "DATEDIF",
    "DATEADD",
    "DAYS",
    "DAYS360",
    "EDATE",
    "EOMONTH",
    "YEAR",
    "QUARTER",
    "MONTH",
    "DAY",
    "HOUR",
    "MINUTE",
    "SECOND",
    "WEEKDAY",
    "WEEKNUM",
    "ISOWEEKNUM",
    "NETWORKDAYS",
    "WORKDAY",
    "TODAY",
    "NOW",
    "TIMESTAMP",
    "DISTANCE",
    "INDEX",
    "UUID",
    "RECNO",
    "HOURS",
    "MONTHS",
]


def value_of(source: str, zone: str = "Asia/Shanghai", **values: Any) -> Any:
    return evaluate_untyped(source, values, NOW, ZoneInfo(zone))


def test_all_that_were_asked_for_are_there() -> None:
    assert [name for name in ASKED if name not in FUNCTIONS] == []


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS.values()), key=lambda f: f.name), ids=lambda f: f.name)
def test_has_help_in_both_languages_and_an_example_that_uses_it(function: Any) -> None:
    assert function.group in ("logic", "text", "math", "date", "people", "lookup")
    assert all(function.summary.by_language[language] for language in ("zh", "en"))
    used = [part.name for part in walk(Formula.of(function.example).tree) if isinstance(part, Call)]
    assert any(FUNCTIONS[name] is function for name in used) or function.name in ("TRUE", "FALSE")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("ROUND(2.5, 0)", 3),
        ("ROUND(-2.5, 0)", -3),
        ("ROUND(1234.5, -2)", 1200),
        ("ROUNDUP(3.2, 0)", 4),
        ("ROUNDDOWN(-3.7, 0)", -3),
        ("INT(-3.2)", -4),
        ("TRUNC(-3.7)", -3),
        ("MOD(-3, 2)", 1),
        ("MOD(3, -2)", -1),
        ("MOD(1, 0)", "#DIV/0!"),
        ("CEILING(10, 3)", 12),
        ("CEILING(10, -3)", "#NUM!"),
        ("CEILING(-10, 3)", -9),
        ("CEILING(-10, -3)", -12),
        ("FLOOR(-10, 3)", -12),
        ("FLOOR(0.3, 0.1)", "0.3"),
        ("CEILING(2.1, 0.1)", "2.1"),
        ("POWER(0, 0)", "#NUM!"),
        ("SQRT(-1)", "#NUM!"),
        ("LOG(8, 2)", 3),
        ("LN(1)", 0),
        ("EXP(0)", 1),
        ("SIGN(-2)", -1),
        ("LARGE({3,1,2}, 2)", 2),
        ("SMALL({3,1,2}, 4)", "#NUM!"),
        ("MEDIAN(1, 2, 3, 4)", "2.5"),
        ("PRODUCT(2, 3, 4)", 24),
        ("SUMPRODUCT({1,2,3}, {4,5,6})", 32),
        ('SUM("3", 2)', 5),
        ('SUM("x")', "#VALUE!"),
        ('SUM({"3",2})', 2),
        ("AVERAGE({1,2,4})", "2.33333333333333333333"),
        ('COUNT(1, "a", TRUE, "2")', 3),
        ('COUNTA(1, "a")', 2),
        ('COUNTIF({1,2,3,4}, ">2")', 2),
        ('COUNTIF({1,2,3,4}, "!=2")', 3),
        ('SUMIF({1,2,3}, ">1", {10,20,30})', 50),
    ],
)
def test_numbers(source: str, value: Any) -> None:
    assert value_of(source) == (ErrorValue(value) if str(value).startswith("#") else Decimal(value))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('LEFT("报销单", 2)', "报销"),
        ('RIGHT("abc", 5)', "abc"),
        ('MID("110101199003071234", 7, 8)', "19900307"),
        ('MID("abc", 0, 1)', "#VALUE!"),
        ('LEFT("abc", -1)', "#VALUE!"),
        ('TRIM("  a   b ")', "a b"),
        ('REPLACE("13812345678", 4, 4, "****")', "138****5678"),
        ('SUBSTITUTE("aXbXc", "X", "-", 2)', "aXb-c"),
        ('SUBSTITUTE("abc", "B", "-")', "abc"),
        ('PROPER("ann LEE")', "Ann Lee"),
        ('REPT("ab", 3)', "ababab"),
        ('TEXTJOIN("-", TRUE, "a", "", "b")', "a-b"),
        ("CHAR(65)", "A"),
        ("CHAR(0)", "#VALUE!"),
        ('UPPER("straße")', "STRAßE"),
        ("FIXED(1234.567, 1)", "1,234.6"),
        ("FIXED(-0.001, 1)", "0.0"),
        ("RMBCAP(0)", "零元整"),
        ("RMBCAP(100203.04)", "壹拾万零贰佰零叁元零肆分"),
        ("RMBCAP(1.1)", "壹元壹角整"),
        ("RMBCAP(0.05)", "伍分"),
        ("RMBCAP(100000000)", "壹亿元整"),
        ("RMBCAP(1000000000000)", "壹万亿元整"),
        ("RMBCAP(10001)", "壹万零壹元整"),
        ("RMBCAP(-20.5)", "负贰拾元伍角整"),
        ("RMBCAP(100010000)", "壹亿零壹万元整"),
        ('TEXT(1234.5, "#,##0.00")', "1,234.50"),
        ('TEXT(0.256, "0.0%")', "25.6%"),
        ('TEXT(-5, "0;(0)")', "(5)"),
        ('TEXT(7, "000")', "007"),
        ('TEXT(1234567, "0.0,,")', "1.2"),
        ('TEXT(12345, "0.00E+00")', "1.23E+04"),
        ('TEXT(1.5, "# ?/?")', "1 1/2"),
        ('TEXT(DATE(2026,3,5), "yyyy年m月d日 aaaa")', "2026年3月5日 星期四"),
        ('TEXT(DATE(2026,3,5,14,7,9), "yyyy-MM-dd HH:mm:ss")', "2026-03-05 14:07:09"),
        ('TEXT(0.75, "h:mm AM/PM")', "6:00 PM"),
        ('TEXT(DATE(2026,3,5), "yyyyMMdd")', "20260305"),
        ('TEXT(1.5, "[h]:mm")', "36:00"),
        ('TEXT("abc", "0.00")', "abc"),
        ('TEXT(DATE(2026,3,5), "ddd, mmmm d")', "Thu, March 5"),
    ],
)
def test_texts(source: str, value: str) -> None:
    assert value_of(source) == (ErrorValue(value) if value.startswith("#") else value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('FIND("b", "abcb")', 2),
        ('FIND("B", "abc")', "#VALUE!"),
        ('SEARCH("B", "abc")', 2),
        ('SEARCH("b*d", "abcd")', 2),
        ('LEN("榫卯😀")', 3),
        ('VALUE("1,234.5")', "1234.5"),
        ('VALUE("12%")', "0.12"),
        ('VALUE("abc")', "#VALUE!"),
        ('CODE("A")', 65),
        ("DAYS(DATE(2026,3,1), DATE(2026,2,28))", 1),
        ('DATEDIF(DATE(2024,1,31), DATE(2024,3,1), "m")', 1),
        ('DATEDIF(DATE(2024,1,15), DATE(2024,3,1), "md")', 15),
        ('DATEDIF(DATE(2020,2,29), DATE(2026,2,28), "y")', 5),
        ('DATEDIF(DATE(2016,2,29), DATE(2020,2,27), "yd")', 364),
        ('DATEDIF(DATE(2016,2,27), DATE(2020,3,1), "yd")', 3),
        ("WEEKDAY(DATE(2026,11,24))", 3),
        ("WEEKDAY(DATE(2026,11,24), 2)", 2),
        ("WEEKNUM(DATE(2026,1,4))", 2),
        ("ISOWEEKNUM(DATE(2027,1,1))", 53),
        ("QUARTER(DATE(2026,11,24))", 4),
        ("NETWORKDAYS(DATE(2026,11,2), DATE(2026,11,30))", 21),
        ('NETWORKDAYS(DATE(2026,11,2), DATE(2026,11,6), {"2026-11-03"})', 4),
        ('NETWORKDAYS(DATE(2024,10,1), DATE(2024,10,31), "CN")', 19),
        ('NETWORKDAYS(DATE(2024,10,31), DATE(2024,10,1), "CN")', -19),
        ('NETWORKDAYS(DATE(2024,10,1), DATE(2024,10,31), {"CN","2024-10-12"})', 18),
        ('NETWORKDAYS.INTL(DATE(2024,10,7), DATE(2024,10,13), "0000001", "CN")', 5),
        ("DAYS360(DATE(2026,1,31), DATE(2026,3,1))", 31),
        ("HOURS(DATE(2026,1,2), DATE(2026,1,1))", 24),
        ("TIMESTAMP(DATE(1970,1,1,8,0,0))", 0),
        ("MONTHS(DATE(2026,3,31), DATE(2026,1,31))", 2),
        ("TIME(12,0,0)", "0.5"),
        ("HOUR(NOW())", 11),
        ('MATCH("b", {"a","b"}, 0)', 2),
        ("VLOOKUP(2, {1,10;2,20}, 2, FALSE)", 20),
        ("INDEX({1,2;3,4}, 2, 1)", 3),
        ('DISTANCE("31.2304,121.4737", "31.2304,121.4737")', 0),
        ("YEARFRAC(DATE(2026,1,1), DATE(2026,7,1))", "0.5"),
    ],
)
def test_figures_of_texts_and_dates(source: str, value: Any) -> None:
    assert value_of(source) == (ErrorValue(value) if str(value).startswith("#") else Decimal(value))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("EDATE(DATE(2024,1,31), 1)", date(2024, 2, 29)),
        ("EOMONTH(DATE(2024,1,15), 1)", date(2024, 2, 29)),
        ("DATE(2024, 14, 35)", date(2025, 3, 7)),
        ("WORKDAY(DATE(2026,11,27), 1)", date(2026, 11, 30)),
        ("WORKDAY(DATE(2026,11,30), -1)", date(2026, 11, 27)),
        ('DATEVALUE("2024-02-29")', date(2024, 2, 29)),
        ('DATEVALUE("2024年2月9日")', date(2024, 2, 9)),
        ('DATEADD(DATE(2024,1,31), 1, "M")', date(2024, 2, 29)),
        ('DATEDELTA(DATE(2024,1,31), -1, "d")', date(2024, 1, 30)),
        ("TODAY()", date(2026, 11, 24)),
    ],
)
def test_dates(source: str, value: date) -> None:
    assert value_of(source) == value


def test_distance_is_in_metres() -> None:
    beijing_shanghai = value_of('DISTANCE("39.9042,116.4074", "31.2304,121.4737")')
    assert 1_060_000 < beijing_shanghai < 1_075_000
    assert value_of('DISTANCE("91,0", "0,0")') == ErrorValue("#NUM!")


def test_lists() -> None:
    assert value_of('SPLIT("a,b,,c", ",")') == ["a", "b", None, "c"]
    assert value_of('UNION({"a","A","b"}, {"b","c"})') == ["a", "b", "c"]


def test_days_are_added_on_the_clock_across_a_change_of_clocks() -> None:
    source = 'TEXT(DATEADD(DATE(2026,3,28,12,0,0), 1, "d"), "yyyy-mm-dd hh:mm")'
    assert value_of(source, "Europe/Berlin") == "2026-03-29 12:00"
