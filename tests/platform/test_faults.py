"""Workers, the web server and the database are killed at random while flows run: nothing is lost, and nothing done twice.

`MORTISE_FAULT_RUNS=1000` looks longer than the suite does.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from runtime import definitions, flows, records, server, tables, workspaces
from runtime.actors import System
from runtime.context import Context, Workspace
from runtime.models_flow import flow_instance
from runtime.settings import Settings
from tests.platform.test_cli import answers, begun, data, mortise, port, wait_until  # noqa: F401
from tests.runtime.test_requests_of_flows import Program

RUNS = int(os.environ.get("MORTISE_FAULT_RUNS", "40"))
PAUSE = 0.8
"""Seconds between two faults, about."""


def package(place: str) -> dict[str, Any]:
    """Each parcel is told of to another program, and gets one line, and counts once."""
    request = {"id": "told", "type": "request", "method": "POST", "address": f"http://{place}/parcels", "send": "json",
               "values": [{"name": "no", "value": "no"}], "sample": "{\"ok\": true}"}  # fmt: skip
    steps = [
        {"id": "begin", "type": "update", "set": {"state": "\"begun\""}}, request,
        {"id": "line", "type": "create", "table": "line", "set": {"parcel": "this", "no": "no"}},
        {"id": "nap", "type": "wait", "until": "NOW() + 2 / 86400"},
        {"id": "counted", "type": "update", "set": {"state": "\"done\"", "times": "IF(ISBLANK(times), 0, times) + 1"}},
    ]  # fmt: skip
    own = [{"id": f"g_{t}", "who": {"flow": "sent"}, "table": t, "do": ["read", "create", "update"]} for t in ("parcel", "line")]
    return {
        "language": 1, "app": "post", "tables": [
            {"id": "parcel", "fields": [{"id": "no", "type": "number", "unique": True}, {"id": "state", "type": "text"},
                {"id": "times", "type": "number"},
                {"id": "lines", "type": "rollup", "over": "line.parcel", "aggregate": "count"}]},
            {"id": "line", "fields": [{"id": "parcel", "type": "link", "table": "parcel"}, {"id": "no", "type": "number"}]}],
        "flows": [{"id": "sent", "trigger": {"created": "parcel"}, "steps": steps}], "access": own,
    }  # fmt: skip


class Place:
    """A served Mortise of its own, and a workspace in it."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.folder, self.pid = folder, pid
        self.engine: Engine = workspaces.connect(server.database_url(Settings.read({"MORTISE_DATA": str(folder)})))
        self.workspace: Workspace = self.patiently(lambda: workspaces.create(self.engine, "post", "Post"))

    def patiently(self, work: Callable[[], Any]) -> Any:
        """Again and again while there is no database."""
        for _ in range(600):
            try:
                return work()
            except DBAPIError:
                time.sleep(0.2)
        raise AssertionError("the database never came back")

    def within(self, story: Callable[[Context], Any]) -> Any:
        def once() -> Any:
            with workspaces.opened(self.engine, self.workspace, System()) as ctx:
                return story(ctx)

        return self.patiently(once)

    def send(self, number: int) -> None:
        """A parcel, once: whether a commit that was never answered was kept is looked up."""

        def story(ctx: Context) -> None:
            live = tables.live(ctx, definitions.installed(ctx, "post"), "parcel")
            if ctx.conn.scalar(select(func.count()).where(live.sql.c.no == number)):
                return
            flows.record_saved(ctx, live, records.create(ctx, live, {"no": number}), "created", None)

        self.within(story)

    def parts(self, kind: str) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            below = psutil.Process(self.pid).children(recursive=True)
            return [p for p in below if kind in " ".join(p.cmdline())]
        return []

    def fault(self, rnd: random.Random) -> str:
        """Kill something without a word."""
        what = rnd.choice(["worker", "worker", "web", "database"])
        if what == "database":
            if lines := server.pid_file_lines(server.home_of(self.folder))[:1]:
                with suppress(ProcessLookupError):
                    os.kill(int(lines[0]), signal.SIGKILL)
            return what
        for process in self.parts(" worker" if what == "worker" else "wsgi")[:1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return what


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setenv("MORTISE_OUTGOING_ALLOW", "127.0.0.1")
    made = Program()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_whatever_is_killed_nothing_is_lost_and_nothing_done_twice(data: Path, port: int, program: Program) -> None:  # noqa: F811
    serving = begun("--data", data, "serve", "--port", port)
    wait_until(lambda: answers(port))
    place, rnd, over, faults = Place(data, serving.pid), random.Random(7), threading.Event(), Counter[str]()
    place.within(lambda ctx: definitions.publish(ctx, "post", package(program.place)))

    def disturb() -> None:
        while not over.wait(rnd.uniform(0.5, 1.5) * PAUSE):
            faults[place.fault(rnd)] += 1

    disturbing = threading.Thread(target=disturb, daemon=True)
    disturbing.start()
    for number in range(RUNS):
        place.send(number)
        time.sleep(0.05)
    while sum(faults.values()) < min(RUNS, 12):
        time.sleep(0.2)
    over.set()
    disturbing.join()
    assert serving.poll() is None, "what keeps them running goes on"
    wait_until(lambda: place.within(_open) == 0, 240)
    kept = place.within(_kept)
    assert kept == {"parcels": RUNS, "runs": RUNS, "done": RUNS, "lines": RUNS, "once": RUNS, "counted": RUNS}, faults
    told = Counter(headers["idempotency-key"] for _, _, headers, _ in program.asked)
    assert len(told) == RUNS, "every parcel was told of, and each always under the same key"
    said = mortise("--data", data, "doctor")
    assert said.returncode == 0, said.stdout
    assert min(faults[kind] for kind in ("worker", "database")) > 0, faults
    place.engine.dispose()
    serving.send_signal(signal.SIGINT)
    serving.communicate(timeout=150)


def _open(ctx: Context) -> int:
    runs = ctx.conn.scalar(select(func.count()).where(flow_instance.c.ended_at.is_(None))) or 0
    return runs + (ctx.conn.scalar(text("SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing')")) or 0)


def _kept(ctx: Context) -> dict[str, int]:
    inst = definitions.installed(ctx, "post")
    p, n = tables.live(ctx, inst, "parcel").sql.c, tables.live(ctx, inst, "line").sql.c

    def count(*where: Any) -> int:
        return int(ctx.conn.scalar(select(func.count()).where(*where)) or 0)

    return {
        "parcels": count(p.id.is_not(None)), "runs": count(flow_instance.c.id.is_not(None)),
        "done": count(p.state == "done"), "lines": count(n.id.is_not(None)), "once": count(p.lines == 1), "counted": count(p.times == 1),
    }  # fmt: skip
