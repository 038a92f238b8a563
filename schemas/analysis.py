"""What follows from an app's definitions: types, what depends on what, and everything that is wrong.

Computed once per loaded app; `App.analysis` keeps it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from schemas.errors import Problem
from schemas.fields import Field, Storage
from schemas.fields.formula import Computed, FormulaField
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import Expression, Formula, FormulaError, Need, Type, check
from schemas.formula.types import ANY, BOOLEAN, NUMBER
from schemas.messages import Message, say
from schemas.scopes import TableScope
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.app import App
    from schemas.plan import Plan

DEEPEST_VOLATILE = 4
STORAGE_OF_TYPE = {
    "number": Storage.NUMERIC, "text": Storage.TEXT, "choice": Storage.TEXT, "boolean": Storage.BOOLEAN,
    "date": Storage.DATE, "datetime": Storage.TIMESTAMP, "member": Storage.UUID, "department": Storage.UUID,
    "link": Storage.UUID, "blank": Storage.TEXT,
}  # fmt: skip
STORAGE_OF_ARRAY = {"choice": Storage.TEXTS, "text": Storage.TEXTS, "member": Storage.UUIDS, "department": Storage.UUIDS,
                    "link": Storage.UUIDS, "file": Storage.UUIDS}  # fmt: skip


class Circle(Exception):
    """A computed field that needs itself; `trail` is the way round."""

    def __init__(self, trail: list[str]) -> None:
        super().__init__(" -> ".join(trail))
        self.trail = trail


@dataclass(frozen=True)
class Input:
    """Something that a computed field reads: a field of a table, reached by `route`.

    The route is the links crossed from the computing record, as paths of link fields (`items.product` for a
    link in a subform's rows), or `("<",)` for the records that a rollup gathers.
    """

    table: str
    field: str
    route: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dependent:
    """A stored computed field that reads something, and the route from its records to what it reads."""

    table: str
    field: str
    route: tuple[str, ...]


class Analysis:
    """Types, expressions and dependencies of one app."""

    def __init__(self, app: "App") -> None:
        self.app = app
        self._expressions: dict[Any, Expression] = {}
        self._typed: dict[tuple[str, str], tuple[Type, bool, int]] = {}
        self._open: list[str] = []
        self._plans: dict[str, Plan] = {}
        self._needs: dict[str, frozenset[Need]] = {}

    # -- types ---------------------------------------------------------------------------------

    def type_of(self, table: Table, field: Field, row: Rows | None = None) -> Type:
        return self._facts(table, field, row)[0]

    def is_volatile(self, table: Table, field: Field, row: Rows | None = None) -> bool:
        return self._facts(table, field, row)[1]

    def storage_of(self, table: Table, field: Field, row: Rows | None = None) -> Storage:
        """The column that keeps this field's value; NONE for a volatile one."""
        if not isinstance(field, Computed):
            return field.storage
        kind, volatile, _ = self._facts(table, field, row)
        if volatile:
            return Storage.NONE
        if kind.kind == "array" and kind.of is not None:
            return STORAGE_OF_ARRAY.get(kind.of.kind, Storage.JSON)
        return STORAGE_OF_TYPE.get(kind.kind, Storage.JSON)

    def _facts(self, table: Table, field: Field, row: Rows | None) -> tuple[Type, bool, int]:
        """Type, volatility and depth of inlining of a field."""
        if not isinstance(field, Computed):
            return field.value_type(), False, 0
        key = (table.id, f"{row.id}.{field.id}" if row else field.id)
        if key not in self._typed:
            self._typed[key] = self._compute(table, field, row, ".".join(key))
        return self._typed[key]

    def _compute(self, table: Table, field: Computed, row: Rows | None, name: str) -> tuple[Type, bool, int]:
        if name in self._open:
            raise Circle([*self._open[self._open.index(name) :], name])
        self._open.append(name)
        try:
            if isinstance(field, Rollup):
                return self._rollup_facts(table, field)
            return self._formula_facts(table, field, row)
        finally:
            self._open.pop()

    def _formula_facts(self, table: Table, field: Field, row: Rows | None) -> tuple[Type, bool, int]:
        assert isinstance(field, FormulaField)
        expression = self.expression(field.formula, self.scope(table, row))
        return expression.type, expression.volatile, self._depth(table, row, [expression])

    def _rollup_facts(self, table: Table, field: Rollup) -> tuple[Type, bool, int]:
        child = self.child_of(field)
        if child is None:
            return ANY, False, 0
        parts = [self.expression(f, self.linked_scope(field, table)) for f in (field.value, field.where) if f]
        kind = parts[0].type if field.value and field.aggregate in ("min", "max") else NUMBER
        return kind, any(p.volatile for p in parts), self._depth(child, None, parts)

    def _depth(self, table: Table, row: Rows | None, parts: list[Expression]) -> int:
        inner = [0]
        for path in (p for part in parts for p in part.paths):
            found, within = (
                (row.column(path[0]), row) if row and row.column(path[0]) else (table.by_id.get(path[0]), None)
            )
            if found is not None and self.is_volatile(table, found, within):
                inner.append(self._facts(table, found, within)[2])
        return max(inner) + 1

    # -- formulas ------------------------------------------------------------------------------

    def scope(self, table: Table, row: Rows | None = None, **extra: Type) -> TableScope:
        return TableScope(self, table, row, extra=extra)

    def pick_scope(self, link: Any, source: Table) -> TableScope:
        """Names in a link's `pick`: the other table's fields, and `this` for the record being filled in."""
        target = self.app.table(link.table)
        assert target is not None
        return TableScope(self, target, this=source)

    def linked_scope(self, rollup: Rollup, parent: Table) -> TableScope:
        """Names in a rollup's value and condition: the fields of the records that link here."""
        child = self.child_of(rollup)
        assert child is not None
        return TableScope(self, child, this=parent)

    def child_of(self, rollup: Rollup) -> Table | None:
        """The table whose records a rollup gathers, when `over` names a link field there."""
        name, _, link = rollup.over.rpartition(".")
        child = self.app.table(name)
        return child if child and (field := child.by_id.get(link)) and field.type == "link" else None

    def expression(self, formula: Formula, scope: TableScope, expected: Type | None = None) -> Expression:
        """The checked formula, kept. Raises FormulaError."""
        key = (formula.source, scope.table.id, scope.row.id if scope.row else "", scope.this.id if scope.this else "",
               tuple(sorted(scope.extra)), expected)  # fmt: skip
        if key not in self._expressions:
            self._expressions[key] = check(formula, scope, expected)
        return self._expressions[key]

    def condition(self, formula: Formula, table: Table) -> Expression:
        """A yes/no formula about a record of the table. Raises FormulaError."""
        return self.expression(formula, self.scope(table), BOOLEAN)

    def rows_of_check(self, table: Table, check: Any) -> Rows | None:
        """The subform for each of whose rows a check is asked: the one beside a column of which its message stands."""
        first, dot, _ = check.field.partition(".")
        found = table.by_id.get(first)
        return found if dot and isinstance(found, Rows) else None

    def plan(self, table: Table) -> "Plan":
        """What this table asks of every record; kept."""
        from schemas.plan import plan_of

        if table.id not in self._plans:
            self._plans[table.id] = plan_of(self, table)
        return self._plans[table.id]

    # -- dependencies --------------------------------------------------------------------------

    def computed(self, table: Table) -> list[Computed]:
        """The stored computed fields of a table, each after those of the same record that it reads."""
        fields = [f for f in table.fields if isinstance(f, Computed) and not self.is_volatile(table, f)]
        return _in_order(fields, lambda f: {i.field for i in self.inputs(table, f) if not i.route})

    def row_formulas(self, table: Table, rows: Rows) -> list[FormulaField]:
        """The formulas of a subform's row, each after those of the same row that it reads."""
        fields = [c for c in rows.fields if isinstance(c, FormulaField) and not self.is_volatile(table, c, rows)]
        return _in_order(
            fields,
            lambda c: {p[0] for p in self.expression(c.formula, self.scope(table, rows)).paths if rows.column(p[0])},
        )

    def inputs(self, table: Table, field: Computed, row: Rows | None = None) -> set[Input]:
        """Everything that a computed field reads, wherever it lies."""
        if isinstance(field, Rollup):
            return self._rollup_inputs(table, field)
        assert isinstance(field, FormulaField)
        paths = self.expression(field.formula, self.scope(table, row)).paths
        return {found for path in paths for found in self.trace(table, path, row)}

    def _rollup_inputs(self, table: Table, field: Rollup) -> set[Input]:
        child = self.child_of(field)
        if child is None:
            return set()
        parts = [self.expression(f, self.linked_scope(field, table)) for f in (field.value, field.where) if f]
        names = {path[0] for part in parts for path in part.paths} | {field.over.rpartition(".")[2]}
        return {Input(child.id, name, ("<",)) for name in names if name != "this"}

    def trace(self, table: Table, path: tuple[str, ...], row: Rows | None) -> Iterator[Input]:
        """The fields that one path of a formula passes, the last one included."""
        at, prefix = table, ""
        route: tuple[str, ...] = ()
        for name in path:
            holder = at.by_id.get(prefix) if prefix else (row if row and row.column(name) else None)
            field = holder.column(name) if isinstance(holder, Rows) else at.by_id.get(name)
            if field is None:
                return
            whole = f"{holder.id}.{name}" if isinstance(holder, Rows) else name
            yield Input(at.id, whole, route)
            prefix = name if isinstance(field, Rows) else ""
            if field.type == "link":
                target = self.app.table(field.table)  # type: ignore[attr-defined]
                if target is None:
                    return
                at, route, row = target, (*route, whole), None

    def needs(self, table: Table) -> frozenset[Need]:
        """What the stored formulas of a record ask of the world."""
        if table.id not in self._needs:
            stored = self.plan(table).record.stored
            self._needs[table.id] = frozenset(need for c in stored for need in c.expression.needs)
        return self._needs[table.id]

    @cached_property
    def dependents(self) -> dict[tuple[str, str], list["Dependent"]]:
        """(table, field) -> the stored computed fields that read it, in the order in which to work them out."""
        found: dict[tuple[str, str], list[Dependent]] = {}
        for table in self.app.tables:
            for field in self.computed(table):
                for input in self._stored_inputs(table, field):
                    key = (input.table, input.field.partition(".")[0])
                    found.setdefault(key, []).append(Dependent(table.id, field.id, input.route))
        return found

    def _stored_inputs(self, table: Table, field: Computed) -> set[Input]:
        """What a field reads, with what the row formulas read that it reads."""
        found = self.inputs(table, field)
        for rows in table.subforms:
            if any(i.field.partition(".")[0] == rows.id and not i.route for i in found):
                for column in self.row_formulas(table, rows):
                    found |= {i for i in self.inputs(table, column, rows) if i.route or i.table != table.id}
        return found

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
            table = self.app.table(key[0])
            field = table.by_id.get(key[1]) if table else None
            if table is None or not isinstance(field, Computed) or self.is_volatile(table, field):
                return 0
            trail.append(key)
            ranks[key] = 1 + max((rank((i.table, i.field)) for i in self._stored_inputs(table, field)), default=0)
            trail.pop()
            return ranks[key]

        for table in self.app.tables:
            for field in self.computed(table):
                rank((table.id, field.id))
        return ranks

    # -- problems ------------------------------------------------------------------------------

    def problems(self) -> list[Problem]:
        """Everything that would keep this app from running, and what deserves a warning."""
        from schemas.linker import problems_of

        return list(problems_of(self))

    def attempt(
        self, path: str, formula: Formula | None, scope: TableScope, expected: Type | None = None
    ) -> Iterator[Problem]:
        """The problem with a formula, if any."""
        if formula is None:
            return
        try:
            self.expression(formula, scope, expected)
        except FormulaError as err:
            yield Problem(path, say("at character {n}: {problem}", n=err.position + 1, problem=err.message))
        except Circle as err:
            yield Problem(path, say("this calculation needs itself: {trail}", trail=" -> ".join(err.trail)))


def must_filter(expression: Expression) -> Message | None:
    """Why this condition cannot be used as a filter of rows, or None."""
    return expression.no_sql


def _in_order(fields: list[Any], reads: Any) -> list[Any]:
    """Fields sorted so that each follows those it reads."""
    names = {f.id: f for f in fields}
    done: dict[str, Any] = {}

    def visit(field: Any) -> None:
        if field.id in done:
            return
        for name in sorted(reads(field)):
            if name in names and name != field.id:
                visit(names[name])
        done[field.id] = field

    for field in fields:
        visit(field)
    return list(done.values())
