"""Hostile workbooks: what would fill the memory, lie about its size, reach for other files or is locked is refused with words."""

import io
import re
import struct
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import xlsxwriter

from runtime import sheets, workbook
from runtime.sheets import read_sheet
from schemas.errors import InvalidInput
from tests.runtime.conftest import Shop
from tests.web.conftest import Person

TOO_MUCH = "too large once it is opened"
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


@pytest.fixture(scope="module")
def manager(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "boss")  # type: ignore[no-any-return]


def book(cells: dict[tuple[int, int], Any]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as made:
        sheet = made.add_worksheet()
        for (row, column), value in cells.items():
            sheet.write(row, column, value)
    return buffer.getvalue()


PLAIN = book({(0, 0): "Title", (1, 0): "Emma"})


def edited(part: str, change: Callable[[bytes], bytes], content: bytes = PLAIN) -> bytes:
    """A workbook of which one part says something else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return buffer.getvalue()


def declared(content: bytes, part: str, size: int) -> bytes:
    """The same file with another uncompressed size in the directory's entry of one part."""
    at = content.rindex(part.encode()) - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    return content[: at + 24] + struct.pack("<I", size) + content[at + 28 :]


def far() -> bytes:
    return book({(0, 0): "Title", (1_048_575, 16_383): "x"})


def far_but_modest() -> bytes:
    """The dimension that the sheet tells of itself is a lie."""
    return edited(SHEET, lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:A2"', xml), far())


def many_parts() -> bytes:
    buffer = io.BytesIO(PLAIN)
    with zipfile.ZipFile(buffer, "a") as archive:
        for n in range(2_100):
            archive.writestr(f"xl/media/{n}.png", b"")
    return buffer.getvalue()


def padded(megabytes: int) -> Callable[[bytes], bytes]:
    return lambda xml: xml.replace(b">Title<", b">Title" + b"x" * (megabytes * 1024**2) + b"<")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a cell at XFD1048576": far,
    "a cell at XFD1048576 beside a small dimension": far_but_modest,
    "2,100 parts": many_parts,
    "a part that unpacks to 4 GB": lambda: declared(PLAIN, SHEET, 0xFFFFFFF0),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_workbook_that_would_fill_the_memory_is_refused(manager: Person, content: Callable[[], bytes]) -> None:
    begun = time.monotonic()
    for url in ("/a/shop/import/book/", "/members/import/"):
        answer = manager.post(url, {"file": (io.BytesIO(content()), "x.xlsx")}, headers={"Accept-Language": "en"})
        assert answer.status_code == 422
        assert TOO_MUCH in answer.text
    assert time.monotonic() - begun < 30


def test_a_refusal_of_a_workbook_is_in_the_readers_language(manager: Person) -> None:
    manager.post("/language", {"language": "zh", "next": "/"})
    answer = manager.post("/a/shop/import/book/", {"file": (io.BytesIO(far()), "x.xlsx")})
    manager.post("/language", {"language": "en", "next": "/"})
    assert answer.status_code == 422
    assert "打开后太大" in answer.text


def test_a_part_that_lies_about_its_size_meets_the_readers_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = declared(edited(STRINGS, padded(300)), STRINGS, 100)
    assert len(bomb) < 1024**2
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1024**2)
    with pytest.raises(InvalidInput):
        read_sheet(bomb, "x.xlsx")


def test_the_reader_gives_itself_limits() -> None:
    import resource
    import subprocess
    import sys

    code = "import resource; from runtime import workbook; workbook.limit(); print(*resource.getrlimit(resource.RLIMIT_AS))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(workbook.MEMORY)] * 2
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != workbook.MEMORY


ENTITY = b'<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (n + 1, b"&%c;" % n * 50) for n in range(ord("a"), ord("h")))
    + b"]>"
)


def with_entity(doctype: bytes, name: bytes) -> Callable[[bytes], bytes]:
    return lambda xml: xml.replace(b"?>", b"?>" + doctype, 1).replace(b">Emma<", b">Emma&%s;<" % name)


ENTITIES = {"another file": (ENTITY, b"secret"), "a billion laughs": (LAUGHS, b"h")}


@pytest.mark.parametrize(("doctype", "name"), ENTITIES.values(), ids=ENTITIES.keys())
def test_an_entity_is_never_followed(doctype: bytes, name: bytes) -> None:
    content = edited(STRINGS, with_entity(doctype, name))
    said = ""
    with suppress(InvalidInput):
        said = str(read_sheet(content, "x.xlsx"))
    assert "root:" not in said
    assert len(said) < 300


def locked() -> bytes:
    """A compound file that lists the stream in which Excel keeps what it has encrypted."""
    listed = b"".join(
        name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", "EncryptionInfo", "EncryptedPackage")
    )
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + listed + bytes(8192)


def test_a_locked_workbook_says_so() -> None:
    with pytest.raises(InvalidInput, match="protected by a password"):
        read_sheet(locked(), "x.xlsx")


BROKEN = {
    "cut in half": PLAIN[: len(PLAIN) // 2],
    "no sheet inside": edited("xl/workbook.xml", lambda xml: re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", xml)),
    "no workbook inside": edited("xl/workbook.xml", lambda xml: b""),
    "an old workbook of nothing": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096),
    "a document": edited("[Content_Types].xml", lambda xml: b"<Types/>", PLAIN.replace(b"xl/", b"wd/")),
    "a cell at ZZZZZZ99999999999": edited(SHEET, lambda xml: xml.replace(b'r="A2"', b'r="ZZZZZZ99999999999"')),
}


@pytest.mark.parametrize("name", ["x.xlsx", "x.xls", "x.ods", "x.xlsb"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_workbook_is_refused_with_words(content: bytes, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"Excel|file is empty"):
        read_sheet(content, name)


def test_a_sheet_that_is_wide_and_long_is_refused_before_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_CELLS", 100)
    with pytest.raises(InvalidInput, match="more than 100 cells"):
        read_sheet(b"a,b,c\n" + b"1,2,3\n" * 40, "x.csv")


def test_a_large_plain_workbook_is_read_whole_and_a_far_format_does_no_harm() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as made:
        sheet, bold = made.add_worksheet("书目"), made.add_format({"bold": True})
        sheet.write_row(0, 0, ["Title", "Price", "Sold"])
        for n in range(1, 5_001):
            sheet.write_row(n, 0, [f"Volume {n}", n / 10, n % 2 == 0])
        sheet.write_blank(1_048_575, 16_383, None, bold)
    read = read_sheet(buffer.getvalue(), "x.xlsx")
    assert read.headings == ["Title", "Price", "Sold"]
    assert len(read.rows) == 5_000
    assert list(read.rows[-1].values()) == ["Volume 5000", 500, True]
