"""Reads one sheet of a workbook in a process of its own: `python workbook.py [SHEET] < FILE`, pickled rows on stdout;
with `--names` after it, the sheets' names instead.

A file of a few kilobytes can name a cell so far away that the table around it fills all memory, and then the whole
process ends, not only the call. So this one has limits, and when it ends early its parent tells what is wrong with the
file. It imports nothing of ours: it must begin quickly.
"""

import io
import pickle
import resource
import sys
from collections.abc import Iterator
from typing import Any

from python_calamine import CalamineWorkbook, PasswordError

MEMORY = 2 * 1024**3
SECONDS = 120
CELLS = 20_000
"""Of one batch, about."""

UNREADABLE, LOCKED, NO_SHEET, DONE = "unreadable", "locked", "no sheet", "done"


def main() -> None:
    limit()
    sheet = sys.argv[1] if len(sys.argv) > 1 else ""
    for said in answers(sys.stdin.buffer.read(), sheet, "--names" in sys.argv[2:]):
        pickle.dump(said, sys.stdout.buffer, protocol=5)


def limit() -> None:
    """Memory and time for this process; where memory runs out all the same, the system ends it before others."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass


def answers(content: bytes, sheet: str, names: bool = False) -> Iterator[Any]:
    """Lists of rows, or one with a row for each sheet's name, then DONE; or the word that says why not."""
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            if not book.sheet_names:
                yield NO_SHEET
                return
            if names:
                yield [[name] for name in book.sheet_names]
            else:
                yield from batches(book, sheet if sheet in book.sheet_names else book.sheet_names[0])
        yield DONE
    except PasswordError:
        yield LOCKED
    except Exception:  # whatever the reader cannot make sense of: the file is at fault
        yield UNREADABLE


def batches(book: CalamineWorkbook, sheet: str) -> Iterator[list[list[Any]]]:
    """The rows that hold anything."""
    batch: list[list[Any]] = []
    cells = 0
    for row in book.get_sheet_by_name(sheet).iter_rows():
        if any(cell != "" for cell in row):
            batch.append(row)
            cells += len(row)
        if cells >= CELLS:
            yield batch
            batch, cells = [], 0
    yield batch


if __name__ == "__main__":
    main()
