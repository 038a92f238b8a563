"""What every step of a flow is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from schemas.errors import Problem
from schemas.options import option
from schemas.parsers import Id, Label
from schemas.registry import Registry
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.formula import Formula, Type
    from schemas.steps.place import Place


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a flow.

    A kind of step
    * names itself in `type`, for people in `title_word` and `icon`,
    * does its part when a token comes to it (`enter`): go on at once, ask people, fork, or wait for a job,
    * owns branches or not (`inner`), which can be gone back into or not (`resumable`),
    * names the formulas that it reads (`formulas`), and says what is wrong in its place (`complaints`),
    * may say what a new one is to start with, where that is more than what must be there (`starts_with`),
    * may give a value of some type (`result`), which formulas of later steps know by the step's id.
    """

    type: ClassVar[str]
    title_word: ClassVar[str]
    icon: ClassVar[str] = "circle"
    for_people: ClassVar[bool] = False
    starts_with: ClassVar[Mapping[str, Any]] = {}

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())

    @property
    def inner(self) -> dict[str, tuple["Step", ...]]:
        """The steps of each branch, by the branch's id."""
        return {}

    @property
    def resumable(self) -> bool:
        """Whether a return may lead into one of the branches without starting the others."""
        return False

    def enter(self, run: "Run", token: "Token") -> None:
        """Do what happens when a token arrives."""
        raise NotImplementedError

    def formulas(self) -> Iterator["Formula"]:
        """Every formula that running this step may read, its branches' steps not included."""
        yield from ()

    def result(self, place: "Place") -> "Type | None":
        """The type of what this step gives to formulas of later steps; None when it gives nothing."""
        return None

    def complaints(self, place: "Place") -> Iterator[Problem]:
        """What is wrong with this step where it stands."""
        yield from ()


step_types: Registry[Step] = Registry("step type")


def field_right(rights: Mapping[str, str], path: str) -> str:
    """What a step says of a field or column: by its name, its subform's, `*`, and else `read`."""
    named = rights.get(path)
    if named is None and "." in path:
        named = rights.get(path.partition(".")[0])
    return named or rights.get("*", "read")
