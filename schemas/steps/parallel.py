"""Parallel: all branches at once, joined again at the end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marshmallow import fields as ma

from schemas.errors import Problem
from schemas.messages import say
from schemas.options import load_object, option
from schemas.parsers import Many, Object, Whole, Words
from schemas.steps.base import Step, step_types
from schemas.steps.branch import Branch

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@dataclass(frozen=True, kw_only=True)
class SomeOf:
    """A number of branches that is enough."""

    count: int = option(Whole(1, 50, required=True), "Number of branches", 1)


class Join(ma.Field[Any]):
    """`all`, `first`, or `{"count": n}`."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return Words("all", "first").deserialize(value)
        return load_object(SomeOf, value)


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Parallel(Step):
    """Runs its branches side by side and goes on when enough of them are done."""

    type = "parallel"
    title_word = "In parallel"
    icon = "git-fork"

    branches: tuple[Branch, ...] = option(Many(Object(Branch), unique="id", most=50, required=True), "Branches", ())
    join: str | SomeOf = option(
        Join(),
        "Goes on after",
        "all",
        help="All branches, the first one done, or a number; the rest is then cancelled.",
    )

    @property
    def inner(self) -> dict[str, tuple[Step, ...]]:
        return {branch.id: branch.steps for branch in self.branches}

    def enter(self, run: "Run", token: "Token") -> None:
        run.fork(token, self, list(self.inner), needed=self.needed)

    @property
    def needed(self) -> int:
        """How many branches must be done before the flow goes on."""
        if isinstance(self.join, SomeOf):
            return min(self.join.count, len(self.branches))
        return 1 if self.join == "first" else len(self.branches)

    def complaints(self, place: "Place") -> Iterator[Problem]:
        if len(self.branches) < 2:
            yield place.problem("branches", say("add at least two branches"))
        for index, branch in enumerate(self.branches):
            if not branch.steps:
                yield place.problem(f"branches[{index}].steps", say("this branch has no step"), "warning")
        if isinstance(self.join, SomeOf) and self.join.count > len(self.branches):
            yield place.problem("join.count", say("there are only {n} branches", n=len(self.branches)))
