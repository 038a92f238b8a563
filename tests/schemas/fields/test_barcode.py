"""Barcodes: what fits into one."""

import pytest

from runtime.codes import code_svg
from schemas.fields.barcode import Barcode, check_digit

EXAMPLES = [{}, {"code": "qr"}, {"code": "ean13", "scan": False}]


def told(code, text):
    field = Barcode(id="code", code=code)
    return [str(p) for p in field.check(field.parse(text))]


def test_the_last_digit_of_a_product_code_guards_the_others():
    assert told("ean13", "6901234567892") == []
    assert told("ean13", "690-1234 567892") == []
    assert "last digit" in told("ean13", "6901234567891")[0]
    assert "13 digits" in told("ean13", "690123456789")[0]
    assert "13 digits" in told("ean13", "６９０１２３４５６７８９２")[0]
    assert check_digit("400638133393") == "1"


def test_bars_hold_latin_letters_and_a_square_holds_all():
    assert told("code128", "MT-2026 #1") == []
    assert "Latin" in told("code128", "榫卯")[0]
    assert told("qr", "榫卯") == []
    assert told("code128", "x" * 81) != []


@pytest.mark.parametrize(
    ("kind", "text"), [("qr", "榫卯 https://example.com"), ("code128", "MT-1"), ("ean13", "6901234567892")]
)
def test_a_code_is_drawn_for_eyes_and_for_ears(kind, text):
    svg = code_svg(text, kind)
    assert svg.startswith("<svg")
    assert "h1v" in svg
    assert f'aria-label="{text}"' in svg


@pytest.mark.parametrize(
    ("kind", "text"),
    [("qr", ""), ("qr", "x" * 2_001), ("code128", "榫卯"), ("ean13", "6901234567891"), ("ean13", "12")],
)
def test_what_fits_into_no_code_is_not_drawn(kind, text):
    assert code_svg(text, kind) == ""


def test_a_text_cannot_break_out_of_its_picture():
    assert "<script>" not in code_svg('"><script>alert(1)</script>', "qr")


def test_a_lone_hyphen_is_no_product_code():
    assert Barcode(id="code", code="ean13").parse("- -") is None
    assert Barcode(id="code", code="ean13").parse("-\u3000-") is None
