"""What is written beside the pixels of a picture: where and by whom a photograph was taken. Taken out without touching the pixels."""

from collections.abc import Iterator

from PIL import Image

KEPT_TAGS = (0x0112, 0x0132, 0x010F, 0x0110)
"""Which way is up, when it was taken, and with what: all that stays of a photograph's notes."""
PNG_NOTES = {b"eXIf", b"tEXt", b"iTXt", b"zTXt"}
WEBP_NOTES = {b"EXIF", b"XMP "}
WEBP_FLAGS = 0x08 | 0x04


def without_notes(body: bytes, kind: str) -> bytes:
    """The same picture without the notes that could give a person away. `kind` is JPEG, PNG, WEBP or GIF."""
    strip = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}.get(kind)
    return strip(body) if strip else body


# -- JPEG ------------------------------------------------------------------------------------------


def _jpeg(body: bytes) -> bytes:
    made = [b"\xff\xd8"]
    for marker, segment in _segments(body):
        if marker == 0xE1:
            made.append(_noted(segment))
        elif not (marker == 0xED or (marker == 0xE2 and segment[4:8] == b"MPF\0")):
            made.append(segment)
    return b"".join(made)


def _noted(segment: bytes) -> bytes:
    """An Exif segment with only the harmless notes; nothing of any other application's."""
    if segment[4:10] != b"Exif\0\0":
        return b""
    found, kept = Image.Exif(), Image.Exif()
    try:
        found.load(segment[4:])
        for tag in KEPT_TAGS:
            if tag in found:
                kept[tag] = found[tag]
        notes = kept.tobytes()
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError):
        return b""
    notes = notes if notes.startswith(b"Exif\0\0") else b"Exif\0\0" + notes
    return b"\xff\xe1" + (len(notes) + 2).to_bytes(2, "big") + notes


def _segments(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, bytes) up to the end of the first picture; what some phones hang on behind it is left out."""
    at = 2
    while at + 4 <= len(body) and body[at] == 0xFF:
        marker = body[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            break
        end = at + 2 + int.from_bytes(body[at + 2 : at + 4], "big")
        if marker == 0xDA:
            end = _end_of_scan(body, end)
        yield marker, body[at:end]
        at = end
    yield 0xD9, b"\xff\xd9"


def _end_of_scan(body: bytes, at: int) -> int:
    """Where the compressed pixels end: at the next marker that is neither stuffing nor a restart."""
    while (at := body.find(b"\xff", at)) >= 0 and at + 1 < len(body):
        following = body[at + 1]
        if following and following != 0xFF and not 0xD0 <= following <= 0xD7:
            return at
        at += 1 if following == 0xFF else 2
    return len(body)


# -- PNG and WebP ----------------------------------------------------------------------------------


def _png(body: bytes) -> bytes:
    made, at = [body[:8]], 8
    while at + 12 <= len(body):
        end = at + 12 + int.from_bytes(body[at : at + 4], "big")
        kind = body[at + 4 : at + 8]
        if kind not in PNG_NOTES:
            made.append(body[at:end])
        if kind == b"IEND":
            break
        at = end
    return b"".join(made)


def _webp(body: bytes) -> bytes:
    made, at = [], 12
    while at + 8 <= len(body):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        kind, chunk = body[at : at + 4], body[at:end]
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~WEBP_FLAGS & 0xFF]) + chunk[9:]
        if kind not in WEBP_NOTES:
            made.append(chunk)
        at = end
    whole = b"WEBP" + b"".join(made)
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole
