"""The table of figures."""

import os
import platform
from collections.abc import Sequence

from bench.measure import Result, Timing

HEADINGS = ("", "ours", "by hand", "CPU ours", "CPU by hand", "ratio", "goal")


def lines(results: Sequence[Result]) -> list[tuple[str, ...]]:
    return [HEADINGS, *(_line(r) for r in results)]


def _line(result: Result) -> tuple[str, ...]:
    pair, floor = result.pair, result.floor
    return (
        pair.name, _speed(result.ours.wall, pair.size), _speed(floor.wall, pair.size) if floor else "",
        _cpu(result.ours), _cpu(floor) if floor else "", f"{result.ratio:.2f}" if result.ratio else "", _goal(result),
    )  # fmt: skip


def _speed(seconds: float, size: int) -> str:
    """Pieces a second where a call does many, else the time of one."""
    return f"{size / seconds:,.0f}/s" if size > 1 else _time(seconds)


def _time(seconds: float) -> str:
    if seconds < 0.001:
        return f"{seconds * 1e6:.1f} us" if seconds < 0.0001 else f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds * 1e3:,.0f} ms"


def _cpu(timing: Timing) -> str:
    return _time(timing.cpu)


def _goal(result: Result) -> str:
    pair = result.pair
    if result.met is None:
        return ""
    if pair.longest is not None:
        return f"waits {_time(pair.longest())}, {pair.patience:g} s {'met' if result.met else 'MISSED'}"
    wanted = f"{pair.limit:g} ms" if pair.limit is not None else f"{pair.goal:g}x"
    return f"{wanted} {'met' if result.met else 'MISSED'}"


def as_text(results: Sequence[Result]) -> str:
    table = lines(results)
    widths = [max(len(line[n]) for line in table) for n in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    )


def as_markdown(results: Sequence[Result]) -> str:
    table = lines(results)
    rule = "|" + "|".join("---" if n == 0 else "--:" for n in range(len(HEADINGS))) + "|"
    rows = ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([rows[0], rule, *rows[1:]])


def machine() -> str:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load:.1f}"
