"""The embedded server: made, joined, killed, started by two at once."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runtime import server
from runtime.server import ServerError, database_url, home_of, live_socket_folder, running
from runtime.settings import Settings

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A data folder that the system user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="mortise-server-"))
    folder.chmod(0o755)
    yield Settings.read({"MORTISE_DATA": str(folder / "data")})
    clear_away(folder / "data")
    shutil.rmtree(folder)


def clear_away(data: Path) -> None:
    if data.exists():
        home = home_of(data)
        server.stop(home)
        shutil.rmtree(home.folder)


def ask(url: str, question: str) -> str:
    with psycopg.connect(url) as conn:
        return str(conn.execute(question).fetchone()[0])


def postmaster(settings: Settings) -> int:
    return int(server.pid_file_lines(home_of(settings.data))[0])


def test_serves_while_the_block_runs(settings: Settings) -> None:
    with running(settings) as url:
        assert ask(url, "SELECT current_user") == "mortise"
        assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "False"
        assert ask(url, "SHOW server_version_num").startswith(str(server.MAJOR))
        assert int(ask(url, "SHOW max_connections")) >= 100
        assert ask(url, "SHOW fsync") == "on"
        assert database_url(settings) == url
    assert live_socket_folder(home_of(settings.data)) is None
    with pytest.raises(ServerError, match="mortise serve"):
        database_url(settings)


def test_keeps_what_was_written(settings: Settings) -> None:
    with running(settings) as url, psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE book (title text)")
        conn.execute("INSERT INTO book VALUES ('Walden')")
    with running(settings) as url:
        assert ask(url, "SELECT title FROM book") == "Walden"


def test_asks_for_the_password(settings: Settings) -> None:
    with running(settings) as url:
        secret = url.split("@")[0].rsplit(":", 1)[1]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url.replace(secret, "guess"))


def test_is_joined_and_goes_on_when_a_guest_leaves(settings: Settings) -> None:
    with running(settings) as url:
        first = postmaster(settings)
        with running(settings) as joined:
            assert joined == url
            assert postmaster(settings) == first
        assert ask(url, "SELECT 1") == "1"


def test_goes_on_when_its_starter_leaves_first(settings: Settings) -> None:
    starter, guest = running(settings), running(settings)
    starter.__enter__()
    with guest as url:
        starter.__exit__(None, None, None)
        assert ask(url, "SELECT 1") == "1"
    assert live_socket_folder(home_of(settings.data)) is None


def test_stops_when_the_block_fails(settings: Settings) -> None:
    with pytest.raises(SystemExit), running(settings):
        raise SystemExit
    assert live_socket_folder(home_of(settings.data)) is None


def test_who_joins_after_the_starter_died_stops_it(settings: Settings) -> None:
    with server.locked(server.prepare_data_folder(settings)):
        server.start(settings.data)
    with running(settings):
        pass
    assert live_socket_folder(home_of(settings.data)) is None


def test_starts_again_after_kill_nine(settings: Settings) -> None:
    with running(settings) as url:
        with psycopg.connect(url) as conn:
            conn.execute("CREATE TABLE book (title text)")
        os.kill(postmaster(settings), signal.SIGKILL)
    with running(settings) as url:
        assert ask(url, "SELECT count(*) FROM book") == "0"


def test_a_pid_file_of_another_program_does_not_matter(settings: Settings) -> None:
    with running(settings):
        lines = server.pid_file_lines(home_of(settings.data))
    stale = home_of(settings.data).cluster / "postmaster.pid"
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with running(settings) as url:
        assert ask(url, "SELECT 1") == "1"


def test_two_processes_start_it_at_once(settings: Settings) -> None:
    script = (
        "import sys, time, psycopg\n"
        "from runtime.server import running\n"
        "from runtime.settings import Settings\n"
        "with running(Settings.read().with_data(sys.argv[1])) as url:\n"
        "    started = psycopg.connect(url).execute('SELECT pg_postmaster_start_time()')\n"
        "    print(started.fetchone()[0], flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(settings.data)]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    started = {process.stdout.readline() for process in both}
    for process in both:
        process.communicate(timeout=60)
    assert len(started) == 1
    assert "" not in started
    assert [process.returncode for process in both] == [0, 0]


def test_refuses_the_cluster_of_another_major_version(settings: Settings) -> None:
    cluster = server.home_of(server.prepare_data_folder(settings)).cluster
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("17\n")
    advice = r"PostgreSQL 17(.|\n)*mortise backup(.|\n)*mortise restore"
    with pytest.raises(ServerError, match=advice), running(settings):
        pass


def test_a_given_server_is_used_instead() -> None:
    settings = Settings.read({"DATABASE_URL": "postgres://me@db.example.org/forms", "MORTISE_DATA": "/no"})
    with running(settings) as url:
        assert url == database_url(settings) == "postgresql://me@db.example.org/forms"


def test_a_long_path_still_has_a_socket(settings: Settings) -> None:
    deep = settings.with_data(settings.data / ("d" * 60) / ("e" * 60))
    for part in (settings.data, deep.data.parent):
        part.mkdir(mode=0o755)
    with running(deep) as url:
        assert ask(url, "SELECT 1") == "1"
    clear_away(deep.data)


@as_root
def test_works_behind_a_folder_that_only_root_may_enter(settings: Settings) -> None:
    settings.data.mkdir()
    settings.data.chmod(0o700)
    hidden = settings.with_data(settings.data / "inner")
    with running(hidden) as url:
        assert ask(url, "SELECT 1") == "1"
    with running(hidden) as url:
        assert ask(url, "SELECT 1") == "1"
    assert settings.data.stat().st_mode & 0o777 == 0o700
    clear_away(hidden.data)


@as_root
def test_programs_that_the_system_user_cannot_reach_are_copied(settings: Settings, monkeypatch) -> None:
    venv = settings.data.parent / "private"
    source = server.wheel_install()
    hidden = venv / source.parent.name / source.name
    shutil.copytree(source, hidden)
    libraries = f"{source.parent.name}.libs"
    shutil.copytree(source.parent.parent / libraries, venv / libraries)
    venv.chmod(0o700)
    monkeypatch.setattr(server, "wheel_install", lambda: hidden)
    with running(settings) as url:
        assert ask(url, "SELECT 1") == "1"
    assert venv.stat().st_mode & 0o777 == 0o700


@as_root
def test_runs_for_an_ordinary_user(settings: Settings) -> None:
    nobody = server.system_user()
    if not server.works(nobody, server.wheel_install()):
        pytest.skip("an ordinary user cannot reach this checkout")
    data = settings.data.parent / "theirs"
    data.mkdir()
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()
    if child == 0:
        answered = False
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            with running(settings.with_data(data)) as url:
                answered = ask(url, "SELECT 1") == "1"
        finally:
            os._exit(0 if answered else 1)
    assert os.waitpid(child, 0)[1] == 0
    clear_away(data)
