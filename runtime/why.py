"""Why a member may, or may not, see or do something: every source of rights, and what becomes of it for one record."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from runtime import query
from runtime.access import Door, door, granted_to
from runtime.actors import Member, System, unlimited
from runtime.answers import answering
from runtime.context import Context
from runtime.rows import child_values
from runtime.tables import LiveTable
from schemas import filling
from schemas.access import ACTIONS, united
from schemas.errors import NotFound
from schemas.fields.formula import Computed
from schemas.fields.rows import Rows
from schemas.filling import Answering, Values
from schemas.rights import Opening


@dataclass(frozen=True)
class Source:
    """One source of rights to a table and what becomes of it.

    `theirs`: whether it is for the member. `rows`: whether the record is among its rows (None: no record was named).
    `right`: what it gives of the field. `through` names a task's step where it is no grant.
    """

    actions: frozenset[str]
    theirs: bool
    rows: bool | None
    right: str
    grant: str = ""
    through: str = ""

    @property
    def counts(self) -> bool:
        """Whether it gives the member anything of this record."""
        return self.theirs and self.rows is not False


@dataclass(frozen=True)
class Explanation:
    """What a member may do with a table, a record, a field, and the sources that say so."""

    everything: bool
    there: bool
    sources: Sequence[Source]
    actions: dict[str, bool]
    right: str
    """What the field may be for the member in this record; empty where none was asked about."""


def explain(ctx: Context, live: LiveTable, member: Member, record: UUID | None = None, path: str = "") -> Explanation:
    """Why this member may do what they may with a record (or the table), and see a field of it. Raises NotFound."""
    if path and live.table.field(path) is None:
        raise NotFound
    if unlimited(member):
        right = ("read" if isinstance(live.table.field(path), Computed) else "write") if path else ""
        return Explanation(True, True, (), dict.fromkeys(ACTIONS, True), right)
    theirs = ctx.acting_as(member)
    values = _values(ctx, live, record) if record else None
    asked = answering(theirs, live, record)
    granted = {g.id for g in granted_to(theirs, live.inst)}
    sources = [
        Source(o.actions, o.grant.id in granted, _holds(live, o, values, asked) if record else None,
               _given(live, o.right(path), path) if path else "", o.grant.id, o.through)
        for o in live.inst.app.openings(live.id)
    ]  # fmt: skip
    sources += _parts(theirs, live, record, path)
    there = record is None or values is not None
    counting = [s for s in sources if s.counts and there]
    actions = {a: any(a in s.actions for s in counting) for a in ACTIONS}
    return Explanation(False, there, sources, actions, _right(live, counting, path) if path else "")


def _values(ctx: Context, live: LiveTable, record: UUID) -> Values | None:
    """Everything that a rule may ask of a record; None for one that is not there, or in the trash."""
    system = ctx.acting_as(System())
    if not query.allowed(door(system, live), record, "read"):
        return None
    stored = child_values(ctx, live, [record])[record]
    world = answering(ctx, live, record)
    return {"id": record, **filling.calculate(live.analysis, live.table, stored, world, volatile=True)}


def _holds(live: LiveTable, opening: Opening, values: Values | None, asked: Answering) -> bool:
    """Whether a record is among the rows of an opening, as Python sees it."""
    if values is None:
        return False
    return all(filling.holds(live.analysis.condition(f, live.table), values, asked) for f in opening.rows)


def _given(live: LiveTable, right: str, path: str) -> str:
    """A subform has no mask: its columns have."""
    inner = isinstance(live.table.by_id.get(path), Rows)
    return {"mask": "read", "replace": "write"}.get(right, right) if inner else right


def _parts(theirs: Context, live: LiveTable, record: UUID | None, path: str) -> list[Source]:
    """The sources that are no grants: tasks that the member has or had, what they were told of."""
    gate = door(theirs, live)
    found = []
    for right in (r for r in gate.rights if not r.grant):
        alone = Door(theirs, live, [right], free=False)
        rows = None if record is None else query.allowed(alone, record, "read")
        found.append(Source(right.actions, True, rows, right.field(path) if path else "", through=right.through))
    return found


def _right(live: LiveTable, counting: Sequence[Source], path: str) -> str:
    """What the field may be: seen by what lets the record be read, written by what lets it be changed."""
    best = united(
        (s.right for s in counting if "read" in s.actions), (s.right for s in counting if "update" in s.actions)
    )
    if isinstance(live.table.field(path), Computed):
        return {"write": "read", "replace": "mask"}.get(best, best)
    return best
