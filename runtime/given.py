"""What triggers give to the steps of a flow, as its runs keep it: the values before a change, the moment that was planned."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from runtime import history, rows
from runtime.context import Context
from runtime.tables import LiveTable
from schemas.flow import Flow
from schemas.formula import names
from schemas.results import dump

BEFORE = "before"
Changes = Mapping[str, Sequence[Any]]
"""By field, the value before and after a change, as history keeps them."""


def before(ctx: Context, live: LiveTable, flow: Flow, record: UUID, changes: Changes) -> dict[str, Any]:
    """The record as it was, as far as something has changed or the flow asks for it."""
    now = rows.child_values(ctx, live, [record]).get(record, {})
    kept = {}
    for field in live.columns:
        if field.id in changes:
            kept[field.id] = history.read_value(live, field, changes[field.id][0])
        elif field.id in _asked(flow):
            kept[field.id] = now.get(field.id)
    return {BEFORE: dump(kept)}


def planned(moment: datetime) -> dict[str, Any]:
    return {"planned": dump(moment)}


def _asked(flow: Flow) -> Collection[str]:
    """The fields of which the flow asks what they were before."""
    paths = (path for formula in flow.formulas() for path in names(formula.tree))
    return {path[1] for path in paths if path[0] == BEFORE and len(path) > 1}
