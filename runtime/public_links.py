"""Public links: found by their secret, open or closed, and what whoever has one may do.

A link is an actor of its own. What it opens is what its settings name, and never more than its maker may share at that
moment (or, where an administrator has given it a word, than the app's grants give to `{"link": word}`).
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, and_, or_, select, update

from runtime import access, definitions, models, passwords
from runtime.access import Door, Right, door
from runtime.actors import Member, PublicLink
from runtime.context import Context
from runtime.definitions import Installed
from runtime.models_links import public_link as p
from runtime.tables import LiveTable
from runtime.wording import translate
from schemas import public_link
from schemas.access import WRITES
from schemas.errors import DefinitionError, NotFound
from schemas.fields.choice import Choice
from schemas.fields.link import Link
from schemas.fields.lookup import Lookup
from schemas.formula import names as named_in
from schemas.messages import Message, say
from schemas.public_link import ASKED, FIXED, Settings

OFF = say("This link has been switched off.")
EARLY = say("This link is not open yet.")
OVER = say("This link is no longer open.")
FULL = say("This link has taken as many answers as it may.")
GONE = say("This link opens nothing any more.")


class Closed(Exception):
    """A link that does not open anything now; `reason` says why to whoever has it."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason.text)
        self.reason = reason


@dataclass(frozen=True)
class Kept:
    """A link as it is kept. Its secret is not in it."""

    id: UUID
    installation: UUID
    name: str
    kind: str
    target: str
    record: UUID | None
    settings: Settings
    password: str | None
    made_by: UUID
    made_at: datetime
    off_at: datetime | None
    opens_at: datetime | None
    ends_at: datetime | None
    most: int | None
    answers: int
    visits: int
    used_at: datetime | None

    def closed(self, now: datetime) -> Message | None:
        """Why it opens nothing at this moment; None where it is open. One that is full still lets answers be changed."""
        if self.off_at is not None:
            return OFF
        if self.opens_at is not None and now < self.opens_at:
            return EARLY
        if self.ends_at is not None and now >= self.ends_at:
            return OVER
        return None

    @property
    def full(self) -> bool:
        return self.most is not None and self.answers >= self.most


COLUMNS = (
    p.c.id, p.c.installation_id, p.c.name, p.c.kind, p.c.target, p.c.record_id, p.c.settings, p.c.password, p.c.made_by,
    p.c.made_at, p.c.off_at, p.c.opens_at, p.c.ends_at, p.c.most, p.c.answers, p.c.visits, p.c.used_at,
)  # fmt: skip


def kept_of(row: Any) -> Kept:
    """A row of these columns; one whose settings are not understood any more opens nothing."""
    values = list(row)
    try:
        values[6] = Settings.of(values[6])
    except DefinitionError:
        values[6], values[10] = Settings(), values[9]
    return Kept(*values)


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def find(ctx: Context, secret: str) -> Kept:
    """Raises NotFound."""
    query = select(*COLUMNS).where(p.c.digest == digest(secret), p.c.removed_at.is_(None))
    row = ctx.conn.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return kept_of(row)


def enter(ctx: Context, secret: str, base: str) -> Context:
    """The same transaction in the name of the link. Raises NotFound for none, Closed for one that opens nothing now."""
    kept = find(ctx, secret)
    if reason := kept.closed(ctx.now):
        raise Closed(reason)
    inst, maker = definitions.by_id(ctx, kept.installation), _maker(ctx, kept.made_by)
    actor = PublicLink(
        id=kept.id, name=kept.name, app=inst.slug, link=kept.settings.word, base=base, what=kept, maker=maker
    )
    entered = ctx.acting_as(actor)
    if not _holds(entered, inst, kept):
        raise Closed(GONE)
    return entered


def _holds(ctx: Context, inst: Installed, kept: Kept) -> bool:
    """Whether what the link is about is still there, and still its maker's to share."""
    if not there(inst, kept.kind, kept.target):
        return False
    if kept.settings.word:
        return any(access.granted_to(ctx, inst))
    maker = _as_maker(ctx)
    return maker is not None and access.may_share(maker, inst, kept.kind, kept.target, kept.record)


def there(inst: Installed, kind: str, target: str) -> bool:
    """Whether the app has such a form, view, dashboard or table."""
    app = inst.app
    known: dict[str, Callable[[], object]] = {
        "fill": lambda: app.all_forms.get(target), "view": lambda: app.all_views.get(target),
        "lookup": lambda: app.all_views.get(target), "record": lambda: app.table(target),
        "dashboard": lambda: app.dashboard(target),
    }  # fmt: skip
    return kind in known and known[kind]() is not None


def table_of(inst: Installed, kind: str, target: str) -> str:
    """The table that a form, a view or a record is of; none for a dashboard. Raises NotFound."""
    if not there(inst, kind, target):
        raise NotFound
    if kind == "fill":
        return inst.app.all_forms[target].table
    if kind in ("view", "lookup"):
        return inst.app.all_views[target].table
    return target if kind == "record" else ""


def _maker(ctx: Context, id: UUID) -> Member | None:
    """Who made the link, as far as they may still sign in."""
    m, a = models.member, models.account
    query = (
        select(m.c.id, m.c.name, m.c.account_id, m.c.admin, m.c.external)
        .outerjoin(a, a.c.id == m.c.account_id)
        .where(m.c.id == id, m.c.left_at.is_(None), a.c.disabled_at.is_(None))
    )
    row = ctx.conn.execute(query).one_or_none()
    return Member(row.id, row.name, account_id=row.account_id, admin=row.admin, external=row.external) if row else None


def of(ctx: Context) -> Kept:
    """The link that acts. Raises NotFound for another actor."""
    if not isinstance(ctx.actor, PublicLink):
        raise NotFound
    return ctx.actor.what  # type: ignore[no-any-return]


def at_answer(ctx: Context, record: UUID) -> Context:
    """The same link, by the private address of an answer that was given by it."""
    assert isinstance(ctx.actor, PublicLink)
    return ctx.acting_as(replace(ctx.actor, record=record))


def note_visit(ctx: Context) -> None:
    ctx.conn.execute(update(p).where(p.c.id == of(ctx).id).values(visits=p.c.visits + 1, used_at=ctx.now))


def take_place(ctx: Context) -> None:
    """Count an answer; of several that come for the last place one gets it. Raises Closed for the others."""
    row = update(p).where(
        p.c.id == of(ctx).id, p.c.off_at.is_(None), p.c.removed_at.is_(None),
        or_(p.c.ends_at.is_(None), p.c.ends_at > ctx.now), or_(p.c.most.is_(None), p.c.answers < p.c.most),
    )  # fmt: skip
    counted = row.values(answers=p.c.answers + 1, used_at=ctx.now).returning(p.c.id)
    if ctx.conn.scalar(counted) is None:
        raise Closed(FULL if of(ctx).most is not None else OVER)


def opens_with(kept: Kept, password: str) -> bool:
    return kept.password is None or passwords.verify(kept.password, password)


def names(ctx: Context, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What links are called that have written something; those removed since, too."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = ctx.conn.execute(select(p.c.id, p.c.name).where(p.c.id.in_(wanted)))
    return {row.id: translate(say("Public link: {name}", name=row.name)) for row in rows}


# -- rights ----------------------------------------------------------------------------------------------


def rights(ctx: Context, live: LiveTable) -> list[Right]:
    """What a link may do with a table: what its settings name, within what bounds it."""
    bound = _bound(ctx, live)
    if bound is None:
        return []
    kept = of(ctx)
    own = live.id == _table(live, kept)
    made = _own(ctx, live, kept, bound) if own else []
    if kept.kind == "dashboard" and live.id in _shown_by_widgets(live, kept):
        made = [Right(frozenset({"read"}), lambda sql: bound.permitted("read", sql), None, _read(bound))]
    # Titles of the records that are shown must not open others of the same table.
    return made if own and kept.kind != "fill" else [*made, *_titles(live, kept, bound)]


def _table(live: LiveTable, kept: Kept) -> str:
    return table_of(live.inst, kept.kind, kept.target)


def _shown_by_widgets(live: LiveTable, kept: Kept) -> set[str]:
    board = live.inst.app.dashboard(kept.target)
    return {widget.table for widget in board.widgets} if board else set()


def _as_maker(ctx: Context) -> Context | None:
    assert isinstance(ctx.actor, PublicLink)
    if "as maker" not in ctx.memo:
        ctx.memo["as maker"] = ctx.acting_as(ctx.actor.maker) if ctx.actor.maker else None
    return ctx.memo["as maker"]  # type: ignore[no-any-return]


def _bound(ctx: Context, live: LiveTable) -> Door | None:
    """Beyond what this door shows, the link shows nothing."""
    if of(ctx).settings.word:
        return Door(ctx, live, access.granted(ctx, live), free=False)
    maker = _as_maker(ctx)
    return None if maker is None else door(maker, live)


def _read(bound: Door) -> Callable[[str], str]:
    return lambda path: "read" if bound.readable(path) else "hidden"


def _own(ctx: Context, live: LiveTable, kept: Kept, bound: Door) -> list[Right]:
    if kept.kind == "fill":
        return _filling(ctx, live, kept, bound)
    seen = {*kept.settings.columns, *(kept.settings.keys if kept.kind == "lookup" else ())}

    def field(path: str) -> str:
        return "read" if path.partition(".")[0] in seen and bound.readable(path) else "hidden"

    rows = _rows(ctx, live, kept, bound)
    return [Right(frozenset({"read"}), rows, None, field)]


def _rows(ctx: Context, live: LiveTable, kept: Kept, bound: Door) -> Callable[[FromClause], ColumnElement[bool]]:
    """Those of the record or the view which the maker may both read and share."""
    actions = ("read",) if kept.settings.word else ("read", "share")
    view = live.inst.app.all_views.get(kept.target) if kept.kind in ("view", "lookup") else None
    filtered = access.rows_where(ctx, live, [view.filter] if view and view.filter else [])

    def condition(sql: FromClause) -> ColumnElement[bool]:
        found = [bound.permitted(action, sql) for action in actions]
        if kept.kind == "record":
            found.append(sql.c.id == kept.record)
        return and_(*found, *([filtered(sql)] if filtered else []))

    return condition


def _filling(ctx: Context, live: LiveTable, kept: Kept, bound: Door) -> list[Right]:
    """Adding a record by the form's fields; by an answer's private address also changing that one."""
    settings, answer = kept.settings, ctx.actor.record  # type: ignore[attr-defined]

    def right(path: str, writes: frozenset[str]) -> str:
        use, found = settings.use(path), live.table.field(path)
        if not use or found is None or ("." in path and not public_link.is_open(found)):
            return "hidden"
        if use == "show" or found.computed:
            return "read" if bound.readable(path) else "hidden"
        if bound.best(path, "create") not in WRITES:
            return "hidden"
        return "write" if use in writes else ("read" if use == "locked" else "hidden")

    if answer is None:
        return [Right(frozenset({"create"}), None, None, lambda path: right(path, ASKED | FIXED))]
    return [Right(frozenset({"read", "update"}), lambda sql: sql.c.id == answer, None, lambda path: right(path, ASKED))]


def _titles(live: LiveTable, kept: Kept, bound: Door) -> list[Right]:
    """What records of a table are called to which the link's own fields point: only that, and only where they do."""
    opened = {id for found in _pointing(live, kept) for id in _needed(live, found)}
    if not opened:
        return []

    def field(path: str) -> str:
        return "read" if path in opened and bound.readable(path) else "hidden"

    return [Right(frozenset({"read"}), lambda sql: bound.permitted("read", sql), None, field)]


def _pointing(live: LiveTable, kept: Kept) -> list[Any]:
    """The link's fields that offer or name records of this table."""
    table = _table(live, kept)
    own = live.inst.app.table(table) if table else None
    ids = kept.settings.with_use(*ASKED, "locked") if kept.kind == "fill" else kept.settings.columns
    fields = [found for id in ids if own and (found := own.by_id.get(id))]
    return [f for f in fields if _points_at(f, own, live.id)]


def _points_at(found: Any, own: Any, table: str) -> bool:
    if isinstance(found, Link):
        return found.table == table
    if isinstance(found, Choice) and found.source:
        return found.source.table == table
    first = own.by_id.get(found.steps[0]) if isinstance(found, Lookup) else None
    return isinstance(first, Link) and first.table == table


def _needed(live: LiveTable, found: Any) -> set[str]:
    """Of a table's fields those that a field pointing at it shows."""
    if isinstance(found, Choice) and found.source:
        return {found.source.field}
    if isinstance(found, Lookup):
        return {found.steps[1]} if len(found.steps) == 2 else set()
    title = live.table.title_formula
    if title is not None:
        return {path[0] for path in named_in(title.tree)} & set(live.table.by_id)
    return {next((f.id for f in live.table.fields if f.type in ("text", "serial")), "")}
