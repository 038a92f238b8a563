"""Durable jobs: enqueued in the writer's transaction, done by workers, surviving kill -9.

They live beside people's data, in the schema `procrastinate` of the same database. What a job writes
through its context happens once; what it does outside the database may happen again after a crash.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any

import procrastinate
from procrastinate import exceptions, schema
from procrastinate.jobs import Job as Queued
from procrastinate.jobs import Status
from sqlalchemy import Connection, Engine, text

from runtime import memory
from runtime.context import Context
from runtime.identity import identity, opened_again
from runtime.workspaces import connect
from schemas.errors import DefinitionError, Denied, InvalidInput, NotFound
from schemas.registry import import_siblings

SCHEMA = "procrastinate"
INSTALLING = 7_206_101  # our number among advisory locks
LONGEST_WAIT = 3600
MOST_RESCUES = 10
REFUSALS = (DefinitionError, Denied, InvalidInput, NotFound)  # trying again would change nothing

log = logging.getLogger("mortise.jobs")


@dataclass(frozen=True)
class Job:
    """A function that workers may run, by name.

    `run(ctx, **arguments)` has one transaction. With `chunked` it is `run(opened, **arguments)` and
    opens as many as it wants with `with opened() as ctx`; it must bear being run again from the start.
    `failed(ctx, error, **arguments)` is called when the last attempt has failed.
    """

    name: str
    run: Callable[..., None]
    queue: str = "default"
    retry: int = 5
    chunked: bool = False
    failed: Callable[..., None] | None = None
    apart: bool = False
    """Belongs to no workspace: `run(conn, **arguments)`."""


@dataclass(frozen=True)
class Periodic:
    """A function `run(engine, moment)` that one worker runs at every time its cron expression names."""

    name: str
    cron: str
    run: Callable[[Engine, datetime], None]


JOBS: dict[str, Job] = {}
PERIODIC: dict[str, Periodic] = {}


def job(
    name: str,
    *,
    queue: str = "default",
    retry: int = 5,
    chunked: bool = False,
    failed: Callable[..., None] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a job. `retry` is how often it is tried again, waiting 3, 9, 27 ... seconds."""

    def register(run: Callable[..., None]) -> Callable[..., None]:
        if name in JOBS:
            raise TypeError(f"job {name!r} is already {JOBS[name].run!r}")
        JOBS[name] = Job(name, run, queue, retry, chunked, failed)
        return run

    return register


def job_apart(
    name: str, *, queue: str = "default", retry: int = 5
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `run(conn, **arguments)`: a job for accounts, which belong to no workspace."""

    def register(run: Callable[..., None]) -> Callable[..., None]:
        if name in JOBS:
            raise TypeError(f"job {name!r} is already {JOBS[name].run!r}")
        JOBS[name] = Job(name, run, queue, retry, apart=True)
        return run

    return register


def load_rooms() -> None:
    """Import every module that may register a job: who does jobs must know them, and who enqueues them too."""
    for room in ("runtime", "builder"):
        import_siblings(room, list(import_module(room).__path__))


def periodic(name: str, cron: str) -> Callable[[Callable[[Engine, datetime], None]], Callable[..., None]]:
    """Register `run(engine, moment)`; five cron fields, or six with seconds as the last."""

    def register(run: Callable[[Engine, datetime], None]) -> Callable[..., None]:
        PERIODIC[name] = Periodic(name, cron, run)
        return run

    return register


# Enqueueing

queue_only = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def enqueue(
    ctx: Context,
    name: str,
    arguments: Mapping[str, Any],
    *,
    at: datetime | None = None,
    key: str | None = None,
) -> int | None:
    """Enqueue within the context's transaction; the job exists when that commits.

    `arguments` must be JSON. With `key`, a job with the same key that still waits in this workspace is
    enough, and None is returned: it will start after this transaction and see what it wrote.
    """
    registered = JOBS[name]
    ctx.conn.execute(SEE_JOBS)
    lock = f"{ctx.workspace.id}:{name}:{key}" if key else None
    connection = ctx.conn.connection.driver_connection
    deferrer = queue_only.configure_task(
        name, queue=registered.queue, schedule_at=at, queueing_lock=lock, connection=connection
    )
    defer = partial(deferrer.defer, who=identity(ctx), arguments=dict(arguments))
    return defer() if lock is None else defer_once(ctx.conn, lock, defer)


def enqueue_apart(conn: Connection, name: str, arguments: Mapping[str, Any]) -> None:
    """Enqueue a job that belongs to no workspace, within the connection's transaction."""
    conn.execute(SEE_JOBS)
    connection = conn.connection.driver_connection
    deferrer = queue_only.configure_task(name, queue=JOBS[name].queue, connection=connection)
    deferrer.defer(who={}, arguments=dict(arguments))


SEE_JOBS = text(
    "SELECT set_config('search_path', current_setting('search_path') || ', procrastinate', true) "
    "WHERE current_setting('search_path') !~ '\\mprocrastinate\\M'"
)
HOLD_WAITING = text(
    "SELECT id FROM procrastinate.procrastinate_jobs WHERE queueing_lock = :lock AND status = 'todo' FOR KEY SHARE"
)


def defer_once(conn: Connection, lock: str, defer: Callable[[], int]) -> int | None:
    while True:
        try:
            with conn.begin_nested():
                return defer()
        except exceptions.AlreadyEnqueued:
            # Held until we commit, the waiting job cannot start before our rows are there to be seen.
            if conn.execute(HOLD_WAITING, {"lock": lock}).first():
                return None


# Working


def run_worker(url: str, *, concurrency: int = 2, queues: list[str] | None = None, stalled_after: float = 30) -> None:
    """Do jobs until SIGTERM or SIGINT; those begun are finished first.

    A worker that has been silent for `stalled_after` seconds counts as dead; its jobs are done by others.
    """
    engine = connect(url, pool_size=concurrency, max_overflow=concurrency)
    app = app_for(url, engine, [], stalled_after)
    memory.settle()
    try:
        app.run_worker(
            concurrency=concurrency,
            queues=queues,
            delete_jobs="successful",
            stalled_worker_timeout=stalled_after,
            update_heartbeat_interval=stalled_after / 3,
        )
    finally:
        engine.dispose()


def drain_jobs(url: str, *, until: datetime | None = None) -> list[Exception]:
    """Do every job that is due, and those they enqueue, with the real worker; return what jobs raised.

    With `until`, jobs planned up to that moment are due as well. Made for tests.
    """
    errors: list[Exception] = []
    # A thread of its own, for the caller's may have a running event loop.
    thread = threading.Thread(target=drain, args=(url, until, errors))
    thread.start()
    thread.join()
    return errors


def drain(url: str, until: datetime | None, errors: list[Exception]) -> None:
    engine = connect(url)
    app = app_for(url, engine, errors, None)
    quietly: dict[str, Any] = {"wait": False, "listen_notify": False, "install_signal_handlers": False}
    try:
        while due(engine, until):
            app.run_worker(delete_jobs="successful", **quietly)
    except Exception as err:
        errors.append(err)
    finally:
        engine.dispose()


def due(engine: Engine, until: datetime | None) -> bool:
    with engine.begin() as conn:
        if until:
            conn.execute(BRING_FORWARD, {"until": until})
        return bool(conn.scalar(COUNT_DUE))


BRING_FORWARD = text(
    "UPDATE procrastinate.procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo' AND scheduled_at <= :until"
)
COUNT_DUE = text(
    "SELECT count(*) FROM procrastinate.procrastinate_jobs "
    "WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())"
)


def app_for(url: str, engine: Engine, errors: list[Exception], stalled_after: float | None) -> procrastinate.App:
    """Every registered job as a task; periodic ones only for a worker that stays (`stalled_after` given)."""
    connector = procrastinate.PsycopgConnector(
        conninfo=url, kwargs={"options": f"-c search_path={SCHEMA}"}, min_size=1, max_size=4
    )
    app = procrastinate.App(connector=connector)
    for known in JOBS.values():
        perform = partial(perform_job, known, engine, errors)
        task = app.task(name=known.name, queue=known.queue, retry=Backoff(known.retry), pass_context=True)
        task(named(perform, known.name))
    if stalled_after is not None:
        add_periodic(app, engine, stalled_after)
    return app


def add_periodic(app: procrastinate.App, engine: Engine, stalled_after: float) -> None:
    for known in PERIODIC.values():
        tick = named(partial(perform_periodic, known, engine), known.name)
        app.periodic(cron=known.cron)(app.task(name=known.name, queueing_lock=known.name)(tick))

    @app.periodic(cron="* * * * * */15")
    @app.task(name="jobs.rescue", queueing_lock="jobs.rescue")
    async def rescue(timestamp: int) -> None:
        await rescue_stalled(app, engine, stalled_after)


def named(function: Callable[..., None], name: str) -> Callable[..., None]:
    function.__name__ = name
    return function


def perform_job(
    known: Job,
    engine: Engine,
    errors: list[Exception],
    context: procrastinate.JobContext,
    who: dict[str, Any],
    arguments: dict[str, Any],
) -> None:
    try:
        if known.apart:
            with engine.begin() as conn:
                if first_time(conn, context.job):
                    known.run(conn, **arguments)
            return
        if known.chunked:
            known.run(partial(opened_again, engine, who), **arguments)
            return
        with opened_again(engine, who) as ctx:
            if first_time(ctx.conn, context.job):
                known.run(ctx, **arguments)
    except Exception as err:
        errors.append(err)
        if Backoff(known.retry).get_retry_decision(exception=err, job=context.job) is None:
            note_failure(engine, context.job, str(err))
            give_up(known, engine, context.job, str(err))
        raise


def perform_periodic(known: Periodic, engine: Engine, timestamp: int) -> None:
    known.run(engine, datetime.fromtimestamp(timestamp, UTC))


def first_time(conn: Connection, queued: Queued) -> bool:
    """Mark the job as done in its own transaction; False when an earlier run has already committed.

    A second worker that wrongly holds the first for dead waits here for its transaction.
    """
    return conn.execute(MARK_DONE, {"job": queued.id}).rowcount == 1


MARK_DONE = text("INSERT INTO procrastinate.done (job_id) VALUES (:job) ON CONFLICT DO NOTHING")


def note_failure(engine: Engine, queued: Queued, error: str) -> None:
    """Why a job was given up, for whoever looks after the workspace."""
    with engine.begin() as conn:
        conn.execute(NOTE_FAILURE, {"job": queued.id, "error": error.replace("\x00", "")[:2_000]})


NOTE_FAILURE = text(
    "INSERT INTO procrastinate.failure (job_id, error, at) VALUES (:job, :error, now()) "
    "ON CONFLICT (job_id) DO UPDATE SET error = excluded.error, at = excluded.at"
)


def give_up(known: Job, engine: Engine, queued: Queued, error: str) -> None:
    if known.failed is None:
        return
    told: dict[str, Any] = queued.task_kwargs
    try:
        with opened_again(engine, told["who"]) as ctx:
            known.failed(ctx, error, **told["arguments"])
    except Exception:
        log.exception("The failure of job %s (%s) could not be told.", queued.id, known.name)


class Backoff(procrastinate.BaseRetryStrategy):
    """Wait 3, 9, 27 ... seconds, an hour at most; a refusal is final at once."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Queued) -> procrastinate.RetryDecision | None:
        if isinstance(exception, REFUSALS) or job.attempts >= self.attempts:
            return None
        return procrastinate.RetryDecision(retry_in={"seconds": min(3 ** (job.attempts + 1), LONGEST_WAIT)})


async def rescue_stalled(app: procrastinate.App, engine: Engine, after: float) -> None:
    """Jobs of dead workers wait again; one that has brought down worker after worker is given up."""
    for queued in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=after):
        if queued.attempts < MOST_RESCUES:
            await app.job_manager.retry_job(queued)
            continue
        await app.job_manager.finish_job(queued, status=Status.FAILED, delete_job=False)
        known = JOBS.get(queued.task_name)
        if known:
            error = "Its worker stopped every time it was tried."
            await asyncio.to_thread(note_failure, engine, queued, error)
            await asyncio.to_thread(give_up, known, engine, queued, error)


# Storage


def install_jobs(conn: Connection) -> None:
    """Make or update the tables of jobs. Safe to call at every start, by several processes at once."""
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": INSTALLING})
    files = sorted(schema.migrations_path.glob("*.sql"))
    if conn.scalar(text("SELECT to_regclass('procrastinate.applied')")) is None:
        conn.execute(text("CREATE SCHEMA IF NOT EXISTS procrastinate"))
        run_script(conn, schema.SchemaManager.get_schema())
        conn.execute(text("CREATE TABLE procrastinate.applied (file text PRIMARY KEY)"))
        conn.execute(MAKE_DONE)
        fresh = {file.name for file in files}
    else:
        known = set(conn.scalars(text("SELECT file FROM procrastinate.applied")))
        fresh = {file.name for file in files} - known
        for file in files:
            if file.name in fresh:
                run_script(conn, file.read_text())
    conn.execute(MAKE_FAILURE)
    for name in sorted(fresh):
        conn.execute(text("INSERT INTO procrastinate.applied VALUES (:file)"), {"file": name})


MAKE_DONE = text(
    "CREATE TABLE procrastinate.done (job_id bigint PRIMARY KEY "
    "REFERENCES procrastinate.procrastinate_jobs ON DELETE CASCADE)"
)


MAKE_FAILURE = text(
    "CREATE TABLE IF NOT EXISTS procrastinate.failure (job_id bigint PRIMARY KEY "
    "REFERENCES procrastinate.procrastinate_jobs ON DELETE CASCADE, error text NOT NULL, at timestamptz NOT NULL)"
)


def run_script(conn: Connection, script: str) -> None:
    """Several statements at once, with the library's schema first in the path."""
    before = conn.scalar(text("SELECT current_setting('search_path')"))
    conn.execute(text("SET LOCAL search_path TO procrastinate"))
    driver: Any = conn.connection.driver_connection
    driver.execute(script)
    conn.execute(text("SELECT set_config('search_path', :before, true)"), {"before": before})


@dataclass(frozen=True)
class Backlog:
    """How many jobs wait, run and have failed for good."""

    waiting: int
    running: int
    failed: int


def backlog(conn: Connection) -> Backlog:
    counted = {row.status: row.jobs for row in conn.execute(COUNT_BY_STATUS)}
    return Backlog(counted.get("todo", 0), counted.get("doing", 0), counted.get("failed", 0))


COUNT_BY_STATUS = text("SELECT status::text, count(*) AS jobs FROM procrastinate.procrastinate_jobs GROUP BY status")
