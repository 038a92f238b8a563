"""Sheets of markup as PDF files, by WeasyPrint. Nothing is fetched from anywhere: only what a sheet was given is read."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from runtime.resources import folder
from schemas.document import Document
from schemas.errors import Denied
from schemas.messages import say

MISSING = say(
    "This server cannot make PDF files: its administrator has to install the Pango library. Print from the browser meanwhile."
)
SCHEME = "mortise:"
FONTS = {"Mortise Sans": "NotoSansSC-Regular.otf", "Mortise Serif": "NotoSerifSC-Regular.otf"}
"""Chinese fonts that are used where the machine has none of its own."""
MARGINS = {
    "narrow": ("14mm 10mm 14mm", "10mm"),
    "normal": ("22mm 16mm 20mm", "16mm"),
    "wide": ("28mm 26mm 26mm", "26mm"),
}
DOTS = 200
"""Pictures are made no finer than so many dots an inch."""

logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
logging.getLogger("fontTools").setLevel(logging.ERROR)


@dataclass
class Sheet:
    """One record on paper, with the pictures that its markup names."""

    markup: str
    document: Document
    title: str = ""
    pictures: dict[str, bytes] = field(default_factory=dict)


def available() -> bool:
    """Whether this machine has what WeasyPrint needs."""
    return _weasyprint() is not None


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError):
        return None
    return weasyprint


def printed(sheet: Sheet, language: str) -> Any:
    """The sheet broken into pages. Raises Denied on a machine that cannot do that."""
    weasyprint = _weasyprint()
    if weasyprint is None:
        raise Denied(MISSING)
    return _document(weasyprint, sheet, language)


def written(made: Sequence[Any]) -> bytes:
    """What was broken into pages, one after the other as one PDF file; each keeps its own page numbers."""
    pages = [page for one in made for page in one.pages]
    data: bytes = made[0].copy(pages).write_pdf(optimize_images=True, dpi=DOTS, jpeg_quality=85)
    return data


def _document(weasyprint: Any, sheet: Sheet, language: str) -> Any:
    fetcher = _fetcher(weasyprint, sheet.pictures)
    fonts = _fonts(weasyprint)
    lang = "zh-CN" if language == "zh" else language
    page = f'<!doctype html><html lang="{lang}"><head><title>{_escaped(sheet.title)}</title></head><body>{sheet.markup}</body></html>'
    styles = [
        weasyprint.CSS(string=text, url_fetcher=fetcher, font_config=fonts)
        for text in (_rules(), page_rules(sheet.document))
    ]
    html = weasyprint.HTML(string=page, url_fetcher=fetcher, base_url=SCHEME)
    return html.render(stylesheets=styles, font_config=fonts, presentational_hints=True)


def _escaped(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


@cache
def _rules() -> str:
    return (folder("static") / "css" / "document.css").read_text(encoding="utf-8")


def page_rules(document: Document) -> str:
    """The paper: its size and margins, and what stands in them on every page."""
    margin, side = MARGINS[document.margin]
    return (
        f"@page {{ size: {document.size} {document.orientation}; margin: {margin};"
        " @top-center { content: element(head); width: 100%; vertical-align: bottom; padding-bottom: 2mm; }"
        " @bottom-center { content: element(foot); width: 100%; vertical-align: top; padding-top: 2mm; } }"
        " body { margin: 0; } .page-head { position: running(head); } .page-foot { position: running(foot); }"
        " .page-number::before { content: counter(page); } .pages-number::before { content: counter(pages); }"
    )


def _fetcher(weasyprint: Any, pictures: dict[str, bytes]) -> Any:
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OnlyOurs(URLFetcher):  # type: ignore[misc]
        """Gives the sheet's own pictures and our fonts, and nothing else."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in pictures:
                return URLFetcherResponse(url, pictures[url], {"Content-Type": "application/octet-stream"})
            if url.startswith(f"{SCHEME}font/") and (path := font_file(url.rpartition("/")[2])):
                return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": "font/otf"})
            raise ValueError("nothing is fetched from elsewhere")

    return OnlyOurs()


@cache
def _fonts(weasyprint: Any) -> Any:
    """The fonts that a page may use; ours are read only where the machine has none."""
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    fetcher = _fetcher(weasyprint, {})
    for name, file in FONTS.items():
        if font_file(file):
            rule = f'@font-face {{ font-family: "{name}"; src: url({SCHEME}font/{file}); }}'
            weasyprint.CSS(string=rule, url_fetcher=fetcher, font_config=fonts, base_url=SCHEME)
    return fonts


@cache
def font_file(name: str) -> Path | None:
    """A font of the package that brings Chinese ones."""
    found = find_spec("pylopdf_fonts_zh_cn")
    if name not in FONTS.values() or found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / name
    return path if path.is_file() else None
