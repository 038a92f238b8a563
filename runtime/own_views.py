"""Views of one's own: a view of the app with another filter, order and columns, for oneself or for everybody.

It opens nothing: it is the address of a list with a name. Whoever opens a shared one sees what their own rights
let that address show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update

from runtime import powers, preferences
from runtime.actors import Member, unlimited
from runtime.context import Context
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.models_views import own_view as o
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.views import View

KEPT = ("q", "filter", "sort", "size", "span")
"""What of the address of a list is kept."""
MOST = 100
"""Views of their own that one person has in an app."""


@dataclass(frozen=True)
class OwnView:
    """One of them. `mine` says whether the actor made it, `changeable` whether they may change it."""

    id: UUID
    view: str
    title: str
    shared: bool
    wishes: Mapping[str, str]
    columns: Mapping[str, Any]
    mine: bool
    changeable: bool

    def url(self, slug: str) -> str:
        return f"/a/{slug}/v/{self.view}/?" + urlencode({**self.wishes, "own": self.id})


def may_share(ctx: Context, inst: Installed) -> bool:
    """Views for everybody are made by who administers the app; a colleague can be sent the address instead."""
    return unlimited(ctx.actor) or inst.id in powers.apps(ctx)


def listed(ctx: Context, inst: Installed, views: list[View]) -> list[OwnView]:
    """One's own variants of these views, and those that are for everybody."""
    if not isinstance(ctx.actor, Member):
        return []
    rows = ctx.conn.execute(
        select(o)
        .where(o.c.installation_id == inst.id, o.c.view.in_([v.id for v in views]), _open(ctx))
        .order_by(o.c.shared.desc(), o.c.made_at, o.c.id)
    )
    shares = may_share(ctx, inst)
    return [_made(ctx, row, shares) for row in rows]


def _open(ctx: Context) -> Any:
    return or_(o.c.member_id == ctx.actor.id, o.c.shared)


def _made(ctx: Context, row: Any, shares: bool) -> OwnView:
    mine = row.member_id == ctx.actor.id
    changeable = shares if row.shared else mine
    return OwnView(row.id, row.view, row.title, row.shared, row.wishes, row.columns, mine, changeable)


def one_of(ctx: Context, inst: Installed, view: str, id: UUID) -> OwnView:
    """Raises NotFound for one that is not there, or is somebody else's."""
    row = ctx.conn.execute(
        select(o).where(o.c.id == id, o.c.installation_id == inst.id, o.c.view == view, _open(ctx))
    ).first()
    if row is None:
        raise NotFound
    return _made(ctx, row, may_share(ctx, inst))


def columns_of(ctx: Context, inst: Installed, view: str, own: OwnView | None = None) -> Mapping[str, Any]:
    """The columns that the actor sees: as they set them, else as the view of somebody's own has them."""
    kept = preferences.read(ctx, _key(inst, view, own)) if own is None or not own.mine else None
    return kept or (own.columns if own else None) or {}


def keep_columns(ctx: Context, inst: Installed, view: str, own: OwnView | None, columns: Mapping[str, Any]) -> None:
    if own is not None and own.mine:
        ctx.conn.execute(update(o).where(o.c.id == own.id).values(columns=columns))
    else:
        preferences.write(ctx, _key(inst, view, own), columns)


def _key(inst: Installed, view: str, own: OwnView | None) -> str:
    return f"columns:{inst.id}:{own.id if own else view}"


# -- edits -----------------------------------------------------------------------------------------


def make(
    ctx: Context, inst: Installed, view: str, title: str, wishes: Mapping[str, str], shared: bool, like: OwnView | None
) -> OwnView:
    """Keep what is looked at under a name. Raises InvalidInput."""
    named = _checked(ctx, inst, title, shared)
    count = select(func.count()).where(o.c.installation_id == inst.id, o.c.member_id == ctx.actor.id)
    if (ctx.conn.scalar(count) or 0) >= MOST:
        raise InvalidInput({"title": [say("You have {n} views of your own here. Remove one first.", n=MOST)]})
    id = new_id()
    columns = columns_of(ctx, inst, view, like)
    ctx.conn.execute(
        insert(o).values(
            id=id, installation_id=inst.id, member_id=ctx.actor.id, view=view, title=named, shared=shared,
            wishes=_kept(wishes), columns=columns, made_at=ctx.now,
        )
    )  # fmt: skip
    return one_of(ctx, inst, view, id)


def change(
    ctx: Context, inst: Installed, view: str, id: UUID, title: str, wishes: Mapping[str, str], shared: bool
) -> OwnView:
    """Another name, filter or order. Raises NotFound for who may not change it, InvalidInput."""
    found = one_of(ctx, inst, view, id)
    if not found.changeable:
        raise NotFound
    named = _checked(ctx, inst, title, shared)
    ctx.conn.execute(update(o).where(o.c.id == id).values(title=named, wishes=_kept(wishes), shared=shared))
    return one_of(ctx, inst, view, id)


def remove(ctx: Context, inst: Installed, view: str, id: UUID) -> None:
    """Raises NotFound for who may not change it."""
    if not one_of(ctx, inst, view, id).changeable:
        raise NotFound
    ctx.conn.execute(delete(o).where(o.c.id == id))


def _checked(ctx: Context, inst: Installed, title: str, shared: bool) -> str:
    named = title.strip()[:60]
    if not named:
        raise InvalidInput({"title": [say("Give the view a name.")]})
    if shared and not may_share(ctx, inst):
        raise InvalidInput({"shared": [say("Views for everybody are made by who administers the app.")]})
    return named


def _kept(wishes: Mapping[str, str]) -> dict[str, str]:
    return {name: wishes[name][:4000] for name in KEPT if wishes.get(name)}
