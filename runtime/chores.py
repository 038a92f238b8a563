"""The jobs that keep storage in order."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from runtime import files, importing, migrate, purging, recalculate
from runtime.context import Context
from runtime.jobs import job, periodic
from runtime.settings import Settings
from runtime.storage import storage_of
from runtime.workspaces import all_workspaces, opened


@job("recalculate")
def recalculate_rest(ctx: Context, id: str) -> None:
    recalculate.resume(ctx, UUID(id))


@job("remove_released_files")
def remove_released_files(ctx: Context) -> None:
    """The bytes of what somebody has deleted for good."""
    files.remove_released(ctx, storage_of(Settings.read()))


@job("build_indexes", chunked=True)
def build_indexes(opened: Callable[[], AbstractContextManager[Context]]) -> None:
    with opened() as ctx:
        engine, schema = ctx.conn.engine, ctx.workspace.schema
    migrate.build_indexes(engine, schema)


@periodic("remove_orphans", "17 3 * * *")
def remove_orphans(engine: Engine, moment: datetime) -> None:
    """Every night: uploads that no record took, and files that nothing was imported of."""
    with engine.connect() as conn:
        found = all_workspaces(conn)
    for workspace in found:
        with opened(engine, workspace, now=moment) as ctx:
            files.remove_orphans(ctx, storage_of(Settings.read()))
            importing.forget_unused(ctx)


@periodic("purge_removed_apps", "41 3 * * *")
def purge_removed_apps(engine: Engine, moment: datetime) -> None:
    """Every night: removed apps whose data was to go, when their time in the bin is over."""
    with engine.connect() as conn:
        found = all_workspaces(conn)
    for workspace in found:
        with opened(engine, workspace, now=moment) as ctx:
            purging.purge_due(ctx)
