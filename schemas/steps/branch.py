"""A branch: a list of steps inside another step."""

from dataclasses import dataclass

from schemas.formula import Formula
from schemas.options import option
from schemas.parsers import FormulaSource, Id, Kinds, Label, Many
from schemas.steps.base import Step, step_types
from schemas.text import Text


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Steps that run beside others."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    steps: tuple[Step, ...] = option(Many(Kinds(step_types)), "Steps", ())


@dataclass(frozen=True, kw_only=True)
class Case(Branch):
    """Steps that run when a condition holds; without `when`, when no other case does."""

    when: Formula | None = option(FormulaSource("boolean", allow_none=True), "When")
