"""A field changes its type while people go on working."""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count, cycle
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from bench.definition import PACKAGE
from bench.measure import Pair
from bench.registry import benchmark
from bench.world import World, numbered_id
from runtime import changeover, conversion, definitions, jobs, records
from runtime import query as asking
from runtime.access import door
from runtime.query import Listing
from runtime.retry import attempt

FIELD = "quantity"
WRITERS = 2


class Office:
    """People who write and read as fast as they are answered, and how long each had to wait."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.longest: dict[str, float] = {}
        self.written: dict[UUID, int] = {}
        self.numbers = count(1)
        self.done = threading.Event()
        self.broken: list[BaseException] = []

    def at_work(self) -> list[threading.Thread]:
        people = [threading.Thread(target=self._over_and_over, args=(self._write,)) for _ in range(WRITERS)]
        people.append(threading.Thread(target=self._over_and_over, args=(self._read,)))
        for one in people:
            one.start()
        return people

    def waited(self, what: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        made = work()
        self.longest[what] = max(self.longest.get(what, 0.0), time.perf_counter() - began)
        return made

    def _over_and_over(self, work: Callable[[int], None]) -> None:
        try:
            while not self.done.is_set():
                number = next(self.numbers)
                self.waited(work.__name__, lambda: attempt(lambda: work(number)))  # noqa: B023 (called at once)
                time.sleep(0.01)
        except BaseException as err:  # told by `change`
            self.broken.append(err)

    def _write(self, number: int) -> None:
        id, value = numbered_id(number * 7919 % self.world.records), number % 1000
        with self.world.site.opened(self.world.site.administrator) as ctx:
            table = self.world.table(ctx, "parcel")
            given = Decimal(value) if table.table.by_id[FIELD].type == "number" else str(value)
            records.change(ctx, table, id, {FIELD: given})
        self.written[id] = value

    def _read(self, number: int) -> None:
        with self.world.site.opened(self.world.site.administrator) as ctx:
            asking.page(door(ctx, self.world.table(ctx, "parcel")), Listing(["name", FIELD]))


def _package(type: str) -> dict[str, Any]:
    made = copy.deepcopy(PACKAGE)
    field = next(f for f in made["tables"][0]["fields"] if f["id"] == FIELD)
    kept = {"id": FIELD, "type": type} if type == "text" else dict(field)
    field.clear()
    field.update(kept)
    return made


def _kept(world: World) -> dict[UUID, int]:
    """What every record holds, whatever the type."""
    with world.site.opened(world.site.administrator) as ctx:
        t = world.table(ctx, "parcel").sql
        return {id: int(value) for id, value in ctx.conn.execute(select(t.c.id, t.c[FIELD])) if value is not None}


@benchmark
def retyping(world: World) -> Iterator[Pair]:
    """A number becomes text and the text a number again, with two who write and one who reads all the while."""
    floor, office = world.filled, Office(world)
    ours, theirs = cycle(("text", "number")), cycle(("text", "numeric(38, 0)"))

    def change() -> None:
        before, package = _kept(world), _package(next(ours))
        office.done.clear()
        people = office.at_work()
        try:
            _publish(world, office, package)
        finally:
            office.done.set()
            for one in people:
                one.join()
        assert not office.broken, office.broken
        after = _kept(world)
        lost = {id: value for id, value in (before | office.written).items() if after.get(id) != value}
        assert not lost, f"{len(lost)} values were lost"

    def by_hand() -> None:
        kind = next(theirs)
        with floor.engine.begin() as conn:
            conn.execute(text(f"ALTER TABLE floor.parcel ALTER {FIELD} TYPE {kind} USING {FIELD}::{kind}"))

    yield Pair(
        "change a type", change, by_hand, times=1, size=world.records, longest=lambda: max(office.longest.values())
    )


def _publish(world: World, office: Office, package: dict[str, Any]) -> None:
    """As the designer does: a rehearsal, then the publishing, which a job goes on with."""
    after = definitions.load_app(package)
    with world.site.opened(world.site.administrator) as ctx:
        inst = definitions.installed(ctx, "desk")
        office.waited("rehearse", lambda: conversion.rehearse(ctx, inst, conversion.checked(inst.app, after)))
        office.waited("publish", lambda: changeover.begin(ctx, "desk", package))
    problems = jobs.drain_jobs(world.site.url)
    assert not problems, problems
