"""What becomes of a record when somebody fills it in: defaults, rules, calculations, problems.

Pure: the world's answers come in `World`. The writer, a form in the browser, an import and a flow all ask
the same functions.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from schemas.analysis import Analysis
from schemas.errors import BadValue
from schemas.fields import Field
from schemas.fields.base import MISSING
from schemas.fields.formula import Computed, FormulaField
from schemas.fields.rows import Rows
from schemas.form import Form
from schemas.formula import ErrorValue, Expression, Formula, Need, World, evaluate
from schemas.formula.types import BOOLEAN
from schemas.formula.values import fold
from schemas.messages import say
from schemas.numbers import round_to
from schemas.plan import Calculation
from schemas.table import Check, Table
from schemas.text import Sentence

if TYPE_CHECKING:
    from schemas.rules import State

Values = dict[str, Any]
Errors = dict[str, list[Sentence]]
Known = dict[str, dict[str, Any]]
"""By field id: text -> the value that it means."""
UNCHANGING = frozenset({str, bool, Decimal, date, datetime, UUID})
"""Kinds of values that several records may share, as nobody can change them in place."""
Answering = Callable[[Values, "frozenset[Need]", "Rows | None"], World]
"""Gives the world as a formula about these values needs it; the third argument is the subform of a row."""

NOT_OFFERED = say("This cannot be chosen here at present. Choose another.")
REPEATED = say("Another row already has the same {fields}.")


# -- reading ---------------------------------------------------------------------------------------


def parse(table: Table, raw: Mapping[str, Any], zone: tzinfo, known: Known | None = None) -> tuple[Values, Errors]:
    """The values that these answers mean, with every problem in reading them. Computed fields are passed over.

    `known` keeps what texts mean from one call to the next, for many records of one table and zone.
    """
    values: Values = {}
    errors: Errors = {}
    for id, given in raw.items():
        found = table.by_id.get(id)
        if found is None or found.computed:
            continue
        try:
            values[id] = found.parse_in(given, zone) if known is None else _recall(found, given, zone, known)
        except BadValue as err:
            values[id] = None
            errors[id] = [err.message]
        if isinstance(found, Rows) and values[id]:
            values[id] = [_parse_row(found, row, n, zone, errors) for n, row in enumerate(values[id])]
    return values, errors


def parse_many(table: Table, many: Sequence[Mapping[str, Any]], zone: tzinfo) -> list[tuple[Values, Errors]]:
    """The same for many records. Where all answer the same fields, one field is read for all of them after another."""
    if not many or any(raw.keys() != many[0].keys() for raw in many):
        known: Known = {}
        return [parse(table, raw, zone, known) for raw in many]
    fields = [f for id in many[0] if (f := table.by_id.get(id)) is not None and not f.computed]
    plain = [f for f in fields if not isinstance(f, Rows)]
    errors: list[Errors] = [{} for _ in many]
    columns = [_parse_column(f, [raw[f.id] for raw in many], zone, errors) for f in plain]
    ids = [f.id for f in plain]
    values = (
        [dict(zip(ids, cells, strict=True)) for cells in zip(*columns, strict=True)] if plain else [{} for _ in many]
    )
    for rows in (f for f in fields if isinstance(f, Rows)):
        for raw, whole, wrong in zip(many, values, errors, strict=True):
            read, unread = parse(table, {rows.id: raw[rows.id]}, zone)
            whole |= read
            wrong |= unread
    return list(zip(values, errors, strict=True))


def _parse_column(found: Field, cells: Sequence[Any], zone: tzinfo, errors: Sequence[Errors]) -> list[Any]:
    known: dict[Any, Any] = {}
    values: list[Any] = []
    read = found.parse_in
    for number, cell in enumerate(cells):
        shared = cell is None or cell.__class__ is str
        if shared and cell in known:
            values.append(known[cell])
            continue
        try:
            value = read(cell, zone)
        except BadValue as err:
            value, errors[number][found.id] = None, [err.message]
        else:
            if shared and (value is None or value.__class__ in UNCHANGING):
                known[cell] = value
        values.append(value)
    return values


def _recall(found: Field, given: Any, zone: tzinfo, known: Known) -> Any:
    """What the answer means; a text that was read before is not read again."""
    if given.__class__ is not str:
        return found.parse_in(given, zone)
    texts = known.setdefault(found.id, {})
    if given in texts:
        return texts[given]
    value = found.parse_in(given, zone)
    if value.__class__ in UNCHANGING:
        texts[given] = value
    return value


def _parse_row(rows: Rows, raw: Mapping[str, Any], number: int, zone: tzinfo, errors: Errors) -> Values:
    row: Values = {"_id": raw.get("_id")}
    for column in rows.fields:
        if column.computed or column.id not in raw:
            continue
        try:
            row[column.id] = column.parse_in(raw[column.id], zone)
        except BadValue as err:
            row[column.id] = None
            errors[f"{rows.id}[{number}].{column.id}"] = [err.message]
    return row


def keep_columns(table: Table, before: Mapping[str, Any], given: Mapping[str, Any]) -> Values:
    """The values given, where a row that was there keeps the columns that were not sent with it."""
    kept = dict(given)
    for rows in table.subforms:
        if kept.get(rows.id):
            known = {str(row["_id"]): row for row in before.get(rows.id) or () if row.get("_id")}
            kept[rows.id] = [{**known.get(str(row.get("_id")), {}), **row} for row in kept[rows.id]]
    return kept


# -- defaults --------------------------------------------------------------------------------------


def defaults(
    analysis: Analysis, table: Table, form: Form | None, given: Mapping[str, Any], answering: Answering,
    only: Collection[str] | None = None,
) -> Values:  # fmt: skip
    """The values of fields that nobody gave: the form's default, else the field's. Formulas read what was given."""
    known = dict(given)
    made: Values = {}
    for found in table.fields:
        if found.id in known or found.computed or (only is not None and found.id not in only):
            continue
        chosen = default_of(form, found)
        value = None if chosen is None else _default(analysis, table, found, chosen, known, answering)
        if value is not None:
            made[found.id] = known[found.id] = value
    return made


def default_of(form: Form | None, found: Field) -> Any:
    """What a field begins with: as the form says, else as the field itself does."""
    return form.defaults[found.id] if form and form.defaults and found.id in form.defaults else found.default


def _default(
    analysis: Analysis, table: Table, found: Field, chosen: Any, values: Values, answering: Answering,
    rows: Rows | None = None,
) -> Any:  # fmt: skip
    if isinstance(chosen, Formula):
        expression = analysis.expression(chosen, analysis.scope(table, rows))
        result = _evaluate(expression, values, answering, rows)
        return None if isinstance(result, ErrorValue) else fit(found, result)
    try:
        value = found.parse(chosen)
    except BadValue:
        return None
    if isinstance(found, Rows) and value:
        return [_default_row(analysis, table, found, row, values, answering) for row in value]
    return value


def _default_row(
    analysis: Analysis, table: Table, rows: Rows, given: Values, values: Values, answering: Answering
) -> Values:
    """A row that a form begins with: what is given for it, and its columns' own defaults."""
    row: Values = {}
    for column in rows.fields:
        chosen = given.get(column.id, column.default)
        if not column.computed and chosen is not None:
            row[column.id] = _default(analysis, table, column, chosen, {**values, **row}, answering, rows)
    return row


def row_defaults(
    analysis: Analysis, table: Table, rows: Rows, answering: Answering, values: Values | None = None
) -> Values:
    """What a new row of a subform begins with, in a record of these values."""
    return _default_row(analysis, table, rows, {}, values or {}, answering)


def give_rows(
    analysis: Analysis, table: Table, values: Values, answering: Answering, before: Mapping[str, Any] | None = None
) -> Values:
    """The values, where rows that are new have the defaults of the columns that nobody gave."""
    done = dict(values)
    for rows in table.subforms:
        columns = [c for c in rows.fields if c.default is not None and not c.computed]
        if not columns or not values.get(rows.id):
            continue
        known = {str(row["_id"]) for row in (before or {}).get(rows.id) or () if row.get("_id")}
        done[rows.id] = [
            row if str(row.get("_id")) in known else _given_row(analysis, table, rows, columns, row, values, answering)
            for row in values[rows.id]
        ]
    return done


def _given_row(
    analysis: Analysis, table: Table, rows: Rows, columns: Sequence[Field], given: Values, values: Values,
    answering: Answering,
) -> Values:  # fmt: skip
    row = dict(given)
    for column in columns:
        if column.id not in row:
            row[column.id] = _default(analysis, table, column, column.default, {**values, **row}, answering, rows)
    return row


def follow_rows(
    analysis: Analysis, table: Table, values: Values, answering: Answering, keeps: Callable[[str], bool]
) -> Values:
    """The subforms whose columns have formulas as defaults, these worked out anew where nothing `keeps` the cell."""
    made: Values = {}
    for rows in table.subforms:
        columns = [c for c in rows.fields if isinstance(c.default, Formula) and not c.computed]
        if columns and values.get(rows.id):
            made[rows.id] = [
                _followed(
                    analysis,
                    table,
                    rows,
                    [c for c in columns if not keeps(f"{rows.id}[{n}].{c.id}")],
                    row,
                    values,
                    answering,
                )
                for n, row in enumerate(values[rows.id])
            ]
    return made


def _followed(
    analysis: Analysis, table: Table, rows: Rows, again: Sequence[Field], given: Values, values: Values,
    answering: Answering,
) -> Values:  # fmt: skip
    """A row with the defaults of these columns as they now are."""
    row = {id: value for id, value in given.items() if id not in {c.id for c in again}}
    for column in again:
        row[column.id] = _default(analysis, table, column, column.default, {**values, **row}, answering, rows)
    return row


def fit(found: Field, value: Any) -> Any:
    """A formula's result as a value of this field: numbers rounded to its decimals, dates from moments."""
    if value is None or isinstance(value, ErrorValue):
        return value
    try:
        return found.parse(value) if not found.computed else _round(found, value)
    except BadValue:
        return None


def _round(found: Field, value: Any) -> Any:
    scale = found.scale
    if scale is None or isinstance(value, bool) or not hasattr(value, "quantize"):
        return value
    if abs(value) >= 10**26:
        return ErrorValue("#NUM!")
    return round_to(value, scale)


# -- calculating -----------------------------------------------------------------------------------


def calculate(analysis: Analysis, table: Table, values: Values, answering: Answering, volatile: bool = False) -> Values:
    """The values with every formula of the record worked out, in order; rollups keep what they have.

    `volatile` adds those that depend on the time, for showing; they are never stored.
    """
    plan = analysis.plan(table)
    done = dict(values)
    for rows, formulas in plan.subforms:
        done[rows.id] = _calculate_rows(rows, formulas.asked(volatile), done, answering) or None
    for rollup, blank in plan.rollups:
        done.setdefault(rollup, blank)
    for made in plan.record.asked(volatile):
        done[made.field.id] = fit(made.field, _evaluate(made.expression, done, answering, None))
    return done


def work_out(
    analysis: Analysis,
    table: Table,
    found: FormulaField,
    values: Values,
    answering: Answering,
    rows: Rows | None = None,
) -> Any:
    """What one formula gives for a record's values, or for a row's with its record's; as it is stored."""
    expression = analysis.expression(found.formula, analysis.scope(table, rows))
    return fit(found, _evaluate(expression, values, answering, rows))


def _calculate_rows(rows: Rows, formulas: Sequence[Calculation], values: Values, answering: Answering) -> list[Values]:
    done = []
    for given in values.get(rows.id) or ():
        row = dict(given)
        if formulas:
            seen = {**values, **row}
            for made in formulas:
                result = fit(made.field, _evaluate(made.expression, seen, answering, rows))
                row[made.field.id] = seen[made.field.id] = result
        done.append(row)
    return done


def stored(analysis: Analysis, table: Table, values: Values) -> Values:
    """Calculated values without those that depend on the time, which have no column."""
    plan = analysis.plan(table)
    kept = dict(values)
    for made in plan.record.volatile:
        kept.pop(made.field.id, None)
    for rows, formulas in plan.subforms:
        volatile = {made.field.id for made in formulas.volatile}
        if volatile and kept.get(rows.id):
            kept[rows.id] = [{id: v for id, v in row.items() if id not in volatile} for row in kept[rows.id]]
    return kept


def _evaluate(expression: Expression, values: Values, answering: Answering, rows: Rows | None) -> Any:
    return evaluate(expression, values, answering(values, expression.needs, rows))


def holds(expression: Expression, values: Values, answering: Answering, rows: Rows | None = None) -> bool:
    """Whether a condition is true; an error is not true."""
    return _evaluate(expression, values, answering, rows) is True


# -- problems --------------------------------------------------------------------------------------


def table_problems(
    analysis: Analysis, table: Table, values: Values, answering: Answering, before: Mapping[str, Any] | None = None
) -> Errors:  # fmt: skip
    """What breaks the table's own rules, whoever writes. What was so `before` need not keep to limits that move."""
    errors: Errors = {}
    for found, may_be_missing, may_be_wrong in analysis.plan(table).checked:
        value = values.get(found.id)
        if may_be_missing if value is None else may_be_wrong:
            _check_value(found, value, found.id, errors)
    for path in unoffered(table, values):
        errors.setdefault(path, []).append(NOT_OFFERED)
    for path, problems in limit_problems(analysis, table, values, answering, before or {}).items():
        errors.setdefault(path, []).extend(problems)
    _check_all(analysis, table, table.checks, values, answering, errors)
    return errors


def broken(analysis: Analysis, table: Table, checks: Sequence[Check], values: Values, answering: Answering) -> list[Check]:
    """Those of a table's checks that do not hold of these values."""
    errors: Errors = {}
    found = []
    for check in checks:
        _check_all(analysis, table, [check], values, answering, errors)
        if errors:
            found.append(check)
            errors.clear()
    return found


def unoffered(table: Table, values: Values) -> Iterator[str]:
    """Where an answer does not go with the one that it depends on."""
    for rows, found in table.dependent:
        for place, inner in _places_of(rows, values):
            offered = found.offered_for(inner.get(found.depends_on or ""))
            if offered is not None and not _chosen(inner.get(found.id)) <= offered:
                yield f"{place}{found.id}"


def _check_all(
    analysis: Analysis, table: Table, checks: Sequence[Check], values: Values, answering: Answering, errors: Errors
) -> None:
    """What does not hold, beside the right field. A check that reads a value which is itself wrong is not asked."""
    if not checks:
        return
    wrong = {re.split(r"[.\[]", path)[0] for path in errors}
    for check in checks:
        rows = analysis.rows_of_check(table, check)
        expression = analysis.expression(check.formula, analysis.scope(table, rows), BOOLEAN)
        read = {rows.id if rows and rows.column(p[0]) else p[0] for p in expression.paths}
        if read & wrong:
            continue
        for place, inner in _places_of(rows, values):
            if not holds(expression, inner, answering, rows):
                beside = check.field.partition(".")[2] if place else check.field or _culprit(expression, table)
                errors.setdefault(f"{place}{beside}", []).append(check.message)


def _places_of(rows: Rows | None, values: Values) -> Iterator[tuple[str, Values]]:
    """Where a check is asked: once for the record (`""`), or once for each row (`items[2].`)."""
    if rows is None:
        yield "", values
        return
    for number, row in enumerate(values.get(rows.id) or ()):
        yield f"{rows.id}[{number}].", {**values, **row}


def _check_value(found: Field, value: Any, path: str, errors: Errors) -> None:
    if value is None:
        if found.required:
            errors.setdefault(path, []).append(found.missing)
        elif isinstance(found, Rows) and found.min:
            errors.setdefault(path, []).extend(found.check([]))
        return
    for problem in found.check(value):
        errors.setdefault(path, []).append(problem)
    if isinstance(found, Rows):
        for number, row in enumerate(value):
            for column in found.fields:
                if not isinstance(column, Computed):
                    _check_value(column, row.get(column.id), f"{path}[{number}].{column.id}", errors)
        _check_repeats(found, value, errors)


def _check_repeats(rows: Rows, value: list[Values], errors: Errors) -> None:
    """Rows that have what may occur only once in a record."""
    for key in rows.keys:
        seen: set[tuple[Any, ...]] = set()
        for number, row in enumerate(value):
            held = tuple(_comparable(row.get(c)) for c in key.fields)
            if None in held:
                continue
            if held in seen:
                said = key.refusal(REPEATED, rows.fields)
                errors.setdefault(f"{rows.id}[{number}].{key.fields[0]}", []).append(said)
            seen.add(held)


def _comparable(value: Any) -> Any:
    if isinstance(value, str):
        return fold(value)
    return tuple(value) if isinstance(value, list) else value


def limit_problems(
    analysis: Analysis, table: Table, values: Values, answering: Answering, before: Mapping[str, Any]
) -> Errors:  # fmt: skip
    """New values that lie outside their fields' limits, which may be formulas about the record."""
    errors: Errors = {}
    for found, columns in analysis.plan(table).limited:
        value = values.get(found.id)
        if isinstance(found, Rows):
            errors |= _row_limits(analysis, table, found, columns, values, answering, before.get(found.id))
        elif value is not None and value != before.get(found.id):
            problems = list(_outside(analysis, table, found, value, values, answering, None))
            errors |= {found.id: problems} if problems else {}
    return errors


def _row_limits(
    analysis: Analysis, table: Table, rows: Rows, columns: Iterable[Field], values: Values, answering: Answering, before: Any
) -> Errors:  # fmt: skip
    errors: Errors = {}
    known = {str(row.get("_id")): row for row in before or () if row.get("_id")}
    for number, row in enumerate(values.get(rows.id) or ()):
        was = known.get(str(row.get("_id")), {})
        for column in columns:
            value = row.get(column.id)
            if value is not None and value != was.get(column.id):
                problems = list(_outside(analysis, table, column, value, {**values, **row}, answering, rows))
                errors |= {f"{rows.id}[{number}].{column.id}": problems} if problems else {}
    return errors


def _outside(
    analysis: Analysis, table: Table, found: Field, value: Any, values: Values, answering: Answering, rows: Rows | None
) -> Iterator[Sentence]:  # fmt: skip
    known: Values = {}
    for name, limit in found.limits().items():
        if isinstance(limit, Formula):
            result = _evaluate(
                analysis.expression(limit, analysis.scope(table, rows), found.value_type()), values, answering, rows
            )
            limit = None if isinstance(result, ErrorValue) else result
        known[name] = limit
    yield from found.outside(value, known, answering(values, frozenset(), rows).zone)


def form_problems(
    analysis: Analysis, table: Table, form: Form, values: Values, state: "State", answering: Answering
) -> Errors:
    """What breaks a form's rules, which tighten the table's. What is hidden is not asked for."""
    errors: Errors = {}
    for path in sorted(_spread_rows(state.required, values)):
        if not state.is_hidden(path) and _at(values, path) is None:
            found = table.field(re.sub(r"\[\d+\]", "", path))
            errors.setdefault(path, []).append(found.missing if found is not None else MISSING)
    for target, offered in sorted(state.offered.items()):
        for path in sorted(_spread_rows({target}, values)):
            if not state.is_hidden(path) and not _chosen(_at(values, path)) <= offered:
                errors.setdefault(path, []).append(NOT_OFFERED)
    _check_all(analysis, table, form.checks, values, answering, errors)
    return errors


def _chosen(value: Any) -> set[Any]:
    return set(value) if isinstance(value, list) else set() if value is None else {value}


def _spread_rows(targets: set[str], values: Values) -> set[str]:
    """The paths that these mean: a column stands for that of every row."""
    paths: set[str] = set()
    for path in targets:
        rows, _, column = path.partition(".")
        if column and "[" not in path:
            paths |= {f"{rows}[{n}].{column}" for n in range(len(values.get(rows) or ()))}
        else:
            paths.add(path)
    return paths


def _at(values: Values, path: str) -> Any:
    if "[" not in path:
        return values.get(path)
    rows, _, rest = path.partition("[")
    number, _, column = rest.partition("].")
    return values[rows][int(number)].get(column)


def _culprit(expression: Expression, table: Table) -> str:
    """The field beside which a check's message is shown: the only one it names, else the record."""
    names = {p[0] for p in expression.paths if p[0] in table.by_id}
    return next(iter(names)) if len(names) == 1 else ""
