"""The one door to people's rows: default deny, additive rights, decided per row and per field.

Everything that shows or changes records starts from `door(ctx, live)`. What the actor may not see does not
exist for them: `rows()` leaves it out and `column()` gives NULL or refuses the name.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, and_, case, false, not_, or_, true

from runtime import definitions
from runtime.actors import Actor, FlowActor, Member, PublicLink, Token, administers, unlimited
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.plans import Anyone
from runtime.sources import RecordSource, condition_sql
from runtime.tables import LiveTable, live
from schemas.access import ACTIONS, SEES, WRITES, Grant, Who, united
from schemas.errors import Denied, NotFound
from schemas.fields.formula import Computed
from schemas.fields.rows import Rows
from schemas.form import Form
from schemas.formula import Formula
from schemas.messages import say
from schemas.rights import Opening, named
from schemas.views import View

NEW = ("create", "import")
"""What makes records: there is nothing yet that a mask could keep from their writer."""
REFUSALS = {
    "create": say("You may not add records here."),
    "update": say("You may not change this record."),
    "delete": say("You may not delete this record."),
    "import": say("You may not import into this table."),
    "export": say("You may not export from this table."),
    "history": say("You may not see the history of this record."),
    "print": say("You may not print this record."),
    "comment": say("You may not comment on this record."),
    "batch": say("You may not change several records at once here."),
    "share": say("You may not share this record."),
}


@dataclass(frozen=True)
class Right:
    """One source of rights to a table: a grant, a live task, having taken part.

    `rows` gives the condition on a row (None: every row), `rows_after` the one that must hold after a write;
    `field` says what a field's path may be, one of `schemas.access.RIGHTS`. `through` names the view or form that it
    goes by, `grant` the grant that gives it.
    """

    actions: frozenset[str]
    rows: Callable[[FromClause], ColumnElement[bool]] | None
    rows_after: Callable[[FromClause], ColumnElement[bool]] | None
    field: Callable[[str], str]
    through: str = ""
    grant: str = ""

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
        """The most that any row may offer for a field: hidden, mask, replace, read or write."""
        found = self.live.table.field(path)
        if self.free or found is None:
            return "write" if found is None or not isinstance(found, Computed) else "read"
        givers = self.givers(action)
        return self._united(path, givers, givers, action)

    def readable(self, path: str) -> bool:
        """Whether the value itself may be seen in some row. Only then may it be filtered, sorted, grouped, searched."""
        return self.best(path) in ("read", "write")

    def visible(self, path: str) -> bool:
        """Whether there is anything to show of a field, be it only a mask."""
        return self.best(path) != "hidden"

    def writable(self, path: str, action: str = "update") -> bool:
        return self.best(path, action) in WRITES

    def shown(self, paths: Iterable[str]) -> list[str]:
        return [p for p in paths if self.visible(p)]

    def rights_of_row(self, flags: Sequence[bool], action: str) -> dict[str, str]:
        """What every field of one row may be; `flags` says which of `self.rights` hold for it."""
        if self.free:
            return {p: self.best(p) for p in self.live.table.paths}
        key = None if (rights := rights_key(self)) is None else ("row", rights, tuple(flags), action)
        kept = self.live.plans.get(key)
        if kept is None:
            kept = self._of_row(flags, action)
            if key is not None:
                self.live.plans[key] = kept
        return dict(kept)

    def _of_row(self, flags: Sequence[bool], action: str) -> dict[str, str]:
        givers = [r for r, holds in zip(self.rights, flags, strict=True) if holds]
        readers = [r for r in givers if "read" in r.actions]
        writers = [r for r in givers if action in r.actions]
        return {p: self._united(p, readers, writers, action) for p in self.live.table.paths}

    def _united(self, path: str, readers: Iterable[Right], writers: Iterable[Right], action: str) -> str:
        written = [self._given(r, path) for r in writers]
        best = united((self._given(r, path) for r in readers), written)
        if action in NEW and best in WRITES:
            best = "write"
        if isinstance(self.live.table.field(path), Computed):
            return {"write": "read", "replace": "mask"}.get(best, best)
        return best

    def _given(self, right: Right, path: str) -> str:
        """What a right gives of a path. A subform has no mask: its columns have."""
        given = right.field(path)
        inner = isinstance(self.live.table.by_id.get(path), Rows)
        return {"mask": "read", "replace": "write"}.get(given, given) if inner else given

    def flags(self, sql: FromClause) -> list[ColumnElement[bool]]:
        """One boolean column per right, for `rights_of_row`."""
        return [r.condition(sql).label(f"_right_{n}") for n, r in enumerate(self.rights)]

    def _sights(self, path: str) -> tuple[list[Right], list[Right], list[Right]]:
        """The rights to read: those that show a field's value, those that show its mask, and all of them."""
        readers = self.givers("read")
        sight = [SEES[self._given(r, path)] for r in readers]
        return (
            [r for r, s in zip(readers, sight, strict=True) if s == 2],
            [r for r, s in zip(readers, sight, strict=True) if s == 1],
            readers,
        )

    def mask(self, path: str, value: ColumnElement[Any], sql: FromClause) -> ColumnElement[Any]:
        """The value on rows where the actor may read this field, NULL elsewhere. Raises NotFound when nowhere."""
        seen = self.seen(path, sql)
        return value if seen is None else case((seen, value))

    def seen(self, path: str, sql: FromClause) -> ColumnElement[bool] | None:
        """On which of the rows that the actor may read this field is open; None: on all. Raises NotFound when on none."""
        if self.free or "." not in path and path not in self.live.table.by_id:
            return None
        givers, _, readers = self._sights(path)
        if not givers:
            raise NotFound
        if len(givers) == len(readers) or any(r.rows is None for r in givers):
            return None
        return or_(*(r.condition(sql) for r in givers))

    def only_masked(self, path: str, sql: FromClause) -> ColumnElement[bool] | None:
        """On which rows the actor sees no more of a field than its mask; None: on no row."""
        if self.free:
            return None
        givers, masking, _ = self._sights(path)
        if not masking or any(r.rows is None for r in givers):
            return None
        seen = or_(*(r.condition(sql) for r in masking))
        return and_(seen, not_(or_(*(r.condition(sql) for r in givers)))) if givers else seen

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
        ctx.memo[key] = (tuple(g.id for g in granted_to(ctx, inst)), parts, ctx.actor.admin, ctx.actor.scope)
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
    from runtime import public_links, tasks

    if isinstance(ctx.actor, PublicLink):
        return public_links.rights(ctx, live)
    if administers(ctx.actor):
        return narrowed(ctx, live, [EVERYTHING])
    return narrowed(ctx, live, [*granted(ctx, live), *tasks.rights(ctx, live)])


def granted(ctx: Context, live: LiveTable) -> list[Right]:
    """What the app's grants give the actor in a table."""
    ids = {g.id for g in granted_to(ctx, live.inst)}
    return [_right(ctx, live, o) for o in live.inst.app.openings(live.id) if o.grant.id in ids]


EVERYTHING = Right(frozenset(ACTIONS), None, None, lambda path: "write")


def narrowed(ctx: Context, live: LiveTable, rights: list[Right]) -> list[Right]:
    """These rights, as far as the actor's scope lets them be used."""
    if ctx.actor.scope is None:
        return rights
    within = ctx.actor.scope.actions(live.inst.slug, live.id)
    return [replace(right, actions=right.actions & within) for right in rights if right.actions & within]


def _right(ctx: Context, live: LiveTable, opening: Opening) -> Right:
    rows = rows_where(ctx, live, opening.rows)
    after = rows_where(ctx, live, opening.after) if opening.after is not None else None
    return Right(opening.actions, rows, after, opening.right, opening.through, opening.grant.id)


def rows_where(
    ctx: Context, live: LiveTable, formulas: Sequence[Formula]
) -> Callable[[FromClause], ColumnElement[bool]] | None:
    """The condition that all of these hold; None where they always do."""
    asked = [f for f in formulas if f.source.strip().upper() != "TRUE"]
    if not asked:
        return None
    if not isinstance(ctx.actor, Member) and any(_asks_me(live, f) for f in asked):
        return lambda sql: false()  # nobody is ME(), and a blank owner must not match nobody
    return lambda sql: and_(*(condition_sql(ctx, live, f, sql) for f in asked))


def _asks_me(live: LiveTable, formula: Formula) -> bool:
    return any(need.kind == "me" for need in live.analysis.condition(formula, live.table).needs)


def granted_to(ctx: Context, inst: Installed) -> list[Grant]:
    """The grants of an app that are for this actor."""
    key = (Grant, inst.id)
    if key not in ctx.memo:
        ctx.memo[key] = [g for g in inst.app.access if not g.off and any(_is_for(ctx, inst, w) for w in g.who)]
    return ctx.memo[key]  # type: ignore[no-any-return]


def _is_for(ctx: Context, inst: Installed, who: Who) -> bool:
    actor = ctx.actor
    if isinstance(actor, FlowActor):
        return who.flow == actor.flow and actor.app == inst.slug
    if isinstance(actor, Token):
        return who.token == actor.token if who.token else f"{inst.slug}.{who.role}" in actor.roles
    if not isinstance(actor, Member):
        return actor.kind in ("link", "token") and getattr(who, actor.kind) is not None and _is_this(actor, inst, who)
    if who.everyone or who.external:
        return actor.external == who.external
    if who.role:
        held = actor.only_roles if actor.only_roles is not None else Directory.of(ctx).fact(actor.id, "roles")
        return f"{inst.slug}.{who.role}" in held
    if who.slot:
        return actor.id in _slot_members(ctx, inst, who.slot, who.below)
    return False


def has_role(ctx: Context, inst: Installed, role: str) -> bool:
    """Whether the actor has a role of this app."""
    return _is_for(ctx, inst, Who(role=role))


def _is_this(actor: Actor, inst: Installed, who: Who) -> bool:
    """Whether a public link or a token of this app is the one that is named."""
    return getattr(actor, "app", "") == inst.slug and getattr(actor, actor.kind, None) == getattr(who, actor.kind)


def _slot_members(ctx: Context, inst: Installed, slot: str, below: bool = False) -> list[UUID]:
    """Who fills a slot: a member, or everyone of a department (and of those below it)."""
    target = definitions.slots(ctx, inst).get(slot)
    directory = Directory.of(ctx)
    if target is None:
        return []
    if target not in directory.units:
        return [target]
    return [m for unit in (directory.below(target) if below else [target]) for m in directory.members_of(unit)]


# -- what may be opened ----------------------------------------------------------------------------


def may_see_dashboard(ctx: Context, inst: Installed, dashboard: str) -> bool:
    if ctx.actor.scope is not None:
        return False  # no scope speaks of dashboards
    opened = {("dashboard", dashboard), ("app", "")}
    return unlimited(ctx.actor) or any(g.about in opened for g in granted_to(ctx, inst))


def may_see_view(ctx: Context, inst: Installed, view: str) -> bool:
    """Whether a list may be opened: by a grant that names it, or, where none does, by reading its table."""
    return _may_use(ctx, inst, "view", view, inst.app.all_views[view].table, ("read",))


def may_use_form(ctx: Context, inst: Installed, form: str, actions: Sequence[str] = ("create",)) -> bool:
    """Whether a form may be used to add (or change) records; as for views."""
    return _may_use(ctx, inst, "form", form, inst.app.all_forms[form].table, actions)


def _may_use(ctx: Context, inst: Installed, kind: str, id: str, table: str, actions: Sequence[str]) -> bool:
    if unlimited(ctx.actor):
        return True
    rights = door(ctx, live(ctx, inst, table)).rights
    own = named(inst.app, kind, id) and not administers(ctx.actor)
    usable = [r for r in rights if (r.through == f"{kind}:{id}" if own else not r.through.startswith(f"{kind}:"))]
    return any(r.actions & set(actions) for r in usable)


def may_share(ctx: Context, inst: Installed, kind: str, target: str, record: UUID | None = None) -> bool:
    """Whether the actor may make a public link to a form, a view (also to look up by), a dashboard, or a record of a table."""
    if unlimited(ctx.actor):
        return True
    if kind == "fill":
        return may_use_form(ctx, inst, target) and may_use_form(ctx, inst, target, ("share",))
    if kind in ("view", "lookup"):
        return may_see_view(ctx, inst, target) and _may_use(
            ctx, inst, "view", target, _view_table(inst, target), ("share",)
        )
    if kind == "dashboard":
        about = (("dashboard", target), ("app", ""))
        given = [g for g in granted_to(ctx, inst) if g.about in about and "share" in g.do]
        return bool(given) and may_see_dashboard(ctx, inst, target)
    gate = door(ctx, live(ctx, inst, target))
    return record is not None and gate.may("read") and gate.may("share") and _shared(gate, record)


def _view_table(inst: Installed, view: str) -> str:
    return inst.app.all_views[view].table


def _shared(gate: Door, record: UUID) -> bool:
    from runtime import query

    return all(query.allowed(gate, record, action) for action in ("read", "share"))


def form_for(ctx: Context, inst: Installed, table: str, action: str = "create", form: str = "") -> Form | None:
    """The form by which the actor adds (or changes) records: the one asked for if it is open to them, else the first."""
    forms = [f for f in inst.app.all_forms.values() if f.table == table]
    forms.sort(key=lambda f: f.id != form)
    return next((f for f in forms if may_use_form(ctx, inst, f.id, (action,))), None)


def views_for(ctx: Context, inst: Installed, table: str) -> list[View]:
    """The lists of a table that the actor may open."""
    return [v for v in inst.app.views_of(table) if may_see_view(ctx, inst, v.id)]


def may_flow(ctx: Context, inst: Installed, flow: str, action: str) -> bool:
    """Whether the actor may start a flow by hand, see all of its runs, or manage them.

    Everybody may start a flow that no grant names; its runs are for those who have a part in them.
    """
    if unlimited(ctx.actor):
        return True
    mine = [g for g in granted_to(ctx, inst) if g.about in (("flow", flow), ("app", ""))]
    if any(action in g.do for g in mine if g.flow):
        return True
    return action == "start" and not named(inst.app, "flow", flow)


def may_enter(ctx: Context, inst: Installed) -> bool:
    """Whether the app shows anything to this actor at all."""
    scope = ctx.actor.scope
    if scope is not None and not scope.reaches(inst.slug):
        return False
    return unlimited(ctx.actor) or administers(ctx.actor) or bool(granted_to(ctx, inst))
