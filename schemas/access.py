"""Who may do what with which rows and which fields. Additive, default deny, empty means none."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Id, Label, Many, Object, Reference, Words
from schemas.text import Text

ACTIONS = ("read", "create", "update", "delete", "import", "export", "print", "history")
RIGHTS = ("hidden", "read", "write")


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whom a grant is for: exactly one of these."""

    everyone: bool = option(Flag(), "Every member", False, help="Contacts outside the company are not among them.")
    external: bool = option(Flag(), "Every external contact", False)
    role: str | None = option(Id(allow_none=True), "Role")
    slot: str | None = option(Id(allow_none=True), "Slot")
    flow: str | None = option(Id(allow_none=True), "Flow")

    def problems(self) -> Iterator[tuple[str, Message]]:
        named = (self.everyone, self.external, self.role, self.slot, self.flow)
        if sum(bool(one) for one in named) != 1:
            yield "", say("name exactly one of: everyone, external, role, slot, flow")


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role of the app, given to members where it is installed."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A right to a table's rows and fields, or to look at a dashboard."""

    id: str = option(Id(required=True), "Id", section="advanced")
    who: Who = option(Object(Who, required=True), "Who", None)
    table: str | None = option(Reference("table", allow_none=True), "Table")
    dashboard: str | None = option(Reference("dashboard", allow_none=True), "Dashboard")
    do: tuple[str, ...] = option(Many(Words(*ACTIONS)), "May", ())
    rows: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only rows where")
    rows_after: Formula | None = option(FormulaSource("boolean", allow_none=True), "After a change, rows where")
    fields: dict[str, Any] | None = option(Dictionary(Words(*RIGHTS), star=True, allow_none=True), "Fields")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if (self.table is None) == (self.dashboard is None):
            yield "", say("a grant is for a table or for a dashboard")

    def right(self, path: str) -> str:
        """hidden, read or write for a field or a column (`items.price`), by this grant alone.

        Without `fields` everything is writable where `do` allows; `{}` is nothing; `*` sets the rest;
        a column follows its subform unless named.
        """
        if self.fields is None:
            return "write"
        named = self.fields.get(path)
        if named is None and "." in path:
            named = self.fields.get(path.partition(".")[0])
        return str(named if named is not None else self.fields.get("*", "hidden"))
