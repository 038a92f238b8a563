"""Files of rows: CSV and Excel, as people really send them."""

import csv
import io
import pickle
import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryFile
from typing import Any

from runtime import workbook
from schemas.errors import InvalidInput
from schemas.messages import Message, say

ENCODINGS = ("utf-8", "gb18030")
WORKBOOKS = ("xlsx", "xls", "xlsb", "ods", "xlsm")
LINES = ("csv", "tsv", "txt")
MOST_ROWS = 500_000
MOST_COLUMNS = 500
MOST_CELLS = 20_000_000
LONGEST_CELL = 60_000
MOST_PARTS = 2_000
LARGEST_UNPACKED = 2 * 1024**3
COMPOUND, ENCRYPTED = bytes.fromhex("d0cf11e0a1b11ae1"), "EncryptedPackage".encode("utf-16-le")
"""How a locked workbook begins, and the name under which its content lies in it."""
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so is taken for a formula by spreadsheets; in CSV an apostrophe stands before it."""

TOO_MUCH = say(
    "The Excel file is too large once it is opened. Delete its empty rows and columns, split it, or save it as CSV."
)
REFUSALS = {
    workbook.UNREADABLE: say("The Excel file could not be opened. Save it again as .xlsx."),
    workbook.LOCKED: say("The Excel file is protected by a password. Save it without one."),
    workbook.NO_SHEET: say("The Excel file has no sheet."),
}


@dataclass(frozen=True)
class Sheet:
    """Headings, and rows as dictionaries from heading to cell (text, Decimal, bool, date, datetime, or None)."""

    headings: list[str]
    rows: list[dict[str, Any]]


def read_sheet(content: bytes, name: str, encoding: str = "", sheet: str = "") -> Sheet:
    """Raises InvalidInput with what to do about it."""
    if _is_workbook(name):
        return _from_lines(_excel(content, sheet))
    return _from_lines(_csv(content, encoding))


def sheet_names(content: bytes, name: str) -> list[str]:
    """The names of a workbook's sheets; of any other file one that is empty. Raises InvalidInput."""
    return [str(row[0]) for row in _excel(content, "", "--names")] if _is_workbook(name) else [""]


def _is_workbook(name: str) -> bool:
    """Whether a file is a workbook, by its name. Raises InvalidInput where it is no table at all."""
    ending = name.rpartition(".")[2].casefold()
    if ending not in (*WORKBOOKS, *LINES):
        raise refusal(say("Choose a CSV or Excel file (.csv, .xlsx)."))
    return ending in WORKBOOKS


def refusal(message: Message) -> InvalidInput:
    return InvalidInput({"file": [message]})


def decode(content: bytes, encoding: str) -> str:
    """Text in the given encoding, or in the first of ours that fits. Raises InvalidInput."""
    for name in [encoding] if encoding in ENCODINGS else ENCODINGS:
        try:
            return content.decode("utf-8-sig" if name == "utf-8" else name)
        except UnicodeDecodeError:
            continue
    raise refusal(say("The file's characters could not be read. Save it as UTF-8, or choose another encoding."))


def _csv(content: bytes, encoding: str) -> Iterator[list[Any]]:
    text = decode(content, encoding)
    if "\x00" in text:
        raise refusal(say("This does not look like a text file."))
    csv.field_size_limit(LONGEST_CELL)
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False):
            yield [as_meant(cell) for cell in line]
    except csv.Error:
        raise refusal(say("The file could not be read as CSV. Check its quotes.")) from None


def harmless(text: str) -> str:
    """A text as a cell of CSV that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(RISKY) else text


def as_meant(cell: str) -> str:
    """The way back: without the apostrophe that keeps a cell from being a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(RISKY) else cell


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t|", key=first.count)


def _excel(content: bytes, sheet: str, *more: str) -> Iterator[list[Any]]:
    """Read in another process: a small file can be made so that whoever opens it runs out of memory."""
    if content.startswith(COMPOUND) and ENCRYPTED in content:
        raise refusal(REFUSALS[workbook.LOCKED])
    _refuse_swollen(content)
    command = [sys.executable, "-P", str(Path(__file__).with_name("workbook.py")), sheet, *more]
    with TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        reader = Popen(command, stdin=file, stdout=PIPE, stderr=DEVNULL)
    try:
        for batch in _batches(reader):
            for row in batch:
                yield [_cell(value) for value in row]
    finally:
        reader.kill()
        reader.communicate()


def _batches(reader: "Popen[bytes]") -> Iterator[list[list[Any]]]:
    assert reader.stdout is not None
    while True:
        try:
            said = pickle.load(reader.stdout)  # written by our own process
        except (EOFError, pickle.UnpicklingError):
            raise refusal(TOO_MUCH) from None
        if said == workbook.DONE:
            return
        if isinstance(said, str):
            raise refusal(REFUSALS[said])
        yield said


def _refuse_swollen(content: bytes) -> None:
    """What says of itself that it unpacks to too much; what lies about it meets the reader's limits."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, struct.error):
        return
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise refusal(TOO_MUCH)


def _cell(value: Any) -> Any:
    """Excel's floats as the decimals that they show."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return Decimal(repr(value)) if value == value and abs(value) != float("inf") else None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, time | timedelta):
        return str(value)
    return value if isinstance(value, date | datetime) else str(value)


def _from_lines(lines: Iterator[list[Any]]) -> Sheet:
    """The first line that is not blank holds the headings; blank lines are passed over."""
    headings: list[str] = []
    rows: list[dict[str, Any]] = []
    for line in lines:
        cells = [None if cell.__class__ is str and not cell.strip() else cell for cell in line]
        if cells.count(None) == len(cells):
            continue
        if not headings:
            headings = _headings(cells)
            continue
        rows.append(dict(zip(headings, cells, strict=False)))
        if len(rows) > MOST_ROWS:
            raise refusal(say("The file has more than {n} rows. Split it.", n=f"{MOST_ROWS:,}"))
        if len(rows) * len(headings) > MOST_CELLS:
            raise refusal(say("The file has more than {n} cells. Split it.", n=f"{MOST_CELLS:,}"))
    if not headings:
        raise refusal(say("The file is empty."))
    return Sheet(headings, rows)


def _headings(line: list[Any]) -> list[str]:
    """Every column gets a heading of its own."""
    if len(line) > MOST_COLUMNS:
        raise refusal(say("The file has more than {n} columns.", n=MOST_COLUMNS))
    made: list[str] = []
    for number, cell in enumerate(line, 1):
        name = f"Column {number}" if cell is None else " ".join(str(cell).split())
        made.append(name if name not in made else f"{name} ({number})")
    return made
