"""A flow: a trigger and steps."""

from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Id, Kinds, Label, Many
from schemas.steps import Step, step_types
from schemas.text import Text


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A trigger and the steps that follow it."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    steps: tuple[Step, ...] = option(Many(Kinds(step_types), unique="id"), "Steps", ())
