"""What every step of a flow is."""

from dataclasses import dataclass
from typing import ClassVar

from schemas.options import option
from schemas.parsers import Id, Label
from schemas.registry import Registry
from schemas.text import Text


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a flow."""

    type: ClassVar[str]
    title_word: ClassVar[str]

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())


step_types: Registry[Step] = Registry("step type")
