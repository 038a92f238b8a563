"""Backup and restore: the database and the files of everything, or of one workspace, in one archive."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import scalar_row, tuple_row

from runtime.models import LAYOUT
from runtime.programs import program
from runtime.resources import VERSION
from runtime.settings import Settings, prepare_data_folder
from runtime.storage import Storage, storage_of

FORMAT = 1
"""Raised when an older Mortise could not read the archive. Readers keep understanding every number below."""

SHARED = ("control", "procrastinate")
SEE_JOBS = "SET LOCAL search_path TO procrastinate;\n"
PATIENCE = "-c lock_timeout=10s"
LEAVING = 3  # seconds


class BackupError(Exception):
    """No backup was made, or nothing was restored; the text says why and how to go on."""


@dataclass(frozen=True)
class Manifest:
    """What an archive holds. `workspace` is the id of the only one in it, `slugs` names all."""

    format: int
    mortise: str
    layout: int
    made_at: str
    slugs: list[str]
    schemas: list[str]
    workspace: str | None = None
    files: int = 0

    @property
    def whole(self) -> bool:
        return self.workspace is None


def backup(settings: Settings, url: str, target: Path, workspace: str | None = None, force: bool = False) -> Manifest:
    """Write an archive of everything, or of the workspace of this slug, while others go on working.

    Raises BackupError when the file exists (without `force`) or the workspace does not.
    """
    if target.exists() and not force:
        raise BackupError(f"{target} exists already. Choose another name, or overwrite it with --force.")
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with (
            open(draft, "xb", opener=private) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            manifest = write_archive(archive, settings, url, workspace)
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def restore(settings: Settings, url: str, source: Path, force: bool = False) -> Manifest:
    """Bring back what an archive holds, all or nothing. Raises BackupError.

    The tables that all workspaces share must have been prepared. Without `force` nothing that exists is
    replaced.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = read_manifest(archive)
            with psycopg.connect(url, autocommit=True) as conn:
                before = prologue(conn, manifest, force)
                after = "" if manifest.whole else arrival(conn, archive, manifest)
            put_files(archive, storage_of(settings))
            load(archive, url, before, after)
            remove_other_files(archive, storage_of(settings), manifest)
            if manifest.whole:
                put_secret(archive, settings)
    except (OSError, zipfile.BadZipFile, KeyError) as err:
        raise BackupError(f"{source} cannot be read as a backup: {err}") from err
    return manifest


# Writing


def write_archive(archive: zipfile.ZipFile, settings: Settings, url: str, workspace: str | None) -> Manifest:
    storage = storage_of(settings)
    with snapshot(url) as (conn, name):
        manifest = describe(conn, workspace)
        add_dump(archive, url, name, manifest)
        if not manifest.whole:
            archive.writestr("control.json", control_rows(conn, manifest))
    # After the database: what its rows name is there already, and bytes never change.
    keys = list(storage.all_keys(UUID(manifest.workspace) if manifest.workspace else None))
    for key in keys:
        add_file(archive, storage, key)
    if manifest.whole and (settings.data / "secret").exists():
        archive.writestr("secret", (settings.data / "secret").read_text())
    manifest = Manifest(**{**asdict(manifest), "files": len(keys)})
    archive.writestr("manifest.json", json.dumps(asdict(manifest), indent=2, ensure_ascii=False))
    return manifest


@contextmanager
def snapshot(url: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """A connection and the name under which pg_dump sees exactly the same rows."""
    with psycopg.connect(url, row_factory=scalar_row) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        name = conn.execute("SELECT pg_export_snapshot()").fetchone()
        yield conn, str(name)


WORKSPACES = (
    "SELECT slug, id::text, schema FROM control.workspace WHERE %(slug)s::text IS NULL OR slug = %(slug)s ORDER BY slug"
)


def describe(conn: psycopg.Connection[Any], slug: str | None) -> Manifest:
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(WORKSPACES, {"slug": slug}).fetchall()
    if slug is not None and not rows:
        raise BackupError(f"There is no workspace {slug!r}.")
    return Manifest(
        format=FORMAT,
        mortise=VERSION,
        layout=LAYOUT,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        slugs=[row[0] for row in rows],
        schemas=[row[2] for row in rows],
        workspace=None if slug is None else rows[0][1],
    )


def add_dump(archive: zipfile.ZipFile, url: str, snapshot_name: str, manifest: Manifest) -> None:
    schemas = [*(SHARED if manifest.whole else ()), *manifest.schemas]
    with tempfile.NamedTemporaryFile(prefix="mortise-backup-", suffix=".dump") as dump:
        run(
            url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot_name}",
            f"--file={dump.name}", *(f"--schema={schema}" for schema in schemas),
        )  # fmt: skip
        archive.write(dump.name, "database.dump", zipfile.ZIP_STORED)


def control_rows(conn: psycopg.Connection[Any], manifest: Manifest) -> str:
    """The rows about one workspace that are outside its schema, as JSON. Sessions stay behind."""
    return json.dumps(
        {
            name: conn.execute(query, {"id": manifest.workspace}).fetchone() or []
            for name, query in ROWS_OF_WORKSPACE.items()
        },
        ensure_ascii=False,
        indent=2,
    )


ROWS_OF_WORKSPACE = {
    "workspace": "SELECT json_agg(w) FROM control.workspace w WHERE w.id = %(id)s",
    "account": (
        "SELECT json_agg(a) FROM control.account a "
        "WHERE a.id IN (SELECT account_id FROM control.membership WHERE workspace_id = %(id)s)"
    ),
    "membership": "SELECT json_agg(m) FROM control.membership m WHERE m.workspace_id = %(id)s",
    "job": (
        "SELECT json_agg(j) FROM procrastinate.procrastinate_jobs j "
        "WHERE j.args->'who'->>'workspace' = %(id)s::text AND j.status IN ('todo', 'doing')"
    ),
}


def add_file(archive: zipfile.ZipFile, storage: Storage, key: str) -> None:
    try:
        source = storage.open(key)
    except FileNotFoundError:  # removed since it was listed
        return
    with source, archive.open(f"files/{key}", "w", force_zip64=True) as place:
        shutil.copyfileobj(source, place, 1 << 20)


# Reading


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        manifest = Manifest(**json.loads(archive.read("manifest.json")))
    except (ValueError, TypeError) as err:
        raise BackupError(f"The manifest makes no sense: {err}") from err
    if manifest.format > FORMAT or manifest.layout > LAYOUT:
        raise BackupError(f"A newer Mortise ({manifest.mortise}) made this backup; restore it with that one.")
    if not manifest.whole and manifest.layout != LAYOUT:
        raise BackupError(
            f"Mortise {manifest.mortise} made this backup of one workspace with older tables. Restore it "
            "with that version, upgrade, and back it up again."
        )
    return manifest


def prologue(conn: psycopg.Connection[Any], manifest: Manifest, force: bool) -> str:
    """The SQL that makes room for the archive. Raises BackupError when something is in the way."""
    if not manifest.whole:
        return make_room_for_one(conn, manifest, force)
    if others := connections_left(conn):
        raise BackupError(f"{others} other connections use the database. Stop mortise serve and mortise worker first.")
    present = conn.execute("SELECT schema FROM control.workspace").fetchall()
    accounts = conn.execute("SELECT count(*) FROM control.account").fetchone()
    if (present or (accounts and accounts[0])) and not force:
        raise BackupError("There are workspaces or accounts already. To replace all of them: --force")
    return dropping([*SHARED, *(row[0] for row in present)])


def connections_left(conn: psycopg.Connection[Any]) -> int:
    """How many others are connected, after those that are just leaving have had a moment."""
    until = time.monotonic() + LEAVING
    while (count := conn.execute(OTHERS).fetchall()[0][0]) and time.monotonic() < until:
        time.sleep(0.1)
    return int(count)


OTHERS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def make_room_for_one(conn: psycopg.Connection[Any], manifest: Manifest, force: bool) -> str:
    slug = manifest.slugs[0]
    same = "SELECT id::text, schema FROM control.workspace WHERE slug = %s OR id = %s"
    found = conn.execute(same, [slug, manifest.workspace]).fetchall()
    if any(id != manifest.workspace for id, _ in found):
        raise BackupError(f"Another workspace has the short name {slug!r}. Rename or remove that one first.")
    if found and not force:
        raise BackupError(f"There is a workspace {slug!r} already. To replace it: --force")
    gone = sql.SQL(FORGET_ONE).format(id=sql.Literal(manifest.workspace)).as_string(conn)
    return dropping([schema for _, schema in found]) + gone


FORGET_ONE = """
DELETE FROM procrastinate.procrastinate_jobs WHERE args->'who'->>'workspace' = {id} AND status = 'todo';
DELETE FROM control.membership WHERE workspace_id = {id};
DELETE FROM control.workspace WHERE id = {id};
"""


def dropping(schemas: list[str]) -> str:
    return "".join(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE;\n' for schema in schemas)


def arrival(conn: psycopg.Connection[Any], archive: zipfile.ZipFile, manifest: Manifest) -> str:
    """The SQL that adds a workspace's rows outside its schema."""
    rows = json.loads(archive.read("control.json"))
    values: dict[str, Any] = {name: sql.Literal(json.dumps(rows[name])) for name in ROWS_OF_WORKSPACE}
    values |= {
        "member": sql.Identifier(manifest.schemas[0], "member"),
        "id": sql.Literal(manifest.workspace),
    }
    return sql.SQL(ARRIVE).format(**values).as_string(conn)


# A person who has an account here keeps it, found by id or else by mail address.
ARRIVE = """
INSERT INTO control.workspace SELECT * FROM json_populate_recordset(NULL::control.workspace, {workspace});
INSERT INTO control.account
  SELECT r.* FROM json_populate_recordset(NULL::control.account, {account}) r
  WHERE NOT EXISTS (SELECT FROM control.account a WHERE a.id = r.id OR a.email = r.email);
CREATE TEMPORARY TABLE arrived ON COMMIT DROP AS
  SELECT DISTINCT ON (r.id) r.id AS old, a.id AS id
  FROM json_populate_recordset(NULL::control.account, {account}) r
  JOIN control.account a ON a.id = r.id OR a.email = r.email
  ORDER BY r.id, a.id = r.id DESC;
UPDATE {member} SET account_id = arrived.id FROM arrived WHERE account_id = arrived.old;
INSERT INTO control.membership
  SELECT r.* FROM json_populate_recordset(NULL::control.membership, {membership}) r;
UPDATE control.membership m SET account_id = arrived.id FROM arrived
  WHERE m.account_id = arrived.old AND arrived.old <> arrived.id AND m.workspace_id = {id};
INSERT INTO procrastinate.procrastinate_jobs
  (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at, attempts)
  SELECT queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at, attempts
  FROM json_populate_recordset(NULL::procrastinate.procrastinate_jobs, {job})
  ON CONFLICT DO NOTHING;
"""


def load(archive: zipfile.ZipFile, url: str, before: str, after: str) -> None:
    """Run it all in one transaction: whatever fails, nothing has changed."""
    with tempfile.TemporaryDirectory(prefix="mortise-restore-") as name:
        place = Path(name)
        archive.extract("database.dump", place)
        # The triggers of the jobs' tables look for the others on the search path; the dump empties it.
        (place / "before.sql").write_text(SEE_JOBS + before)
        (place / "after.sql").write_text(SEE_JOBS + after)
        output, dump = place / "dump.sql", place / "database.dump"
        run(url, "pg_restore", "--no-owner", "--no-privileges", f"--file={output}", str(dump))
        scripts = [f"--file={place / script}" for script in ("before.sql", "dump.sql", "after.sql")]
        run(url, "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *scripts)


def put_files(archive: zipfile.ZipFile, storage: Storage) -> None:
    for key in archived_keys(archive):
        with archive.open(f"files/{key}") as source:
            try:
                storage.put(key, source)
            except ValueError as err:
                raise BackupError(str(err)) from err


def remove_other_files(archive: zipfile.ZipFile, storage: Storage, manifest: Manifest) -> None:
    keep = set(archived_keys(archive))
    for key in list(storage.all_keys(UUID(manifest.workspace) if manifest.workspace else None)):
        if key not in keep:
            storage.delete(key)


def archived_keys(archive: zipfile.ZipFile) -> list[str]:
    return [name.removeprefix("files/") for name in archive.namelist() if name.startswith("files/")]


def put_secret(archive: zipfile.ZipFile, settings: Settings) -> None:
    """Links and cookies signed before the backup stay good."""
    if "secret" in archive.namelist():
        path = prepare_data_folder(settings) / "secret"
        path.unlink(missing_ok=True)
        with open(path, "wb", opener=private) as file:
            file.write(archive.read("secret"))


def private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def run(url: str, name: str, *arguments: str) -> None:
    """Run a client program on the database, the password out of sight of `ps`. Raises BackupError."""
    parts = conninfo_to_dict(url)
    secret = str(parts.pop("password", ""))
    address = make_conninfo("", **parts)
    environment = {**os.environ, "PGPASSWORD": secret, "PGOPTIONS": PATIENCE, "LC_ALL": "C.UTF-8"}
    target = [] if name == "pg_restore" else [f"--dbname={address}"]
    command = [program(name), *target, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{name} failed, nothing was changed:\n{done.stderr.strip()}")
