"""Choose: the first branch whose condition holds, or every such branch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.formula import Formula
from schemas.formula.types import BOOLEAN
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Many, Object, Words
from schemas.steps.base import Step, step_types
from schemas.steps.branch import Case

if TYPE_CHECKING:
    from typing import Protocol

    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place

    class Judge(Protocol):
        """A run, or whatever else can say whether a condition holds."""

        def holds(self, formula: Formula) -> bool: ...


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Choose(Step):
    """Goes on by the branch whose condition holds."""

    type = "choose"
    title_word = "Choose"
    icon = "split"

    branches: tuple[Case, ...] = option(Many(Object(Case), unique="id", most=50, required=True), "Branches", ())
    mode: str = option(Words("first", "every"), "Branches taken", "first", help="The first that holds, or every one.")

    @property
    def inner(self) -> dict[str, tuple[Step, ...]]:
        return {branch.id: branch.steps for branch in self.branches}

    @property
    def resumable(self) -> bool:
        return self.mode == "first"

    def taken(self, run: "Judge") -> tuple[Case, ...]:
        """The branches to follow now; the one without a condition only if no other holds."""
        holding = [b for b in self.branches if b.when is not None and run.holds(b.when)]
        chosen = holding or [b for b in self.branches if b.when is None]
        return tuple(chosen[:1] if self.mode == "first" else chosen)

    def enter(self, run: "Run", token: "Token") -> None:
        taken = self.taken(run)
        run.fork(token, self, [branch.id for branch in taken], needed=len(taken))

    def formulas(self) -> Iterator[Formula]:
        yield from (b.when for b in self.branches if b.when is not None)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        if not self.branches:
            yield place.problem("branches", say("add at least one branch"))
        if sum(b.when is None for b in self.branches) > 1:
            yield place.problem("branches", say("only one branch may go without a condition"))
        for index, branch in enumerate(self.branches):
            if branch.when is not None:
                yield from place.formula(f"branches[{index}].when", branch.when, BOOLEAN)
            elif self.mode == "first" and index < len(self.branches) - 1:
                message = say("put the branch without a condition last: it is taken when no other holds")
                yield place.problem(f"branches[{index}]", message, "warning")
        if not any(b.steps for b in self.branches):
            yield place.problem("branches", say("none of the branches has a step"), "warning")
