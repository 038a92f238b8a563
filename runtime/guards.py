"""Checks that must stay true whatever is written elsewhere: who would make one false is refused.

What was false before may stay so, or nobody could put it right again step by step.
"""

from collections.abc import Iterable
from uuid import UUID

from runtime import answers, query
from runtime.context import Context
from runtime.rows import child_values
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import InvalidInput
from schemas.messages import Message, say
from schemas.text import Sentence


class Watch:
    """The guarded records that one write reaches by what they gather, as they were before it."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._held: dict[LiveTable, dict[UUID, set[str]]] = {}

    def before(self, live: LiveTable, ids: Iterable[UUID]) -> None:
        """Note what is false of these records now, once for each, before they are worked out again."""
        if not live.table.guards:
            return
        known = self._held.setdefault(live, {})
        fresh = [id for id in ids if id not in known]
        wrong = self._broken(live, fresh) if fresh else {}
        known |= {id: wrong.get(id, set()) for id in fresh}

    def refuse(self) -> None:
        """Raises InvalidInput with the message of each check that is false now and was not before."""
        refused: list[Sentence] = []
        for live, known in self._held.items():
            now = self._broken(live, list(known))
            for id, wrong in now.items():
                refused += [
                    self._told(live, id, check.message)
                    for check in live.table.guards if check.id in wrong - known[id]
                ]  # fmt: skip
        if refused:
            raise InvalidInput({"": refused})

    def _broken(self, live: LiveTable, ids: list[UUID]) -> dict[UUID, set[str]]:
        answers.forget(self.ctx, live)
        found = {}
        for id, values in child_values(self.ctx, live, ids).items():
            whole = filling.calculate(live.analysis, live.table, values, answers.answering(self.ctx, live, id), volatile=True)
            asked = answers.answering(self.ctx, live, id)
            found[id] = {c.id for c in filling.broken(live.analysis, live.table, live.table.guards, whole, asked)}
        return found

    def _told(self, live: LiveTable, id: UUID, message: Sentence) -> Message:
        """The message, with the record's title for one who may see it."""
        title = query.titles(self.ctx, live, [id]).get(id, "")
        return say("{title}: {problem}", title=title, problem=message) if title else say("{problem}", problem=message)
