"""`python -m bench [NAME ...]`: measure, and print a table."""

import argparse
import sys
from collections.abc import Sequence

from bench import report
from bench.measure import Result, Work, measure
from bench.registry import all_known
from bench.world import World
from runtime import memory


def main(arguments: Sequence[str] | None = None, settle: Work = lambda: None) -> int:
    known = all_known()
    options = read_options(list(known), arguments)
    if options.list:
        print("\n".join(f"{b.name:12} {b.meaning}" for b in known.values()))
        return 0
    results: list[Result] = []
    with World(options.records) as world:
        for name in options.names or known:
            for pair in known[name].runs(world):
                results.append(measure(pair, options.rounds, world.clock, settle))
                print(*report.lines(results[-1:])[1], sep="  ", file=sys.stderr, flush=True)
    print(f"{options.records:,} records, {options.rounds} rounds; {report.machine()}\n")
    print(report.as_markdown(results) if options.markdown else report.as_text(results))
    return 0


def read_options(names: list[str], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; all when none is named")
    parser.add_argument("--records", type=int, default=100_000, help="records in the table (default 100,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, in which ours and the other take turns")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    options = parser.parse_args(arguments)
    if unknown := [n for n in options.names if n not in names]:
        parser.error(f"unknown: {', '.join(unknown)}. There are: {', '.join(names)}")
    return options


if __name__ == "__main__":
    sys.exit(main(settle=memory.settle))
