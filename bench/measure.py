"""Timing two ways of doing the same, turn by turn, so that a busy machine is unfair to both alike."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import psutil

Work = Callable[[], Any]


@dataclass(frozen=True)
class Pair:
    """One line of the table: our way, the way by hand, and what one call of either does.

    `times` calls make a round; a call does `size` pieces of work (rows of an import). `goal` is the most that the
    ratio to the way by hand may be; `limit` the most milliseconds of processor time a call may take.
    """

    name: str
    ours: Work
    floor: Work | None = None
    times: int = 20
    size: int = 1
    goal: float | None = None
    limit: float | None = None
    longest: Callable[[], float] | None = None
    """The longest that anybody waited in all calls so far, in seconds; `patience` is the most that may be."""
    patience: float = 2.0
    served: bool = False
    """Whether processes of their own do the work, and this one only asks: then theirs is the time that counts."""


@dataclass
class Timing:
    """What the calls of one way took, in seconds; processor time is that of this process and the database's."""

    walls: list[float] = field(default_factory=list)
    own: float = 0.0
    database: float = 0.0

    @property
    def wall(self) -> float:
        return median(self.walls)

    @property
    def cpu(self) -> float:
        return (self.own + self.database) / len(self.walls)


@dataclass(frozen=True)
class Result:
    """A measured line."""

    pair: Pair
    ours: Timing
    floor: Timing | None

    @property
    def ratio(self) -> float | None:
        return self.ours.cpu / self.floor.cpu if self.floor and self.floor.cpu else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.pair.longest is not None:
            return self.pair.longest() <= self.pair.patience
        if self.pair.limit is not None:
            return self.ours.cpu * 1000 <= self.pair.limit
        if self.pair.goal is None or self.ratio is None:
            return None
        return self.ratio <= self.pair.goal


class Clock:
    """Processor time of this process and of a database server's processes."""

    def __init__(self, postmaster: int | None) -> None:
        self.server = psutil.Process(postmaster) if postmaster else None

    def now(self, served: bool = False) -> tuple[float, float, float]:
        own = _children_time() if served else time.process_time()
        return time.perf_counter(), own, self._server_time()

    def _server_time(self) -> float:
        if self.server is None:
            return 0.0
        ended = self.server.cpu_times()
        total = ended.children_user + ended.children_system
        for process in self.server.children():
            try:
                spent = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += spent.user + spent.system
        return float(total)


def _children_time() -> float:
    """What the servers that this process has started have taken so far."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system
    return total


def measure(pair: Pair, rounds: int, clock: Clock, settle: Work = lambda: None) -> Result:
    """Warm both up once, then time them round by round, the first of a round changing each time.

    `settle` is called in between: a process that serves has settled when it begins.
    """
    ours, floor = Timing(), Timing() if pair.floor else None
    sides = [(pair.ours, ours), *([(pair.floor, floor)] if pair.floor and floor else [])]
    for work, _ in sides:
        work()
    settle()
    for number in range(rounds):
        for work, timing in sides[:: 1 if number % 2 else -1]:
            _one_round(work, pair, timing, clock)
    return Result(pair, ours, floor)


def _one_round(work: Work, pair: Pair, timing: Timing, clock: Clock) -> None:
    gc.collect()
    _, own, database = clock.now(pair.served)
    for _ in range(pair.times):
        begun = time.perf_counter()
        work()
        timing.walls.append(time.perf_counter() - begun)
    _, own_after, database_after = clock.now(pair.served)
    timing.own += own_after - own
    timing.database += database_after - database
