"""Handle: people fill something in and send it on."""

from dataclasses import dataclass

from schemas.steps.base import step_types
from schemas.steps.people import PeopleStep


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Handle(PeopleStep):
    """Asks people to fill in fields of the record."""

    type = "handle"
    title_word = "Fill in"
    icon = "clipboard-pen"
    agrees = "submit"
    offered = ("submit", "return", "transfer", "delegate", "add_signer", "copy", "save", "comment")
