"""The `mortise` command as people type it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

import cli
from builder import bundle
from runtime import server
from runtime.resources import SOURCE
from runtime.settings import Settings, described_settings, settings_table

LOOKS = 0.1


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mortise-cli-"))
    folder.chmod(0o755)
    yield folder
    server.stop(server.home_of(folder))
    shutil.rmtree(folder)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "cli", *map(str, words)]


def mortise(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*words), cwd=SOURCE, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240
    )


def begun(*words: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(*words), cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "MORTISE_WORKERS": "1"},
    )  # fmt: skip


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return bool(response.read() == b"ok")
    except (URLError, OSError):
        return False


def wait_until(true: object, seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(LOOKS)


HOST = b"Host: 127.0.0.1\r\n"
NO_REQUESTS = [
    b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", b"GET // HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /%ff%fe HTTP/1.1\r\n" + HOST + b"\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 20_000 + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: \xff=\x01; ;;=\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 4\r\n\r\n--xy",
    b"POST /api/v1/apps HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
]  # fmt: skip
"""What is no request, or hardly one: each gets a refusal, and the next good request its answer."""


def said_to(port: int, request: bytes) -> bytes:
    """What the server says to these bytes; nothing, where it only hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plug:
        plug.sendall(request)
        plug.shutdown(socket.SHUT_WR)
        try:
            return plug.recv(4096)
        except ConnectionError:
            return b""


def test_serves_survives_its_database_and_stops_cleanly(data: Path, port: int) -> None:
    serving = begun("--data", data, "serve", "--port", port)
    wait_until(lambda: answers(port))
    children = psutil.Process(serving.pid).children(recursive=True)
    assert any("worker" in child.cmdline() for child in children)

    taken = mortise("--data", data, "serve", "--port", port)
    assert taken.returncode == 1
    assert f"--port {port + 1}" in taken.stderr

    for request in NO_REQUESTS:
        assert b" 500 " not in said_to(port, request)[:40], request[:60]
        assert answers(port)

    first = server.pid_file_lines(server.home_of(data))[0]
    os.kill(int(first), signal.SIGKILL)
    wait_until(lambda: server.pid_file_lines(server.home_of(data))[:1] not in ([], [first]) and answers(port))

    serving.send_signal(signal.SIGINT)
    said = serving.communicate(timeout=150)[0]
    assert serving.returncode == 0
    assert f"Mortise is at http://127.0.0.1:{port}" in said
    assert not answers(port)
    assert server.live_socket_folder(server.home_of(data)) is None
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_nothing_stays_behind_when_it_is_killed(data: Path, port: int) -> None:
    serving = begun("--data", data, "serve", "--port", port)
    wait_until(lambda: answers(port))
    children = [c for c in psutil.Process(serving.pid).children(recursive=True) if c.name() != "postgres"]
    serving.kill()
    serving.communicate()
    assert psutil.wait_procs(children, timeout=90)[1] == []
    again = begun("--data", data, "serve", "--port", port, "--no-worker")
    wait_until(lambda: answers(port))
    again.terminate()
    again.communicate(timeout=150)
    assert again.returncode == 0


def test_from_nothing_to_a_restored_backup(data: Path) -> None:
    none = mortise("--data", data, "user", "add", "ada@example.org")
    assert none.returncode == 1
    assert "mortise workspace add" in none.stderr
    assert mortise("--data", data, "workspace", "add", "acme", "Acme").returncode == 0
    twice = mortise("--data", data, "workspace", "add", "acme", "Acme")
    assert twice.returncode == 1
    assert "acme" in twice.stderr
    added = mortise("--data", data, "user", "add", "ada@example.org", "--name", "Ada", "--admin")
    assert re.search(r"Ada may sign in to Acme(.|\n)*Password: \S{12,}", added.stdout)

    archive = data / "all.zip"
    assert mortise("--data", data, "backup", archive).returncode == 0
    refused = mortise("--data", data, "restore", archive)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    restored = mortise("--data", data, "restore", archive, "--force")
    assert restored.returncode == 0, restored.stderr
    assert "acme" in restored.stdout


def test_an_app_is_installed_and_exported_again(data: Path) -> None:
    assert mortise("--data", data, "workspace", "add", "acme", "Acme").returncode == 0
    installed = mortise("--data", data, "install", "expense")
    assert installed.returncode == 0, installed.stderr
    twice = mortise("--data", data, "install", "expense")
    assert twice.returncode == 1
    assert "expense" in twice.stderr
    for target in (data / "out", data / "out.zip"):
        assert mortise("--data", data, "export", "expense", target).returncode == 0
        assert bundle.read(target) == bundle.read(bundle.bundled()["expense"])
    unknown = mortise("--data", data, "export", "nothing", data / "nothing.zip")
    assert unknown.returncode == 1
    assert "no app 'nothing'" in unknown.stderr


def test_doctor_tells_a_stopped_database_from_a_running_one(data: Path) -> None:
    stopped = mortise("--data", data, "doctor")
    assert stopped.returncode == 1
    assert "mortise serve" in stopped.stdout
    with server.running(Settings.read().with_data(data)):
        running = mortise("--data", data, "doctor")
    assert running.returncode == 0, running.stdout
    assert "kept as files" in running.stdout


APP = '{"language": 1, "app": "library", "version": "1.0.0", "title": "Library", "tables": [%s]}'
BOOK = '{"id": "book", "title": "Book", "fields": [{"id": "title", "type": "%s", "label": "Title"}]}'


def test_check_accepts_a_sound_app(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "library.json"
    path.write_text(APP % BOOK % "text")
    assert cli.main(["check", str(path)]) == 0
    assert "Nothing is wrong." in capsys.readouterr().out


def test_check_names_every_problem_and_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "library.json"
    path.write_text(APP % f"{BOOK % 'txt'}, {BOOK % 'nmber'}")
    assert cli.main(["check", str(path)]) == 1
    said = capsys.readouterr().out
    assert re.search(r"error: tables\[0\]\.fields\[0\].*'txt'", said)
    assert re.search(r"error: tables\[1\]\.fields\[0\].*'nmber'", said)


@pytest.mark.parametrize("content", ["{", '{"a": NaN}', "\x00"])
def test_check_refuses_what_is_no_json(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    assert cli.main(["check", str(path)]) == 1


def test_check_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path / "nowhere")]) == 1
    assert "no such folder or file" in capsys.readouterr().out


def test_bad_settings_are_all_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MORTISE_PORT", "many")
    monkeypatch.setenv("MAIL_FROM", "nobody")
    assert cli.main(["settings"]) == 2
    said = capsys.readouterr().err
    assert "MORTISE_PORT is 'many'" in said
    assert "MAIL_FROM is 'nobody'" in said


def test_settings_are_listed_and_secrets_are_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MORTISE_SECRET", "open sesame")
    assert cli.main(["settings"]) == 0
    said = capsys.readouterr().out
    assert "open sesame" not in said
    assert all(known.name in said for known in described_settings())


def test_the_guide_lists_every_setting_as_it_is() -> None:
    guide = (SOURCE / "docs/guide/deploy.md").read_text()
    assert settings_table() in guide, "the guide is stale: run make docs"


def test_formulas_are_answered_line_by_line() -> None:
    lines = '{"formula": "=A1*2", "values": {"A1": 1.5}}\n\n{"formula": "1/0"}\n'
    done = subprocess.run(command("formula"), cwd=SOURCE, input=lines, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ['{"value": 3.0}', '{"error": "#DIV/0!"}']
