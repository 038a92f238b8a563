from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from schemas.fields.base import Field, Reader, Storage, clean_list, field_types, parse_uuid
from schemas.formula import Type
from schemas.formula.types import FILE, array_of
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Line, Many, Whole
from schemas.text import Sentence


@field_types.register
@dataclass(frozen=True, kw_only=True)
class File(Field):
    """Files kept with the record; the value is a list of file ids."""

    type = "file"
    title = "File"
    icon = "paperclip"
    place = 10
    wide = True
    storage = Storage.UUIDS
    several = True
    sortable = False
    importable = False

    max_files: int = option(Whole(1, 50), "Most files", 10, section="checks")
    max_megabytes: int = option(Whole(1, 50), "Largest file (MB)", 20, section="checks")
    endings: tuple[str, ...] = option(Many(Line(12), most=50), "Only these endings", (), section="checks")

    @property
    def grouping(self) -> str:
        return "own"

    def value_type(self) -> Type:
        return array_of(FILE)

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
