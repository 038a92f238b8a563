"""A small file that travels inside a definition: a logo, a Word or Excel file to be filled in."""

import base64
import binascii
from dataclasses import dataclass
from functools import cached_property

from schemas.messages import say
from schemas.options import option
from schemas.parsers import Line, refuse

LARGEST = 1_000_000


class Content(Line):
    """The bytes of a file in base 64."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(LARGEST * 4 // 3 + 4, **kwargs)

    def _deserialize(self, value: object, attr: object, data: object, **kwargs: object) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise refuse(say("expected the bytes of a file in base 64")) from None
        return text


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A file by its name, with its bytes in base 64; at most 1 MB."""

    name: str = option(Line(180, required=True), "Name", "")
    content: str = option(Content(required=True), "Content", "", section="hidden")

    @cached_property
    def data(self) -> bytes:
        return base64.b64decode(self.content)

    @property
    def ending(self) -> str:
        return self.name.rpartition(".")[2].casefold() if "." in self.name else ""
