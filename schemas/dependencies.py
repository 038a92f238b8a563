"""What depends on what: which stored values must be worked out again when others change, and in which order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.fields import Field
from schemas.fields.formula import Computed, FormulaField
from schemas.fields.lookup import Lookup
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import FormulaError
from schemas.gathering import gathered
from schemas.table import SYSTEM_FIELDS, Table

if TYPE_CHECKING:
    from schemas.analysis import Analysis

Path = tuple[str, ...]
THERE = "id"
"""The pseudo-field that changes when a record comes, goes into the trash or returns."""


class Circle(Exception):
    """A computed field that needs itself; `trail` is the way round, as paths `table.field`."""

    def __init__(self, trail: list[str]) -> None:
        super().__init__(" -> ".join(trail))
        self.trail = trail


@dataclass(frozen=True)
class Input:
    """Something that a computed field reads: a field of a table (`items.price` for a column), reached by `route`.

    The route is the hops from the computing record, as `Gathered` writes them.
    """

    table: str
    field: str
    route: Path = ()


@dataclass(frozen=True)
class Dependent:
    """A stored computed field (or column, `items.sum`) that reads something, and the route from its records to it."""

    table: str
    field: str
    route: Path


class Dependencies:
    """The dependencies of one app's computed fields."""

    def __init__(self, analysis: "Analysis") -> None:
        self.analysis = analysis
        self.app = analysis.app

    def stored(self, table: Table) -> Iterator[tuple[str, Computed, Rows | None]]:
        """Every stored computed field of a table and of its subforms: (path, field, subform)."""
        for field in table.fields:
            if isinstance(field, Rows):
                for column in field.fields:
                    if isinstance(column, FormulaField) and self.analysis.is_stored(table, column, field):
                        yield f"{field.id}.{column.id}", column, field
            elif isinstance(field, Computed) and self.analysis.is_stored(table, field):
                yield field.id, field, None

    # -- inputs --------------------------------------------------------------------------------

    def inputs(self, table: Table, field: Computed, row: Rows | None = None) -> set[Input]:
        """Everything that a computed field reads, wherever it lies."""
        if isinstance(field, Rollup):
            return set(self._of_rollup(table, field))
        if isinstance(field, Lookup):
            return set(self.trace(table, field.steps, row))
        assert isinstance(field, FormulaField)
        paths = self.analysis.expression(field.formula, self.analysis.scope(table, row)).paths
        return {found for path in paths for found in self.trace(table, path, row)}

    def _of_rollup(self, table: Table, rollup: Rollup) -> Iterator[Input]:
        source = gathered(self.analysis, table, rollup)
        if source is None:
            return
        child, hop = source.table, source.hop
        yield Input(child.id, THERE, (hop,))
        if hop[0] == "<":
            yield Input(child.id, hop.partition(".")[2], (hop,))
        else:
            yield Input(table.id, THERE if hop[0] == "~" else hop)
        scope = self.analysis.linked_scope(rollup, table)
        parts = [self.analysis.expression(f, scope) for f in (rollup.value, rollup.where) if f]
        for path in (path for part in parts for path in part.paths):
            if path[0] == "this" and "this" not in child.by_id:
                yield from self.trace(table, path[1:], None)
            else:
                yield from self.trace(child, path, source.rows, (hop,))
        for name in rollup.sort:
            yield from self.trace(child, (name.removeprefix("-"),), source.rows, (hop,))

    def trace(self, table: Table, path: Path, row: Rows | None, route: Path = ()) -> Iterator[Input]:
        """The fields that one path of a formula passes, the last one included."""
        if not path:
            return
        name, rest = path[0], path[1:]
        if row is not None and (column := row.column(name)):
            yield from self._passed(table, column, row, rest, route)
        elif (field := table.by_id.get(name)) is not None:
            if isinstance(field, Rows):
                yield from self._in_rows(table, field, rest, route)
            else:
                yield from self._passed(table, field, None, rest, route)
        elif (side := self.analysis.reverses(table).get(name)) is not None:
            yield from self._reverse(*side, rest, route)
        elif name == "this":
            yield from self.trace(table, rest, None, route)
        elif name == "flow":
            yield Input(table.id, "flow.state", route)
        elif name in SYSTEM_FIELDS:
            yield Input(table.id, name, route)

    def _in_rows(self, table: Table, rows: Rows, rest: Path, route: Path) -> Iterator[Input]:
        yield Input(table.id, rows.id, route)
        if rest and (column := rows.column(rest[0])):
            yield from self._passed(table, column, rows, rest[1:], route)

    def _reverse(self, other: Table, link: str, rest: Path, route: Path) -> Iterator[Input]:
        further = (*route, f"<{other.id}.{link}")
        yield Input(other.id, link, further)
        yield Input(other.id, THERE, further)
        yield from self.trace(other, rest, None, further)

    def _passed(self, table: Table, field: Field, row: Rows | None, rest: Path, route: Path) -> Iterator[Input]:
        if isinstance(field, Lookup):
            yield from self.trace(table, (*field.steps, *rest), row, route)
            return
        whole = f"{row.id}.{field.id}" if row else field.id
        yield Input(table.id, whole, route)
        kind = self.analysis.type_of(table, field, row)
        inner = kind.of if kind.kind == "array" and kind.of else kind
        target = self.app.table(inner.target or "") if inner.kind == "link" else None
        if target is None:
            return
        further = (*route, whole)
        if kind.kind == "array":
            yield Input(target.id, THERE, further)
        yield from self.trace(target, rest, None, further)

    # -- the other way round -------------------------------------------------------------------

    @cached_property
    def dependents(self) -> dict[tuple[str, str], list[Dependent]]:
        """(table, field) -> the stored computed fields that read it."""
        found: dict[tuple[str, str], list[Dependent]] = {}
        for table in self.app.tables:
            for path, field, row in self.stored(table):
                for input in self.inputs(table, field, row):
                    found.setdefault((input.table, input.field), []).append(Dependent(table.id, path, input.route))
        return found

    @cached_property
    def read(self) -> frozenset[str]:
        """The tables of which something stored reads something."""
        return frozenset(table for table, _ in self.dependents)

    @cached_property
    def ranks(self) -> dict[tuple[str, str], int]:
        """A number for each stored computed field, larger than those of all that it reads. Raises Circle."""
        ranks: dict[tuple[str, str], int] = {}
        trail: list[tuple[str, str]] = []

        def rank(key: tuple[str, str]) -> int:
            if key in ranks:
                return ranks[key]
            if key in trail:
                raise Circle([".".join(k) for k in [*trail[trail.index(key) :], key]])
            found = self._computed(*key)
            if found is None:
                return 0
            trail.append(key)
            ranks[key] = 1 + max((rank((i.table, i.field)) for i in self.inputs(*found)), default=0)
            trail.pop()
            return ranks[key]

        for table in self.app.tables:
            for path, _, _ in self.stored(table):
                rank((table.id, path))
        return ranks

    def _computed(self, table_id: str, path: str) -> tuple[Table, Computed, Rows | None] | None:
        table = self.app.table(table_id)
        field = table.field(path) if table else None
        if table is None or not isinstance(field, Computed):
            return None
        rows = table.by_id[path.partition(".")[0]] if "." in path else None
        row = rows if isinstance(rows, Rows) else None
        return (table, field, row) if self.analysis.is_stored(table, field, row) else None

    def locked(self, table: Table) -> list[tuple[Path, bool]]:
        """The routes of links that a record's own stored values read along, and whether its writing changes the target.

        Their targets are locked before they are read, so that none changes unseen in between.
        """
        routes: dict[Path, bool] = {}
        for _, field, row in self.stored(table):
            for input in self.inputs(table, field, row):
                for end in range(1, len(input.route) + 1):
                    route = input.route[:end]
                    if route[-1][0] in "<~":
                        break
                    if not isinstance(field, Rollup):
                        routes[route] = routes.get(route, False) or self._gathered_along(table, route)
        return sorted(routes.items())

    def _gathered_along(self, table: Table, route: Path) -> bool:
        back = f"<{table.id}.{route[-1]}"
        return len(route) == 1 and any(
            d.route[-1:] == (back,) for found in self.dependents.values() for d in found if d.route
        )


def up_to_the_fault(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of one thing, as far as they can be found: what rests on a faulty formula is not judged.

    The fault itself is told where that formula stands.
    """
    try:
        yield from problems
    except (FormulaError, Circle):
        return
