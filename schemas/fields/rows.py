from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from schemas.errors import BadValue
from schemas.fields.base import Field, Reader, Storage, field_types
from schemas.formula import Type
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Kinds, Label, Many, Object, Reference, Whole
from schemas.source import read_json
from schemas.text import Sentence, Text, listed

MOST = 2_000


@dataclass(frozen=True, kw_only=True)
class Key:
    """Fields, or columns of a subform, whose values together may occur only once."""

    fields: tuple[str, ...] = option(Many(Reference("key field"), required=True), "Fields", ())
    message: Text = option(
        Label(), "Message", Text(), help="Without one it is said which fields another one has the same of."
    )  # fmt: skip

    def refusal(self, otherwise: Message, fields: Iterable[Field]) -> Sentence:
        """What is said of a repetition: the message, or a sentence of ours that names the fields."""
        labels = {f.id: f.label or Text.of(f.id) for f in fields}
        named = listed(labels[id] for id in self.fields if id in labels)
        return self.message or Message(otherwise.text, {"fields": named})


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Rows(Field):
    """A subform: rows of fields that belong to the record and are kept with it."""

    type = "rows"
    title = "Subform"
    group = "advanced"
    icon = "table-rows"
    place = 50
    wide = True
    in_subform = False
    storage = Storage.CHILD
    sortable = False

    fields: tuple[Field, ...] = option(Many(Kinds(field_types), unique="id", most=100, required=True), "Columns", ())
    min: int = option(Whole(0, MOST), "Fewest rows", 0, section="checks")
    max: int = option(Whole(1, MOST), "Most rows", 500, section="checks")
    frozen: int = option(
        Whole(0, 3), "Columns that stay in sight", 0, section="style", help="From the left, while the others are scrolled."
    )  # fmt: skip
    keys: tuple[Key, ...] = option(
        Many(Object(Key)), "No two rows of a record with the same", (), section="checks"
    )  # fmt: skip

    @property
    def grouping(self) -> str:
        return "own"

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        for column in self.fields:
            if not column.in_subform:
                yield (
                    "fields",
                    say("a subform cannot hold a field of type '{type}' ('{id}')", type=column.type, id=column.id),
                )
            if column.unique:
                yield "fields", say("a column of a subform cannot be unique ('{id}')", id=column.id)

        ids = {c.id for c in self.fields}
        for key in self.keys:
            for id in key.fields:
                if id not in ids:
                    yield "keys", say("there is no field '{name}'", name=id)

    def column(self, id: str) -> Field | None:
        return next((c for c in self.fields if c.id == id), None)

    def value_type(self) -> Type:
        return Type("rows", target=self.id)

    def parse(self, raw: Any) -> Any:
        """The rows as dictionaries of raw values, as sent; `schemas.form` reads each by its columns."""
        if raw is None or raw == "":
            return None
        rows = (
            read_json(raw, say("The rows could not be read. Please send them again.")) if isinstance(raw, str) else raw
        )
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadValue(say("The rows could not be read. Please send them again."))
        if len(rows) > MOST:
            raise BadValue(say("At most {n} rows.", n=self.max))
        return rows or None

    def check(self, value: Any) -> Iterator[Sentence]:
        if len(value) < self.min:
            yield say("Add at least {n} rows.", n=self.min)
        if len(value) > self.max:
            yield say("At most {n} rows.", n=self.max)

    def show(self, value: Any, reader: Reader) -> str:
        lines = []
        for row in value or ():
            cells = (c.show(row.get(c.id), reader) for c in self.fields)
            lines.append(" · ".join(cell for cell in cells if cell))
        return "\n".join(lines)

    def dump(self, value: Any) -> Any:
        if value is None:
            return None
        return [{c.id: c.dump(row.get(c.id)) for c in self.fields} for row in value]

    def example(self) -> Any:
        row = {c.id: c.example() for c in self.fields if not c.computed}
        return [dict(row) for _ in range(max(1, self.min))]

    def words(self, value: Any) -> str:
        return " ".join(c.words(row.get(c.id)) for row in value or () for c in self.fields)
