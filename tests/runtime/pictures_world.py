"""Pictures as people upload them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), color: str = "#2f7d6d", **save: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, kind, **save)
    return out.getvalue()


def photograph(size: tuple[int, int] = (60, 40), orientation: int = 6) -> bytes:
    """A JPEG as from a phone: lying on its side, with the place where it was taken."""
    notes = Image.Exif()
    notes[0x0112], notes[0x010F] = orientation, "Phone"
    notes.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.0), 3: "E", 4: (121.0, 28.0, 25.0)})
    return picture(size=size, exif=notes)


def animation(frames: int = 3) -> bytes:
    out = io.BytesIO()
    drawn = [Image.new("RGB", (20, 20), (80 * n, 0, 0)) for n in range(frames)]
    drawn[0].save(out, "GIF", save_all=True, append_images=drawn[1:], duration=80)
    return out.getvalue()


def bomb(side: int = 20_000) -> bytes:
    """A small file that says it holds 400 million pixels."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    chunks = [(b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")]
    packed = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
