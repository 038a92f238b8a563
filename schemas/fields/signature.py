from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.file import File
from schemas.options import option
from schemas.parsers import Flag, Many, Whole, Words


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Signature(File):
    """A signature drawn by hand, or a typed name where drawing is not possible; kept as a picture."""

    type = "signature"
    title = "Signature"
    about = "A signature by finger, pen or mouse, kept as a picture."
    group = "advanced"
    icon = "field-signature"
    place = 30
    wide = False
    pictures = True

    max_files: int = option(Whole(1, 1), "Most files", 1, section="hidden")
    max_megabytes: int = option(Whole(1, 2), "Largest file (MB)", 2, section="hidden")
    endings: tuple[str, ...] = option(Many(Words("png")), "Only these formats", ("png",), section="hidden")
    typed_name: bool = option(
        Flag(), "A typed name will do", True, help="For those who cannot draw: with a keyboard or a screen reader."
    )
    reuse: bool = option(Flag(), "One's last signature may be used again", False, help="Of the same field, by the same person.")
