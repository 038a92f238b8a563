"""Deletes for good what an app no longer defines: a field's values, a table's records, or a removed app with everything.

What is taken out of a definition keeps its columns and tables until somebody purges them here.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Table, cast, column, delete, func, insert, literal, or_, select, update
from sqlalchemy import table as quoted
from sqlalchemy.dialects.postgresql import JSONB

from runtime import audit, files, layouts, models
from runtime.context import Context
from runtime.definitions import Installed, lock_exclusively
from runtime.ids import new_id
from runtime.models_packages import purged as purged_table
from schemas.errors import NotFound


def purged(ctx: Context, installation: UUID) -> dict[str, int]:
    """What has been deleted for good, with the revision at which it was."""
    p = purged_table
    rows = ctx.conn.execute(
        select(p.c.path, func.max(p.c.revision)).where(p.c.installation_id == installation).group_by(p.c.path)
    )
    return {row[0]: row[1] for row in rows}


def records_of(ctx: Context, installation: UUID, table: str) -> int:
    """How many records a table holds that is no longer defined."""
    s = models.storage
    name = ctx.conn.scalar(
        select(s.c.name).where(s.c.installation_id == installation, s.c.path == table, s.c.kind == "table")
    )
    if name is None:
        return 0
    kept = select(func.count()).select_from(quoted(name)).where(column("deleted_at").is_(None))
    return ctx.conn.scalar(kept) or 0


def purge(ctx: Context, inst: Installed, path: str, title: str) -> None:
    """Delete the values of a field (`table.field`) or all of a table, with their files and what history tells of them."""
    lock_exclusively(ctx, inst.id)
    table, _, field = path.partition(".")
    _drop(ctx, inst.id, _under(path))
    files.release(ctx, inst.id, table, field or None)
    h = models.history
    of_table = (h.c.installation_id == inst.id, h.c.table_id == table)
    if field:
        stripped = h.c.changes.op("-")(literal(field))
        ctx.conn.execute(update(h).where(*of_table, h.c.changes.has_key(field)).values(changes=cast(stripped, JSONB)))
    else:
        ctx.conn.execute(delete(h).where(*of_table))
    ctx.conn.execute(
        insert(purged_table).values(
            id=new_id(), installation_id=inst.id, path=path, revision=inst.revision, by=ctx.actor.id, at=ctx.now
        )
    )
    audit.note(ctx, "app.purged_part", inst.slug, inst.id, what=title)


def _under(path: str) -> ColumnElement[bool]:
    """What is stored for a path and below it, columns that a change of type has retired among it."""
    p = models.storage.c.path
    return or_(p == path, p.startswith(f"{path}.", autoescape=True), p.startswith(f"{path}~", autoescape=True))


def _drop(ctx: Context, installation: UUID, where: ColumnElement[bool]) -> None:
    s = models.storage
    rows = ctx.conn.execute(select(s).where(s.c.installation_id == installation, where)).all()
    tables = [row.name for row in rows if row.kind == "table"]
    for row in rows:
        holder = row.path.partition("~")[0].rpartition(".")[0]
        if row.kind != "table" and (name := _table_of(ctx, installation, holder)) and name not in tables:
            ctx.conn.exec_driver_sql(f"ALTER TABLE {name} DROP COLUMN IF EXISTS {row.name}")
    for name in tables:
        ctx.conn.exec_driver_sql(f"DROP TABLE IF EXISTS {name} CASCADE")
    ctx.conn.execute(delete(s).where(s.c.installation_id == installation, s.c.number.in_([row.number for row in rows])))


def _table_of(ctx: Context, installation: UUID, path: str) -> str | None:
    s = models.storage
    found = select(s.c.name).where(s.c.installation_id == installation, s.c.path == path, s.c.kind == "table")
    name: str | None = ctx.conn.scalar(found)
    return name


# -- whole apps ------------------------------------------------------------------------------------


def purge_app(ctx: Context, installation: UUID) -> None:
    """Delete a removed app with all that it ever held. Raises NotFound for one that is in use."""
    i = models.installation
    row = ctx.conn.execute(select(i.c.slug, i.c.removed_at).where(i.c.id == installation)).one_or_none()
    if row is None or row.removed_at is None:
        raise NotFound
    lock_exclusively(ctx, installation)
    audit.note(ctx, "app.purged", row.slug.partition("-removed-")[0], installation)
    _drop(ctx, installation, models.storage.c.installation_id == installation)
    files.release(ctx, installation)
    layouts.load_models()
    for table in _of_an_app():
        ctx.conn.execute(delete(table).where(table.c.installation_id == installation))
    ctx.conn.execute(delete(i).where(i.c.id == installation))


def _of_an_app() -> Iterable[Table]:
    """Our own tables that tell of apps, those that point at others first."""
    return [t for t in reversed(models.workspace_metadata.sorted_tables) if "installation_id" in t.c]


KEPT_DAYS = 30
"""How long the data of a removed app is kept where whoever removed it wished it gone."""


def deadline(ctx: Context, installation: UUID) -> None:
    """Delete the data of a removed app when its time in the bin is over."""
    i = models.installation
    when = ctx.now + timedelta(days=KEPT_DAYS)
    ctx.conn.execute(update(i).where(i.c.id == installation).values(purge_at=when))


def purge_due(ctx: Context) -> int:
    """Delete every removed app whose time is over; gives how many."""
    i = models.installation
    due = select(i.c.id).where(i.c.removed_at.is_not(None), i.c.purge_at <= ctx.now)
    ids = list(ctx.conn.scalars(due))
    for id in ids:
        purge_app(ctx, id)
    return len(ids)
