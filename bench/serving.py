"""Servers of their own processes, and programs that ask them over and over, several at once."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import repeat

WAIT = 60
Request = tuple[str, str, bytes | None]
"""Method, path and body."""


@contextmanager
def served(factory: str, workers: int, environment: Mapping[str, str]) -> Iterator[int]:
    """The port at which gunicorn serves an application, as `mortise serve` has it served."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", factory, "--worker-class=gthread", f"--workers={workers}", "--threads=4",
        f"--bind=127.0.0.1:{port}", "--log-level=error",
    ]  # fmt: skip
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=WAIT)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + WAIT
    while time.monotonic() < ends and process.poll() is None:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                ask(connection, ("GET", "/healthz", None), {})
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not come up")


def ask(connection: http.client.HTTPConnection, request: Request, headers: Mapping[str, str]) -> int:
    method, path, body = request
    connection.request(method, path, body, dict(headers))
    answer = connection.getresponse()
    answer.read()
    return answer.status


def together(port: int, at_once: int, count: int, make: Callable[[], Request], headers: Mapping[str, str]) -> None:
    """`count` requests by so many programs at once, each with a connection that it keeps."""

    def program(number: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)) as connection:
            for _ in repeat(None, number):
                status = ask(connection, make(), headers)
                assert status < 300, status

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(program, [count // at_once] * at_once))
