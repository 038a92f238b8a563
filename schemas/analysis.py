"""What follows from an app's definitions: types, what depends on what, and everything that is wrong.

Computed once per loaded app; `App.analysis` keeps it.
"""

from collections.abc import Iterator
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Any

from schemas.dependencies import Circle, Dependencies, Dependent, Input
from schemas.errors import Problem
from schemas.fields import Field, Reader, Storage
from schemas.fields.formula import Computed, FormulaField
from schemas.fields.lookup import Lookup
from schemas.fields.query import Query
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue, Expression, Formula, FormulaError, Need, Type, check
from schemas.formula.tree import Name
from schemas.formula.types import ANY, BOOLEAN, NUMBER, TEXT, array_of, link_to
from schemas.gathering import Gathered, gathered, reverses
from schemas.messages import Message, say
from schemas.scopes import TableScope
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.app import App
    from schemas.flow import Flow
    from schemas.plan import Plan

DEEPEST_VOLATILE = 4
STORAGE_OF_TYPE = {
    "number": Storage.NUMERIC, "text": Storage.TEXT, "choice": Storage.TEXT, "boolean": Storage.BOOLEAN,
    "date": Storage.DATE, "datetime": Storage.TIMESTAMP, "member": Storage.UUID, "department": Storage.UUID,
    "link": Storage.UUID, "blank": Storage.TEXT,
}  # fmt: skip
STORAGE_OF_ARRAY = {"choice": Storage.TEXTS, "text": Storage.TEXTS, "member": Storage.UUIDS, "department": Storage.UUIDS,
                    "link": Storage.UUIDS, "file": Storage.UUIDS}  # fmt: skip

JOINED_AS_LISTS = ("choice", "member", "department", "link")

PRINTING: dict[str, Type] = {"our_company": TEXT}
"""Names that only a print template knows: the workspace's own title."""


_trail: ContextVar[tuple[str, ...]] = ContextVar("fields about to be typed, one because of another", default=())
"""Each thread's own: several may ask an app at once."""


class Analysis:
    """Types, expressions and dependencies of one app."""

    def __init__(self, app: "App") -> None:
        self.app = app
        self._expressions: dict[Any, Expression] = {}
        self._typed: dict[tuple[str, str], tuple[Type, bool, int]] = {}
        self._plans: dict[str, Plan] = {}
        self._needs: dict[str, frozenset[Need]] = {}
        self._reverses: dict[str, dict[str, tuple[Table, str]]] = {}
        self._results: dict[str, dict[str, Type]] = {}
        self.dependencies = Dependencies(self)

    # -- types ---------------------------------------------------------------------------------

    def type_of(self, table: Table, field: Field, row: Rows | None = None) -> Type:
        return self._facts(table, field, row)[0]

    def is_volatile(self, table: Table, field: Field, row: Rows | None = None) -> bool:
        return self._facts(table, field, row)[1]

    def storage_of(self, table: Table, field: Field, row: Rows | None = None) -> Storage:
        """The column that keeps this field's value; NONE for a volatile one and for a lookup."""
        if not isinstance(field, Computed):
            return field.storage
        if isinstance(field, Lookup | Query):
            return Storage.NONE
        kind, volatile, _ = self._facts(table, field, row)
        if volatile:
            return Storage.NONE
        if kind.kind == "array" and kind.of is not None:
            return STORAGE_OF_ARRAY.get(kind.of.kind, Storage.JSON)
        return STORAGE_OF_TYPE.get(kind.kind, Storage.JSON)

    def origin(self, table: Table, field: Field, row: Rows | None = None) -> Field:
        """The field as which a value is shown: of a lookup, or a rollup that gives one of its values, the other's."""
        if isinstance(field, Lookup):
            return self._end(table, field.steps, row) or field
        if isinstance(field, Rollup) and field.value and field.aggregate in ("min", "max", "first", "last", "join"):
            source = self.gathered(table, field)
            tree = field.value.tree
            found = self._end(source.table, tree.path, source.rows) if source and isinstance(tree, Name) else None
            text = field.aggregate == "join" and self.type_of(table, field).kind == "text"
            return field if found is None or text else found
        return field

    def end(self, table: Table, path: tuple[str, ...], row: Rows | None = None) -> Field | None:
        """The field that a path of names ends at, as which its value is shown; None where it ends at none."""
        return self._end(table, path, row)

    def _end(self, table: Table, path: tuple[str, ...], row: Rows | None) -> Field | None:
        """The field at the end of a path through links."""
        found: Field | None = row.column(path[0]) if row else None
        found, row = (found, row) if found else (table.by_id.get(path[0]), None)
        if found is None and path[0] in self.reverses(table):
            other = self.reverses(table)[path[0]][0]
            return self._end(other, path[1:], None) if len(path) > 1 else None
        if found is None or len(path) == 1:
            return self.origin(table, found, row) if found else None
        if isinstance(found, Rows):
            return self._end(table, path[1:], found)
        kind = self.type_of(table, found, row)
        target = self.app.table((kind.of or kind).target or "")
        return self._end(target, path[1:], None) if target else None

    def show(self, table: Table, field: Field, value: Any, reader: Reader, row: Rows | None = None) -> str:
        """A value as a person reads it, as its origin shows it; lists one after the other."""
        origin = self.origin(table, field, row)
        if origin is field or value is None or isinstance(value, ErrorValue):
            return field.show(value, reader)
        if isinstance(value, list) and not origin.several:
            return ", ".join(shown for item in value if (shown := origin.show(item, reader)))
        return origin.show(value, reader)

    def is_stored(self, table: Table, field: Field, row: Rows | None = None) -> bool:
        """Whether a field has a column of its own."""
        return self.storage_of(table, field, row) not in (Storage.NONE, Storage.CHILD)

    def reverses(self, table: Table) -> dict[str, tuple[Table, str]]:
        """The named reverse sides of a table: name -> the table whose link points here, and that link."""
        if table.id not in self._reverses:
            self._reverses[table.id] = reverses(self.app.tables, table)
        return self._reverses[table.id]

    def _facts(self, table: Table, field: Field, row: Rows | None) -> tuple[Type, bool, int]:
        """Type, volatility and depth of inlining of a field."""
        if not isinstance(field, Computed):
            return field.value_type(), False, 0
        key = (table.id, f"{row.id}.{field.id}" if row else field.id)
        if key not in self._typed:
            self._typed[key] = self._compute(table, field, row, ".".join(key))
        return self._typed[key]

    def _compute(self, table: Table, field: Computed, row: Rows | None, name: str) -> tuple[Type, bool, int]:
        trail = _trail.get()
        if name in trail:
            raise Circle([*trail[trail.index(name) :], name])
        token = _trail.set((*trail, name))
        try:
            if isinstance(field, Rollup):
                return self._rollup_facts(table, field)
            if isinstance(field, Lookup):
                return self._lookup_facts(table, field, row)
            if isinstance(field, Query):
                return array_of(link_to(field.table)), False, 0
            return self._formula_facts(table, field, row)
        finally:
            _trail.reset(token)

    def _formula_facts(self, table: Table, field: Field, row: Rows | None) -> tuple[Type, bool, int]:
        assert isinstance(field, FormulaField)
        expression = self.expression(field.formula, self.scope(table, row))
        return expression.type, expression.volatile, self._depth(table, row, [expression])

    def _lookup_facts(self, table: Table, field: Lookup, row: Rows | None) -> tuple[Type, bool, int]:
        expression = self.expression(field.path, self.scope(table, row))
        kind = expression.type
        while kind.kind == "array" and kind.of and kind.of.kind == "array":
            kind = kind.of
        return kind, expression.volatile, self._depth(table, row, [expression])

    def _rollup_facts(self, table: Table, field: Rollup) -> tuple[Type, bool, int]:
        source = self.gathered(table, field)
        if source is None:
            return ANY, False, 0
        parts = [self.expression(f, self.linked_scope(field, table)) for f in (field.value, field.where) if f]
        value = parts[0].type if field.value else ANY
        fleeting = field.per_reader or any(p.volatile for p in parts)
        return rolled_up(field, value), fleeting, self._depth(source.table, source.rows, parts)

    def _depth(self, table: Table, row: Rows | None, parts: list[Expression]) -> int:
        inner = [0]
        for path in (p for part in parts for p in part.paths):
            found, within = (
                (row.column(path[0]), row) if row and row.column(path[0]) else (table.by_id.get(path[0]), None)
            )
            if found is not None and self.is_volatile(table, found, within):
                inner.append(self._facts(table, found, within)[2])
        return max(inner) + 1

    # -- flows ---------------------------------------------------------------------------------

    def results(self, flow: "Flow") -> dict[str, Type]:
        """What the steps of a flow give, by their ids: names that its formulas know besides the record's."""
        from schemas.steps.place import results_of

        if flow.id not in self._results:
            self._results[flow.id] = results_of(flow, self.app)
        return self._results[flow.id]

    # -- formulas ------------------------------------------------------------------------------

    def scope(self, table: Table, row: Rows | None = None, **extra: Type) -> TableScope:
        return TableScope(self, table, row, extra=extra)

    def reading_scope(self, table: Table) -> TableScope:
        """Names in a question that a reader asks: what is calculated for each reader is among them."""
        return TableScope(self, table, reading=True)

    def printing_scope(self, table: Table, row: Rows | None = None) -> TableScope:
        """Names on paper: as in a reader's question, in a row of a subform as in its formulas, and who we are."""
        return TableScope(self, table, row, reading=row is None, extra=PRINTING)

    def pick_scope(self, link: Any, source: Table, rows: Rows | None = None) -> TableScope:
        """Names in a link's `pick`: the other table's fields, and `this` for the record being filled in.

        `rows` is the subform whose row is being filled in: its columns come first.
        """
        target = self.app.table(link.table)
        assert target is not None
        return TableScope(self, target, this=source, this_row=rows)

    def linked_scope(self, rollup: Rollup, parent: Table) -> TableScope:
        """Names in a rollup's value and condition: the fields of what it gathers, and `this` for its own record."""
        source = self.gathered(parent, rollup)
        assert source is not None
        return TableScope(self, source.table, source.rows, this=parent)

    def query_scope(self, query: Query, source: Table) -> TableScope:
        """Names in a query's condition: the other table's fields, and `this` for the record being filled in."""
        target = self.app.table(query.table)
        assert target is not None
        return TableScope(self, target, this=source)

    def gathered(self, table: Table, rollup: Rollup) -> Gathered | None:
        """What a rollup gathers; None when it names what is not there."""
        return gathered(self, table, rollup)

    def expression(self, formula: Formula, scope: TableScope, expected: Type | None = None) -> Expression:
        """The checked formula, kept. Raises FormulaError."""
        key = (formula.source, scope.table.id, scope.row.id if scope.row else "", scope.this.id if scope.this else "",
               tuple(sorted(scope.extra.items(), key=lambda pair: pair[0])), scope.reading, expected)  # fmt: skip
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
        found = self._plans.get(table.id)
        if found is None:
            from schemas.plan import plan_of

            found = self._plans[table.id] = plan_of(self, table)
        return found

    # -- dependencies --------------------------------------------------------------------------

    def computed(self, table: Table) -> list[Computed]:
        """The stored computed fields of a table, each after those of the same record that it reads."""
        fields = [f for f in table.fields if isinstance(f, Computed) and self.is_stored(table, f)]
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
        return self.dependencies.inputs(table, field, row)

    def needs(self, table: Table) -> frozenset[Need]:
        """What the stored formulas of a record ask of the world."""
        if table.id not in self._needs:
            stored = self.plan(table).record.stored
            self._needs[table.id] = frozenset(need for c in stored for need in c.expression.needs)
        return self._needs[table.id]

    @property
    def dependents(self) -> dict[tuple[str, str], list[Dependent]]:
        """(table, field) -> the stored computed fields that read it."""
        return self.dependencies.dependents

    @cached_property
    def locked(self) -> dict[str, list[tuple[tuple[str, ...], bool]]]:
        """By table, the routes of links that its stored values read along, and whether writing changes the target."""
        return {t.id: self.dependencies.locked(t) for t in self.app.tables}

    @property
    def ranks(self) -> dict[tuple[str, str], int]:
        """A number for each stored computed field, larger than those of all that it reads. Raises Circle."""
        return self.dependencies.ranks

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
            yield Problem(path, self.circle(err))

    def circle(self, err: Circle) -> Message:
        """The way round a circle, in the words of the form: Author › Worth → Book › Total → Author › Worth"""
        return say("this calculation needs itself: {trail}", trail=" → ".join(self._named(key) for key in err.trail))

    def _named(self, key: str) -> str:
        table_id, _, path = key.partition(".")
        table = self.app.table(table_id)
        field = table.field(path) if table else None
        return f"{table.title or table.id} › {field.label or path}" if table and field else key


def rolled_up(rollup: Rollup, value: Type) -> Type:
    """The type of an aggregate of such values. Choices, people and records are joined as lists, all else as text."""
    element = value.of if value.kind == "array" and value.of else value
    if rollup.aggregate in ("min", "max", "first", "last"):
        return value
    if rollup.aggregate == "join":
        return array_of(element) if element.kind in JOINED_AS_LISTS else TEXT
    return NUMBER


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
