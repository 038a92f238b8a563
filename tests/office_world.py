"""Small Word and Excel files as people make them, for tests."""

import base64
import io
import zipfile
from typing import Any

import openpyxl

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)


def paragraph(*runs: str) -> str:
    """A paragraph whose text Word has split into these runs."""
    return "<w:p>" + "".join(f"<w:r><w:rPr><w:b/></w:rPr><w:t>{text}</w:t></w:r>" for text in runs) + "</w:p>"


def table(*lines: list[str]) -> str:
    cells = ("".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in line) for line in lines)
    return "<w:tbl>" + "".join(f"<w:tr>{line}</w:tr>" for line in cells) + "</w:tbl>"


def zipped(parts: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def docx(*blocks: str, **more: Any) -> bytes:
    body = f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{WORD}"><w:body>{"".join(blocks)}</w:body></w:document>'
    return zipped({"[Content_Types].xml": TYPES, "word/document.xml": body, **more})


def xlsx(cells: dict[str, Any]) -> bytes:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def attached(name: str, data: bytes) -> dict[str, str]:
    return {"name": name, "content": base64.b64encode(data).decode()}
