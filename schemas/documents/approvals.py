from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.documents.base import DocumentBlock, block_types
from schemas.errors import Problem
from schemas.options import option
from schemas.parsers import Flag, Reference
from schemas.strangers import strangers
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.app import App


@block_types.register
@dataclass(frozen=True, kw_only=True)
class Approvals(DocumentBlock):
    """Who decided what and when in the record's flows, with comments and signatures."""

    type = "approvals"
    title_word = "Approval trail"
    icon = "approve"

    flow: str | None = option(Reference("flow", allow_none=True), "Flow", help="None for all that ran for the record.")
    comments: bool = option(Flag(), "With comments", True)
    signatures: bool = option(Flag(), "With signatures", True)

    def linked(self, app: "App", table: Table) -> Iterator[Problem]:
        yield from super().linked(app, table)
        if self.flow:
            yield from strangers("flow", "flow", [self.flow], [f.id for f in app.flows])
