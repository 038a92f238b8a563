"""A form: an arrangement of a table's fields for filling in, with rules that tighten the table's."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Id, Label, Line, Literal, Many, Object, Reference, Words
from schemas.text import Text


@dataclass(frozen=True, kw_only=True)
class Block:
    """A row of fields side by side, or a section of rows, a divider, or a note."""

    row: tuple[str, ...] = option(Many(Id(), most=6), "Fields side by side", ())
    section: Text = option(Label(), "Section", Text())
    id: str | None = option(Id(allow_none=True), "Id", None, section="advanced")
    rows: tuple[tuple[str, ...], ...] = option(Many(Many(Id(), most=6)), "Rows of fields", ())
    folded: bool = option(Flag(), "Folded at first", False)
    divider: bool = option(Flag(), "A dividing line", False)
    note: Text = option(Label(), "A note", Text())

    def problems(self) -> Iterator[tuple[str, Message]]:
        kinds = [bool(self.row), bool(self.section or self.rows), self.divider, bool(self.note)]
        if sum(kinds) != 1:
            yield "", say("a block is one of: row, section with rows, divider, note")

    @property
    def lines(self) -> tuple[tuple[str, ...], ...]:
        return (self.row,) if self.row else self.rows


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When the condition holds, fields (or sections, or columns such as `items.price`) are hidden, shown, required or read-only.

    A field that some rule shows is hidden unless one of those rules holds.
    """

    when: Formula = option(FormulaSource("boolean", "rule", required=True), "When", None)
    show: tuple[str, ...] = option(Many(Reference("field or section")), "Show", ())
    hide: tuple[str, ...] = option(Many(Reference("field or section")), "Hide", ())
    require: tuple[str, ...] = option(Many(Reference("field or section")), "Require", ())
    readonly: tuple[str, ...] = option(Many(Reference("field or section")), "Read-only", ())
    when_hidden: str = option(Words("clear", "keep"), "A hidden value is", "keep")


@dataclass(frozen=True, kw_only=True)
class AfterSubmit:
    """What a person sees when the form has been sent."""

    message: Text = option(Label(), "Message", Text())
    again: bool = option(Flag(), "Offer to fill in another", False)


@dataclass(frozen=True, kw_only=True)
class FormCheck:
    """Something that must hold when this form is sent."""

    id: str = option(Id(required=True), "Id", section="advanced")
    formula: Formula = option(FormulaSource("boolean", required=True), "Must be true", None)
    message: Text = option(Label(required=True), "Message otherwise", Text())


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a table's fields are laid out for filling in."""

    id: str = option(Id(required=True), "Id", section="advanced")
    table: str = option(Reference("table", required=True), "Table", "")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Line(40), "Icon", "file-text")
    layout: tuple[Block, ...] = option(Many(Object(Block)), "Layout", ())
    rules: tuple[Rule, ...] = option(Many(Object(Rule)), "Rules", (), section="rules")
    require: tuple[str, ...] = option(Many(Reference("field")), "Must be filled in", (), section="checks")
    readonly: tuple[str, ...] = option(Many(Reference("field")), "Read-only", (), section="checks")
    defaults: dict[str, Any] = option(
        Dictionary(Literal(allow_none=True), keys="own field"), "Default values", None, section="default"
    )
    checks: tuple[FormCheck, ...] = option(Many(Object(FormCheck), unique="id"), "Checks", (), section="checks")
    after_submit: AfterSubmit = option(Object(AfterSubmit), "After sending", AfterSubmit())

    def problems(self) -> Iterator[tuple[str, Message]]:
        placed = [f for block in self.layout for line in block.lines for f in line]
        for field in sorted({f for f in placed if placed.count(f) > 1}):
            yield "layout", say("the field '{id}' is placed twice", id=field)

    @cached_property
    def placed(self) -> tuple[str, ...]:
        """The ids of the fields on the form, in reading order."""
        return tuple(f for block in self.layout for line in block.lines for f in line)
