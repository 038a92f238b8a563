from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.fields.base import Field, clean_text, field_types
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Flag, Words
from schemas.text import Sentence

LONGEST = {"qr": 1_000, "code128": 80, "ean13": 13}


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Barcode(Field):
    """A code that is scanned or typed, and shown as a QR code or bars."""

    type = "barcode"
    title = "Barcode"
    about = "Draws a barcode of another field's value, to print on labels and to scan again."
    group = "advanced"
    icon = "field-barcode"
    place = 60
    may_be_unique = True

    code: str = option(Words("qr", "code128", "ean13"), "Shown as", "code128")
    scan: bool = option(Flag(), "Can be scanned with the camera", True)
    by_hand: bool = option(Flag(), "What was scanned may be changed by hand", True)

    @property
    def longest(self) -> int:
        return LONGEST[self.code]

    def parse(self, raw: Any) -> Any:
        text = super().parse(raw)
        return clean_text(text.replace(" ", "").replace("-", "")) if text and self.code == "ean13" else text

    def check(self, value: str) -> Iterator[Sentence]:
        if self.code == "ean13":
            yield from _ean(value)
            return
        if len(value) > self.longest:
            yield say("Keep it to {n} characters.", n=self.longest)
        if self.code == "code128" and not (value.isascii() and value.isprintable()):
            yield say("Bars can only hold Latin letters, digits and signs.")

    def example(self) -> str:
        return "6901234567892" if self.code == "ean13" else "MT-2026-0001"

    def words(self, value: Any) -> str:
        return value or ""


def _ean(text: str) -> Iterator[Sentence]:
    if not (text.isascii() and text.isdigit() and len(text) == 13):
        yield say("Enter the 13 digits below the bars.")
    elif check_digit(text[:12]) != text[12]:
        yield say("The last digit does not fit the others. Please compare it with the label.")


def check_digit(twelve: str) -> str:
    """The last digit of an EAN-13 code, by its first twelve."""
    total = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(twelve))
    return str(-total % 10)
