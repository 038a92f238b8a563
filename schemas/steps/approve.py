"""Approve: people say yes or no."""

from dataclasses import dataclass

from schemas.options import option
from schemas.parsers import Words
from schemas.steps.base import step_types
from schemas.steps.people import PeopleStep


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Approve(PeopleStep):
    """Asks people to approve, and goes on when enough of them have."""

    type = "approve"
    title_word = "Approve"
    icon = "stamp"
    offered = ("approve", "reject", "return", "transfer", "delegate", "add_signer", "copy", "save", "comment")

    reject: str = option(
        Words("veto", "counts"),
        "A rejection",
        "veto",
        help="One rejection is enough, or it counts against the others.",
    )

    @property
    def vetoes(self) -> bool:
        return self.reject == "veto"

    def outcome(self, yes: int, no: int, asked: int) -> str | None:
        return "rejected" if no and self.reject == "veto" else super().outcome(yes, no, asked)
