"""The benchmarks by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from bench import cases
from bench.measure import Pair

if TYPE_CHECKING:
    from bench.world import World

Benchmark = Callable[["World"], Iterator[Pair]]


@dataclass(frozen=True)
class Known:
    """A benchmark; `runs` gives the lines it measures."""

    name: str
    runs: Benchmark

    @property
    def meaning(self) -> str:
        return (self.runs.__doc__ or "").strip().split("\n")[0]


_known: dict[str, Known] = {}


def benchmark(runs: Benchmark) -> Benchmark:
    """Makes a function a benchmark under its own name."""
    _known[runs.__name__] = Known(runs.__name__, runs)
    return runs


def all_known() -> dict[str, Known]:
    for module in sorted(m.name for m in iter_modules(cases.__path__)):
        import_module(f"bench.cases.{module}")
    return _known
