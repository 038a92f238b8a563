import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DefinitionError
from schemas.formats import CHECK_DIGITS, FORMATS, WEIGHTS
from tests.schemas.fields.examples import made

EXAMPLES = [
    {},
    {"format": "phone"},
    {"format": "mobile"},
    {"format": "email"},
    {"format": "url"},
    {"format": "id_card"},
    {"format": "postcode"},
    {"shortest": 10, "longest": 20},
]


def wrong(format, typed):
    field = made("text", format=format)
    return [str(m) for m in field.check(field.parse(typed))]


@pytest.mark.parametrize(
    "typed",
    ["138 0013 8000", "+86 13800138000", "１３８００１３８０００", "010-62770000", "(0755)8668 8888", "62770000",
     "021-12345678" .replace("1234", "6234"), "0571-87654321-8001", "021-62345678转201", "400-820-8820", "4008208820", "+44 20 7946 0958",
     "0044 20 7946 0958", "+1 (212) 555-0100"],
)  # fmt: skip
def test_phone_numbers_of_china_and_elsewhere(typed):
    assert wrong("phone", typed) == []


@pytest.mark.parametrize(
    "typed", ["12800138000", "1380013800", "138001380001", "110", "+86 12345", "ring me", "+1", "0" * 40]
)
def test_what_cannot_be_rung(typed):
    assert wrong("phone", typed)


def test_a_phone_number_is_kept_without_blanks_and_can_be_clicked():
    field = made("text", format="phone")
    assert field.parse("138 0013 8000") == "13800138000"
    assert field.parse(Decimal("13800138000.0")) == "13800138000"
    assert field.address("13800138000") == "tel:13800138000"
    assert field.keyboard == "tel"


def test_a_mobile_number_is_no_landline():
    assert wrong("mobile", "139 1234 5678") == []
    assert wrong("mobile", "010-62770000")


@pytest.mark.parametrize("typed", ["name@example.com", "li.lei+work@mail.example.com.cn", "张三@例子.公司", "a@b.co"])
def test_email_addresses(typed):
    assert wrong("email", typed) == []


@pytest.mark.parametrize(
    "typed",
    ["name", "a@b", "a b@c.com", "a@@b.com", ".a@b.com", "a..b@c.com", "a@-b.com", "<a@b.com>", "a@b.com,c@d.com"],
)
def test_no_email_addresses(typed):
    assert wrong("email", typed)


@pytest.mark.parametrize(
    "typed",
    ["javascript:alert(1)", "http:/\\evil.example", "ftp://example.com", "//example.com", "http://", "http://a@b.com/"],
)
def test_only_web_addresses_lead_anywhere(typed):
    field = made("text", format="url")
    assert wrong("url", typed)
    assert field.address(typed) == ""


def test_a_web_address_leads_there():
    assert made("text", format="url").address("https://例子.测试/路径?q=1") == "https://例子.测试/路径?q=1"
    assert made("text", format="email").address("a@b.com") == "mailto:a@b.com"
    assert made("text").address("https://example.com") == ""


def test_an_identity_card_keeps_its_zeros_and_its_x():
    field = made("text", format="id_card")
    assert field.parse("11010519491231002x") == "11010519491231002X"
    assert list(field.check("11010519491231002X")) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1101051949123100", "18 characters"),
        ("991105194912310027", "province"),
        ("110105194913310022", "day of birth"),
        ("110105190002290029", "day of birth"),
        ("110105194912310021", "last character"),
        ("110105491231002", "18 characters"),
    ],
)
def test_an_identity_card_that_cannot_be(typed, said):
    assert said in wrong("id_card", typed)[0]


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 999))
def test_one_wrong_digit_of_an_identity_card_is_noticed(birth, order):
    first = f"110105{birth:%Y%m%d}{order:03}"
    last = CHECK_DIGITS[sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True)) % 11]
    assert wrong("id_card", first + last) == []
    other = CHECK_DIGITS[(CHECK_DIGITS.index(last) + 1) % 11]
    assert wrong("id_card", first + other)


def test_lengths():
    field = made("text", shortest=2, longest=3)
    assert [str(m) for m in field.check("four")] == ["Keep it to 3 characters."]
    assert [str(m) for m in field.check("x")] == ["Write at least 2 characters."]
    with pytest.raises(DefinitionError, match="fewer"):
        made("text", shortest=4, longest=3)


def test_a_pattern_has_a_message_of_its_own():
    field = made("text", pattern="[A-Z]{2}-[0-9]+", pattern_message={"zh": "形如 AB-12", "en": "Like AB-12"})
    assert list(field.check("AB-12")) == []
    assert [m.in_language("zh") for m in field.check("ab")] == ["形如 AB-12"]


@pytest.mark.parametrize(
    ("pattern", "reason"), [("(a", "missing"), (r"(a)\1", "escape"), ("a{2000}", "repetition"), ("(?=a)", "perl")]
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern, reason):
    with pytest.raises(DefinitionError) as refused:
        made("text", pattern=pattern)
    assert refused.value.problems[0].path == "pattern"
    assert reason in str(refused.value).lower()


def test_a_catastrophic_pattern_is_harmless():
    field = made("text", pattern="(a+)+$|(a|aa)+b")
    before = time.perf_counter()
    assert list(field.check("a" * 900 + "!"))
    assert time.perf_counter() - before < 0.2


def test_every_format_has_an_example_that_fits():
    assert [f.problem(f.tidy(f.example)) for f in FORMATS.values()] == [None] * len(FORMATS)
