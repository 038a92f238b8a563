"""Document: print the record, and keep the file with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.fields.file import File
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Reference
from schemas.steps.base import Step, step_types

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class DocumentStep(Step):
    """Prints the record by a print template, as a PDF or a Word or Excel file filled in, and adds the file to a field.

    A file of the same name that is there already is replaced, so that a step gone through again leaves one file.
    """

    type = "document"
    title_word = "Make a document"
    icon = "step-document"

    template: str = option(Reference("document"), "Print template", "")
    field: str = option(Reference("file field"), "File field", "", help="Where the file is kept.")

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        documents = {d.id: d for d in place.app.documents_of(place.table.id)}
        if self.template not in documents:
            yield place.problem("template", say("choose a print template of this table"))
        found = place.table.by_id.get(self.field)
        if not isinstance(found, File) or found.pictures:
            yield place.problem("field", say("choose a field of files"))
            return
        yield from place.may_read("template", place.table)
        yield from place.may_write("field", place.table, self.field)
