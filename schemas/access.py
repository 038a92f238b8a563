"""Who may do what with which rows and which fields. Additive, default deny, empty means none."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Id, Label, Many, Object, Reference, Words
from schemas.text import Text

ACTIONS = (
    "read", "create", "update", "delete", "import", "export", "print", "comment", "history", "batch", "share",
)  # fmt: skip
FLOW_ACTIONS = ("read", "start", "manage")
RIGHTS = ("hidden", "mask", "replace", "read", "write")
"""What a field may be: out of sight; seen as a mask; seen as a mask and written anew; read; read and written."""
SEES = {"hidden": 0, "mask": 1, "replace": 1, "read": 2, "write": 2}
WRITES = frozenset({"replace", "write"})
TARGETS = ("table", "form", "view", "dashboard", "flow", "app")
PEOPLE = ("everyone", "role", "slot", "flow", "external", "link", "token")


def united(seen: Iterable[str], written: Iterable[str]) -> str:
    """One right to a field out of several: the most of it that any of them shows, and whether one lets it be written."""
    sight = max((SEES[right] for right in seen), default=0)
    writes = any(right in WRITES for right in written)
    if sight == 2:
        return "write" if writes else "read"
    return "replace" if writes else ("mask" if sight else "hidden")


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whom a grant is for: exactly one of these. A slot is a member or a department that each installation names."""

    everyone: bool = option(Flag(), "Every member", False, help="Contacts outside the company are not among them.")
    external: bool = option(Flag(), "Every external contact", False)
    role: str | None = option(Id(allow_none=True), "Role")
    slot: str | None = option(Id(allow_none=True), "Slot")
    below: bool = option(Flag(), "With the departments below it", False)
    flow: str | None = option(Id(allow_none=True), "Flow")
    link: str | None = option(Id(allow_none=True), "Public link")
    token: str | None = option(Id(allow_none=True), "Token")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if sum(bool(getattr(self, name)) for name in PEOPLE) != 1:
            yield "", say("name exactly one of: {known}", known=", ".join(PEOPLE))
        if self.below and not self.slot:
            yield "below", say("only a department has departments below it")


class Whom(Many):
    """One object, or a list of them."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[Any, ...]:
        if isinstance(value, Mapping):
            return (self.item.deserialize(value),)
        return super()._deserialize(value, attr, data, **kwargs)


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role of the app, given to members where it is installed."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A right to a table's rows and fields, by a table, a form, a view or the whole app; or to a dashboard or a flow.

    Through a view only its rows and columns are open, through a form only its fields. A view or a form that grants
    name is for those alone; one that none names is for everybody who may read, or add to, its table.
    """

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    note: Text = option(Label(), "Note", Text())
    off: bool = option(Flag(), "Switched off", False)
    who: tuple[Who, ...] = option(Whom(Object(Who), most=100, required=True), "Who", ())
    table: str | None = option(Reference("table", allow_none=True), "Table")
    form: str | None = option(Reference("form", allow_none=True), "Form")
    view: str | None = option(Reference("view", allow_none=True), "View")
    dashboard: str | None = option(Reference("dashboard", allow_none=True), "Dashboard")
    flow: str | None = option(Reference("flow", allow_none=True), "Flow")
    app: bool = option(Flag(), "The whole app", False)
    do: tuple[str, ...] = option(Many(Words(*dict.fromkeys((*ACTIONS, *FLOW_ACTIONS)))), "May", ())
    rows: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only rows where")
    rows_after: Formula | None = option(FormulaSource("boolean", allow_none=True), "After a change, rows where")
    fields: dict[str, Any] | None = option(Dictionary(Words(*RIGHTS), star=True, allow_none=True), "Fields")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if sum(bool(getattr(self, name)) for name in TARGETS) != 1:
            yield "", say("a grant is for exactly one of: {known}", known=", ".join(TARGETS))
        known = FLOW_ACTIONS if self.flow else ACTIONS
        for wrong in [verb for verb in self.do if verb not in known]:
            yield "do", say("'{word}' is not known here (one of: {known})", word=wrong, known=", ".join(known))
        if self.dashboard or self.flow or self.app:
            for name in ("rows", "rows_after", "fields"):
                if getattr(self, name) is not None:
                    yield name, say("rows and fields are those of a table, a form or a view")

    @property
    def about(self) -> tuple[str, str]:
        """What the grant opens: its kind and its id."""
        kind = next(name for name in TARGETS if getattr(self, name))
        return kind, "" if kind == "app" else str(getattr(self, kind))

    def right(self, path: str) -> str:
        """What a field or a column (`items.price`) may be, by this grant alone; one of RIGHTS.

        Without `fields` everything is writable where `do` allows; `{}` is nothing; `*` sets the rest;
        a column follows its subform unless named.
        """
        if self.fields is None:
            return "write"
        named = self.fields.get(path)
        if named is None and "." in path:
            named = self.fields.get(path.partition(".")[0])
        return str(named if named is not None else self.fields.get("*", "hidden"))
