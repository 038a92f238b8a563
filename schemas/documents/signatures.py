from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.documents.base import DocumentBlock, Json, block_types, wording_problems
from schemas.errors import Problem
from schemas.fields.file import File
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, Label, Many, Object, Reference
from schemas.table import Table
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.app import App


@dataclass(frozen=True, kw_only=True)
class SignatureLine:
    """A line to sign on, or the signature that a field holds."""

    title: Text = option(Label(required=True), "Who signs", Text(), help="Formulas in braces are filled in: {no}.")
    field: str | None = option(Reference("picture field", allow_none=True), "Signature of a field")


@block_types.register
@dataclass(frozen=True, kw_only=True)
class Signatures(DocumentBlock):
    """Lines to sign on, side by side."""

    type = "signatures"
    title_word = "Signature lines"
    icon = "field-signature"

    lines: tuple[SignatureLine, ...] = option(Many(Object(SignatureLine), most=6, required=True), "Lines", ())
    dated: bool = option(Flag(), "With a line for the date", True)

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        return {
            "lines": [
                {"title": {"zh": "甲方（盖章）", "en": "Party A"}},
                {"title": {"zh": "乙方（盖章）", "en": "Party B"}},
            ]
        }

    def problems(self) -> Iterator[tuple[str, Message]]:
        if not self.lines:
            yield "lines", say("add at least one line")

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        for n, line in enumerate(self.lines):
            yield from wording_problems(app, table, f"lines[{n}].title", line.title)
            found = table.by_id.get(line.field or "")
            if line.field and not (isinstance(found, File) and found.pictures):
                yield Problem(f"lines[{n}].field", say("choose a field of pictures or a signature"))
