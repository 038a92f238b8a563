"""Uploaded pictures: looked into before they are kept, made smaller, written on, and shown as thumbnails."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as Pixels
from PIL import ImageDraw, ImageFont, ImageOps

from runtime.metadata import without_notes
from schemas.fields.file import ending_of
from schemas.messages import Message, say

THUMBNAIL = 480
"""Pixels on the longer side of a thumbnail: sharp in a gallery, and as a small square on a fine screen."""
MOST_PIXELS = {"JPEG": 110_000_000}
OTHERWISE = 50_000_000
ENDINGS = {"JPEG": ("jpg", "jpeg"), "PNG": ("png",), "GIF": ("gif",), "WEBP": ("webp",)}
MEDIA = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc", "C:/Windows/Fonts/msyh.ttc",
)  # fmt: skip
"""Where Chinese letters for watermarks are found on usual systems."""
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, ArithmeticError, MemoryError)


class BadPicture(Exception):
    """This cannot be kept as a picture; `reason` says why."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Picture:
    """A picture as it will be kept, with its thumbnail."""

    body: bytes
    kind: str
    thumbnail: bytes
    position: str = ""
    """Where a photograph says that it was taken: latitude and longitude."""

    @property
    def media_type(self) -> str:
        return MEDIA[self.kind]

    def named(self, name: str) -> str:
        """The name with an ending that says what the picture is."""
        known = ENDINGS[self.kind]
        return name if ending_of(name) in known else f"{name.rpartition('.')[0] or name}.{known[0]}"


def examine(body: bytes, formats: Sequence[str], keep_notes: bool = False) -> Picture:
    """The picture that these bytes are, without a photographer's traces. Raises BadPicture."""
    image, kind = _opened(body)
    if not set(ENDINGS[kind]) & set(formats):
        raise BadPicture(say("Only these files can be added here: {endings}.", endings=", ".join(formats)))
    try:
        position = _position(image)
        small = thumbnail(image)
    except BROKEN:
        raise BadPicture(say("The picture is damaged. Please choose another one.")) from None
    return Picture(body if keep_notes else without_notes(body, kind), kind, small, position)


def _opened(body: bytes) -> tuple[Any, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pixels.DecompressionBombWarning)
            image = Pixels.open(io.BytesIO(body), formats=("JPEG", "PNG", "GIF", "WEBP"))
    except Pixels.DecompressionBombError:
        raise BadPicture(TOO_LARGE) from None
    except BROKEN:
        raise BadPicture(say("This is not a picture that browsers can show. Save it as JPEG or PNG first.")) from None
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    if image.width * image.height > MOST_PIXELS.get(kind, OTHERWISE):
        raise BadPicture(TOO_LARGE)
    return image, kind


TOO_LARGE = say("The picture has too many pixels. Make it smaller first.")


def thumbnail(image: Any) -> bytes:
    """A small WebP of the first frame, the right way up."""
    image.draft("RGB", (THUMBNAIL * 2, THUMBNAIL * 2))
    image.load()
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    _plain(upright).save(out, "WEBP", quality=80)
    return out.getvalue()


def thumbnail_of(body: bytes) -> bytes:
    """As at uploading, for a picture whose thumbnail has gone. Raises BadPicture."""
    image, _ = _opened(body)
    try:
        return thumbnail(image)
    except BROKEN:
        raise BadPicture(say("The picture is damaged. Please choose another one.")) from None


def _plain(image: Any) -> Any:
    """In colours that every format takes: with transparency where there is some."""
    clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    return image.convert("RGBA" if clear else "RGB")


def _position(image: Any) -> str:
    """The latitude and longitude in a photograph's notes."""
    try:
        notes = image.getexif().get_ifd(0x8825)
        degrees = [
            sum(float(part) / 60**n for n, part in enumerate(notes[tag])) * (-1 if notes[tag - 1] in ("S", "W") else 1)
            for tag in (2, 4)
        ]
        return f"{degrees[0]:.5f}, {degrees[1]:.5f}"
    except BROKEN:
        return ""


# -- changed ---------------------------------------------------------------------------------------


def redrawn(picture: Picture, longest: int | None, lines: Sequence[str]) -> Picture:
    """The picture no larger than `longest` pixels, with these lines written into a corner; the same where nothing is to do."""
    image = Pixels.open(io.BytesIO(picture.body))
    if not lines and (longest is None or max(image.size) <= longest):
        return picture
    drawn = _plain(ImageOps.exif_transpose(image))
    if longest is not None:
        drawn.thumbnail((longest, longest))
    if lines:
        _write(drawn, lines)
    kind = picture.kind if picture.kind in ("JPEG", "WEBP") else "PNG"
    out = io.BytesIO()
    (drawn.convert("RGB") if kind == "JPEG" else drawn).save(out, kind, quality=90)
    body = out.getvalue()
    return Picture(body, kind, thumbnail(Pixels.open(io.BytesIO(body))), picture.position)


def _write(image: Any, lines: Sequence[str]) -> None:
    """Light letters with a dark edge at the bottom left: readable on any ground."""
    size = max(14, max(image.size) // 40)
    font, wide = _font(size)
    text = "\n".join(line if wide else line.encode("latin-1", "ignore").decode("latin-1").strip() for line in lines)
    pen = ImageDraw.Draw(image)
    height = pen.multiline_textbbox((0, 0), text, font=font, spacing=size // 4)[3]
    place = (size // 2, image.height - height - size // 2)
    edge = max(1, size // 14)
    pen.multiline_text(place, text, "white", font, spacing=size // 4, stroke_width=edge, stroke_fill="black")


def _font(size: int) -> tuple[Any, bool]:
    """Letters of this height, and whether Chinese is among them."""
    for path in FONTS:
        if Path(path).exists():
            return ImageFont.truetype(path, size), True
    return ImageFont.load_default(size), False
