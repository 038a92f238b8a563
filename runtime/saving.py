"""Flows that run before a record is saved: they look, calculate and may refuse, whatever writes.

They run in the writer's transaction when everything stands as it would be kept, so that a refusal leaves nothing.
Nothing of them is kept either: there is no run to be seen, and no job that could do something later.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from runtime import given
from runtime.context import Context
from runtime.given import Changes
from runtime.ids import new_id
from runtime.running import Running, values_of
from runtime.tables import LiveTable
from schemas.errors import InvalidInput
from schemas.flow import Flow, Trigger
from schemas.formula import Formula
from schemas.messages import say
from schemas.results import dump
from schemas.steps.base import Step
from schemas.steps.calculate import Calculate
from schemas.steps.choose import Choose
from schemas.steps.end import End
from schemas.steps.find import Find
from schemas.steps.guard import Guard

Saved = tuple[UUID, Changes | None]
"""A record, and by field what it was and is; None for one that is new or gone."""


def refuse(ctx: Context, live: LiveTable, event: str, saved: Iterable[Saved]) -> None:
    """Ask every flow that guards this: created, changed or deleted. Raises InvalidInput with what a guard says."""
    guarding = [(flow, t) for flow in live.inst.app.flows for t in flow.trigger if t.saving is not None and t.saving.table == live.id]
    if not guarding:
        return
    for record, changes in saved:
        for flow, trigger in guarding:
            if trigger.guards(live.id, event, frozenset(changes or ())):
                _ask(ctx, live, flow, trigger, record, changes)


def _ask(ctx: Context, live: LiveTable, flow: Flow, trigger: Trigger, record: UUID, changes: Changes | None) -> None:
    run = Running(new_id(), live.inst, flow, live, record, None, ctx.now)
    run.state.results |= given.before(ctx, live, flow, record, changes) if changes is not None else {given.BEFORE: dump({})}
    look = _Look(ctx, run)
    if trigger.when is None or look.holds(trigger.when):
        look.go(flow.steps)


class _Look:
    """One look at a record that is being saved."""

    def __init__(self, ctx: Context, run: Running) -> None:
        self.ctx, self.run = ctx, run
        self.value = values_of(ctx, run)

    def holds(self, formula: Formula) -> bool:
        return self.value(formula) is True

    def go(self, steps: Sequence[Step]) -> bool:
        """Through these steps; whether the flow has ended."""
        return any(self._step(step) for step in steps)

    def _step(self, step: Step) -> bool:
        if isinstance(step, Guard):
            self._refuse(step)
        elif isinstance(step, Calculate):
            self._know(step, self.value(step.formula))
        elif isinstance(step, Find):
            self._know(step, self._find(step))
        elif isinstance(step, Choose):
            branches: Mapping[str, Sequence[Step]] = step.inner
            return any(self.go(branches[case.id]) for case in step.taken(self))
        return isinstance(step, End)

    def _know(self, step: Step, result: Any) -> None:
        self.run.state.results[step.id] = dump(result)
        self.value.hear(self.run.state.results)

    def _refuse(self, step: Guard) -> None:
        from runtime.phrases import worded

        if step.when is None or self.holds(step.when):
            told = worded(self.ctx, self.run, step.message) or say("This may not be saved.")
            raise InvalidInput({step.field or "": [told]})

    def _find(self, step: Find) -> Any:
        from runtime import effects, machine

        return machine.find(effects.as_flow(self.ctx, self.run), self.run, step)
