"""Processes that should always run."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime import processes
from runtime.processes import supervise


def script(text: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", text, *map(str, arguments)]


NOTE = "import sys, pathlib; open(sys.argv[1], 'a').write('x')\n"
SLEEP = "import time\ntime.sleep(60)\n"


def nothing() -> None: ...


def test_ends_when_its_first_command_cannot_run(tmp_path: Path) -> None:
    note = tmp_path / "runs"
    assert supervise({"web": script(NOTE, note), "other": script(SLEEP)}, nothing, nothing) == 1
    assert len(note.read_text()) == processes.MOST_FAILURES


def test_another_command_may_fail_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PAUSE", 1)
    note, us = tmp_path / "runs", os.getpid()

    def stop_after_five() -> None:
        while not note.exists() or len(note.read_text()) < 5:
            time.sleep(0.05)
        os.kill(us, signal.SIGTERM)

    began = time.monotonic()
    assert supervise({"web": script(SLEEP), "other": script(NOTE, note)}, stop_after_five, nothing) == 0
    assert time.monotonic() - began < 40


def test_a_command_that_ignores_being_stopped_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 1)
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP
    threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert supervise({"web": script(deaf)}, nothing, nothing) == 0
