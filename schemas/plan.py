"""What a table's definition asks of every record, worked out once for a revision and reused by each write."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from schemas.fields import Field
from schemas.fields.formula import FormulaField
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import Expression
from schemas.formula.values import ZERO
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.analysis import Analysis


@dataclass(frozen=True)
class Calculation:
    """A formula field with its checked formula."""

    field: FormulaField
    expression: Expression


@dataclass(frozen=True)
class Formulas:
    """The formulas of a record or of a subform's row, in the order in which to work them out.

    `volatile` depend on the time; they are worked out for showing and checking, and have no column.
    """

    stored: tuple[Calculation, ...]
    volatile: tuple[Calculation, ...]

    def asked(self, volatile: bool) -> tuple[Calculation, ...]:
        return self.stored + self.volatile if volatile else self.stored


@dataclass(frozen=True)
class Plan:
    """A table's work on one record.

    `rollups` holds what each begins with; `checked` the fields a person fills in, each with whether something
    could be wrong with nothing and with a value; `searched` those with words to find a record by.
    """

    record: Formulas
    subforms: tuple[tuple[Rows, Formulas], ...]
    rollups: tuple[tuple[str, Decimal | None], ...]
    checked: tuple[tuple[Field, bool, bool], ...]
    searched: tuple[Field, ...]
    limited: tuple[tuple[Field, tuple[Field, ...]], ...]
    """The fields with limits, and the subforms with those of their columns that have some."""


def plan_of(analysis: "Analysis", table: Table) -> Plan:
    return Plan(
        record=_formulas(analysis, table, analysis.computed(table), table.fields, None),
        subforms=tuple(
            (rows, _formulas(analysis, table, analysis.row_formulas(table, rows), rows.fields, rows))
            for rows in table.subforms
        ),
        rollups=tuple(
            (f.id, ZERO if f.counts else None)
            for f in table.fields
            if isinstance(f, Rollup) and analysis.is_stored(table, f)
        ),
        checked=tuple(
            (f, f.required or isinstance(f, Rows), type(f).check is not Field.check)
            for f in table.fields
            if not f.computed
        ),
        searched=tuple(f for f in table.fields if type(f).words is not Field.words),
        limited=tuple(_limited(table)),
    )


def _limited(table: Table) -> Iterator[tuple[Field, tuple[Field, ...]]]:
    for found in table.fields:
        columns = tuple(c for c in found.fields if c.bounded) if isinstance(found, Rows) else ()
        if found.bounded or columns:
            yield found, columns


def _formulas(
    analysis: "Analysis", table: Table, ordered: Iterable[Field], fields: Iterable[Field], rows: Rows | None
) -> Formulas:
    def made(field: FormulaField) -> Calculation:
        return Calculation(field, analysis.expression(field.formula, analysis.scope(table, rows)))

    formulas = [f for f in fields if isinstance(f, FormulaField)]
    return Formulas(
        stored=tuple(made(f) for f in ordered if isinstance(f, FormulaField)),
        volatile=tuple(made(f) for f in formulas if analysis.is_volatile(table, f, rows)),
    )
