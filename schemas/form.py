"""A form: an arrangement of a table's fields for filling in, with rules that tighten the table's."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from schemas.attached import Attached
from schemas.events import MOST_EVENTS, Event
from schemas.fields.choice import TONES
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import (
    Dictionary,
    Flag,
    FormulaSource,
    Icon,
    Id,
    Label,
    Line,
    Literal,
    Many,
    Object,
    Reference,
    Tone,
    Words,
)
from schemas.table import Check
from schemas.text import Text

ADDRESS = re.compile(r"https://[^\s{}/?#@\\]+([/?#]|\Z)|/(?![/\\])")
"""Where a form may lead: a site named in full, or a path of our own."""
WIDTHS = {"1/4": 3, "1/3": 4, "1/2": 6, "2/3": 8, "3/4": 9, "1": 12}
"""How wide a field may be, and how many of twelve columns that is."""


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One of several parts of a form of which one is shown at a time."""

    id: str = option(Id(required=True), "Id", section="advanced")
    tab: Text = option(Label(required=True), "Title", Text())
    layout: tuple["Block", ...] = option(Many(Object(lambda: Block)), "Layout", ())


@dataclass(frozen=True, kw_only=True)
class Block:
    """A row of fields side by side, or a section of rows, tabs, a divider, or a note. Rules name a block by its `id`."""

    row: tuple[str, ...] = option(Many(Id(), most=6), "Fields side by side", ())
    section: Text = option(Label(), "Section", Text())
    id: str | None = option(Id(allow_none=True), "Id", None, section="advanced")
    rows: tuple[tuple[str, ...], ...] = option(Many(Many(Id(), most=6)), "Rows of fields", ())
    folded: bool = option(Flag(), "Folded at first", False)
    help: Text = option(Label(), "Help text of the section", Text())
    tabs: tuple[Tab, ...] = option(Many(Object(Tab), unique="id", most=20), "Tabs", ())
    divider: bool = option(Flag(), "A dividing line", False)
    note: Text = option(Label(), "A note", Text(), help="**bold**, *italic*, ~~struck out~~, [a link](https://…), lists with -")

    def problems(self) -> Iterator[tuple[str, Message]]:
        kinds = [bool(self.row), bool(self.section or self.rows), bool(self.tabs), self.divider, bool(self.note)]
        if sum(kinds) != 1:
            yield "", say("a block is one of: row, section with rows, tabs, divider, note")
        if any(inner.tabs for tab in self.tabs for inner in tab.layout):
            yield "tabs", say("tabs cannot stand inside tabs")

    @property
    def lines(self) -> tuple[tuple[str, ...], ...]:
        return (self.row,) if self.row else self.rows


def fields_in(blocks: Iterable[Block]) -> Iterator[str]:
    """The ids of the fields in these blocks, in reading order."""
    for block in blocks:
        yield from (f for line in block.lines for f in line)
        for tab in block.tabs:
            yield from fields_in(tab.layout)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When the condition holds, fields (or sections, tabs, columns such as `items.price`) are hidden, shown, required
    or read-only, or only some options of a choice are offered.

    A field that some rule shows is hidden unless one of those rules holds. Of several rules that limit the options of
    one field, all count. A rule about columns whose condition names columns is asked for each row.
    """

    when: Formula = option(FormulaSource("boolean", "rule", required=True), "When", None)
    show: tuple[str, ...] = option(Many(Reference("field or section")), "Show", ())
    hide: tuple[str, ...] = option(Many(Reference("field or section")), "Hide", ())
    require: tuple[str, ...] = option(Many(Reference("field or section")), "Require", ())
    readonly: tuple[str, ...] = option(Many(Reference("field or section")), "Read-only", ())
    offer: dict[str, tuple[str, ...]] = option(
        Dictionary(Many(Line(200)), keys="choice field"), "Offer only", None, help="A choice and the options of it that may then be chosen."
    )  # fmt: skip
    when_hidden: str = option(Words("clear", "keep"), "A hidden value is", "keep")

    @property
    def targets(self) -> tuple[str, ...]:
        """Everything that the rule is about."""
        return (*self.show, *self.hide, *self.require, *self.readonly, *(self.offer or ()))


@dataclass(frozen=True, kw_only=True)
class Hint:
    """What is said instead of the ordinary message where the condition holds of what was sent."""

    when: Formula = option(FormulaSource("boolean", required=True), "When", None)
    message: Text = option(Label(required=True), "Message", Text(), help="Formulas in braces are filled in: {no}.")


@dataclass(frozen=True, kw_only=True)
class AfterSubmit:
    """What a person sees when the form has been sent."""

    message: Text = option(Label(), "Message", Text(), help="Formulas in braces are filled in: {no}.")
    hints: tuple[Hint, ...] = option(
        Many(Object(Hint), most=50), "Other messages", (), help="The first whose condition holds is said instead."
    )  # fmt: skip
    go: str = option(Words("record", "list", "form", "url"), "Then go to", "record")
    form: str | None = option(Reference("form", allow_none=True), "Which form")
    url: str = option(
        Line(2_000), "Which address", "",
        help="https://… or a path of this site; formulas in braces are filled in.",
    )  # fmt: skip
    again: bool = option(Flag(), "Offer to fill in another", False)
    keep: tuple[str, ...] = option(Many(Reference("field")), "Another one begins with the same", ())

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.go == "form" and not self.form:
            yield "form", say("name the form to go to")
        if self.go == "url" and not ADDRESS.match(self.url):
            yield "url", say("an address begins with https:// or with a single /")


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a table's fields are laid out for filling in."""

    id: str = option(Id(required=True), "Id", section="advanced")
    table: str = option(Reference("table", required=True), "Table", "")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Icon(), "Icon", "file-text")
    layout: tuple[Block, ...] = option(Many(Object(Block)), "Layout", ())
    widths: dict[str, str] = option(
        Dictionary(Words(*WIDTHS), keys="field"), "Widths", None,
        help="How much of a line a field takes: 1/4, 1/3, 1/2, 2/3, 3/4 or 1.",
    )  # fmt: skip
    rules: tuple[Rule, ...] = option(Many(Object(Rule)), "Rules", (), section="rules")
    require: tuple[str, ...] = option(Many(Reference("field")), "Must be filled in", (), section="checks")
    readonly: tuple[str, ...] = option(Many(Reference("field")), "Read-only", (), section="checks")
    defaults: dict[str, Any] = option(
        Dictionary(Literal(allow_none=True), keys="own field"), "Default values", None, section="default"
    )
    remember: tuple[str, ...] = option(
        Many(Reference("field")), "Begin with what I sent last", (), section="default",
        help="These fields begin with the values of the record that the same person sent last by this form.",
    )  # fmt: skip
    checks: tuple[Check, ...] = option(Many(Object(Check), unique="id"), "Checks", (), section="checks")
    events: tuple[Event, ...] = option(
        Many(Object(Event), unique="id", most=MOST_EVENTS), "Asking other programs", (), section="events",
        help="While the form is filled in, or when it is sent, another program is asked, and fields are filled from its answer.",
    )  # fmt: skip
    quick_fill: bool = option(
        Flag(), "Fill in from a text or a picture", False, section="events",
        help="The workspace's language model reads an e-mail, a business card or a delivery note into the fields. Members only.",
    )  # fmt: skip
    after_submit: AfterSubmit = option(Object(AfterSubmit), "After sending", AfterSubmit())
    color: str = option(Tone(*TONES), "Colour", "teal", section="style", help="Of the edge, the sections and the button.")
    labels: str = option(Words("above", "beside"), "Names of the fields stand", "above", section="style", help="On a phone always above.")
    submit: Text = option(Label(), "The button says", Text(), section="style")
    cover: Attached | None = option(Object(Attached, allow_none=True), "Picture at the top", section="hidden")

    def problems(self) -> Iterator[tuple[str, Message]]:
        placed = list(fields_in(self.layout))
        for field in sorted({f for f in placed if placed.count(f) > 1}):
            yield "layout", say("the field '{id}' is placed twice", id=field)
        named = [id for id, _ in _named(self.layout)]
        for id in sorted({i for i in named if named.count(i) > 1}):
            yield "layout", say("the id '{id}' is used twice", id=id)

    @cached_property
    def edits(self) -> dict[str, list[str]]:
        """The events that each field or column sets off when it is edited."""
        found: dict[str, list[str]] = {}
        for event in self.events:
            for path in event.fields if event.on == "edit" else ():
                found.setdefault(path, []).append(event.id)
        return found

    @cached_property
    def asks_at_sending(self) -> bool:
        return any(event.on == "send" for event in self.events)

    @cached_property
    def placed(self) -> tuple[str, ...]:
        """The ids of the fields on the form, in reading order."""
        return tuple(fields_in(self.layout))

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The sections, tabs, dividers and notes that a rule may name, with the fields in each."""
        return dict(_named(self.layout))

    def spans(self, line: Sequence[str]) -> list[int]:
        """How many of twelve columns each field of a line takes; empty when they simply share it."""
        widths = self.widths or {}
        if not any(f in widths for f in line):
            return []
        chosen = [WIDTHS[widths[f]] if f in widths else 0 for f in line]
        rest = (12 - sum(chosen) % 12 if sum(chosen) % 12 else 12) // max(1, chosen.count(0))
        return [n or max(3, rest) for n in chosen]


def _named(blocks: Iterable[Block]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for block in blocks:
        if block.id:
            yield block.id, tuple(fields_in([block]))
        for tab in block.tabs:
            yield tab.id, tuple(fields_in(tab.layout))
            yield from _named(tab.layout)
