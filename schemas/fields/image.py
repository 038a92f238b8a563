from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.file import File
from schemas.options import option
from schemas.parsers import Flag, Many, Whole, Words

FORMATS = ("jpg", "jpeg", "png", "gif", "webp")
WATERMARKS = ("time", "person", "place")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Image(File):
    """Pictures, with thumbnails. Photographs lose the place where they were taken unless it is kept on purpose."""

    type = "image"
    title = "Picture"
    about = "Pictures, from a file or the camera of a phone, with small previews in lists and galleries."
    group = "advanced"
    icon = "field-image"
    place = 10
    pictures = True

    max_files: int = option(Whole(1, 50), "Most pictures", 9, section="checks")
    max_megabytes: int = option(Whole(1, 50), "Largest picture (MB)", 20, section="checks")
    endings: tuple[str, ...] = option(
        Many(Words(*FORMATS), most=len(FORMATS)), "Only these formats", FORMATS, section="checks"
    )
    camera: str = option(
        Words("offered", "only"),
        "Camera",
        "offered",
        help="Only: a picture is taken on the spot, none is chosen from the album.",
    )
    longest_side: int | None = option(
        Whole(200, 20_000, allow_none=True), "Make larger pictures smaller, to pixels on the longer side", None
    )
    keep_place: bool = option(
        Flag(), "Keep where a photograph was taken", False, section="advanced",
        help="Otherwise the position that a phone writes into it is removed.",
    )  # fmt: skip
    watermark: tuple[str, ...] = option(
        Many(Words(*WATERMARKS), most=3), "Written into the picture", (), section="style",
        help="time: when it was added; person: who added it; place: where a photograph says that it was taken.",
    )  # fmt: skip

    @property
    def accepted(self) -> tuple[str, ...]:
        return super().accepted or FORMATS
