"""What a list shows, as an Excel or CSV file, for those who may export: the rows and fields they may see."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, NamedTuple, Protocol

import xlsxwriter

from runtime import audit, query
from runtime.access import Door
from runtime.context import Context
from runtime.listing import label_of, reader_of
from runtime.query import Listing, Record
from runtime.sheets import harmless
from runtime.wording import translate
from schemas.errors import InvalidInput
from schemas.fields import Reader
from schemas.fields.rows import Rows
from schemas.messages import say

MOST = 100_000
CHUNK = 1_000
LONGEST_CELL = 32_767


class Cell(NamedTuple):
    """A value as a spreadsheet keeps it, as people read it, and as a file of text holds it."""

    value: Any
    shown: str
    written: str


def rows(gate: Door, listing: Listing) -> Iterator[list[Cell]]:
    """The cells of each record, in the list's order. Raises Denied, InvalidInput."""
    chosen, count = replace(listing, size=CHUNK, after="", before=""), 0
    while True:
        found, after = some_rows(gate, chosen)
        count += len(found)
        if count > MOST:
            raise InvalidInput({"": [say("More than {n} records. Narrow the list with a filter.", n=f"{MOST:,}")]})
        yield from found
        if not after:
            note(gate, count)
            return
        chosen = replace(chosen, after=after)


def some_rows(gate: Door, listing: Listing) -> tuple[list[list[Cell]], str]:
    """The cells of one page of a list, and where the next begins. Raises Denied, InvalidInput."""
    gate.require("export")
    page = query.page(gate, listing, [gate.permitted("export", gate.live.sql)])
    reader = reader_of(gate.ctx, gate.live, page.records, listing.columns)
    return [[_cell(gate, record, c, reader) for c in listing.columns] for record in page.records], page.after


def note(gate: Door, count: int) -> None:
    """Tell the trail that so many records have left."""
    audit.note(gate.ctx, "data.exported", f"{gate.live.inst.slug}.{gate.live.id}", n=count)


def _cell(gate: Door, record: Record, path: str, reader: Reader) -> Cell:
    found = gate.live.table.by_id.get(path)
    value = record[path]
    if path in record.masked:
        return _text(record.masked[path])
    if isinstance(found, Rows):
        return Cell(Decimal(value), str(value), str(value)) if value else Cell(None, "", "")
    if found is not None:
        shown = gate.live.analysis.show(gate.live.table, found, value, reader)
        origin = gate.live.analysis.origin(gate.live.table, found)
        written = found.written(value) if isinstance(value, Decimal) else shown
        return Cell(shown if isinstance(value, list) else origin.exported(value, reader), shown, written)
    if path in ("created_by", "updated_by"):
        return _text(reader.names.get(value, ""))
    if isinstance(value, datetime):
        return Cell(value, shown := value.astimezone(reader.zone).strftime("%Y-%m-%d %H:%M"), shown)
    return _text("" if value is None else str(value))


def _text(text: str) -> Cell:
    return Cell(text, text, text)


def headings(ctx: Context, gate: Door, columns: Sequence[str]) -> list[str]:
    return [translate(label_of(gate.live, c)) for c in columns]


class Sheet(Protocol):
    """A file that is being written, a row at a time."""

    def add(self, row: Sequence[Cell]) -> None: ...

    def finished(self) -> IO[bytes]:
        """The whole file, from its beginning."""
        ...


class CsvSheet:
    """UTF-8 with a mark, so that Excel reads it too."""

    def __init__(self, ctx: Context, gate: Door, columns: Sequence[str], out: IO[bytes]) -> None:
        self.out = out
        self.text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
        self.writer = csv.writer(self.text)
        self.writer.writerow([harmless(title) for title in headings(ctx, gate, columns)])

    def add(self, row: Sequence[Cell]) -> None:
        self.writer.writerow([_plain(cell) for cell in row])

    def finished(self) -> IO[bytes]:
        self.text.detach()
        self.out.seek(0)
        return self.out


def _plain(cell: Cell) -> str:
    if isinstance(cell.value, Decimal):
        return cell.written
    return harmless(cell.shown)


WORKBOOK = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    "remove_timezone": True,
}  # fmt: skip


class ExcelSheet:
    """Numbers and dates as such; text never as a formula or a link."""

    def __init__(self, ctx: Context, gate: Door, columns: Sequence[str], out: IO[bytes]) -> None:
        self.out, self.zone, self.number = out, ctx.zone, 0
        self.book = xlsxwriter.Workbook(out, WORKBOOK)
        self.sheet = self.book.add_worksheet()
        head = self.book.add_format({"bold": True, "bg_color": "#E3F1EF"})
        self.day, self.moment = (
            self.book.add_format({"num_format": words}) for words in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm")
        )
        self.own = [_format(self.book, gate, c) for c in columns]
        for column, title in enumerate(headings(ctx, gate, columns)):
            self.sheet.write_string(0, column, title, head)
            self.sheet.set_column(column, column, max(10, min(40, len(title) * 2 + 4)))
        self.sheet.freeze_panes(1, 1)

    def add(self, row: Sequence[Cell]) -> None:
        self.number += 1
        for column, cell in enumerate(row):
            self._write(column, cell)

    def _write(self, column: int, cell: Cell) -> None:
        at, value, own = (self.number, column), cell.value, self.own[column]
        if isinstance(value, Decimal):
            self.sheet.write_number(*at, float(value), own)
        elif isinstance(value, datetime):
            self.sheet.write_datetime(*at, value.astimezone(self.zone).replace(tzinfo=None), own or self.moment)
        elif isinstance(value, date):
            self.sheet.write_datetime(*at, datetime(value.year, value.month, value.day), own or self.day)
        elif cell.shown:
            self.sheet.write_string(*at, cell.shown[:LONGEST_CELL])

    def finished(self) -> IO[bytes]:
        self.book.close()
        self.out.seek(0)
        return self.out


def _format(book: Any, gate: Door, path: str) -> Any:
    """The column's own number format, if its field has one."""
    found = gate.live.table.by_id.get(path)
    return book.add_format({"num_format": found.number_format}) if found and found.number_format else None


SHEETS: dict[str, tuple[type[CsvSheet] | type[ExcelSheet], str]] = {
    "csv": (CsvSheet, "text/csv"),
    "xlsx": (ExcelSheet, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def of_view(ctx: Context, gate: Door, listing: Listing, kind: str) -> tuple[IO[bytes], str]:
    """The file and its media type. Raises Denied, InvalidInput."""
    gate.require("export")
    made, media_type = SHEETS[kind]
    sheet = made(ctx, gate, listing.columns, io.BytesIO())
    for row in rows(gate, listing):
        sheet.add(row)
    return sheet.finished(), media_type
