"""Keeps the packages that a workspace was sent, beside those that come with Mortise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select

from runtime import audit
from runtime.context import Context
from runtime.ids import new_id
from runtime.models_packages import uploaded
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

MOST = 100
"""Packages that a workspace keeps at a time."""


@dataclass(frozen=True)
class Uploaded:
    """A package that somebody has sent."""

    id: UUID
    package: dict[str, Any]
    sample: dict[str, Any] | None
    at: datetime
    by: UUID | None


def keep(ctx: Context, package: Mapping[str, Any], sample: Mapping[str, Any] | None) -> UUID:
    """Keep a package; the same version of the same app takes the place of the one before. Raises InvalidInput."""
    u = uploaded
    app, version = str(package["app"]), str(package.get("version", "1.0.0"))
    ctx.conn.execute(delete(u).where(u.c.app == app, u.c.version == version))
    if (ctx.conn.scalar(select(func.count()).select_from(u)) or 0) >= MOST:
        raise InvalidInput({"file": [say("There are {n} uploaded packages. Remove some of them first.", n=MOST)]})
    id = new_id()
    ctx.conn.execute(
        insert(u).values(
            id=id, app=app, version=version, package=dict(package), sample=dict(sample) if sample else None,
            uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    audit.note(ctx, "app.package_sent", app, id, version=version)
    return id


def all_uploaded(ctx: Context) -> list[Uploaded]:
    """The newest first."""
    rows = ctx.conn.execute(select(uploaded).order_by(uploaded.c.uploaded_at.desc(), uploaded.c.id.desc()))
    return [Uploaded(row.id, row.package, row.sample, row.uploaded_at, row.uploaded_by) for row in rows]


def one(ctx: Context, id: UUID) -> Uploaded:
    """Raises NotFound."""
    row = ctx.conn.execute(select(uploaded).where(uploaded.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return Uploaded(row.id, row.package, row.sample, row.uploaded_at, row.uploaded_by)


def remove(ctx: Context, id: UUID) -> None:
    """Take a package off the list; what was installed from it stays. Raises NotFound."""
    found = one(ctx, id)
    ctx.conn.execute(delete(uploaded).where(uploaded.c.id == id))
    audit.note(ctx, "app.package_removed", str(found.package["app"]), id)
