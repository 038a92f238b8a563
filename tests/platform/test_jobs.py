"""Jobs: in the writer's transaction, done once, tried again, alive after kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from runtime import jobs
from runtime.actors import FlowActor, Member, System
from runtime.context import Context, Workspace
from runtime.identity import identity, opened_again
from runtime.jobs import Backlog, backlog, drain_jobs, enqueue, install_jobs
from runtime.workspaces import create, opened, prepare
from schemas.errors import Denied
from schemas.messages import say

ROOT = Path(__file__).parents[2]


def shelve(ctx: Context, title: str) -> None:
    ctx.conn.execute(text("INSERT INTO shelf VALUES (:title, :who)"), {"title": title, "who": ctx.actor.name})


def shelve_a_second_time(ctx: Context, title: str) -> None:
    shelve(ctx, title)
    enqueue(ctx, "shelve", {"title": f"{title} II"})


def stumble(ctx: Context, title: str) -> None:
    shelve(ctx, title)
    raise OSError("the ladder broke")


def refuse(ctx: Context, title: str) -> None:
    raise Denied(say("No more books."))


def note_failure(ctx: Context, error: str, title: str) -> None:
    shelve(ctx, f"{title}: {error}")


def shelve_in_chunks(transaction: Any, titles: list[str]) -> None:
    for title in titles:
        with transaction() as ctx:
            shelve(ctx, title)


@dataclass(frozen=True)
class Library:
    """A workspace with a table of its own."""

    engine: Engine
    workspace: Workspace

    def opened(self, reader: str = "ada") -> AbstractContextManager[Context]:
        return opened(self.engine, self.workspace, Member(uuid4(), reader))

    def shelf(self) -> list[str]:
        with self.opened() as ctx:
            return sorted(ctx.conn.scalars(text("SELECT title FROM shelf")))

    def backlog(self) -> Backlog:
        with self.opened() as ctx:
            return backlog(ctx.conn)


@pytest.fixture
def library(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setattr(jobs, "JOBS", {})
    jobs.job("shelve")(shelve)
    jobs.job("twice")(shelve_a_second_time)
    jobs.job("stumble", retry=1, failed=note_failure)(stumble)
    jobs.job("refuse", failed=note_failure)(refuse)
    jobs.job("chunks", chunked=True)(shelve_in_chunks)
    prepare(engine)
    with engine.begin() as conn:
        install_jobs(conn)
    library = Library(engine, create(engine, f"library-{uuid4().hex[:8]}", "Library"))
    with library.opened() as ctx:
        ctx.conn.execute(text("CREATE TABLE shelf (title text, who text)"))
    yield library
    with library.opened() as ctx:
        ctx.conn.execute(text("DELETE FROM procrastinate_jobs"))


def test_commits_with_the_writer(library: Library, database_url: str) -> None:
    with library.opened("grace") as ctx:
        enqueue(ctx, "shelve", {"title": "Emma"})
    assert drain_jobs(database_url) == []
    with library.opened() as ctx:
        assert ctx.conn.execute(text("SELECT * FROM shelf")).all() == [("Emma", "grace")]
    assert library.backlog() == Backlog(0, 0, 0)


def test_rolls_back_with_the_writer(library: Library, database_url: str) -> None:
    with library.opened() as ctx:
        enqueue(ctx, "shelve", {"title": "Emma"})
        ctx.conn.rollback()
    drain_jobs(database_url)
    assert library.shelf() == []


def test_needs_no_search_path_and_keeps_the_one_it_finds(library: Library) -> None:
    with library.opened() as ctx:
        ctx.conn.execute(text("SET LOCAL search_path TO pg_catalog"))
        enqueue(ctx, "shelve", {"title": "Emma"})
        enqueue(ctx, "shelve", {"title": "Persuasion"})
        assert ctx.conn.scalar(text("SHOW search_path")) == "pg_catalog, procrastinate"


def test_a_job_may_enqueue_others(library: Library, database_url: str) -> None:
    with library.opened() as ctx:
        enqueue(ctx, "twice", {"title": "Faust"})
    assert drain_jobs(database_url) == []
    assert library.shelf() == ["Faust", "Faust II"]


def test_waits_for_its_time(library: Library, database_url: str) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with library.opened() as ctx:
        enqueue(ctx, "shelve", {"title": "Emma"}, at=tomorrow)
    drain_jobs(database_url)
    assert library.shelf() == []
    drain_jobs(database_url, until=tomorrow)
    assert library.shelf() == ["Emma"]


def test_one_waiting_job_per_key(library: Library, database_url: str) -> None:
    with library.opened() as ctx:
        assert enqueue(ctx, "shelve", {"title": "Emma"}, key="emma")
        assert enqueue(ctx, "shelve", {"title": "Emma"}, key="emma") is None
        assert enqueue(ctx, "shelve", {"title": "Faust"}, key="faust")
        assert ctx.conn.scalar(text("SELECT 1")) == 1
    drain_jobs(database_url)
    with library.opened() as ctx:
        assert enqueue(ctx, "shelve", {"title": "Emma"}, key="emma")
    assert library.shelf() == ["Emma", "Faust"]


def test_a_keyed_job_starts_after_everyone_who_asked_for_it(library: Library, database_url: str) -> None:
    with library.opened() as first:
        enqueue(first, "shelve", {"title": "Emma"}, key="emma")
    with library.opened() as second:
        assert enqueue(second, "shelve", {"title": "Emma"}, key="emma") is None
        with library.engine.begin() as worker:
            free = text("SELECT id FROM procrastinate.procrastinate_jobs FOR UPDATE SKIP LOCKED")
            assert worker.execute(free).all() == []


def test_is_tried_again_and_then_given_up(library: Library, database_url: str) -> None:
    with library.opened() as ctx:
        enqueue(ctx, "stumble", {"title": "Emma"})
    soon = datetime.now(UTC) + timedelta(minutes=1)
    errors = drain_jobs(database_url, until=soon)
    assert [str(err) for err in errors] == ["the ladder broke"] * 2
    assert library.shelf() == ["Emma: the ladder broke"]
    assert library.backlog() == Backlog(0, 0, 1)


def test_a_refusal_is_not_tried_again(library: Library, database_url: str) -> None:
    with library.opened() as ctx:
        enqueue(ctx, "refuse", {"title": "Emma"})
    assert len(drain_jobs(database_url, until=datetime.now(UTC) + timedelta(minutes=1))) == 1
    assert library.shelf() == ["Emma: No more books."]


def test_chunks_have_transactions_of_their_own(library: Library, database_url: str) -> None:
    with library.opened() as ctx:
        enqueue(ctx, "chunks", {"titles": ["Emma", "Faust"]})
    assert drain_jobs(database_url) == []
    assert library.shelf() == ["Emma", "Faust"]


def test_a_job_that_was_done_is_not_done_again(library: Library, database_url: str) -> None:
    with library.opened() as ctx:
        number = enqueue(ctx, "shelve", {"title": "Emma"})
        ctx.conn.execute(jobs.MARK_DONE, {"job": number})
    assert drain_jobs(database_url) == []
    assert library.shelf() == []


EVERY_KIND = [
    System(),
    FlowActor(uuid4(), "Check", flow="approval", app="expense"),
    Member(uuid4(), "Ada", account_id=uuid4()),
]


@pytest.mark.parametrize("actor", EVERY_KIND, ids=lambda actor: actor.kind)
def test_whoever_enqueued_it_is_who_does_it(library: Library, actor: Any) -> None:
    with opened(library.engine, library.workspace, actor, language="en", origin="form") as ctx:
        who = json.loads(json.dumps(identity(ctx)))
    with opened_again(library.engine, who) as again:
        assert (again.actor, again.workspace) == (actor, ctx.workspace)
        assert (again.language, again.origin) == ("en", "form")


def test_a_member_has_the_rights_of_now(library: Library) -> None:
    former = Member(uuid4(), "Ada", admin=True)
    with opened(library.engine, library.workspace, former) as ctx:
        who = identity(ctx)
    with opened_again(library.engine, who) as again:
        assert again.actor == replace(former, admin=False)


def test_unknown_jobs_are_refused_at_once(library: Library) -> None:
    with library.opened() as ctx, pytest.raises(KeyError):
        enqueue(ctx, "burn", {})


def test_tables_are_made_once_however_often_it_starts(library: Library) -> None:
    with library.opened() as ctx:
        install_jobs(ctx.conn)
        install_jobs(ctx.conn)


WORKER = """
import sys, time
from contextlib import contextmanager
from sqlalchemy import text
from tests.platform.test_jobs import shelve
from runtime import jobs

@jobs.job("slowly")
def slowly(ctx, title, seconds):
    shelve(ctx, title)
    print(title, flush=True)
    time.sleep(seconds if len(sys.argv) > 2 else 0)

jobs.run_worker(sys.argv[1], concurrency=1, stalled_after=3)
print("stopped", flush=True)
"""


def worker(url: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WORKER, url, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_until(true: Any, seconds: float = 45) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_kill_nine_loses_nothing_and_repeats_nothing(library: Library, database_url: str) -> None:
    jobs.job("slowly")(shelve)
    titles = [f"volume {number}" for number in range(5)]
    with library.opened() as ctx:
        for title in titles:
            enqueue(ctx, "slowly", {"title": title, "seconds": 60})
    first = worker(database_url, "slow")
    assert first.stdout.readline() == "volume 0\n"
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    second = worker(database_url)
    wait_until(lambda: library.shelf() == titles)
    second.send_signal(signal.SIGTERM)
    assert second.communicate(timeout=30)[0].endswith("stopped\n")
    assert second.returncode == 0
    assert library.shelf() == titles


def test_a_stopping_worker_finishes_what_it_began(library: Library, database_url: str) -> None:
    jobs.job("slowly")(shelve)
    with library.opened() as ctx:
        enqueue(ctx, "slowly", {"title": "Emma", "seconds": 2})
    process = worker(database_url, "slow")
    assert process.stdout.readline() == "Emma\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "stopped\n"
    assert library.shelf() == ["Emma"]
