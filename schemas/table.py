"""A table: where data lives, and what must always hold of it, whoever writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from schemas.fields import Field, field_types
from schemas.fields.base import Facet
from schemas.fields.choice import Choice
from schemas.fields.group import Group
from schemas.fields.rows import Key, Rows
from schemas.formula import Formula
from schemas.formula.types import DATETIME, MEMBER, NUMBER, TEXT, Type
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Icon, Id, Kinds, Label, Many, Object, Reference
from schemas.text import Text

SYSTEM_FIELDS: dict[str, Type] = {
    "created_at": DATETIME,
    "created_by": MEMBER,
    "updated_at": DATETIME,
    "updated_by": MEMBER,
    "version": NUMBER,
}
FLOW_FACTS: dict[str, Type] = {"state": TEXT}
"""What `flow.` offers in a formula of a record."""

SYSTEM_LABELS = {
    "created_at": say("Created at"),
    "created_by": say("Created by"),
    "updated_at": say("Changed at"),
    "updated_by": say("Changed by"),
    "version": say("Version"),
    "flow.state": say("Flow state"),
}
RESERVED_IDS = {*SYSTEM_FIELDS, "id", "flow", "this", "value", "deleted_at", "deleted_by", "flow_state", "errors"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something that must hold of every record of a table, or of what is sent by a form."""

    id: str = option(Id(required=True), "Id", section="advanced")
    formula: Formula = option(FormulaSource("boolean", required=True), "Must be true", None)
    message: Text = option(Label(required=True), "Message otherwise", Text())
    field: str = option(
        Reference("field"), "Shown beside", "",
        help="A column of a subform, such as items.price, has the check asked for each row.",
    )  # fmt: skip
    always: bool = option(
        Flag(), "Refuses what is written elsewhere, too", False,
        help="In a form with rollups: whatever another form sends that would make this false is refused with the message.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Table:
    """Fields, keys and checks of one kind of record."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Icon(), "Icon", "table")
    title_formula: Formula | None = option(FormulaSource("any", allow_none=True), "Title of a record")
    fields: tuple[Field, ...] = option(Many(Kinds(field_types), unique="id", most=500, required=True), "Fields", ())
    keys: tuple[Key, ...] = option(Many(Object(Key)), "Unique combinations", (), section="checks")
    checks: tuple[Check, ...] = option(Many(Object(Check), unique="id"), "Checks", (), section="checks")
    comments: bool = option(Flag(), "Comments", True, section="advanced")

    def problems(self) -> Iterator[tuple[str, Message]]:
        for field in self.fields:
            if field.id in RESERVED_IDS:
                yield "fields", say("'{id}' is a reserved word", id=field.id)

    @cached_property
    def by_id(self) -> dict[str, Field]:
        return {f.id: f for f in self.fields}

    def field(self, path: str) -> Field | None:
        """The field, or the column of a subform, with this id (`amount`, `items.price`)."""
        first, _, column = path.partition(".")
        field = self.by_id.get(first)
        if column:
            return field.column(column) if isinstance(field, Rows) else None
        return field

    def facet(self, path: str) -> Facet | None:
        """The part of a field's value that a path such as `address.city` names."""
        whole, _, part = path.partition(".")
        found = self.by_id.get(whole)
        return found.facets.get(part) if found else None

    @cached_property
    def facet_paths(self) -> tuple[str, ...]:
        """The paths of all parts of its fields' values."""
        return tuple(f"{f.id}.{name}" for f in self.fields for name in f.facets)

    @cached_property
    def dependent(self) -> tuple[tuple[Rows | None, Choice], ...]:
        """The choices whose options depend on another answer, each with the subform that it is a column of."""
        alone = [(None, f) for f in self.fields if isinstance(f, Choice) and f.depends_on]
        inner = [(r, c) for r in self.subforms for c in r.fields if isinstance(c, Choice) and c.depends_on]
        return (*alone, *inner)

    @cached_property
    def guards(self) -> tuple[Check, ...]:
        """The checks that must stay true whatever is written elsewhere."""
        return tuple(check for check in self.checks if check.always)

    @cached_property
    def groups(self) -> tuple[tuple[Group, Rows | None], ...]:
        """The group fields, each with the subform that it is a column of."""
        alone = [(f, None) for f in self.fields if isinstance(f, Group)]
        return (*alone, *((c, r) for r in self.subforms for c in r.fields if isinstance(c, Group)))

    @cached_property
    def subforms(self) -> tuple[Rows, ...]:
        return tuple(f for f in self.fields if isinstance(f, Rows))

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every field, and every column of a subform as `items.price`."""
        inner = [f"{rows.id}.{c.id}" for rows in self.subforms for c in rows.fields]
        return (*self.by_id, *inner)


NOTHING = Table(id="")
"""What a flow is about that has no record."""
