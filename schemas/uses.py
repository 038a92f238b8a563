"""Where the fields of an app are used: by formulas, and by lists that name them."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from schemas.access import Grant
from schemas.analysis import Analysis
from schemas.app import App
from schemas.dependencies import Circle
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import Formula, FormulaError, names
from schemas.options import Option, options_of
from schemas.parsers import FormulaSource, Many, Reference
from schemas.steps.base import Step
from schemas.table import Table

Uses = dict[tuple[str, str], list[str]]
"""(table, field or column) -> paths in the package's JSON, in order."""
NAMED = ("field", "key field", "field or section", "own field", "printed field", "picture field", "subform")


def uses_of(app: App) -> Uses:
    found: Uses = {}
    for path, table, field in _all(app):
        kept = found.setdefault((table, field), [])
        if path not in kept:
            kept.append(path)
    return found


def _all(app: App) -> Iterator[tuple[str, str, str]]:
    for n, table in enumerate(app.tables):
        yield from _walk(app, table, f"tables[{n}]", table, None)
    for kind in ("forms", "views", "access"):
        for n, item in enumerate(getattr(app, kind)):
            if (about := app.table(_table_of(app, item))) is not None:
                yield from _walk(app, item, f"{kind}[{n}]", about, None)
    for n, flow in enumerate(app.flows):
        starts = (about for t in flow.trigger if (about := app.table(t.table(app) or "")) is not None)
        if (about := next(starts, None)) is not None:
            yield from _walk(app, flow, f"flows[{n}]", about, None)
    for n, board in enumerate(app.dashboards):
        for m, widget in enumerate(board.widgets):
            if (about := app.table(widget.table)) is not None:
                yield from _walk(app, widget, f"dashboards[{n}].widgets[{m}]", about, None)
    for n, template in enumerate(app.documents):
        if (about := app.table(template.table)) is not None:
            yield from _walk(app, template, f"documents[{n}]", about, None)


def _table_of(app: App, item: Any) -> str:
    """The table that a form, view or grant is about."""
    if isinstance(item, Grant) and (through := app.all_views.get(item.view or "")):
        return through.table
    if isinstance(item, Grant) and (form := app.all_forms.get(item.form or "")):
        return form.table
    return str(item.table or "")


def _walk(app: App, item: Any, path: str, table: Table, rows: Rows | None) -> Iterator[tuple[str, str, str]]:
    """Every use in an object and the objects inside it. `rows` is the subform whose columns these are."""
    inner = item if isinstance(item, Rows) else rows
    kind: Any = type(item)
    for option in options_of(kind):
        if option.name == "layout":
            continue
        value, at = getattr(item, option.name), f"{path}.{option.name}"
        yield from _named(option, value, at, _looked_at(app, item) or table)
        for where, part in _parts(value, at):
            if isinstance(part, Formula):
                yield from ((where, *use) for use in _formula(app, item, option, part, table, rows))
            elif is_dataclass(part):
                yield from _walk(app, part, where, table, inner)


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, tuple | list):
        for n, part in enumerate(value):
            yield from _parts(part, f"{path}[{n}]")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _parts(part, f"{path}.{key}")
    else:
        yield path, value


def _looked_at(app: App, item: Any) -> Table | None:
    """The table whose records a step finds or adds, if that is what it does."""
    return app.table(getattr(item, "table", "") or "") if isinstance(item, Step) else None


def _named(option: Option, value: Any, path: str, table: Table) -> Iterator[tuple[str, str, str]]:
    parser: Any = option.parser.item if isinstance(option.parser, Many) else option.parser
    if getattr(parser, "keys", "") == "other field" and isinstance(value, Mapping):
        yield from ((f"{path}.{id}", table.id, id) for id in value if table.field(id))
    if isinstance(parser, Reference) and parser.to in NAMED:
        ids = value if isinstance(value, tuple) else (value,)
        yield from ((path, table.id, id.removeprefix("-")) for id in ids if id and table.field(id.removeprefix("-")))


def _formula(
    app: App, item: Any, option: Option, formula: Formula, table: Table, rows: Rows | None
) -> Iterator[tuple[str, str]]:
    """The fields that a formula passes, wherever they lie."""
    scope = getattr(option.parser, "scope", "record") if isinstance(option.parser, FormulaSource) else "record"
    about: Table | None = table
    if scope == "pick":
        about = app.table(item.table)
    elif scope == "other":
        about = _looked_at(app, item) or table
    elif scope == "linked":
        about = _gathered_in(app, table, item)
    for path in names(formula.tree):
        here = about if path[0] != "this" else table
        yield from _traced(app.analysis, here, path[1:] if path[0] == "this" else path, rows)


def _gathered_in(app: App, table: Table, item: Any) -> Table | None:
    """The table whose records a rollup gathers or a query shows."""
    if isinstance(item, Rollup):
        found = app.analysis.gathered(table, item)
        return found.table if found else None
    return app.table(item.table)


def _traced(
    analysis: Analysis, table: Table | None, path: tuple[str, ...], rows: Rows | None
) -> Iterator[tuple[str, str]]:
    if table is None:
        return
    own = f"{rows.id}." if rows and path and rows.column(path[0]) else ""
    try:
        for n, found in enumerate(analysis.dependencies.trace(table, path, rows)):
            yield found.table, f"{own}{found.field}" if n == 0 else found.field
    except (FormulaError, Circle):
        return
