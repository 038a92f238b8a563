"""Flows: decisions, the to-do page, how soon a job starts, and many timers at once."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, text

from bench.measure import Pair
from bench.registry import benchmark
from bench.world import World
from runtime import flows, jobs, records, tasks
from runtime.context import Context
from runtime.ids import new_id
from runtime.models_flow import flow_instance, flow_task

CLAIMS = 400
OPEN = 100_000
TIMERS = 10_000
AT_ONCE = 4
BATCHES = 10
"""As many as there may be rounds: what has woken up does not wake again."""

BY_HAND = text("""
CREATE SCHEMA IF NOT EXISTS floor;
CREATE TABLE IF NOT EXISTS floor.claim (id uuid PRIMARY KEY, title text, amount numeric, state text);
CREATE TABLE IF NOT EXISTS floor.task (id uuid PRIMARY KEY, claim uuid REFERENCES floor.claim, member uuid, state text,
  asked_at timestamptz, decided_at timestamptz, decision text, comment text);
CREATE TABLE IF NOT EXISTS floor.task_log (id bigserial PRIMARY KEY, task uuid, what text, by uuid, at timestamptz);
CREATE TABLE IF NOT EXISTS floor.notice (id uuid PRIMARY KEY, member uuid, body text, at timestamptz);
CREATE INDEX IF NOT EXISTS task_live ON floor.task (member, asked_at) WHERE state = 'live';
""")


def _placed(world: World, count: int) -> list[UUID]:
    """So many claims that wait for the manager; gives their tasks."""
    site = world.site
    with site.opened(site.rep) as ctx:
        live = world.table(ctx, "claim")
        made = records.create_many(ctx, live, [{"title": f"Claim {n}", "amount": n} for n in range(count)])
        runs = [run for one in made for run in flows.record_saved(ctx, live, one.id, "created", None)]
        return list(ctx.conn.scalars(select(flow_task.c.id).where(flow_task.c.instance_id.in_(runs), flow_task.c.state == "live")))


@benchmark
def decisions(world: World) -> Iterator[Pair]:
    """A claim is approved: the task, the run, its log, the record's state and a notice, beside five statements by hand."""
    site, floor = world.site, world.floor
    count = min(CLAIMS, max(40, world.records))
    waiting, by_hand = _placed(world, count), _by_hand(floor.engine, site.manager.id, count)

    def decide(task: UUID) -> None:
        with site.opened(site.manager) as ctx:
            flows.decide(ctx, flows.Decision(task, "approve"))

    def decide_by_hand(task: UUID) -> None:
        with floor.engine.begin() as conn:
            _decide(conn, task, site.manager.id)

    yield Pair("a decision", lambda: decide(waiting.pop()), lambda: decide_by_hand(by_hand.pop()), times=min(10, count // 40))
    size = 4 * AT_ONCE
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield Pair(
            f"decisions, {AT_ONCE} at once", lambda: list(pool.map(decide, [waiting.pop() for _ in range(size)])),
            lambda: list(pool.map(decide_by_hand, [by_hand.pop() for _ in range(size)])), times=1, size=size,
        )  # fmt: skip


def _by_hand(engine: Any, member: UUID, count: int) -> list[UUID]:
    with engine.begin() as conn:
        conn.execute(BY_HAND)
        claims = [{"id": new_id(), "title": f"Claim {n}", "amount": n} for n in range(count)]
        conn.execute(text("INSERT INTO floor.claim VALUES (:id, :title, :amount, 'running')"), claims)
        made = [{"id": new_id(), "claim": one["id"], "member": member} for one in claims]
        conn.execute(text("INSERT INTO floor.task VALUES (:id, :claim, :member, 'live', now())"), made)
    return [one["id"] for one in made]


def _decide(conn: Connection, task: UUID, member: UUID) -> None:
    """What a careful hand writes: locked, checked, written down, told."""
    row = conn.execute(
        text("SELECT t.claim, t.member, t.state FROM floor.task t WHERE t.id = :id FOR UPDATE"), {"id": task}
    ).one()
    assert (row.member, row.state) == (member, "live")
    known = {"id": task, "claim": row.claim, "member": member, "notice": new_id()}
    conn.execute(text("UPDATE floor.task SET state = 'decided', decision = 'approve', decided_at = now() WHERE id = :id"), known)
    conn.execute(text("UPDATE floor.claim SET state = 'approved' WHERE id = :claim"), known)
    conn.execute(text("INSERT INTO floor.task_log (task, what, by, at) VALUES (:id, 'approve', :member, now())"), known)
    conn.execute(text("INSERT INTO floor.notice VALUES (:notice, :member, 'Approved', now())"), known)


@benchmark
def inbox(world: World) -> Iterator[Pair]:
    """The to-do list of somebody of whom 100,000 tasks are wanted, beside a query by hand that shows as much."""
    site, floor = world.site, world.floor
    _placed(world, 1)
    count = min(OPEN, world.records)
    with site.opened() as ctx:
        _multiply(ctx, world.table(ctx, "claim").sql, count)
    _by_hand(floor.engine, site.manager.id, count)
    with site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")

    def ours() -> None:
        with site.opened(site.manager) as ctx:
            assert len(tasks.listed(ctx, tasks.Asked("todo"))[0]) >= min(20, count)
            tasks.tab_counts(ctx)

    def by_hand() -> None:
        with floor.engine.begin() as conn:
            asked = "FROM floor.task t JOIN floor.claim c ON c.id = t.claim WHERE t.member = :m AND t.state = 'live'"
            conn.execute(text(f"SELECT t.id, t.asked_at, c.title {asked} ORDER BY t.asked_at LIMIT 51"), {"m": site.manager.id}).all()
            conn.execute(text("SELECT count(*) FROM floor.task WHERE member = :m AND state = 'live'"), {"m": site.manager.id}).all()

    yield Pair(f"to-do list, {count:,} open", ours, by_hand, times=10, goal=2)


def _multiply(ctx: Context, claim: Any, count: int) -> None:
    """The one run that waits, over and over: with a record, a run and a task of its own each."""
    row = ctx.conn.execute(
        select(flow_instance).join(flow_task, flow_task.c.instance_id == flow_instance.c.id).where(flow_task.c.state == "live").limit(1)
    ).one()
    task = ctx.conn.execute(select(flow_task).where(flow_task.c.instance_id == row.id)).one()
    kept = ctx.conn.execute(select(claim).where(claim.c.id == row.record_id)).one()
    for start in range(0, count, 5_000):
        ids = [(new_id(), new_id(), new_id(), n) for n in range(start, min(count, start + 5_000))]
        base = {c.name: getattr(kept, c.name) for c in claim.c}
        ctx.conn.execute(insert(claim), [{**base, "id": id, "title": f"More {n}"} for id, _, _, n in ids])
        ctx.conn.execute(insert(flow_instance), [{**row._mapping, "id": run, "record_id": id} for id, run, _, _ in ids])
        lines = [{"id": made, "instance_id": run, "record_id": id, "asked_at": ctx.now - timedelta(seconds=n)} for id, run, made, n in ids]
        ctx.conn.execute(insert(flow_task), [{**task._mapping, **line} for line in lines])


@jobs.job("bench_started")
def started(ctx: Context, number: int) -> None:
    """Says when it began."""
    ctx.conn.execute(text("INSERT INTO floor.began VALUES (:n, clock_timestamp())"), {"n": number})


WORKER = """
import sys
import bench.cases.flows
from runtime import jobs
jobs.run_worker(sys.argv[1], concurrency=2)
"""


@benchmark
def job_start(world: World) -> Iterator[Pair]:
    """From the commit that leaves a job to its start in a worker of its own."""
    site, floor = world.site, world.floor
    with floor.engine.begin() as conn:
        conn.execute(text("CREATE SCHEMA IF NOT EXISTS floor"))
        conn.execute(text("CREATE TABLE IF NOT EXISTS floor.began (number int PRIMARY KEY, at timestamptz)"))
    numbers, waits = iter(range(10**9)), []

    def one() -> None:
        number = next(numbers)
        with site.opened() as ctx:
            jobs.enqueue(ctx, "bench_started", {"number": number})
        left = datetime.now(UTC)
        waits.append((_await(floor.engine, number) - left).total_seconds())

    with _worker(site.url):
        one()
        waits.clear()
        yield Pair("a job starts after the commit", one, times=20, longest=lambda: sorted(waits)[int(len(waits) * 0.95)], patience=0.25)


@contextmanager
def _worker(url: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", WORKER, url])
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _await(engine: Any, number: int) -> datetime:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with engine.connect() as conn:
            if at := conn.scalar(text("SELECT at FROM floor.began WHERE number = :n"), {"n": number}):
                return at  # type: ignore[no-any-return]
        time.sleep(0.002)
    raise RuntimeError("the job did not start")


@benchmark
def timers(world: World) -> Iterator[Pair]:
    """10,000 runs wake up at the same moment and go on, one after the other in one worker."""
    site, floor = world.site, world.floor
    count = min(TIMERS, max(20, world.records // 10)) // BATCHES
    first, batches, by_hand = datetime.now(UTC) + timedelta(days=1_000), iter(range(BATCHES)), iter(range(BATCHES))
    with site.opened(site.rep) as ctx:
        live = world.table(ctx, "reminder")
        due = [first + timedelta(days=10 * batch) for batch in range(BATCHES) for _ in range(count)]
        made = records.create_many(ctx, live, [{"title": f"Reminder {n}", "at": at} for n, at in enumerate(due)])
        for one in made:
            flows.record_saved(ctx, live, one.id, "created", None)
    ids = [new_id() for _ in due]
    with floor.engine.begin() as conn:
        conn.execute(BY_HAND)
        conn.execute(text("INSERT INTO floor.claim VALUES (:id, 'x', 1, 'asleep')"), [{"id": id} for id in ids])

    def wake() -> None:
        errors = jobs.drain_jobs(site.url, until=first + timedelta(days=10 * next(batches)))
        assert not errors, errors[:3]

    def wake_by_hand() -> None:
        batch = next(by_hand)
        with floor.engine.connect() as conn:
            for id in ids[batch * count : (batch + 1) * count]:
                with conn.begin():
                    conn.execute(text("SELECT state FROM floor.claim WHERE id = :id FOR UPDATE"), {"id": id})
                    conn.execute(text("UPDATE floor.claim SET state = 'woken' WHERE id = :id"), {"id": id})

    yield Pair("timers due at once", wake, wake_by_hand, times=1, size=count)
