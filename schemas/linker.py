"""Resolves every reference in an app and checks every formula, so that a published app cannot fail to run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from schemas import navigation
from schemas.access import Grant, Who
from schemas.analysis import DEEPEST_VOLATILE, Analysis
from schemas.app import App
from schemas.dependencies import Circle, up_to_the_fault
from schemas.errors import Problem
from schemas.events import Event
from schemas.fields import Field
from schemas.fields.button import Button
from schemas.fields.choice import Choice
from schemas.fields.formula import Computed, FormulaField
from schemas.fields.group import Group
from schemas.fields.link import Link
from schemas.fields.lookup import Lookup
from schemas.fields.member import AnyMember, People
from schemas.fields.query import Query
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.form import Form, fields_in
from schemas.formula import Formula, FormulaError, Type
from schemas.formula.types import BOOLEAN
from schemas.gathering import prefills
from schemas.messages import say
from schemas.scopes import TableScope
from schemas.strangers import stranger, strangers
from schemas.table import RESERVED_IDS, SYSTEM_FIELDS, Check, Table
from schemas.text import Text
from schemas.views import View
from schemas.wording import parts_of


def problems_of(analysis: Analysis) -> Iterator[Problem]:
    """Everything wrong with an app's references and formulas, by path in its JSON; if nothing is, what it gives away."""
    from schemas.disclosures import disclosures

    found = list(_all_of(analysis))
    yield from found
    if not any(p.severity == "error" for p in found):
        yield from disclosures(analysis)


def _all_of(analysis: Analysis) -> Iterator[Problem]:
    app = analysis.app
    for n, table in enumerate(app.tables):
        yield from up_to_the_fault(_table(analysis, table, f"tables[{n}]"))
    yield from _circles(analysis)
    for n, form in enumerate(app.forms):
        yield from up_to_the_fault(_form(analysis, form, f"forms[{n}]"))
    for n, view in enumerate(app.views):
        yield from up_to_the_fault(_view(analysis, view, f"views[{n}]"))
    for n, grant in enumerate(app.access):
        yield from up_to_the_fault(_grant(analysis, grant, f"access[{n}]"))
    for n, entry in enumerate(app.navigation):
        yield from navigation.problems(app, entry, f"navigation[{n}]")
    yield from _others(analysis)


def _others(analysis: Analysis) -> Iterator[Problem]:
    """What the rooms of flows, dashboards and print templates have to say of theirs."""
    from schemas import dashboard, document, flow

    for n, item in enumerate(analysis.app.flows):
        yield from _under(f"flows[{n}]", flow.problems(item, analysis.app))
    for n, board in enumerate(analysis.app.dashboards):
        yield from _under(f"dashboards[{n}]", dashboard.problems(board, analysis.app))
    for n, template in enumerate(analysis.app.documents):
        yield from _under(f"documents[{n}]", document.problems(template, analysis.app))


def _under(path: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    for p in problems:
        yield Problem(f"{path}.{p.path}" if p.path else path, p.message, p.severity)


# -- tables ----------------------------------------------------------------------------------------


def _table(analysis: Analysis, table: Table, path: str) -> Iterator[Problem]:
    yield from _filter(analysis, f"{path}.title_formula", table.title_formula, analysis.scope(table), None)
    for n, field in enumerate(table.fields):
        yield from up_to_the_fault(_field(analysis, table, field, None, f"{path}.fields[{n}]"))
    for n, check in enumerate(table.checks):
        yield from _check(analysis, table, check, f"{path}.checks[{n}]")
    for n, key in enumerate(table.keys):
        yield from _known(
            f"{path}.keys[{n}].fields",
            key.fields,
            [f.id for f in table.fields if f.may_be_unique or f.may_be_key],
        )


def _field(analysis: Analysis, table: Table, field: Field, rows: Rows | None, path: str) -> Iterator[Problem]:
    if isinstance(field.default, Formula):
        yield from analysis.attempt(f"{path}.default", field.default, analysis.scope(table, rows))
    for name, limit in field.limits().items():
        if isinstance(limit, Formula):
            yield from analysis.attempt(f"{path}.{name}", limit, analysis.scope(table, rows), field.value_type())
    if isinstance(field, Rows):
        for n, column in enumerate(field.fields):
            yield from _field(analysis, table, column, field, f"{path}.fields[{n}]")
    elif isinstance(field, People):
        yield from _range(analysis, table, field, rows, path)
    elif isinstance(field, Choice):
        yield from _choice(analysis, table, field, rows, path)
    elif isinstance(field, Group):
        yield from _group(analysis, table, field, rows, path)
    elif isinstance(field, Link):
        yield from _link(analysis, table, field, rows, path)
    elif isinstance(field, FormulaField):
        if isinstance(field, Button):
            yield from _button(analysis, table, field, rows, path)
        yield from _formula(analysis, table, field, rows, path)
    elif isinstance(field, Rollup):
        yield from _rollup(analysis, table, field, path)
    elif isinstance(field, Lookup):
        yield from _lookup(analysis, table, field, rows, path)
    elif isinstance(field, Query):
        yield from _query(analysis, table, field, path)


def _group(analysis: Analysis, table: Table, field: Group, rows: Rows | None, path: str) -> Iterator[Problem]:
    """What is wrong with the values by which a group is found: the record's own alone, each for a field of the other table."""
    target = analysis.app.table(field.table)
    if target is None:
        yield from _known(f"{path}.table", [field.table], [t.id for t in analysis.app.tables])
        return
    if not field.by:
        yield Problem(f"{path}.by", say("name the fields by which the group is found"))
    for own, formula in (field.by or {}).items():
        found = target.by_id.get(own)
        if found is None or found.computed or not (found.may_be_unique or found.may_be_key):
            yield Problem(f"{path}.by.{own}", say("'{id}' is no field of the other form that a group can be found by", id=own))
        yield from _settled(analysis, table, rows, formula, f"{path}.by.{own}", None)
    if field.where is not None:
        yield from _settled(analysis, table, rows, field.where, f"{path}.where", BOOLEAN)


def _settled(
    analysis: Analysis, table: Table, rows: Rows | None, formula: Formula, path: str, expected: Type | None
) -> Iterator[Problem]:
    """What is wrong with a formula that may read only what the record itself holds, and nothing that changes without it."""
    wrong = list(analysis.attempt(path, formula, analysis.scope(table, rows), expected))
    yield from wrong
    if not wrong and not _is_own(analysis, table, rows, formula):
        yield Problem(path, say("a group is found by the record's own values; this reads other records, the flow or the time"))


def _is_own(analysis: Analysis, table: Table, rows: Rows | None, formula: Formula) -> bool:
    expression = analysis.expression(formula, analysis.scope(table, rows))
    read = [found for p in expression.paths for found in analysis.dependencies.trace(table, p, rows)]
    fields = [table.field(found.field) for found in read if not found.route]
    inner = [f.formula for f in fields if isinstance(f, FormulaField)]
    own = not any(found.route or found.field == "flow.state" for found in read)
    return (
        own and not expression.volatile and not any(isinstance(f, Rollup | Group) for f in fields)
        and all(_is_own(analysis, table, rows, f) for f in inner)
    )  # fmt: skip


def _range(analysis: Analysis, table: Table, field: People, rows: Rows | None, path: str) -> Iterator[Problem]:
    """Who may be chosen in a field of members or departments."""
    app = analysis.app
    yield from _known(f"{path}.slots", field.slots, [s.id for s in app.posts])
    if isinstance(field, AnyMember):
        yield from _known(f"{path}.roles", field.roles, [r.id for r in app.roles])
    wrong = list(analysis.attempt(f"{path}.among", field.among, analysis.scope(table, rows)))
    yield from wrong
    if field.among is not None and not wrong:
        kind = analysis.expression(field.among, analysis.scope(table, rows)).type
        if (kind.of or kind).kind not in ("member", "department", "any"):
            yield Problem(f"{path}.among", say("expected a member or a department"))


def _button(analysis: Analysis, table: Table, field: Button, rows: Rows | None, path: str) -> Iterator[Problem]:
    if field.action == "flow":
        started = [f.id for f in analysis.app.flows if any(t.button and t.button.table == table.id for t in f.trigger)]
        yield from _known(f"{path}.flow", [field.flow or ""], started)
        target: Table | None = table
    else:
        form = analysis.app.all_forms.get(field.form or "")
        if form is None:
            yield from _known(f"{path}.form", [field.form or ""], analysis.app.all_forms)
            return
        target = analysis.app.table(form.table)
    yield from _known(f"{path}.set", field.set or (), target.by_id if target else ())
    for id, value in (field.set or {}).items():
        if isinstance(value, Formula):
            yield from analysis.attempt(f"{path}.set.{id}", value, analysis.scope(table, rows))


def _choice(analysis: Analysis, table: Table, field: Choice, rows: Rows | None, path: str) -> Iterator[Problem]:
    if field.depends_on:
        above = (rows.column(field.depends_on) if rows else None) or table.by_id.get(field.depends_on)
        if not isinstance(above, Choice) or above.id == field.id:
            yield Problem(f"{path}.depends_on", say("'{id}' is not a choice", id=field.depends_on))
        elif not above.source:
            answers = [o.id for o in above.options]
            for n, one in enumerate(field.options):
                yield from _known(f"{path}.options[{n}].of", one.of, answers)
    if field.source is None:
        return
    target = analysis.app.table(field.source.table)
    if target is None:
        yield Problem(
            f"{path}.source.table", stranger("table", field.source.table, [t.id for t in analysis.app.tables])
        )
        return
    texts = [f.id for f in target.fields if analysis.type_of(target, f).kind == "text"]
    yield from _known(f"{path}.source.field", [field.source.field], texts)
    if field.source.where is not None:
        scope = analysis.pick_scope(field.source, table, rows)
        yield from _filter(analysis, f"{path}.source.where", field.source.where, scope, BOOLEAN)


def _link(analysis: Analysis, table: Table, link: Link, rows: Rows | None, path: str) -> Iterator[Problem]:
    target = analysis.app.table(link.table)
    if target is None:
        yield Problem(f"{path}.table", stranger("table", link.table, [t.id for t in analysis.app.tables]))
        return
    yield from _known(f"{path}.show_columns", link.show_columns, target.by_id)
    if link.pick is not None:
        yield from _filter(analysis, f"{path}.pick", link.pick, analysis.pick_scope(link, table, rows), BOOLEAN)
    holder = [c.id for c in rows.fields] if rows else list(table.paths)
    for own, theirs in (link.fill or {}).items():
        yield from _known(f"{path}.fill", [own], holder)
        yield from _known(f"{path}.fill.{own}", [theirs], target.paths)
        if isinstance(table.field(own), Rows) != isinstance(target.field(theirs), Rows) and not rows:
            yield Problem(f"{path}.fill.{own}", say("a subform is filled from a subform only"))
    if link.reverse:
        yield from _known(f"{path}.reverse.columns", link.reverse.columns, [*table.by_id, *SYSTEM_FIELDS])
        yield from _reverse_name(analysis, table, link, target, rows, path)
    if rows and link.on_delete == "trash":
        yield Problem(f"{path}.on_delete", say("a row cannot take its record into the trash with it; choose clear"))


def _reverse_name(
    analysis: Analysis, table: Table, link: Link, target: Table, rows: Rows | None, path: str
) -> Iterator[Problem]:
    """The other side's name must be free in the target table."""
    name = link.reverse.id if link.reverse else None
    if not name:
        return
    if rows:
        yield Problem(f"{path}.reverse.id", say("the other side of a link in a subform has no name in formulas"))
    elif name in target.by_id or name in RESERVED_IDS:
        yield Problem(f"{path}.reverse.id", say("'{id}' is a field of that table already", id=name))
    elif analysis.reverses(target).get(name) != (table, link.id):
        yield Problem(f"{path}.reverse.id", say("'{id}' names the other side of another link already", id=name))


def _formula(analysis: Analysis, table: Table, field: FormulaField, rows: Rows | None, path: str) -> Iterator[Problem]:
    found = list(analysis.attempt(f"{path}.formula", field.formula, analysis.scope(table, rows)))
    yield from found
    if found:
        return
    expression = analysis.expression(field.formula, analysis.scope(table, rows))
    if any(need.kind == "me" for need in expression.needs):
        yield Problem(f"{path}.formula", say("a calculated field is the same for everybody; ME() cannot be used in it"))
    yield from _volatile(analysis, table, field, rows, [(f"{path}.formula", expression)])


def _volatile(
    analysis: Analysis, table: Table, field: Computed, rows: Rows | None, parts: list[Any]
) -> Iterator[Problem]:
    """A field that changes with time has no column: it must have an SQL form and may not be nested too deeply."""
    if not analysis.is_volatile(table, field, rows):
        return
    for path, expression in parts:
        if expression.no_sql:
            yield Problem(path, expression.no_sql)
    if analysis._facts(table, field, rows)[2] > DEEPEST_VOLATILE:
        yield Problem(
            parts[0][0],
            say("fields that depend on the time may build on one another at most {n} deep", n=DEEPEST_VOLATILE),
        )


def _lookup(analysis: Analysis, table: Table, field: Lookup, rows: Rows | None, path: str) -> Iterator[Problem]:
    scope = analysis.scope(table, rows)
    found = list(analysis.attempt(f"{path}.path", field.path, scope))
    yield from found
    if found:
        return
    kind = analysis.type_of(table, field, rows)
    element = kind.of if kind.kind == "array" and kind.of else kind
    if element.kind in ("rows", "any"):
        yield Problem(f"{path}.path", say("a lookup shows a field of a linked record, not a subform"))
    first = rows.column(field.steps[0]) if rows and rows.column(field.steps[0]) else table.by_id.get(field.steps[0])
    named = field.steps[0] in analysis.reverses(table)
    if not named and not isinstance(first, Link):
        yield Problem(f"{path}.path", say("a lookup begins with a link of this table"))
    yield from _volatile(analysis, table, field, rows, [(f"{path}.path", analysis.expression(field.path, scope))])


def _rollup(analysis: Analysis, table: Table, field: Rollup, path: str) -> Iterator[Problem]:
    source = analysis.gathered(table, field)
    if source is None and field.table:
        yield Problem(f"{path}.table", stranger("table", field.table, [t.id for t in analysis.app.tables]))
        return
    if source is None:
        named = analysis.app.table(field.over.partition(".")[0])
        found_link = named.field(field.over.partition(".")[2]) if named else None
        if isinstance(found_link, Link):
            yield Problem(f"{path}.over", say("'{over}' does not link to this table", over=field.over))
        else:
            yield Problem(f"{path}.over", stranger("link field", field.over, _gatherable(analysis, table)))
        return
    sortable = [c.id for c in source.rows.fields] if source.rows else []
    yield from _known(
        f"{path}.sort",
        [s.removeprefix("-") for s in field.sort],
        [*sortable, *(f.id for f in source.table.fields if f.sortable), *SYSTEM_FIELDS],
    )
    scope = analysis.linked_scope(field, table)
    found = [
        *analysis.attempt(f"{path}.value", field.value, scope),
        *analysis.attempt(f"{path}.where", field.where, scope, BOOLEAN),
    ]
    yield from found
    if found:
        return
    parts = [
        (f"{path}.{name}", analysis.expression(f, scope))
        for name, f in (("value", field.value), ("where", field.where))
        if f
    ]
    for name, expression in parts:
        yield from _rollup_part(name, expression)
    kind = parts[0][1].type.kind if field.value else "any"
    if field.aggregate in ("sum", "average") and kind != "number":
        yield Problem(f"{path}.value", say("expected a number"))
    if field.aggregate in ("min", "max") and kind not in ("number", "date", "datetime", "text"):
        yield Problem(f"{path}.value", say("the smallest and largest are of numbers, dates or texts"))
    if kind in ("array", "rows") and field.aggregate != "count":
        yield Problem(f"{path}.value", say("a list cannot be aggregated; only its records can be counted"))
    yield from _volatile(analysis, table, field, None, parts)


def _query(analysis: Analysis, table: Table, field: Query, path: str) -> Iterator[Problem]:
    target = analysis.app.table(field.table)
    if target is None:
        yield Problem(f"{path}.table", stranger("table", field.table, [t.id for t in analysis.app.tables]))
        return
    yield from _filter(analysis, f"{path}.where", field.where, analysis.query_scope(field, table), BOOLEAN)
    yield from _known(f"{path}.columns", field.columns, [*target.by_id, *SYSTEM_FIELDS])
    if field.together and not any(m.own == "id" for m in prefills(analysis, table, target, field.where)):
        yield Problem(f"{path}.together", say("the condition must name the link by which they belong to the new record: order = this"))
    sortable = [*(f.id for f in target.fields if f.sortable), *SYSTEM_FIELDS]
    yield from _known(f"{path}.sort", [s.removeprefix("-") for s in field.sort], sortable)
    if field.into:
        rows = table.by_id.get(field.into)
        yield from _known(f"{path}.into", [field.into], [r.id for r in table.subforms])
        columns = [c.id for c in rows.fields if not c.computed] if isinstance(rows, Rows) else []
        yield from _known(f"{path}.take", field.take, columns)
        yield from _known(f"{path}.take", field.take.values(), ["id", *target.by_id])


def _gatherable(analysis: Analysis, table: Table) -> list[str]:
    """Everything that a rollup of this table may be over."""
    links = [
        f"{t.id}.{path}"
        for t in analysis.app.tables
        for path in t.paths
        if isinstance(f := t.field(path), Link) and f.table == table.id
    ]
    return [*links, *(p for p in table.paths if isinstance(table.field(p), Link)), *analysis.reverses(table)]


def _rollup_part(path: str, expression: Any) -> Iterator[Problem]:
    if expression.no_sql:
        yield Problem(path, expression.no_sql)
    if any(need.kind == "me" for need in expression.needs):
        yield Problem(path, say("a calculated field is the same for everybody; ME() cannot be used in it"))
    elif any(need.kind != "path" for need in expression.needs):
        yield Problem(path, say("a rollup reads only records; add a formula field for the rest"))


def _circles(analysis: Analysis) -> Iterator[Problem]:
    try:
        analysis.ranks  # noqa: B018
    except Circle as err:
        table, _, field = err.trail[0].partition(".")
        yield Problem(_field_path(analysis.app, table, field), analysis.circle(err))
    except FormulaError:
        return


def _field_path(app: App, table: str, field: str) -> str:
    for n, found in enumerate(app.tables):
        for m, inner in enumerate(found.fields):
            if found.id == table and inner.id == field.partition(".")[0]:
                return f"tables[{n}].fields[{m}]"
    return "tables"


# -- forms and views -------------------------------------------------------------------------------


def _form(analysis: Analysis, form: Form, path: str) -> Iterator[Problem]:
    table = analysis.app.table(form.table)
    if table is None:
        yield Problem(f"{path}.table", stranger("table", form.table, [t.id for t in analysis.app.tables]))
        return
    for n, block in enumerate(form.layout):
        yield from _known(f"{path}.layout[{n}]", fields_in([block]), table.by_id)
    yield from _known(f"{path}.widths", form.widths or (), table.by_id)
    sections = list(form.parts)
    for name in ("require", "readonly"):
        yield from _known(f"{path}.{name}", getattr(form, name), table.paths)
    for id, default in (form.defaults or {}).items():
        yield from _known(f"{path}.defaults", [id], table.by_id)
        if isinstance(default, Formula):
            yield from analysis.attempt(f"{path}.defaults.{id}", default, analysis.scope(table))
    for n, rule in enumerate(form.rules):
        targets = rule.targets
        yield from _known(f"{path}.rules[{n}]", targets, [*table.paths, *sections])
        yield from _offer(table, rule.offer or {}, f"{path}.rules[{n}].offer")
        yield from analysis.attempt(
            f"{path}.rules[{n}].when", rule.when, _rule_scope(analysis, table, targets), BOOLEAN
        )
    for name, fields in (("remember", form.remember), ("after_submit.keep", form.after_submit.keep)):
        yield from _known(f"{path}.{name}", fields, table.by_id)
    if form.after_submit.form:
        yield from _known(f"{path}.after_submit.form", [form.after_submit.form], analysis.app.all_forms)
    for name, text in (("message", form.after_submit.message), ("url", Text.of(form.after_submit.url))):
        yield from _wording(analysis, table, text, f"{path}.after_submit.{name}")
    for n, hint in enumerate(form.after_submit.hints):
        yield from analysis.attempt(f"{path}.after_submit.hints[{n}].when", hint.when, analysis.scope(table), BOOLEAN)
        yield from _wording(analysis, table, hint.message, f"{path}.after_submit.hints[{n}].message")
    for n, check in enumerate(form.checks):
        yield from _check(analysis, table, check, f"{path}.checks[{n}]")
    for n, event in enumerate(form.events):
        yield from _event(analysis, table, form, event, f"{path}.events[{n}]")


def _event(analysis: Analysis, table: Table, form: Form, event: Event, path: str) -> Iterator[Problem]:
    """What is wrong with the request of a form's event, and with what it fills in."""
    yield from _known(f"{path}.fields", event.fields, table.paths)
    rows = next((r for r in table.subforms if r.id == event.rows), None)
    scope = analysis.scope(table, rows)
    if event.on != "send" and not event.fields:
        yield Problem(f"{path}.fields", say("name the fields that set it off"))
    for place, formula in event.request.asked():
        yield from analysis.attempt(f"{path}.request.{place}", formula, scope)
    if event.when is not None:
        yield from analysis.attempt(f"{path}.when", event.when, scope, BOOLEAN)
    for problem in event.request.unready(analysis.app):
        yield Problem(f"{path}.request.{problem.path}", problem.message)
    answered = analysis.scope(table, rows, **event.given(form.id))
    for own, formula in (event.fill or {}).items():
        yield from _filled(table, form, event, own, f"{path}.fill.{own}")
        yield from analysis.attempt(f"{path}.fill.{own}", formula, answered)


def _filled(table: Table, form: Form, event: Event, own: str, path: str) -> Iterator[Problem]:
    """What is wrong with a field or column that an event fills."""
    first, _, column = own.partition(".")
    field = table.by_id.get(first)
    if own not in table.paths or field is None:
        yield from _known(path, [own], table.paths)
        return
    found = field.column(column) if isinstance(field, Rows) and column else field
    if found is None or found.computed or found.storage == "child":
        yield Problem(path, say("'{id}' cannot be set", id=own))
    elif event.rows and event.row_of(own) not in ("", event.rows):
        yield Problem(path, say("a row fills columns of its own subform, or fields of the record"))
    elif event.on != "send" and first in form.readonly:
        yield Problem(path, say("'{id}' is read-only in this form; only what is asked when it is sent may fill it", id=own))


def _wording(analysis: Analysis, table: Table, text: Text, path: str) -> Iterator[Problem]:
    """What is wrong with the formulas in a text."""
    for line in text.by_language.values():
        try:
            formulas = [part for part in parts_of(line) if isinstance(part, Formula)]
        except FormulaError as err:
            yield Problem(path, err.message)
            continue
        for formula in formulas:
            yield from analysis.attempt(path, formula, analysis.scope(table))


def _check(analysis: Analysis, table: Table, check: Check, path: str) -> Iterator[Problem]:
    if check.field:
        yield from _known(f"{path}.field", [check.field], table.paths)
    scope = analysis.scope(table, analysis.rows_of_check(table, check))
    yield from analysis.attempt(f"{path}.formula", check.formula, scope, BOOLEAN)


def _offer(table: Table, offer: Mapping[str, Sequence[str]], path: str) -> Iterator[Problem]:
    for target, options in offer.items():
        found = table.field(target)
        if not isinstance(found, Choice):
            yield Problem(path, say("'{id}' is not a choice", id=target))
        else:
            yield from _known(f"{path}.{target}", options, [o.id for o in found.options])


def _rule_scope(analysis: Analysis, table: Table, targets: Iterable[str]) -> TableScope:
    named = {t.partition(".")[0] for t in targets if "." in t}
    rows = next((r for r in table.subforms if r.id in named), None)
    return analysis.scope(table, rows)


def _view(analysis: Analysis, view: View, path: str) -> Iterator[Problem]:
    table = analysis.app.table(view.table)
    if table is None:
        yield Problem(f"{path}.table", stranger("table", view.table, [t.id for t in analysis.app.tables]))
        return
    for problem in up_to_the_fault(view.linked(analysis.app, table)):
        yield Problem(f"{path}.{problem.path}", problem.message, problem.severity)
    yield from _filter(analysis, f"{path}.filter", view.filter, analysis.reading_scope(table), BOOLEAN)


def _filter(
    analysis: Analysis, path: str, formula: Formula | None, scope: TableScope, expected: Type | None
) -> Iterator[Problem]:
    """A formula that the database must compute."""
    found = list(analysis.attempt(path, formula, scope, expected))
    yield from found
    if formula is not None and not found and (reason := analysis.expression(formula, scope, expected).no_sql):
        yield Problem(path, reason)


# -- access ----------------------------------------------------------------------------------------


def _grant(analysis: Analysis, grant: Grant, path: str) -> Iterator[Problem]:
    app = analysis.app
    for n, who in enumerate(grant.who):
        yield from _who(app, who, f"{path}.who" if len(grant.who) == 1 else f"{path}.who[{n}]")
    kind, id = grant.about
    known: dict[str, Iterable[str]] = {
        "table": [t.id for t in app.tables], "form": app.all_forms, "view": app.all_views,
        "flow": [f.id for f in app.flows], "dashboard": [d.id for d in app.dashboards],
    }  # fmt: skip
    wrong = list(_known(f"{path}.{kind}", [id], known[kind])) if kind in known else []
    yield from wrong
    table = None if wrong else _opened(app, grant)
    if table is None:
        return
    yield from _known(f"{path}.fields", [f for f in grant.fields or () if f != "*"], table.paths)
    for name in ("rows", "rows_after"):
        yield from _filter(analysis, f"{path}.{name}", getattr(grant, name), analysis.scope(table), BOOLEAN)
    if grant.view:  # its filter says which rows are open, and so may not ask what is
        yield from analysis.attempt(f"{path}.view", app.all_views[grant.view].filter, analysis.scope(table), BOOLEAN)


def _opened(app: App, grant: Grant) -> Table | None:
    """The table whose rows and fields a grant opens."""
    if grant.view:
        return app.table(app.all_views[grant.view].table)
    return app.table(app.all_forms[grant.form].table if grant.form else grant.table or "")


def _who(app: App, who: Who, path: str) -> Iterator[Problem]:
    for name, known in (("role", app.roles), ("slot", app.posts), ("flow", app.flows)):
        if chosen := getattr(who, name):
            yield from _known(f"{path}.{name}", [chosen], [item.id for item in known])


# -- words -----------------------------------------------------------------------------------------


def _known(path: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Problem]:
    last = path.rpartition(".")[2]
    thing = last if last in ("table", "view", "form", "dashboard", "role", "slot", "flow") else "field"
    yield from strangers(path, thing, names, known)
