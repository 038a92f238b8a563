"""What a list shows, as an Excel or CSV file, for those who may export: the rows and fields they may see."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, NamedTuple

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


class Cell(NamedTuple):
    """A value as a spreadsheet keeps it, as people read it, and as a file of text holds it."""

    value: Any
    shown: str
    written: str


def rows(gate: Door, listing: Listing) -> Iterator[list[Cell]]:
    """The cells of each record, in the list's order. Raises Denied, InvalidInput."""
    gate.require("export")
    allowed = gate.permitted("export", gate.live.sql)
    chosen = replace(listing, size=CHUNK, after="", before="")
    count = 0
    while True:
        page = query.page(gate, chosen, [allowed])
        reader = reader_of(gate.ctx, gate.live, page.records, listing.columns)
        count += len(page.records)
        if count > MOST:
            raise InvalidInput({"": [say("More than {n} records. Narrow the list with a filter.", n=f"{MOST:,}")]})
        yield from ([_cell(gate, record, c, reader) for c in listing.columns] for record in page.records)
        if not page.after:
            audit.note(gate.ctx, "data.exported", f"{gate.live.inst.slug}.{gate.live.id}", n=count)
            return
        chosen = replace(chosen, after=page.after)


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


def to_csv(ctx: Context, gate: Door, listing: Listing) -> IO[bytes]:
    """UTF-8 with a mark, so that Excel reads it too."""
    out = io.BytesIO()
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([harmless(title) for title in headings(ctx, gate, listing.columns)])
    for row in rows(gate, listing):
        writer.writerow([_plain(cell) for cell in row])
    text.detach()
    out.seek(0)
    return out


def _plain(cell: Cell) -> str:
    if isinstance(cell.value, Decimal):
        return cell.written
    return harmless(cell.shown)


def to_excel(ctx: Context, gate: Door, listing: Listing) -> IO[bytes]:
    """Numbers and dates as such; text never as a formula or a link."""
    out = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        head = book.add_format({"bold": True, "bg_color": "#E3F1EF"})
        day, moment = (book.add_format({"num_format": words}) for words in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        own = [_format(book, gate, c) for c in listing.columns]
        for column, title in enumerate(headings(ctx, gate, listing.columns)):
            sheet.write_string(0, column, title, head)
            sheet.set_column(column, column, max(10, min(40, len(title) * 2 + 4)))
        sheet.freeze_panes(1, 1)
        for number, row in enumerate(rows(gate, listing), 1):
            for column, (value, shown, _) in enumerate(row):
                if isinstance(value, Decimal):
                    sheet.write_number(number, column, float(value), own[column])
                elif isinstance(value, datetime):
                    local = value.astimezone(ctx.zone).replace(tzinfo=None)
                    sheet.write_datetime(number, column, local, own[column] or moment)
                elif isinstance(value, date):
                    first = datetime(value.year, value.month, value.day)
                    sheet.write_datetime(number, column, first, own[column] or day)
                elif shown:
                    sheet.write_string(number, column, shown[:32_767])
    out.seek(0)
    return out


def _format(book: Any, gate: Door, path: str) -> Any:
    """The column's own number format, if its field has one."""
    found = gate.live.table.by_id.get(path)
    return book.add_format({"num_format": found.number_format}) if found and found.number_format else None


def of_view(ctx: Context, gate: Door, listing: Listing, kind: str) -> tuple[IO[bytes], str]:
    """The file and its media type. Raises Denied, InvalidInput."""
    gate.require("export")
    if kind == "csv":
        return to_csv(ctx, gate, listing), "text/csv"
    return to_excel(ctx, gate, listing), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
