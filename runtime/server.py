"""The PostgreSQL that comes with Mortise: made, started, joined and stopped in the data folder.

Only the binaries of the wheel are used. As root they run as an ordinary system user. A live server is
found by its pid file and joined; whoever leaves last stops it.
"""

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from runtime.programs import MAJOR, ServerError, as_user, copy_install, last_lines, wheel_install, works
from runtime.settings import Settings, kept, prepare_data_folder

PORT = 5432  # names the socket file only: nothing listens on the network
SUPERUSER = "mortise_admin"
ROLE = DATABASE = "mortise"
LONGEST_SOCKET_FOLDER = 90  # the kernel allows 107 bytes with the file's name
LONGEST_LINGERING = 10  # seconds
SYSTEM_USERS = ("mortise", "postgres", "nobody")
CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
}


@dataclass(frozen=True)
class Home:
    """Where one embedded server lives, and as whom it runs.

    `user` is None when it runs as the present user.
    """

    folder: Path
    user: pwd.struct_passwd | None = None

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def major(self) -> int | None:
        """The major version that made the cluster; None before it is made."""
        version = self.cluster / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """The database's address while the block runs: DATABASE_URL, or the embedded server, started or joined.

    Whoever leaves last stops it; so a short command never stops it under a server that has joined.
    """
    if settings.database:
        yield settings.database
        return
    data = prepare_data_folder(settings)
    with open(data / "postgres.users", "w") as users:
        with locked(data):
            home = start(data)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield database_url(settings)
        finally:
            with locked(data):
                if try_lock(users):
                    stop(home)


def database_url(settings: Settings) -> str:
    """DATABASE_URL, or the address of the embedded server, which must be running.

    Raises ServerError when it is not.
    """
    if settings.database:
        return settings.database
    home = home_of(settings.data)
    folder = live_socket_folder(home)
    if folder is None:
        raise ServerError(f"The embedded database in {settings.data} is not running. Start it with: mortise serve")
    return address(folder, ROLE, password(home, ROLE), DATABASE)


def admin_url(settings: Settings, database: str = "postgres") -> str:
    """The superuser's address on the embedded server: for tests and repairs, never for serving."""
    home = home_of(settings.data)
    folder = live_socket_folder(home)
    if folder is None:
        raise ServerError(f"The embedded database in {settings.data} is not running.")
    return address(folder, SUPERUSER, password(home, SUPERUSER), database)


def address(socket_folder: Path, role: str, secret: str, database: str) -> str:
    return f"postgresql://{role}:{secret}@/{database}?host={quote(str(socket_folder), safe='')}&port={PORT}"


# Starting and stopping


def start(data: Path) -> Home:
    """Make the cluster when absent, start it unless it runs, see that role and database exist."""
    home = home_of(data)
    refuse_other_major(home)
    if live_socket_folder(home) is None:
        if home.major is None:
            make_cluster(home)
        clear_after_crash(home)
        start_postmaster(home)
    ensure_role_and_database(home)
    return home


def start_if_stopped(settings: Settings) -> None:
    """For who uses the embedded server for long: start it again after it has died."""
    if not settings.database and live_socket_folder(home_of(settings.data)) is None:
        with locked(settings.data):
            start(settings.data)


def stop(home: Home) -> None:
    """Disconnect everybody and stop; nothing happens when it is not running."""
    folder = live_socket_folder(home)
    if folder is None:
        return
    try:
        run(home, "pg_ctl", "stop", "-D", str(home.cluster), "-m", "fast", "-w", "-t", "60")
    except ServerError:
        if live_socket_folder(home) is not None:  # else it died by itself meanwhile
            raise
    if folder.parent != home.folder:
        shutil.rmtree(folder, ignore_errors=True)


def refuse_other_major(home: Home) -> None:
    if home.major not in (None, MAJOR):
        raise ServerError(
            f"PostgreSQL {home.major} made the database in {home.cluster}; this Mortise brings {MAJOR}.\n"
            "With the Mortise that made it: mortise backup everything.zip\n"
            "Then, with this one and an empty MORTISE_DATA folder: mortise restore everything.zip"
        )


def make_cluster(home: Home) -> None:
    """Renamed into place at the end, so that a crash leaves no half cluster."""
    draft = home.folder / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    secret_file = home.folder / "initial-password"
    secret_file.write_text(password(home, SUPERUSER))
    give(secret_file, home, 0o600)
    options = [f"--set={name}={value}" for name, value in CONFIGURATION.items()]
    run(
        home, "initdb", "-D", str(draft), "--username", SUPERUSER, "--pwfile", str(secret_file),
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--locale=C", "--no-instructions", *options,
    )  # fmt: skip
    secret_file.unlink()
    draft.rename(home.cluster)


def start_postmaster(home: Home) -> None:
    folder = socket_folder(home)
    log = home.folder / "start.log"
    where = f"-k '{folder}' -p {PORT}"
    try:
        run(home, "pg_ctl", "start", "-D", str(home.cluster), "-w", "-t", "120", "-l", str(log), "-o", where)
    except ServerError as err:
        newest = sorted((home.cluster / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)[-1:]
        raise ServerError("\n".join([str(err), *map(last_lines, [log, *newest])])) from err


def ensure_role_and_database(home: Home) -> None:
    """The application's role, without rights beyond the one database it owns."""
    folder = live_socket_folder(home)
    if folder is None:
        raise ServerError(f"The embedded database in {home.cluster} stopped right after its start.")
    admin = address(folder, SUPERUSER, password(home, SUPERUSER), "postgres")
    with psycopg.connect(admin, autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            secret = sql.Literal(password(home, ROLE))
            conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), secret))
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            owned = sql.SQL("CREATE DATABASE {} OWNER {}")
            conn.execute(owned.format(sql.Identifier(DATABASE), sql.Identifier(ROLE)))


def live_socket_folder(home: Home) -> Path | None:
    """The folder of the socket that a live postmaster names in its pid file, or None."""
    lines = pid_file_lines(home)
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(f"{lines[4]}/.s.PGSQL.{lines[3]}")
    except OSError:
        return None
    return Path(lines[4])


def clear_after_crash(home: Home) -> None:
    """Remove the lock files of a postmaster that is gone, once its last child has left.

    Their process number may belong to another program by now (usual after a container's restart).
    """
    lines = pid_file_lines(home)
    if not lines or any(str(process.pid) == lines[0] for process in server_processes(home)):
        return
    _, lingering = psutil.wait_procs(server_processes(home), timeout=LONGEST_LINGERING)
    for process in lingering:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(lingering, timeout=LONGEST_LINGERING)
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    (home.folder / "socket" / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def server_processes(home: Home) -> list[psutil.Process]:
    """The postmaster and its children, recognised by the folder that they work in."""
    here = str(home.cluster.resolve())
    found = psutil.process_iter(["name", "cwd"])
    return [process for process in found if process.info == {"name": "postgres", "cwd": here}]


def pid_file_lines(home: Home) -> list[str]:
    try:
        return (home.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


# Where it lives and as whom it runs


def home_of(data: Path) -> Home:
    """`data/postgres`; as root, where the system user cannot reach that, a folder in /var/lib/mortise."""
    if os.geteuid() != 0:
        return Home(made(data / "postgres"))
    pointer = data / "postgres.folder"
    folder = Path(pointer.read_text().strip()) if pointer.exists() else data / "postgres"
    user = owner_of(folder / "cluster") or system_user()
    if not pointer.exists() and not reaches(user, data):
        folder = Path("/var/lib/mortise") / secrets.token_hex(8)
        made(folder.parent, 0o711)
        kept(pointer, lambda: str(folder))
    home = Home(made(folder), user)
    give(folder, home, 0o700)
    return home


def system_user() -> pwd.struct_passwd:
    known = {user.pw_name: user for user in pwd.getpwall()}
    for name in SYSTEM_USERS:
        if name in known and known[name].pw_uid != 0:
            return known[name]
    raise ServerError(
        "PostgreSQL refuses to run as root, and this machine has none of the users "
        f"{', '.join(SYSTEM_USERS)}. Make one (useradd --system mortise), start Mortise as an ordinary "
        "user, or set DATABASE_URL."
    )


def owner_of(path: Path) -> pwd.struct_passwd | None:
    return pwd.getpwuid(path.stat().st_uid) if path.exists() else None


def reaches(user: pwd.struct_passwd, folder: Path) -> bool:
    """Whether this user can pass through to a folder."""
    return as_user(user, ["/bin/sh", "-c", 'cd "$0"', str(folder)]).returncode == 0


def socket_folder(home: Home) -> Path:
    """A private folder whose name is short enough for a socket."""
    folder = home.folder / "socket"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
        folder = Path(tempfile.mkdtemp(prefix="mortise-", dir="/tmp"))
    give(made(folder), home, 0o700)
    return folder


def made(folder: Path, mode: int = 0o700) -> Path:
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    return folder


def give(path: Path, home: Home, mode: int) -> None:
    path.chmod(mode)
    if home.user:
        os.chown(path, home.user.pw_uid, home.user.pw_gid)


def password(home: Home, role: str) -> str:
    return kept(home.folder / f"{role}.password", lambda: secrets.token_urlsafe(24))


# Locks


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of this data folder."""
    with open(data / "postgres.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_lock(file: object) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True


# The wheel's programs


def reachable_install(home: Home) -> Path:
    """The wheel's PostgreSQL, or a copy beside the cluster where the system user cannot reach the wheel."""
    install = wheel_install()
    if home.user is None or works(home.user, install):
        return install
    copy = home.folder / f"engine-{MAJOR}" / install.parent.name / install.name
    if not works(home.user, copy):
        copy_install(install, copy, home.user)
    return copy


def run(home: Home, name: str, *arguments: str) -> str:
    """Run a program of PostgreSQL as the server's user and return what it says; ServerError when it fails."""
    done = as_user(home.user, [str(reachable_install(home) / "bin" / name), *arguments])
    if done.returncode:
        raise ServerError(f"{name} failed: {done.stdout.strip()}")
    return done.stdout
