"""What every block of a print template is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from schemas.errors import Problem
from schemas.formula import Formula, FormulaError
from schemas.formula.types import BOOLEAN
from schemas.messages import say
from schemas.options import option
from schemas.parsers import FormulaSource, Id
from schemas.registry import Registry
from schemas.strangers import strangers
from schemas.table import SYSTEM_FIELDS, Table
from schemas.text import Text
from schemas.wording import parts_of

if TYPE_CHECKING:
    from schemas.app import App

ALIGNED = ("left", "center", "right")
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DocumentBlock:
    """One part of a printed page.

    A kind of block names itself in `type`, for people in `title_word` and `icon`, yields the texts whose formulas in
    braces are filled in (`texts`), says what is wrong with its references (`linked`) and what a new one begins with
    (`starts_with`). `templates/documents/<type>.html` draws what `runtime/pages.py` makes of it.
    """

    type: ClassVar[str]
    title_word: ClassVar[str]
    icon: ClassVar[str] = "text"

    id: str = option(Id(required=True), "Id", section="advanced")
    when: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only printed where", section="rules")

    @classmethod
    def starts_with(cls, fields: Iterable[Mapping[str, Any]]) -> Json:
        """The options of a new one over a table with these fields."""
        return {}

    def texts(self) -> Iterator[tuple[str, Text]]:
        """The texts with formulas in braces, by the name of their option."""
        yield from ()

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        """What is wrong with references and formulas; paths are relative to the block."""
        yield from app.analysis.attempt("when", self.when, app.analysis.printing_scope(table), BOOLEAN)
        for path, text in self.texts():
            yield from wording_problems(app, table, path, text)


def wording_problems(app: "App", table: Table, path: str, text: Text) -> Iterator[Problem]:
    """What is wrong with the formulas in a text, in each language."""
    for language, line in text.by_language.items():
        where = f"{path}.{language}" if language else path
        try:
            formulas = [part for part in parts_of(line) if isinstance(part, Formula)]
        except FormulaError as err:
            yield Problem(where, say("at character {n}: {problem}", n=err.position + 1, problem=err.message))
            continue
        for formula in formulas:
            yield from app.analysis.attempt(where, formula, app.analysis.printing_scope(table))


def field_problems(path: str, table: Table, names: Iterable[str]) -> Iterator[Problem]:
    """A problem for each name that is no field of the table."""
    yield from strangers(path, "field", names, [*table.by_id, *SYSTEM_FIELDS, "flow.state"])


block_types: Registry[DocumentBlock] = Registry("kind of block")
