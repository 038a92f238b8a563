"""What becomes of a record when somebody fills it in: defaults, rules, calculations, problems.

Pure: the world's answers come in `World`. The writer, a form in the browser, an import and a flow all ask
the same functions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from schemas.analysis import Analysis
from schemas.errors import BadValue
from schemas.fields import Field
from schemas.fields.formula import Computed, FormulaField
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.form import Form, Rule
from schemas.formula import ErrorValue, Expression, Formula, Need, World, evaluate
from schemas.formula.types import BOOLEAN
from schemas.formula.values import ZERO
from schemas.messages import say
from schemas.numbers import round_to
from schemas.table import Table
from schemas.text import Sentence

Values = dict[str, Any]
Errors = dict[str, list[Sentence]]
Answering = Callable[[Values, "frozenset[Need]", "Rows | None"], World]
"""Gives the world as a formula about these values needs it; the third argument is the subform of a row."""

MISSING = say("Please fill this in.")


@dataclass
class State:
    """How a form stands for certain values: field paths (`items[2].price` for one row's column)."""

    hidden: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    readonly: set[str] = field(default_factory=set)
    cleared: set[str] = field(default_factory=set)


# -- reading ---------------------------------------------------------------------------------------


def parse(table: Table, raw: Mapping[str, Any], zone: tzinfo) -> tuple[Values, Errors]:
    """The values that these answers mean, with every problem in reading them. Computed fields are passed over."""
    values: Values = {}
    errors: Errors = {}
    for id, given in raw.items():
        found = table.by_id.get(id)
        if found is None or found.computed:
            continue
        try:
            values[id] = found.parse_in(given, zone)
        except BadValue as err:
            values[id] = None
            errors[id] = [err.message]
        if isinstance(found, Rows) and values[id]:
            values[id] = [_parse_row(found, row, n, zone, errors) for n, row in enumerate(values[id])]
    return values, errors


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
    analysis: Analysis, table: Table, form: Form | None, given: Mapping[str, Any], answering: Answering
) -> Values:
    """The values of fields that nobody gave: the form's default, else the field's. Formulas read what was given."""
    known = dict(given)
    made: Values = {}
    for found in table.fields:
        if found.id in known or found.computed:
            continue
        chosen = form.defaults[found.id] if form and form.defaults and found.id in form.defaults else found.default
        value = None if chosen is None else _default(analysis, table, found, chosen, known, answering)
        if value is not None:
            made[found.id] = known[found.id] = value
    return made


def _default(analysis: Analysis, table: Table, found: Field, chosen: Any, values: Values, answering: Answering) -> Any:
    if isinstance(chosen, Formula):
        expression = analysis.expression(chosen, analysis.scope(table))
        result = _evaluate(expression, values, answering, None)
        return None if isinstance(result, ErrorValue) else fit(found, result)
    try:
        return found.parse(chosen)
    except BadValue:
        return None


def row_defaults(analysis: Analysis, table: Table, rows: Rows, answering: Answering) -> Values:
    """What a new row of a subform begins with."""
    made: Values = {}
    for column in rows.fields:
        if not column.computed and column.default is not None:
            made[column.id] = _default(analysis, table, column, column.default, made, answering)
    return made


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
    done = dict(values)
    for rows in table.subforms:
        done[rows.id] = _calculate_rows(analysis, table, rows, done, answering, volatile) or None
    for rollup in (f for f in table.fields if isinstance(f, Rollup)):
        done.setdefault(rollup.id, ZERO if rollup.aggregate in ("count", "sum") else None)
    fields: list[Any] = list(analysis.computed(table))
    if volatile:
        fields += [f for f in table.fields if isinstance(f, FormulaField) and analysis.is_volatile(table, f)]
    for found in fields:
        if isinstance(found, FormulaField):
            expression = analysis.expression(found.formula, analysis.scope(table))
            done[found.id] = fit(found, _evaluate(expression, done, answering, None))
    return done


def _calculate_rows(
    analysis: Analysis, table: Table, rows: Rows, values: Values, answering: Answering, volatile: bool
) -> list[Values]:
    formulas: list[Any] = list(analysis.row_formulas(table, rows))
    if volatile:
        formulas += [c for c in rows.fields if isinstance(c, FormulaField) and analysis.is_volatile(table, c, rows)]
    done = []
    for given in values.get(rows.id) or ():
        row = dict(given)
        for column in formulas:
            expression = analysis.expression(column.formula, analysis.scope(table, rows))
            row[column.id] = fit(column, _evaluate(expression, {**values, **row}, answering, rows))
        done.append(row)
    return done


def _evaluate(expression: Expression, values: Values, answering: Answering, rows: Rows | None) -> Any:
    return evaluate(expression, values, answering(values, expression.needs, rows))


def holds(expression: Expression, values: Values, answering: Answering, rows: Rows | None = None) -> bool:
    """Whether a condition is true; an error is not true."""
    return _evaluate(expression, values, answering, rows) is True


# -- rules -----------------------------------------------------------------------------------------


def state_of(analysis: Analysis, table: Table, form: Form, values: Values, answering: Answering) -> State:
    """What is hidden, required and read-only in this form for these values."""
    state = State(required=set(form.require), readonly=set(form.readonly))
    shown: dict[str, bool] = {}
    for rule in form.rules:
        for place, expression, inner, rows in _places(analysis, table, form, rule, values):
            true = holds(expression, inner, answering, rows)
            _apply(form, rule, place, true, state, shown)
    state.hidden |= {target for target, is_shown in shown.items() if not is_shown}
    return state


def _places(
    analysis: Analysis, table: Table, form: Form, rule: Rule, values: Values
) -> Iterator[tuple[tuple[str, int] | None, Expression, Values, Rows | None]]:
    """Where a rule is to be judged: once for the record, or once for each row of the subform whose columns it names."""
    targets = {t for t in (*rule.show, *rule.hide, *rule.require, *rule.readonly) if "." in t}
    about = next((rows for rows in table.subforms if any(t.startswith(f"{rows.id}.") for t in targets)), None)
    if about is None or not any(about.column(p[0]) for p in _paths(analysis, table, rule, about)):
        yield None, analysis.expression(rule.when, analysis.scope(table), BOOLEAN), values, None
        return
    expression = analysis.expression(rule.when, analysis.scope(table, about), BOOLEAN)
    for number, row in enumerate(values.get(about.id) or ()):
        yield (about.id, number), expression, {**values, **row}, about


def _paths(analysis: Analysis, table: Table, rule: Rule, rows: Rows) -> frozenset[tuple[str, ...]]:
    return analysis.expression(rule.when, analysis.scope(table, rows), BOOLEAN).paths


def _apply(
    form: Form, rule: Rule, place: tuple[str, int] | None, true: bool, state: State, shown: dict[str, bool]
) -> None:
    for target in _spread(form, rule.show, place):
        shown[target] = shown.get(target, False) or true
        if rule.when_hidden == "clear":
            state.cleared.add(target)
    if not true:
        return
    state.required |= _spread(form, rule.require, place)
    state.readonly |= _spread(form, rule.readonly, place)
    hidden = _spread(form, rule.hide, place)
    state.hidden |= hidden
    if rule.when_hidden == "clear":
        state.cleared |= hidden


def _spread(form: Form, targets: Iterable[str], place: tuple[str, int] | None) -> set[str]:
    """The paths that a rule's targets mean: a section or tab stands for its fields, a column for that row's."""
    spread: set[str] = set()
    for target in targets:
        if target in form.parts:
            spread |= {target, *form.parts[target]}
        elif place and target.startswith(f"{place[0]}."):
            spread.add(f"{place[0]}[{place[1]}].{target.partition('.')[2]}")
        else:
            spread.add(target)
    return spread


def without_hidden(values: Values, state: State) -> Values:
    """The values as hidden fields leave them: cleared where the rule says so."""
    gone = state.hidden & state.cleared
    kept = {id: (None if id in gone else value) for id, value in values.items()}
    for id, value in kept.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            kept[id] = [_clear_row(id, n, row, gone) for n, row in enumerate(value)]
    return kept


def _clear_row(rows: str, number: int, row: Values, gone: set[str]) -> Values:
    return {c: (None if f"{rows}[{number}].{c}" in gone or f"{rows}.{c}" in gone else v) for c, v in row.items()}


# -- problems --------------------------------------------------------------------------------------


def table_problems(
    analysis: Analysis, table: Table, values: Values, answering: Answering, before: Mapping[str, Any] | None = None
) -> Errors:  # fmt: skip
    """What breaks the table's own rules, whoever writes. What was so `before` need not keep to limits that move."""
    errors: Errors = {}
    for found in table.fields:
        if not found.computed:
            _check_value(found, values.get(found.id), found.id, errors)
    for path, problems in limit_problems(analysis, table, values, answering, before or {}).items():
        errors.setdefault(path, []).extend(problems)
    for check in table.checks:
        expression = analysis.expression(check.formula, analysis.scope(table), BOOLEAN)
        if not errors and not holds(expression, values, answering):
            errors.setdefault(_culprit(expression, table), []).append(check.message)
    return errors


def _check_value(found: Field, value: Any, path: str, errors: Errors) -> None:
    if value is None:
        if found.required:
            errors.setdefault(path, []).append(MISSING)
        elif isinstance(found, Rows) and found.min:
            errors.setdefault(path, []).extend(found.check([]))
        return
    problems = list(found.check(value))
    if problems:
        errors.setdefault(path, []).extend(problems)
    if isinstance(found, Rows):
        for number, row in enumerate(value):
            for column in found.fields:
                if not isinstance(column, Computed):
                    _check_value(column, row.get(column.id), f"{path}[{number}].{column.id}", errors)


def limit_problems(
    analysis: Analysis, table: Table, values: Values, answering: Answering, before: Mapping[str, Any]
) -> Errors:  # fmt: skip
    """New values that lie outside their fields' limits, which may be formulas about the record."""
    errors: Errors = {}
    for found in table.fields:
        value = values.get(found.id)
        if isinstance(found, Rows):
            errors |= _row_limits(analysis, table, found, values, answering, before.get(found.id))
        elif value is not None and value != before.get(found.id):
            problems = list(_outside(analysis, table, found, value, values, answering, None))
            errors |= {found.id: problems} if problems else {}
    return errors


def _row_limits(
    analysis: Analysis, table: Table, rows: Rows, values: Values, answering: Answering, before: Any
) -> Errors:  # fmt: skip
    errors: Errors = {}
    known = {str(row.get("_id")): row for row in before or () if row.get("_id")}
    for number, row in enumerate(values.get(rows.id) or ()):
        was = known.get(str(row.get("_id")), {})
        for column in rows.fields:
            value = row.get(column.id)
            if value is not None and value != was.get(column.id):
                problems = list(_outside(analysis, table, column, value, {**values, **row}, answering, rows))
                errors |= {f"{rows.id}[{number}].{column.id}": problems} if problems else {}
    return errors


def _outside(
    analysis: Analysis, table: Table, found: Field, value: Any, values: Values, answering: Answering, rows: Rows | None
) -> Iterator[Sentence]:  # fmt: skip
    if type(found).outside is Field.outside or found.computed:
        return
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
    analysis: Analysis, table: Table, form: Form, values: Values, state: State, answering: Answering
) -> Errors:
    """What breaks a form's rules, which tighten the table's. What is hidden is not asked for."""
    errors: Errors = {}
    for path in sorted(_required_paths(state, values)):
        if path not in state.hidden and path.partition("[")[0] not in state.hidden and _at(values, path) is None:
            errors.setdefault(path, []).append(MISSING)
    for check in form.checks:
        expression = analysis.expression(check.formula, analysis.scope(table), BOOLEAN)
        if not errors and not holds(expression, values, answering):
            errors.setdefault(_culprit(expression, table), []).append(check.message)
    return errors


def _required_paths(state: State, values: Values) -> set[str]:
    paths: set[str] = set()
    for path in state.required:
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
