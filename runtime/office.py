"""A Word or Excel file of the user's, filled in with a record as its reader sees it."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
from openpyxl.formula.translate import Translator

from runtime.reading import Reading
from schemas.access import SEES
from schemas.attached import Attached
from schemas.documents.office import ROW, WORD_PARTS, Placeholder, parsed, parts_of_file, placeholders, text_in
from schemas.errors import BadValue, InvalidInput
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue, Formula, FormulaError
from schemas.messages import say
from schemas.wording import formatted

MOST_ROWS = 2_000
Line = Mapping[str, Any]


def filled(file: Attached, reading: Reading) -> bytes:
    """The file with its placeholders filled in. Raises InvalidInput for a file that cannot be read any more."""
    try:
        if file.ending == "docx":
            return _word(file.data, Filling(reading))
        return _excel(file.data, Filling(reading))
    except BadValue as err:
        raise InvalidInput({"": [err.message]}) from None
    except FormulaError as err:
        raise InvalidInput(
            {"": [say("at character {n}: {problem}", n=err.position + 1, problem=err.message)]}
        ) from None


class Filling:
    """What placeholders come to for a record, and in each row of its subforms."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.subforms = [rows.id for rows in reading.live.table.subforms]

    def subform_of(self, text: str) -> str:
        """The subform whose rows a text is about; empty for none."""
        return next((id for p in placeholders(text) if (id := p.of_row(self.subforms))), "")

    def rows(self, subform: str) -> Sequence[Line]:
        record = self.reading.record
        if SEES[record.rights.get(subform, "hidden")] < 2:
            return []
        return (record.values.get(subform) or [])[:MOST_ROWS]

    def text(self, found: Placeholder, row: tuple[str, int, Line] | None) -> str:
        """A placeholder in words, in a row of a subform where it stands in one."""
        formula, rows, line = self._within(found, row)
        return formula if isinstance(formula, str) else self.reading.shown(formula, rows, line)

    def value(self, found: Placeholder, row: tuple[str, int, Line] | None) -> Any:
        """A placeholder as a cell holds it: a number or a date as such, else in words."""
        formula, rows, line = self._within(found, row)
        if isinstance(formula, str):
            return int(formula) if formula else None
        value = self.reading.value(formula, rows, line)
        if isinstance(value, Decimal | date) and not isinstance(value, ErrorValue):
            return value
        return self.reading.shown(formula, rows, line)

    def _within(
        self, found: Placeholder, row: tuple[str, int, Line] | None
    ) -> tuple[str | Formula, Rows | None, Line | None]:
        if row is None or found.of_row([row[0]]) != row[0]:
            return found.formula(), None, None
        subform, number, line = row
        if found.source.strip() == f"{subform}.{ROW}":
            return (str(number) if line else ""), None, None
        rows = self.reading.live.table.by_id[subform]
        assert isinstance(rows, Rows)
        return formatted(found.within(subform)), rows, line

    def whole(self, text: str, row: tuple[str, int, Line] | None) -> str:
        """A text with everything filled in."""
        made, at = "", 0
        for found in placeholders(text):
            made, at = made + unbraced(text[at : found.start]) + self.text(found, row), found.end
        return made + unbraced(text[at:])


def unbraced(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


# -- Word ------------------------------------------------------------------------------------------


def _word(data: bytes, filling: Filling) -> bytes:
    parts = parts_of_file(data)
    if "word/document.xml" not in parts:
        raise BadValue(say("This is not a Word or Excel file that can be read."))
    for name, body in parts.items():
        if WORD_PARTS.match(name):
            tree = parsed(body)
            _repeat_rows(tree, filling)
            for paragraph in tree.getElementsByTagName("w:p"):
                _fill_paragraph(paragraph, lambda text: filling.whole(text, None))
            parts[name] = tree.toxml(encoding="UTF-8")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def _repeat_rows(tree: Any, filling: Filling) -> None:
    """Each table row with placeholders of a subform, once for each of that subform's rows."""
    for line in [one for one in tree.getElementsByTagName("w:tr") if not one.getElementsByTagName("w:tr")]:
        text = "\n".join(_text(p) for p in line.getElementsByTagName("w:p"))
        subform = filling.subform_of(text)
        if not subform:
            continue
        rows: Sequence[Line] = filling.rows(subform) or [{}]
        for number, row in enumerate(rows, 1):
            made = line.cloneNode(True)
            for paragraph in made.getElementsByTagName("w:p"):
                _fill_paragraph(paragraph, _in_row(filling, subform, number, row))
            line.parentNode.insertBefore(made, line)
        line.parentNode.removeChild(line)


def _in_row(filling: Filling, subform: str, number: int, row: Line) -> Callable[[str], str]:
    return lambda text: escaped(filling.whole(text, (subform, number, row)))


def escaped(text: str) -> str:
    """Braces doubled, so that what was filled in once is not read as a placeholder again."""
    return text.replace("{", "{{").replace("}", "}}")


def _runs(paragraph: Any) -> list[Any]:
    """The texts of a paragraph, without those of paragraphs inside it (text boxes)."""
    return [t for t in paragraph.getElementsByTagName("w:t") if _paragraph_of(t) is paragraph]


def _paragraph_of(node: Any) -> Any:
    while node is not None and getattr(node, "tagName", "") != "w:p":
        node = node.parentNode
    return node


def _text(paragraph: Any) -> str:
    return "".join(text_in(t) for t in _runs(paragraph))


def _fill_paragraph(paragraph: Any, fill: Callable[[str], str]) -> None:
    """Word splits texts where it likes: what is filled in stands where its placeholder began, in the format of there."""
    runs = _runs(paragraph)
    texts = [text_in(t) for t in runs]
    whole = "".join(texts)
    if "{" not in whole and "}" not in whole:
        return
    starts = [sum(len(t) for t in texts[:n]) for n in range(len(texts))]
    made = [""] * len(texts)
    at = 0
    for found in [*placeholders(whole), None]:
        end = found.start if found else len(whole)
        for n, text in enumerate(texts):
            made[n] += whole[max(at, starts[n]) : max(at, starts[n], min(end, starts[n] + len(text)))]
        if found is None:
            break
        n = max(n for n in range(len(texts)) if starts[n] <= found.start)
        made[n] += PARTED + whole[found.start : found.end] + PARTED
        at = found.end
    for t, text in zip(runs, made, strict=True):
        _set(t, "".join(fill(piece) for piece in text.split(PARTED)))


PARTED = "\x1f"


def _set(element: Any, text: str) -> None:
    """A text with its line breaks, in the format of the run that it stands in."""
    document = element.ownerDocument
    while element.firstChild:
        element.removeChild(element.firstChild)
    run, after = element.parentNode, element.nextSibling
    for number, line in enumerate(text.split("\n")):
        target = element
        if number:
            run.insertBefore(document.createElement("w:br"), after)
            target = run.insertBefore(document.createElement("w:t"), after)
        target.setAttribute("xml:space", "preserve")
        target.appendChild(document.createTextNode(_kept(line)))


def _kept(text: str) -> str:
    """Without characters that XML cannot hold."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)


# -- Excel -----------------------------------------------------------------------------------------


def _excel(data: bytes, filling: Filling) -> bytes:
    parts_of_file(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data))
    except Exception as err:  # whatever a damaged file makes of the library
        raise BadValue(say("This is not a Word or Excel file that can be read.")) from err
    for sheet in book.worksheets:
        _fill_sheet(sheet, filling)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill_sheet(sheet: Any, filling: Filling) -> None:
    cells = [cell for cell in list(sheet._cells.values()) if isinstance(cell.value, str) and "{" in cell.value]
    repeated = {cell.row: id for cell in cells if (id := filling.subform_of(cell.value))}
    for cell in cells:
        if cell.row not in repeated:
            _fill_cell(cell, filling, None)
    for number in sorted(repeated, reverse=True):
        _repeat(sheet, filling, number, repeated[number])


def _repeat(sheet: Any, filling: Filling, number: int, subform: str) -> None:
    rows: Sequence[Line] = filling.rows(subform) or [{}]
    model = [cell for (row, _), cell in sorted(sheet._cells.items()) if row == number]
    written = [(cell.column, cell.value, copy(cell._style)) for cell in model]
    if len(rows) > 1:
        _make_room(sheet, number, len(rows) - 1)
    for n, line in enumerate(rows):
        for column, value, style in written:
            cell = sheet.cell(number + n, column)
            cell._style = copy(style)
            cell.value = _moved(value, number, number + n, column)
            if isinstance(cell.value, str) and "{" in cell.value and cell.data_type != "f":
                _fill_cell(cell, filling, (subform, n + 1, line))


def _make_room(sheet: Any, number: int, more: int) -> None:
    """Rows below a row, whose height they have; what stands further down moves with its merged cells and formulas."""
    heights = {row: sheet.row_dimensions[row].height for row in list(sheet.row_dimensions) if row >= number}
    sheet.insert_rows(number + 1, more)
    for merged in list(sheet.merged_cells.ranges):
        if merged.min_row > number:
            merged.shift(0, more)
    for row, height in heights.items():
        sheet.row_dimensions[row + more if row > number else row].height = height
    for row in range(number + 1, number + more + 1):
        sheet.row_dimensions[row].height = heights.get(number)
    for (row, column), cell in list(sheet._cells.items()):
        if row > number + more and cell.data_type == "f":
            cell.value = _moved(cell.value, row - more, row, column)


def _moved(value: Any, before: int, after: int, column: int) -> Any:
    """A formula of a sheet as it is in another row; any other value as it is."""
    if not (isinstance(value, str) and value.startswith("=")) or before == after:
        return value
    letter = openpyxl.utils.get_column_letter(column)
    return Translator(value, origin=f"{letter}{before}").translate_formula(f"{letter}{after}")


def _fill_cell(cell: Any, filling: Filling, row: tuple[str, int, Line] | None) -> None:
    """A cell that is one placeholder takes its value; a text never becomes a formula."""
    text = cell.value
    found = placeholders(text)
    if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text.strip())):
        value = filling.value(found[0], row)
        if isinstance(value, datetime):
            value = value.astimezone(filling.reading.ctx.zone).replace(tzinfo=None)
        if isinstance(value, Decimal | date | int):
            cell.value = float(value) if isinstance(value, Decimal) else value
            return
        _say(cell, "" if value is None else str(value))
        return
    _say(cell, filling.whole(text, row))


def _say(cell: Any, text: str) -> None:
    cell.value = _kept(text)[:32_767] or None
    if cell.value is not None:
        cell.data_type = "s"
