"""What `mortise doctor` looks at."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from runtime import audit, audit_trail, definitions, jobs, verify, workspaces
from runtime.actors import System
from runtime.context import Workspace
from runtime.mail import kept_mail
from runtime.programs import ServerError
from runtime.resources import VERSION, folder
from runtime.server import database_url, home_of
from runtime.settings import Settings

OLDEST_POSTGRESQL = 17
LITTLE_SPACE = 1e9
SAMPLE = 1_000
MOST_TOLD = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; not `well` means that it needs somebody."""

    well: bool
    text: str


def examine(settings: Settings, recalculate: str | None = None) -> list[Finding]:
    """Everything worth knowing about an installation. Nothing is started or changed.

    `recalculate` also compares stored calculations with fresh ones: of a "sample" of the records, or of "all".
    """
    looks: list[Callable[[Settings], Iterator[Finding]]] = [program, data_folder, database, apps, trails, mail, address]
    if recalculate:
        looks.append(partial(calculations, most=SAMPLE if recalculate == "sample" else None))
    return [finding for look in looks for finding in look(settings)]


def program(settings: Settings) -> Iterator[Finding]:
    yield Finding(True, f"Mortise {VERSION} on Python {sys.version.split()[0]}")
    for name in ("templates", "static", "apps"):
        try:
            folder(name)
        except FileNotFoundError as err:
            yield Finding(False, str(err))


def data_folder(settings: Settings) -> Iterator[Finding]:
    if not settings.data.exists():
        yield Finding(True, f"The data folder {settings.data} will be made by: mortise serve")
        return
    free = shutil.disk_usage(settings.data).free
    yield Finding(free > LITTLE_SPACE, f"{free / 1e9:.1f} GB are free for the data folder {settings.data}")


def database(settings: Settings) -> Iterator[Finding]:
    if not settings.database and settings.data.exists():
        home = home_of(settings.data)
        made = f"made by PostgreSQL {home.major}" if home.major else "not made yet"
        runner = f", run by the system user {home.user.pw_name}" if home.user else ""
        yield Finding(True, f"The embedded database in {home.folder} is {made}{runner}")
    engine = None
    try:
        engine = workspaces.connect(database_url(settings))
        with engine.connect() as conn:
            yield from contents(conn)
    except (ServerError, SQLAlchemyError, OSError) as err:
        yield Finding(False, f"The database does not answer. {err}")
    finally:
        if engine is not None:
            engine.dispose()


def contents(conn: Connection) -> Iterator[Finding]:
    version = conn.scalar(text("SHOW server_version"))
    new_enough = int(str(version).split(".")[0]) >= OLDEST_POSTGRESQL
    yield Finding(new_enough, f"PostgreSQL {version} answers; {OLDEST_POSTGRESQL} or newer is needed")
    if conn.scalar(text("SELECT to_regclass('control.workspace')")) is None:
        yield Finding(True, "There is no workspace yet; make one with: mortise workspace add")
        return
    known = [workspace.slug for workspace in workspaces.all_workspaces(conn)]
    yield Finding(True, f"Workspaces: {', '.join(known) or 'none'}")
    left = jobs.backlog(conn)
    counted = f"Jobs: {left.waiting} wait, {left.running} run, {left.failed} have failed for good"
    yield Finding(left.failed == 0, counted)


def apps(settings: Settings) -> Iterator[Finding]:
    """Whether every published app can be read."""
    try:
        engine = workspaces.connect(database_url(settings))
        with engine.connect() as conn:
            known = list(workspaces.all_workspaces(conn)) if audit.kept(conn) else []
        for workspace in known:
            with workspaces.opened(engine, workspace, System()) as ctx:
                for slug in definitions.unreadable(ctx):
                    yield Finding(
                        False, f"The published definition of {workspace.slug}: {slug} cannot be read; restore it"
                    )
        engine.dispose()
    except (ServerError, SQLAlchemyError, OSError):
        return  # told already


def trails(settings: Settings) -> Iterator[Finding]:
    """Whether the audit trails are as they were written: of the installation, and of every workspace."""
    try:
        engine = workspaces.connect(database_url(settings))
        with engine.connect() as conn:
            if not audit.kept(conn):
                return
            known = {"control": "the installation", **{w.schema: w.slug for w in workspaces.all_workspaces(conn)}}
            anchors = audit_trail.anchors_of(settings)
            for schema, name in known.items():
                yield _trail(audit_trail.verify(conn, schema, anchors.get(schema)), name)
    except (ServerError, SQLAlchemyError, OSError):
        return  # told already


FAULTS = {
    "changed": "number {n} is not what was written",
    "missing": "what was before number {n} is missing",
    "unlinked": "number {n} does not go on from the one before",
    "begun": "what was before number {n} is missing, and no retention took it away",
    "replaced": "number {n} is another one than was written down in audit-anchors.jsonl",
    "shortened": "number {n}, which audit-anchors.jsonl knows, is gone",
}


def _trail(chain: audit_trail.Chain, name: str) -> Finding:
    if chain.fault:
        told = FAULTS[chain.fault].format(n=chain.number)
        return Finding(False, f"The audit trail of {name} is broken: {told}")
    return Finding(True, f"The audit trail of {name} is whole: {chain.events} events")


def calculations(settings: Settings, most: int | None = None) -> Iterator[Finding]:
    """Whether stored formulas and rollups are what a calculation from scratch gives."""
    try:
        engine = workspaces.connect(database_url(settings))
    except (ServerError, SQLAlchemyError, OSError):
        return  # told already
    try:
        with engine.connect() as conn:
            known = list(workspaces.all_workspaces(conn))
        for workspace in known:
            yield from _compared(engine, workspace, most)
    finally:
        engine.dispose()


def _compared(engine: Engine, workspace: Workspace, most: int | None) -> Iterator[Finding]:
    with workspaces.opened(engine, workspace, System()) as ctx:
        found = list(islice(verify.everywhere(ctx, most), MOST_TOLD + 1))
    which = "All records" if most is None else f"Up to {most:,} records of each table"
    if not found:
        yield Finding(True, f"{which} of {workspace.slug} hold what their calculations give")
    for one in found[:MOST_TOLD]:
        where = f"{workspace.slug}: {one.app}.{one.table}.{one.field} of record {one.record}"
        yield Finding(False, f"{where} is stored as {one.stored}, but a calculation gives {one.fresh}")
    if len(found) > MOST_TOLD:
        yield Finding(False, f"There are more such records in {workspace.slug}")


def mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp:
        yield Finding(True, "Mail goes through the server of SMTP_URL")
        return
    kept = len(kept_mail(settings))
    where = f"kept as files in {settings.data / 'mail'} ({kept} so far)"
    yield Finding(True, f"SMTP_URL is not set: mail is {where}")


def address(settings: Settings) -> Iterator[Finding]:
    if settings.url:
        safe = settings.url.startswith("https:") or settings.host in ("127.0.0.1", "localhost")
        yield Finding(safe, f"People come to {settings.url}" + ("" if safe else "; use https there"))
    elif settings.host not in ("127.0.0.1", "localhost", "::1"):
        yield Finding(False, "It listens on the network, but MORTISE_URL does not say under which address")
