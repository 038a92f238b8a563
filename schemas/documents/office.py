"""Word and Excel files as templates: looked into with care, and the placeholders in them.

Both are zip files of XML. What is read of them is bounded, and a file with macros, with parts fetched from elsewhere or
with declarations of its own is refused.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from schemas.attached import Attached
from schemas.errors import BadValue
from schemas.formula import Formula
from schemas.messages import say
from schemas.wording import formatted

MOST_PARTS = 500
MOST_BYTES = 30_000_000
LARGEST_XML = 8_000_000
WORD_PARTS = re.compile(r"word/(document|header\d*|footer\d*|footnotes)\.xml\Z")
EXCEL_PARTS = re.compile(r"xl/(sharedStrings|worksheets/sheet\d+)\.xml\Z")
ROW = "row"
"""Stands, behind a subform's name, for the number of its row: `{items.row}`."""
QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " "})
"""What Word makes of quotes while somebody types."""


@dataclass(frozen=True)
class Placeholder:
    """A formula in braces, where it stands in a text, and its formula as it was written."""

    start: int
    end: int
    source: str

    def formula(self) -> Formula:
        """Raises FormulaError."""
        return formatted(self.source)

    def of_row(self, subforms: Iterator[str] | list[str]) -> str:
        """The subform whose rows it is about; empty for the record."""
        return next(
            (id for id in subforms if re.search(rf"\b{id}\.[a-z]", self.source) and _begins(id, self.source)), ""
        )

    def within(self, subform: str) -> str:
        """The same formula in a row of the subform, whose columns have their plain names there."""
        return re.sub(rf"\b{subform}\.(?=[a-z])", "", self.source)


def _begins(id: str, source: str) -> bool:
    """Whether a formula is about one row: it names columns without taking them together."""
    return re.match(rf"\s*{id}\.[a-z]\w*", source) is not None


def placeholders(text: str) -> list[Placeholder]:
    """The placeholders of a text, in order. What stands in double braces, or is not closed, is none."""
    found: list[Placeholder] = []
    at = 0
    while (start := text.find("{", at)) >= 0:
        if text[start : start + 2] == "{{":
            at = start + 2
            continue
        end = _closing(text, start)
        if end < 0:
            break
        found.append(Placeholder(start, end + 1, text[start + 1 : end].translate(QUOTES).strip()))
        at = end + 1
    return [p for p in found if p.source]


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


# -- opening ---------------------------------------------------------------------------------------


def parts_of_file(data: bytes) -> dict[str, bytes]:
    """Everything in the file, by name. Raises BadValue for what is no such file, too large, or could do harm."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return dict(_read(archive))
    except BadValue:
        raise
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, RuntimeError):
        raise BadValue(say("This is not a Word or Excel file that can be read.")) from None


def _read(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries, left = archive.infolist(), MOST_BYTES
    if len(entries) > MOST_PARTS:
        raise BadValue(say("The file has more parts than a template needs."))
    for entry in entries:
        with archive.open(entry) as file:
            body = file.read(left + 1)  # sizes in the header are the sender's claim
        left -= len(body)
        if left < 0:
            raise BadValue(say("The file is too large once it is unpacked."))
        _refuse(entry.filename, body)
        yield entry.filename, body


def _refuse(name: str, body: bytes) -> None:
    """Raises BadValue for a part that a template has no use for."""
    if "vbaproject" in name.casefold() or b"macroEnabled" in body[:20_000] and name == "[Content_Types].xml":
        raise BadValue(say("The file has macros. Save it without them, as .docx or .xlsx."))
    if name.endswith((".xml", ".rels")):
        if len(body) > LARGEST_XML:
            raise BadValue(say("The file is too large once it is unpacked."))
        if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
            raise BadValue(say("This is not a Word or Excel file that can be read."))
    if name.endswith(".rels"):
        for relation in re.findall(rb"<Relationship\b[^>]*>", body):
            if b"External" in relation and b"/hyperlink" not in relation:
                raise BadValue(say("The file fetches parts of itself from elsewhere. Put them into the file itself."))


def parsed(body: bytes) -> Any:
    """The XML of a part. Raises BadValue."""
    try:
        return minidom.parseString(body)
    except (ExpatError, ValueError, UnicodeError):
        raise BadValue(say("This is not a Word or Excel file that can be read.")) from None


# -- what is in it ---------------------------------------------------------------------------------


def texts(file: Attached) -> list[str]:
    """The texts of a file that may have placeholders: paragraphs of Word, cells of Excel. Raises BadValue."""
    parts = parts_of_file(file.data)
    word = file.ending == "docx"
    if ("word/document.xml" if word else "xl/workbook.xml") not in parts:
        raise BadValue(say("This is not a Word or Excel file that can be read."))
    wanted, block, run = (WORD_PARTS, "w:p", "w:t") if word else (EXCEL_PARTS, "", "t")
    found: list[str] = []
    for name, body in parts.items():
        if wanted.match(name):
            tree = parsed(body)
            blocks = tree.getElementsByTagName(block) if block else [*_named(tree, "si"), *_named(tree, "is")]
            found += ["".join(text_in(t) for t in _named(one, run)) for one in blocks]
    return [text for text in found if "{" in text]


def _named(tree: Any, name: str) -> list[Any]:
    """The elements of this name, whatever stands before its colon."""
    return [
        one
        for one in tree.getElementsByTagName("*")
        if name in (one.tagName, one.localName) or one.tagName.endswith(f":{name}")
    ]


def text_in(element: Any) -> str:
    return "".join(
        node.data for node in element.childNodes if node.nodeType in (node.TEXT_NODE, node.CDATA_SECTION_NODE)
    )
