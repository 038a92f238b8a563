from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from schemas.fields.base import Field, Reader, Storage, clean_list, field_types, parse_uuid
from schemas.formula import Type
from schemas.formula.types import FILE, array_of
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Line, Many, Whole
from schemas.text import Sentence

VIEWED = {
    "pdf": "application/pdf", "txt": "text/plain", "md": "text/plain", "log": "text/plain", "csv": "text/plain", "json": "text/plain",
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
}  # fmt: skip
"""Endings of what a browser may show by itself, and as what. SVG and HTML could run scripts: they are only downloaded."""


def viewed_as(name: str) -> str:
    """The media type as which a file of this name may be shown in a browser; empty when it is only downloaded."""
    return VIEWED.get(ending_of(name), "")


def ending_of(name: str) -> str:
    return name.rpartition(".")[2].casefold() if "." in name else ""


@field_types.register
@dataclass(frozen=True, kw_only=True)
class File(Field):
    """Files kept with the record; the value is a list of file ids."""

    type = "file"
    title = "File"
    about = "Files to attach, limited in number, size and kind. Whoever may see the field may open them."
    group = "advanced"
    icon = "paperclip"
    place = 15
    wide = True
    storage = Storage.UUIDS
    several = True
    sortable = False
    importable = False
    pictures: ClassVar[bool] = False
    """Whether only pictures are taken: they are looked into, and have thumbnails."""

    max_files: int = option(Whole(1, 50), "Most files", 10, section="checks")
    max_megabytes: int = option(Whole(1, 50), "Largest file (MB)", 20, section="checks")
    endings: tuple[str, ...] = option(
        Many(Line(12), most=50),
        "Only these endings",
        (),
        section="checks",
        help="Such as pdf, docx; none for all kinds.",
    )

    @property
    def grouping(self) -> str:
        return "own"

    @property
    def accepted(self) -> tuple[str, ...]:
        """The endings that may be added, in small letters and without their point; none for all."""
        return tuple(dict.fromkeys(e.strip().lstrip(".").casefold() for e in self.endings if e.strip(" .")))

    def value_type(self) -> Type:
        return array_of(FILE)

    def refusal(self, name: str) -> Message | None:
        """Why a file of this name cannot be added here."""
        if self.accepted and ending_of(name) not in self.accepted:
            return say("Only these files can be added here: {endings}.", endings=", ".join(self.accepted))
        return None

    def parse(self, raw: Any) -> Any:
        refusal = say("The file could not be found. Please upload it again.")
        return [parse_uuid(item, refusal) for item in clean_list(raw)] or None

    def check(self, value: Any) -> Iterator[Sentence]:
        if len(value) > self.max_files:
            yield say("At most {n} files.", n=self.max_files)

    def show(self, value: Any, reader: Reader) -> str:
        return ", ".join(reader.names.get(item, "") for item in value or ())

    def dump(self, value: Any) -> Any:
        return None if value is None else [str(item) for item in value]

    def example(self) -> Any:
        return [UUID(int=1)]
