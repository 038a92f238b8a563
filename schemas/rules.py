"""How a form stands for certain values: what its rules hide, require, lock, and which options they leave to choose.

The rules are asked in the order in which they are written, about the same values; none sees what another one has
just decided, except that a hidden value which is cleared is blank for all of them (`settle`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas.analysis import Analysis
from schemas.fields.rows import Rows
from schemas.filling import Answering, Values, calculate, holds
from schemas.form import Form, Rule
from schemas.formula import Expression
from schemas.formula.types import BOOLEAN
from schemas.table import Table

Place = tuple[str, int] | None
"""A row of a subform: its field and number. None for the record itself."""


@dataclass
class State:
    """What holds of fields, by path: `kind`, `items.price` for a whole column, `items[2].price` for one row's.

    `offered` has the options left to choose, for fields of which some rule that holds limits them.
    """

    hidden: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    readonly: set[str] = field(default_factory=set)
    cleared: set[str] = field(default_factory=set)
    offered: dict[str, frozenset[str]] = field(default_factory=dict)

    def is_hidden(self, path: str) -> bool:
        """Whether this field, its column or its whole subform is out of sight."""
        return not self.hidden.isdisjoint(_around(path))

    def options(self, path: str) -> frozenset[str] | None:
        """The options that may be chosen here; None for all of them."""
        limits = [self.offered[p] for p in _around(path) if p in self.offered]
        return frozenset.intersection(*limits) if limits else None


def _around(path: str) -> tuple[str, ...]:
    rows, bracket, rest = path.partition("[")
    return (path, f"{rows}.{rest.partition('].')[2]}", rows) if bracket else (path, path.partition(".")[0])


def settle(analysis: Analysis, table: Table, form: Form, values: Values, answering: Answering) -> tuple[Values, State]:
    """The values as the form's rules leave them, calculated, and how the form then stands.

    A hidden value that is cleared may change what other rules say, so they are asked again until nothing more is
    cleared. What was cleared once stays so: rules that go round in a circle come to the same end whoever asks, after
    at most as many rounds as there are values.
    """
    gone: set[str] = set()
    while True:
        done = calculate(analysis, table, without(values, gone), answering, volatile=True)
        state = state_of(analysis, table, form, done, answering)
        fresh = set(_values_at(done, state.cleared)) - gone
        if not fresh:
            return done, state
        gone |= fresh


def _values_at(values: Values, targets: set[str]) -> Iterator[str]:
    """The paths among these where there is a value; a column is spread over its rows."""
    for id, value in values.items():
        if id in targets and value is not None:
            yield id
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, row in enumerate(value):
                for column, inner in row.items():
                    path = f"{id}[{number}].{column}"
                    if inner is not None and (path in targets or f"{id}.{column}" in targets):
                        yield path


def without(values: Values, gone: set[str]) -> Values:
    """The values with nothing at these paths."""
    if not gone:
        return values
    kept = {id: None if id in gone else value for id, value in values.items()}
    for id, value in kept.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            kept[id] = [
                {c: None if f"{id}[{n}].{c}" in gone else v for c, v in row.items()} for n, row in enumerate(value)
            ]
    return kept


def state_of(analysis: Analysis, table: Table, form: Form, values: Values, answering: Answering) -> State:
    """What the form's rules say of these values, as they are."""
    state = State(required=set(form.require), readonly=set(form.readonly))
    shown: dict[str, bool] = {}
    leaves: set[str] = set()
    for rule in form.rules:
        for place, expression, inner, rows in _places(analysis, table, rule, values):
            true = holds(expression, inner, answering, rows)
            for target in _spread(form, rule.show, place):
                shown[target] = shown.get(target, False) or true
                leaves |= {target} if rule.when_hidden == "clear" else set()
            if true:
                _apply(form, rule, place, state)
    unseen = {target for target, is_shown in shown.items() if not is_shown}
    state.hidden |= unseen
    state.cleared |= unseen & leaves
    return state


def _places(
    analysis: Analysis, table: Table, rule: Rule, values: Values
) -> Iterator[tuple[Place, Expression, Values, Rows | None]]:
    """Where a rule is to be judged: once for the record, or once for each row of the subform whose columns it names."""
    about = next((rows for rows in table.subforms if any(t.startswith(f"{rows.id}.") for t in rule.targets)), None)
    expression = analysis.expression(rule.when, analysis.scope(table, about), BOOLEAN)
    if about is None or not any(about.column(p[0]) for p in expression.paths):
        yield None, analysis.expression(rule.when, analysis.scope(table), BOOLEAN), values, None
        return
    for number, row in enumerate(values.get(about.id) or ()):
        yield (about.id, number), expression, {**values, **row}, about


def _apply(form: Form, rule: Rule, place: Place, state: State) -> None:
    """Do what a rule says that holds."""
    state.required |= _spread(form, rule.require, place)
    state.readonly |= _spread(form, rule.readonly, place)
    hidden = _spread(form, rule.hide, place)
    state.hidden |= hidden
    state.cleared |= hidden if rule.when_hidden == "clear" else set()
    for target, options in (rule.offer or {}).items():
        for path in _spread(form, (target,), place):
            offered = frozenset(options)
            state.offered[path] = state.offered[path] & offered if path in state.offered else offered


def _spread(form: Form, targets: Iterable[str], place: Place) -> set[str]:
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
