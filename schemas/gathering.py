"""Which records a rollup, a reverse side or a list of links gathers, and which of its records a change concerns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.fields.link import Link
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import Formula
from schemas.formula.tree import Binary, Call, Name, Tree
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.analysis import Analysis

COMPARED = ("link", "member", "department", "choice", "number", "date", "datetime", "text", "boolean")


@dataclass(frozen=True)
class Gathered:
    """The records that a rollup gathers, seen from its own record.

    `hop` is the way to them: `books` (a link or links field here, `loans.book` in a subform), `<book.author`
    (the records of `book` whose link points here, `<card.loans.book` the rows), `~book` (those that match).
    `rows` is the subform whose rows are gathered.
    """

    table: Table
    hop: str
    rows: Rows | None = None


def gathered(analysis: "Analysis", table: Table, rollup: Rollup) -> Gathered | None:
    """None when the rollup names what is not there."""
    app = analysis.app
    if rollup.table:
        found = app.table(rollup.table)
        return Gathered(found, f"~{found.id}") if found else None
    first, _, rest = rollup.over.partition(".")
    other = app.table(first)
    if other is not None and rest:
        return _pointing(table, other, rest)
    own = table.field(rollup.over)
    if isinstance(own, Link):
        target = app.table(own.table)
        return Gathered(target, rollup.over) if target else None
    if (side := analysis.reverses(table).get(rollup.over)) is not None:
        return _pointing(table, *side)
    return None


def _pointing(table: Table, other: Table, path: str) -> Gathered | None:
    link = other.field(path)
    if not isinstance(link, Link) or link.table != table.id:
        return None
    rows = other.by_id[path.partition(".")[0]] if "." in path else None
    return Gathered(other, f"<{other.id}.{path}", rows if isinstance(rows, Rows) else None)


def reverses(tables: tuple[Table, ...], table: Table) -> dict[str, tuple[Table, str]]:
    """The named reverse sides of a table: name -> the table whose link points here, and that link."""
    found: dict[str, tuple[Table, str]] = {}
    for other in tables:
        for link in other.fields:
            if isinstance(link, Link) and link.table == table.id and link.reverse and link.reverse.id:
                found.setdefault(link.reverse.id, (other, link.id))
    return found


@dataclass(frozen=True)
class Match:
    """An equality that a matching rollup asks for: a field of the gathered records, and of the rollup's own (`id`)."""

    theirs: str
    own: str


def match(analysis: "Analysis", table: Table, rollup: Rollup) -> Match | None:
    """The first equality in a matching rollup's condition by which its records can be found again, if any."""
    child = analysis.app.table(rollup.table)
    if child is None or rollup.where is None:
        return None
    return next((m for part in _all_of(rollup.where) if (m := _equality(analysis, table, child, part))), None)


def prefills(analysis: "Analysis", table: Table, child: Table, where: Formula | None) -> list[Match]:
    """Every such equality of a condition: what a new record must hold to satisfy it."""
    if where is None:
        return []
    return [m for part in _all_of(where) if (m := _equality(analysis, table, child, part))]


def _all_of(where: Formula) -> Iterator[Tree]:
    waiting: list[Tree] = [where.tree]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, Call) and part.name == "AND":
            waiting = [*part.args, *waiting]
        else:
            yield part


def _equality(analysis: "Analysis", table: Table, child: Table, part: Tree) -> Match | None:
    if not isinstance(part, Binary) or part.operator != "=":
        return None
    if not isinstance(part.left, Name) or not isinstance(part.right, Name):
        return None
    sides = (part.left.path, part.right.path)
    own, theirs = sides if sides[0][0] == "this" else sides[::-1]
    if own[0] != "this" or len(own) > 2 or len(theirs) != 1 or theirs[0] not in child.by_id:
        return None
    if len(own) == 2 and own[1] not in table.by_id:
        return None
    kinds = [analysis.type_of(child, child.by_id[theirs[0]]).kind]
    kinds.append(analysis.type_of(table, table.by_id[own[1]]).kind if len(own) == 2 else "link")
    stored = all(
        analysis.is_stored(t, t.by_id[id])
        for t, id in [(child, theirs[0]), *([(table, own[1])] if len(own) == 2 else [])]
    )
    if not stored or kinds[0] != kinds[1] or kinds[0] not in COMPARED:
        return None
    return Match(theirs[0], own[1] if len(own) == 2 else "id")
