"""The one door to people's rows: default deny, additive rights, decided per row and per field.

Everything that shows or changes records starts from `door(ctx, live)`. What the actor may not see does not
exist for them: `rows()` leaves it out and `column()` gives NULL or refuses the name.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, and_, case, false, or_, true

from runtime import definitions
from runtime.actors import FlowActor, Member, unlimited
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.plans import Anyone
from runtime.sources import RecordSource, condition_sql
from runtime.tables import LiveTable
from schemas.access import Grant, Who
from schemas.errors import Denied, NotFound
from schemas.fields.formula import Computed
from schemas.formula import Formula
from schemas.messages import say

RANK = {"hidden": 0, "read": 1, "write": 2}
REFUSALS = {
    "create": say("You may not add records here."),
    "update": say("You may not change this record."),
    "delete": say("You may not delete this record."),
    "import": say("You may not import into this table."),
    "export": say("You may not export from this table."),
    "history": say("You may not see the history of this record."),
}


@dataclass(frozen=True)
class Right:
    """One source of rights to a table: a grant, a live task, having taken part.

    `rows` gives the condition on a row (None: every row), `rows_after` the one that must hold after a write;
    `field` says hidden, read or write for a field's path.
    """

    actions: frozenset[str]
    rows: Callable[[FromClause], ColumnElement[bool]] | None
    rows_after: Callable[[FromClause], ColumnElement[bool]] | None
    field: Callable[[str], str]

    def condition(self, sql: FromClause) -> ColumnElement[bool]:
        return true() if self.rows is None else self.rows(sql)


class Door:
    """What one actor may do with one table's records."""

    def __init__(self, ctx: Context, live: LiveTable, rights: Sequence[Right], free: bool) -> None:
        self.ctx, self.live, self.free = ctx, live, free
        self.rights = tuple(rights)

    # -- actions -------------------------------------------------------------------------------

    def may(self, action: str) -> bool:
        """Whether there can be rows with which the actor may do this."""
        return self.free or any(action in r.actions for r in self.rights)

    def require(self, action: str) -> None:
        """Raises NotFound for one who may not even read here, Denied for another action."""
        if self.may(action):
            return
        if action == "read" or not (self.may("read") or self.may("create")):
            raise NotFound
        raise Denied(REFUSALS.get(action, say("You may not do this.")))

    def givers(self, action: str) -> list[Right]:
        return [r for r in self.rights if action in r.actions]

    # -- rows ----------------------------------------------------------------------------------

    def rows(self, action: str = "read", sql: FromClause | None = None, deleted: bool = False) -> ColumnElement[bool]:
        """The live rows (or, with `deleted`, those in the trash) with which the actor may do this."""
        sql = self.live.sql if sql is None else sql
        alive = sql.c._deleted_at.is_not(None) if deleted else sql.c._deleted_at.is_(None)
        return and_(alive, self.permitted(action, sql))

    def permitted(self, action: str, sql: FromClause) -> ColumnElement[bool]:
        if self.free:
            return true()
        givers = self.givers(action)
        if any(r.rows is None for r in givers):
            return true()
        return or_(false(), *(r.condition(sql) for r in givers))

    def permitted_after(self, action: str, sql: FromClause) -> ColumnElement[bool]:
        """What must hold of a row once it has been written."""
        if self.free:
            return true()
        conditions = [(r.rows_after or r.rows) for r in self.givers(action)]
        if any(c is None for c in conditions):
            return true()
        return or_(false(), *(c(sql) for c in conditions if c is not None))

    # -- fields --------------------------------------------------------------------------------

    def best(self, path: str, action: str = "read") -> str:
        """The most that any row may offer for a field: hidden, read or write."""
        found = self.live.table.field(path)
        if self.free or found is None:
            return "write" if found is None or not isinstance(found, Computed) else "read"
        return self._strongest(path, self.givers(action))

    def readable(self, path: str) -> bool:
        return self.best(path) != "hidden"

    def shown(self, paths: Iterable[str]) -> list[str]:
        return [p for p in paths if self.readable(p)]

    def rights_of_row(self, flags: Sequence[bool], action: str) -> dict[str, str]:
        """hidden, read or write for every field of one row; `flags` says which of `self.rights` hold for it."""
        if self.free:
            return {p: self.best(p) for p in self.live.table.paths}
        givers = [r for r, holds in zip(self.rights, flags, strict=True) if holds]
        readers = [r for r in givers if "read" in r.actions or action in r.actions]
        writers = [r for r in givers if action in r.actions]
        return {p: self._row_right(p, readers, writers) for p in self.live.table.paths}

    def _row_right(self, path: str, readers: list[Right], writers: list[Right]) -> str:
        if self._strongest(path, writers) == "write":
            return "write"
        return "hidden" if self._strongest(path, readers) == "hidden" else "read"

    def _strongest(self, path: str, rights: list[Right]) -> str:
        best = max((r.field(path) for r in rights), key=RANK.__getitem__, default="hidden")
        found = self.live.table.field(path)
        return "read" if best == "write" and isinstance(found, Computed) else best

    def flags(self, sql: FromClause) -> list[ColumnElement[bool]]:
        """One boolean column per right, for `rights_of_row`."""
        return [r.condition(sql).label(f"_right_{n}") for n, r in enumerate(self.rights)]

    def mask(self, path: str, value: ColumnElement[Any], sql: FromClause) -> ColumnElement[Any]:
        """The value on rows where the actor may read this field, NULL elsewhere. Raises NotFound when nowhere."""
        if self.free or "." not in path and path not in self.live.table.by_id:
            return value
        readers = self.givers("read")
        givers = [r for r in readers if r.field(path) != "hidden"]
        if not givers:
            raise NotFound
        if len(givers) == len(readers) or any(r.rows is None for r in givers):
            return value
        return case((or_(*(r.condition(sql) for r in givers)), value))

    def source(self, sql: FromClause | None = None) -> RecordSource:
        """The names of a formula as this actor sees them."""
        return RecordSource(self.ctx, self.live, self.live.sql if sql is None else sql, door=self)


def door(ctx: Context, live: LiveTable) -> Door:
    """The actor's door to a table, made once in a transaction."""
    doors: dict[LiveTable, Door] = ctx.memo.setdefault(Door, {})
    if live not in doors:
        doors[live] = Door(ctx, live, _rights(ctx, live), unlimited(ctx.actor))
    return doors[live]


def rights_key(gate: Door) -> Hashable | None:
    """What all members with the same rights in an app have in common; None for a door of another kind."""
    ctx, inst = gate.ctx, gate.live.inst
    if not isinstance(ctx.actor, Member) or door(ctx, gate.live) is not gate:
        return None
    if unlimited(ctx.actor):
        return "all"
    key = (rights_key, inst.id)
    if key not in ctx.memo:
        from runtime.tasks import parts_taken

        parts = tuple((table, *part) for table, listed in parts_taken(ctx, inst).items() for part in listed)
        ctx.memo[key] = (tuple(g.id for g in granted_to(ctx, inst)), parts)
    return ctx.memo[key]  # type: ignore[no-any-return]


def anyones_door(gate: Door) -> Door:
    """The door of anyone who has the same rights in the app, to make a plan with."""
    ctx = Anyone(gate.ctx)
    for key in ((Grant, gate.live.inst.id), ("parts taken", gate.live.inst.id)):
        if key in gate.ctx.memo:
            ctx.memo[key] = gate.ctx.memo[key]
    return door(ctx, gate.live)


def _rights(ctx: Context, live: LiveTable) -> list[Right]:
    if unlimited(ctx.actor):
        return []
    from runtime import tasks

    granted = [_right(ctx, live, g) for g in granted_to(ctx, live.inst) if g.table == live.id]
    return [*granted, *tasks.rights(ctx, live)]


def _right(ctx: Context, live: LiveTable, grant: Grant) -> Right:
    def rows(formula: Formula | None) -> Callable[[FromClause], ColumnElement[bool]] | None:
        if formula is not None and not isinstance(ctx.actor, Member) and _asks_me(live, formula):
            return lambda sql: false()  # nobody is ME(), and a blank owner must not match nobody
        return (
            None
            if formula is None or formula.source.strip().upper() == "TRUE"
            else lambda sql: condition_sql(ctx, live, formula, sql)
        )

    after = rows(grant.rows_after) if grant.rows_after is not None else None
    return Right(frozenset(grant.do), rows(grant.rows), after, grant.right)


def _asks_me(live: LiveTable, formula: Formula) -> bool:
    return any(need.kind == "me" for need in live.analysis.condition(formula, live.table).needs)


def granted_to(ctx: Context, inst: Installed) -> list[Grant]:
    """The grants of an app that are for this actor."""
    key = (Grant, inst.id)
    if key not in ctx.memo:
        ctx.memo[key] = [g for g in inst.app.access if _is_for(ctx, inst, g.who)]
    return ctx.memo[key]  # type: ignore[no-any-return]


def _is_for(ctx: Context, inst: Installed, who: Who) -> bool:
    actor = ctx.actor
    if isinstance(actor, FlowActor):
        return who.flow == actor.flow and actor.app == inst.slug
    if not isinstance(actor, Member):
        return False
    if who.everyone:
        return not actor.external
    if who.external:
        return actor.external
    if who.role:
        return f"{inst.slug}.{who.role}" in Directory.of(ctx).fact(actor.id, "roles")
    if who.slot:
        return actor.id in _slot_members(ctx, inst, who.slot)
    return False


def _slot_members(ctx: Context, inst: Installed, slot: str) -> list[UUID]:
    """Who fills a slot: a member, or everyone of a department."""
    target = definitions.slots(ctx, inst).get(slot)
    directory = Directory.of(ctx)
    if target is None:
        return []
    return directory.members_of(target) if target in directory.units else [target]


def may_see_dashboard(ctx: Context, inst: Installed, dashboard: str) -> bool:
    return unlimited(ctx.actor) or any(g.dashboard == dashboard for g in granted_to(ctx, inst))


def may_enter(ctx: Context, inst: Installed) -> bool:
    """Whether the app shows anything to this actor at all."""
    return unlimited(ctx.actor) or bool(granted_to(ctx, inst))
