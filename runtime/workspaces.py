"""Workspaces: making one, finding one, and working in one transaction bound to its schema."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import Column, Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.schema import CreateSchema

from runtime import audit, known, layouts, models
from runtime.actors import Actor, System
from runtime.context import Context, Workspace
from runtime.ids import new_id
from runtime.json_text import write_json
from runtime.known import Known
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

QUERY_CACHE = 5_000
LONGEST_TITLE = 60
RESTED = 1.0
"""Seconds after which a pooled connection is asked whether it still lives; a busy server need not ask each time."""


def connect(url: str, *, patience: str = "", **options: Any) -> Engine:
    """An engine for Mortise's database. `url` begins with postgresql://; `patience` is how long a statement may take."""
    engine = create_engine(
        re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url),
        query_cache_size=QUERY_CACHE,
        json_serializer=write_json,
        **{"pool_size": 8, "max_overflow": 8, **options},
    )
    if patience:
        event.listen(engine, "connect", partial(_give_up_after, patience))
    event.listen(engine, "checkout", _ping_when_idle)
    event.listen(engine, "checkin", _note_the_time)
    event.listen(engine, "before_cursor_execute", _marked, retval=True)
    return engine


def _give_up_after(patience: str, driver: Any, record: Any) -> None:
    driver.execute("SELECT set_config('statement_timeout', %s, false)", (patience,))
    driver.commit()


def _ping_when_idle(driver: Any, record: Any, proxy: Any) -> None:
    """See that a connection which has lain for a while still lives; another one is taken where it does not."""
    used = record.info.get("used")
    if used is None or time.monotonic() - used < RESTED:
        return
    try:
        driver.execute("")
        driver.rollback()
    except psycopg.Error as err:
        raise DisconnectionError from err


def _note_the_time(driver: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def prepare(engine: Engine) -> None:
    """Make what all workspaces share, and bring what an earlier version made up to this one."""
    with engine.begin() as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('mortise.prepare'))"))
        conn.execute(CreateSchema("control", if_not_exists=True))
        layouts.bring_up(conn)


def create(engine: Engine, slug: str, title: str, zone: str = "Asia/Shanghai", language: str = "zh") -> Workspace:
    """A new, empty workspace. Raises ValueError when the slug is not a word or is taken."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", slug):
        raise ValueError("a workspace's short name is made of a-z, 0-9 and -, a letter first")
    made = Workspace(new_id(), slug, title, f"w_{new_id().hex[-12:]}", ZoneInfo(zone), language)
    with engine.begin() as conn:
        if conn.scalar(select(models.workspace.c.id).where(models.workspace.c.slug == slug)):
            raise ValueError(f"there is a workspace {slug!r} already")
        conn.execute(CreateSchema(made.schema))
        bind(conn, made.schema)
        layouts.load_models()
        models.workspace_metadata.create_all(conn)
        known.watch(conn)
        conn.execute(
            insert(models.workspace).values(
                id=made.id,
                slug=slug,
                title=title,
                schema=made.schema,
                zone=zone,
                language=language,
                layout=models.LAYOUT,
            )
        )
    return made


def find(conn: Connection, slug: str | None = None, id: UUID | None = None) -> Workspace:
    """The workspace of this short name or id. Raises NotFound."""
    w = models.workspace
    found = select(*workspace_columns()).where(w.c.slug == slug if slug is not None else w.c.id == id)
    row = conn.execute(found).one_or_none()
    if row is None:
        raise NotFound
    return workspace_of(row)


def workspace_columns() -> list[Column[Any]]:
    """What a statement asks for to have a workspace made of it."""
    w = models.workspace.c
    return [w.id, w.slug, w.title, w.schema, w.zone, w.language, w.second_factor]


def workspace_of(row: Sequence[Any]) -> Workspace:
    """The workspace of these columns' values."""
    id, slug, title, schema, zone, language, second_factor = row
    return Workspace(id, slug, title, schema, ZoneInfo(zone), language, second_factor)


def all_workspaces(conn: Connection) -> list[Workspace]:
    ids = conn.scalars(select(models.workspace.c.id).order_by(models.workspace.c.created_at)).all()
    return [find(conn, id=id) for id in ids]


FIRST, MARK = "first workspace", "mark of the workspace"
"""Statements that a connection asks again and again are prepared by the driver. In another workspace the same names may be
tables of other types, for which PostgreSQL refuses a prepared statement: there the text gets a mark, and so a plan of its own."""


def _marked(conn: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> tuple[str, Any]:
    mark = conn.info.get(MARK)
    return (statement + mark if mark else statement), parameters


def bind(conn: Connection, schema: str, epoch: bool = False) -> UUID | None:
    """Let this transaction see one workspace's tables, and the jobs' last; gives the epoch that it is in, if asked to."""
    first = conn.info.setdefault(FIRST, schema)
    conn.info[MARK] = "" if first == schema else f"\n/* {schema} */"
    asked = f'(SELECT id FROM "{schema}".epoch)' if epoch else "NULL::uuid"
    path = f"""set_config('search_path', '"{schema}", procrastinate', true)"""
    return conn.exec_driver_sql(f"SELECT {asked}, {path}").scalar()


@contextmanager
def opened(
    engine: Engine, workspace: Workspace, actor: Actor | None = None, *, now: datetime | None = None,
    language: str | None = None, origin: str = "",
) -> Iterator[Context]:  # fmt: skip
    """One transaction in a workspace: commits when the block ends, rolls back when it raises."""
    with engine.begin() as conn:
        facts = conn.info[Known] = known.of(workspace.id, bind(conn, workspace.schema, epoch=True))
        yield Context(
            workspace=workspace, actor=actor or System(), conn=conn, now=now or datetime.now(UTC),
            language=language or workspace.language, origin=origin, known=facts,
        )  # fmt: skip


def describe(ctx: Context, title: str, second_factor: bool) -> None:
    """What a workspace is called, and whether everybody in it needs a second factor. Raises InvalidInput."""
    title, w = " ".join(title.split()), models.workspace
    if not 0 < len(title) <= LONGEST_TITLE:
        raise InvalidInput({"title": [say("Give the workspace a name of at most {n} characters.", n=LONGEST_TITLE)]})
    ctx.conn.execute(w.update().where(w.c.id == ctx.workspace.id).values(title=title, second_factor=second_factor))
    audit.note(ctx, "workspace.changed", title, second_factor=second_factor)
