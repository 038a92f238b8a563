"""QR codes and bars as SVG that stands in a page."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import segno
from barcode import get_barcode_class
from barcode.errors import BarcodeError
from markupsafe import Markup, escape

QUIET = {"qr": 4, "bars": 10}
"""Modules of white around a code, without which scanners do not find it."""
BAR_HEIGHT = 48
LONGEST = 2_000


def code_svg(text: object, kind: str = "qr", label: str = "") -> Markup:
    """The picture of a text as a code, named for those who cannot see it; nothing for a text that does not fit into one."""
    known = str(text or "")
    if not known or len(known) > LONGEST:
        return Markup()
    try:
        rows, height = _qr(known) if kind == "qr" else _bars(known, kind)
    except (ValueError, BarcodeError):
        return Markup()
    return _svg(rows, height, QUIET["qr" if kind == "qr" else "bars"], kind, label or known)


def _qr(text: str) -> tuple[Sequence[Iterable[bool]], int]:
    return [[bool(module) for module in row] for row in segno.make(text, error="m", micro=False).matrix], 1


def _bars(text: str, kind: str) -> tuple[Sequence[Iterable[bool]], int]:
    code = get_barcode_class(kind)(text)
    if kind == "ean13" and code.get_fullcode() != text:
        raise ValueError(text)
    return [[module == "1" for module in code.build()[0]]], BAR_HEIGHT


def _svg(rows: Sequence[Iterable[bool]], height: int, quiet: int, kind: str, label: str) -> Markup:
    """Dark stretches as one path; the white ground belongs to the code, also on a dark page."""
    dark, width = [], 0
    for y, row in enumerate(rows):
        x = 0
        for is_dark, run in groupby(row):
            length = len(list(run))
            if is_dark:
                dark.append(f"M{x + quiet} {y * height + quiet}h{length}v{height}h-{length}z")
            x += length
        width = x
    across, down = width + 2 * quiet, len(rows) * height + 2 * quiet
    shape = "qr" if kind == "qr" else "bars"
    return Markup(
        f'<svg class="code-picture {shape}" viewBox="0 0 {across} {down}" role="img" aria-label="{escape(label)}"'
        ' shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{across}v{down}H0z"/><path fill="#000" d="{"".join(dark)}"/></svg>'
    )
