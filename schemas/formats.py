"""The forms that a line of text may be asked to have: telephone numbers, addresses, identity cards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from schemas.messages import Message, say
from schemas.patterns import matches

WIDTHS = str.maketrans({chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)} | {"\u3000": " "})
"""Full-width letters, digits and signs, as Chinese keyboards give them, to plain ones."""
MOBILE = r"(\+86)?1[3-9][0-9]{9}"
LANDLINE = r"(\+86)?(\(?0[0-9]{2,3}\)?-?)?[2-9][0-9]{6,7}((-|x|ext\.?|转)[0-9]{1,6})?|[48]00-?[0-9]{3}-?[0-9]{4}"
FOREIGN = r"(\+|00)[1-9][0-9]{0,2}(-?\(?[0-9]+\)?){1,6}"
EMAIL = r"[^@\s\"'<>(),;:]{1,64}@([0-9\p{L}]([0-9\p{L}-]*[0-9\p{L}])?\.)+[\p{L}][0-9\p{L}-]*[0-9\p{L}]"
URL = r"(?i:https?)://[^\s/$.?#@\\\"'<>][^\s/?#@\\\"'<>]*([/?#][^\s\"'<>\\]*)?"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
PROVINCES = frozenset(
    (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
     61, 62, 63, 64, 65, 71, 81, 82, 83, 91)
)  # fmt: skip


@dataclass(frozen=True)
class Format:
    """A form of text.

    `tidy` gives the spelling that is kept, `problem` what is wrong with it; `keyboard` is the browser's input type,
    `scheme` what leads there when it is clicked.
    """

    words: Message
    tidy: Callable[[str], str]
    problem: Callable[[str], Message | None]
    example: str
    keyboard: str = "text"
    scheme: str = ""


def plain(text: str) -> str:
    return text.translate(WIDTHS).strip()


def without_blanks(text: str) -> str:
    return "".join(plain(text).split())


def capital(text: str) -> str:
    return without_blanks(text).upper()


def matching(pattern: str, refusal: Message) -> Callable[[str], Message | None]:
    return lambda text: None if matches(pattern, text) else refusal


def phone_problem(text: str) -> Message | None:
    """Mobile numbers and landlines of China, service numbers, and those that begin with another country's code."""
    digits = sum(c.isdigit() for c in text)
    if digits <= 20 and matches(f"{MOBILE}|{LANDLINE}", text):
        return None
    abroad = matches(FOREIGN, text) and 7 <= digits <= 17 and not matches(r"(\+|00)86.*", text)
    return None if abroad else say("Enter a phone number, such as 138 0013 8000, 010-62770000 or +44 20 7946 0958.")


def identity_problem(text: str) -> Message | None:
    """What is wrong with the number of a Chinese identity card (GB 11643)."""
    if not matches(r"[1-9][0-9]{16}[0-9X]", text):
        return say("Enter the 18 characters of an identity card.")
    if int(text[:2]) not in PROVINCES:
        return say("The first two digits of an identity card name a province; these name none.")
    if not _is_day(text[6:14]):
        return say("The 7th to 14th digit of an identity card are the day of birth; this is no such day.")
    total = sum(int(digit) * weight for digit, weight in zip(text, WEIGHTS, strict=False))
    if CHECK_DIGITS[total % 11] != text[17]:
        return say("The last character does not fit the other digits. Compare it with the card.")
    return None


def _is_day(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year >= 1880
    except ValueError:
        return False


def email_problem(text: str) -> Message | None:
    local = text.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    fits = len(text) <= 254 and not dots and matches(EMAIL, text)
    return None if fits else say("Enter an e-mail address, such as name@example.com.")


FORMATS = {
    "phone": Format(say("Phone"), without_blanks, phone_problem, "13800138000", "tel", "tel:"),
    "mobile": Format(
        say("Mobile phone"), without_blanks,
        matching(MOBILE, say("Enter a mobile number of eleven digits, such as 138 0013 8000.")), "13800138000", "tel", "tel:",
    ),
    "email": Format(say("E-mail"), plain, email_problem, "name@example.com", "email", "mailto:"),
    "url": Format(
        say("Web address"), plain, matching(URL, say("Enter an address that begins with http:// or https://.")),
        "https://example.com", "url",
    ),
    "id_card": Format(say("Identity card"), capital, identity_problem, "11010519491231002X"),
    "postcode": Format(
        say("Postcode"), plain, matching(r"[0-9]{6}|[0-9A-Za-z][0-9A-Za-z -]{2,8}[0-9A-Za-z]", say("Enter a postcode, such as 100084.")),
        "100084",
    ),
}  # fmt: skip
