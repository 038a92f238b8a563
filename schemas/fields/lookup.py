from collections.abc import Iterator
from dataclasses import dataclass

from schemas.fields.base import field_types
from schemas.fields.formula import Computed
from schemas.formula import Formula
from schemas.formula.tree import Name
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Lookup(Computed):
    """A linked record's field, shown here as it is now and as far as its reader may see it there.

    `path` goes through links: `author.name`, `book.author.name`, `books.title` (a list). Nothing is stored.
    """

    type = "lookup"
    title = "Lookup"
    about = "Shows a field of a linked record, such as the maker of a machine. It changes with that record."
    group = "relation"
    icon = "field-lookup"
    place = 30

    path: Formula = option(
        FormulaSource("any", required=True), "Field of the linked record", None, help="link.field, or link.link.field"
    )

    @property
    def steps(self) -> tuple[str, ...]:
        """The names that the path passes."""
        return self.path.tree.path if isinstance(self.path.tree, Name) else ()

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.path is not None and len(self.steps) < 2:
            yield "path", say("name a link and a field of the linked record, such as author.name")
        if self.index:
            yield "index", say("a lookup is not stored and cannot be indexed")
