"""Runs the web server and a worker side by side: started, watched, started again, stopped gracefully."""

import ctypes
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

from runtime.settings import Settings

GRACE = 45  # seconds in which a process may finish what it began
SOON = 30  # a process that ends sooner than this after its start has failed
PAUSE = 10  # before a failed one is tried again
MOST_FAILURES = 3
LOOK_EVERY = 0.5
PR_SET_PDEATHSIG = 1

log = logging.getLogger("mortise.serve")


@dataclass
class Child:
    """One command that should always be running."""

    name: str
    command: Sequence[str]
    failures: int = 0
    started: float = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        self.started = time.monotonic()
        # A session of its own: Ctrl-C reaches us alone, and we stop it gracefully.
        self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=end_with_parent)

    @property
    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


def end_with_parent() -> None:
    """Have the kernel stop this process when its parent dies, even by kill -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def supervise(commands: Mapping[str, Sequence[str]], ready: Callable[[], None], watch: Callable[[], None]) -> int:
    """Run commands until SIGTERM or SIGINT, then stop them in reverse order; the exit status.

    `ready` is called in a thread of its own after the start, `watch` again and again. A command that
    ends is started again. When the first one fails three times over, everything ends.
    """
    stopping = threading.Event()
    children = [Child(name, command) for name, command in commands.items()]
    stop_all = stopper(stopping)
    previous = {number: signal.signal(number, stop_all) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for child in children:
            child.start()
        threading.Thread(target=ready, daemon=True).start()
        return keep_running(children, stopping, watch)
    finally:
        for child in reversed(children):
            stop(child)
        for number, handler in previous.items():
            signal.signal(number, handler)


def stopper(stopping: threading.Event) -> Callable[[int, FrameType | None], None]:
    def stop_all(number: int, frame: FrameType | None) -> None:
        stopping.set()

    return stop_all


def keep_running(children: Sequence[Child], stopping: threading.Event, watch: Callable[[], None]) -> int:
    while not stopping.wait(LOOK_EVERY):
        try:
            watch()
        except Exception:
            log.exception("What the processes stand on could not be started; it is tried again.")
        for child in children:
            if child.ended:
                again(child)
        if children[0].failures >= MOST_FAILURES:
            log.error("The %s has failed %s times in a row: giving up.", children[0].name, MOST_FAILURES)
            return 1
    return 0


def again(child: Child) -> None:
    """Start an ended command anew: at once, or after a pause when it has just been tried again.

    One that was killed from outside has not failed, however often that happens.
    """
    lived = time.monotonic() - child.started
    if child.failures > 1 and lived < PAUSE:
        return
    assert child.process
    log.error("The %s ended with status %s and is started again.", child.name, child.process.returncode)
    killed = child.process.returncode < 0
    child.failures = child.failures + 1 if lived < SOON and not killed else 1
    child.start()


def stop(child: Child) -> None:
    if child.process is None or child.ended:
        return
    child.process.terminate()
    try:
        child.process.wait(GRACE)
    except subprocess.TimeoutExpired:
        log.error("The %s did not stop within %s seconds and is killed.", child.name, GRACE)
        child.process.kill()
        child.process.wait()


# The web server


class PortTaken(Exception):
    """Nothing can listen there; the text says how to go on."""


def web_command(settings: Settings, access_log: bool) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "wsgi:served()", "--worker-class=gthread",
        f"--workers={settings.processes}", f"--threads={settings.threads}",
        f"--bind={settings.host}:{settings.port}", "--graceful-timeout=30", "--timeout=120", "--keep-alive=5",
        "--log-level=warning", "--no-control-socket", *(["--access-logfile=-"] if access_log else []),
    ]  # fmt: skip


def refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as err:
        raise PortTaken(
            f"Cannot listen on {settings.host}:{settings.port}: {err.strerror}. "
            f"Choose another port: mortise serve --port {settings.port + 1}"
        ) from err


def announce(settings: Settings, welcome: str) -> None:
    """Say where it is once it answers."""
    near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    for _ in range(240):
        try:
            with urlopen(f"http://{near}:{settings.port}/healthz", timeout=5):
                told = f"{welcome}\n" if welcome else ""
                print(f"\nMortise is at {settings.public_url}\n{told}Stop it with Ctrl-C.\n", flush=True)
                return
        except (URLError, OSError):
            time.sleep(0.25)
