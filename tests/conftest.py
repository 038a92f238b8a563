"""One embedded PostgreSQL for the whole run, and a database of its own for every worker process."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine

from runtime import server
from runtime.settings import Settings

PREFIX = "mortise-tests-"


@pytest.fixture(scope="session")
def embedded_server(testrun_uid: str) -> Iterator[Settings]:
    """Started by the first worker that asks, stopped and removed by the last one that leaves."""
    clear_abandoned()
    data = Path(tempfile.gettempdir()) / f"{PREFIX}{testrun_uid}"
    settings = Settings.read({"MORTISE_DATA": str(data)})
    data.mkdir(exist_ok=True)
    data.chmod(0o711)
    with open(data / "users", "w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with server.locked(data):
            server.start(data)
            hurry(settings)
        yield settings
        fcntl.flock(users, fcntl.LOCK_UN)
        clear(data)


@pytest.fixture(scope="session")
def database_url(embedded_server: Settings, worker_id: str) -> str:
    """An empty database of this worker process, owned by the application's role."""
    return empty_database(embedded_server, f"test_{worker_id}")


def empty_database(embedded_server: Settings, name: str) -> str:
    """The address of a fresh database on the run's server."""
    with psycopg.connect(server.admin_url(embedded_server), autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        conn.execute(f"CREATE DATABASE {name} OWNER {server.ROLE}")
    return server.database_url(embedded_server).replace(f"/{server.DATABASE}?", f"/{name}?")


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def hurry(settings: Settings) -> None:
    """Test data need not survive a power cut."""
    with psycopg.connect(server.admin_url(settings), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET fsync = off")
        conn.execute("SELECT pg_reload_conf()")


def clear_abandoned() -> None:
    """Stop and remove the servers of runs that were killed."""
    for data in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if (data / "users").exists() and os.access(data, os.W_OK):
            clear(data)


def clear(data: Path) -> None:
    with open(data / "users", "w") as users:
        if server.try_lock(users):
            with server.locked(data):
                server.stop(server.home_of(data))
            shutil.rmtree(data)
