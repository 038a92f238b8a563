from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.fields.base import field_types
from schemas.fields.link import ON_DELETE, Link
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Dictionary, Flag, FormulaSource, Many, Reference, Words


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Group(Link):
    """The record of another table that has the same values: found by them, made when there is none yet.

    Rollups of that table over this link are figures by group: stock by product and place, spending by department and
    month. A record (or a row of a subform) of which one of the values is blank belongs to none.
    """

    type = "group"
    title = "Filed under"
    about = "Files each record or row under the record of another form with the same values, which adds up what is filed there."
    icon = "field-group"
    place = 45
    computed = True
    importable = False
    may_be_key = False

    by: dict[str, Formula] = option(
        Dictionary(FormulaSource("any", required=True), keys="grouped field"), "Found by", None,
        help="Fields of the other form that together name one record of it, and their values here.",
    )  # fmt: skip
    where: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only where")
    on_delete: str = option(
        Words(*ON_DELETE), "When the other record is deleted", "restrict", section="advanced",
        help="keep: nothing; restrict: it cannot be deleted; clear: this link is emptied; trash: this record goes with it.",
    )  # fmt: skip
    pick: Formula | None = option(FormulaSource("boolean", "pick", allow_none=True), "Which records may be chosen", section="hidden")
    fill: dict[str, str] = option(
        Dictionary(Reference("target field"), keys="own path"), "Fill from the chosen record", None, section="hidden"
    )
    show_columns: tuple[str, ...] = option(
        Many(Reference("target field")), "Columns shown when choosing", (), section="hidden"
    )
    required: bool = option(Flag(), "Required", False, section="hidden")

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.pick is not None or self.fill or self.required or self.default is not None:
            yield "", say("a group is found by its values: nothing is chosen, filled or required")

    @property
    def recipe(self) -> tuple[Any, ...]:
        """What it is found by: where this changes, the groups of all records are found again."""
        by = tuple((own, formula.source) for own, formula in (self.by or {}).items())
        return (self.table, by, self.where and self.where.source)

    def parse(self, raw: Any) -> Any:
        return None
