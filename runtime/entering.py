"""Records of another form that are entered together with a new record: an order, and the deliveries planned for it.

They are typed as rows on the form, where a query shows them afterwards. Each is a record like any other: made by its
sender's own rights, checked by its own table, seen by flows; where one is refused, nothing of the whole is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from runtime import files, flows, records
from runtime.access import door
from runtime.actors import PublicLink
from runtime.answers import answering
from runtime.context import Context
from runtime.listing import default_columns
from runtime.render import Binder, BoundField, BoundRow, Names
from runtime.rows import child_values
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import InvalidInput
from schemas.fields import Field
from schemas.fields.file import File
from schemas.fields.query import Query
from schemas.fields.rows import Rows
from schemas.filling import Errors, Values
from schemas.form import Form
from schemas.formula import ErrorValue
from schemas.gathering import prefills
from schemas.messages import say
from schemas.table import Table

MOST = 200
Lines = Sequence[Values]


@dataclass(frozen=True)
class Entering:
    """A query whose new records are entered with the form: its table, and their fields as the columns of rows."""

    query: Query
    target: LiveTable
    rows: Rows

    def name(self, number: object, column: str) -> str:
        return f"{self.rows.id}[{number}].{column}"


def of_form(ctx: Context, live: LiveTable, form: Form | None) -> list[Entering]:
    """What is entered together with a new record by this form, as far as this person may add it."""
    if form is None or isinstance(ctx.actor, PublicLink):
        return []
    queries = (live.table.by_id[id] for id in form.placed)
    found = (_entering(ctx, live, one) for one in queries if isinstance(one, Query) and one.together)
    return [one for one in found if one is not None]


def _entering(ctx: Context, live: LiveTable, query: Query) -> Entering | None:
    target = live.sibling(query.table)
    gate = door(ctx, target)
    if not gate.may("create"):
        return None
    taken = {m.theirs for m in prefills(live.analysis, live.table, target.table, query.where)}
    wanted = [target.table.by_id[id] for id in query.columns or default_columns(target) if id in target.table.by_id]
    columns = tuple(f for f in wanted if _is_typed(f) and f.id not in taken and gate.best(f.id, "create") == "write")
    return Entering(query, target, Rows(id=query.id, label=query.label, help=query.help, fields=columns, max=MOST)) if columns else None


def _is_typed(field: Field) -> bool:
    return field.in_subform and field.importable and not field.computed and not isinstance(field, File | Rows)


# -- on the page -----------------------------------------------------------------------------------


def read(ctx: Context, some: Sequence[Entering], answers: Mapping[str, Any]) -> tuple[dict[str, list[Values]], Errors]:
    """The rows that were typed, by the query's id, with every problem in reading them."""
    lines: dict[str, list[Values]] = {}
    errors: Errors = {}
    for one in (one for one in some if one.rows.id in answers):
        values, wrong = filling.parse(Table(id="entered", fields=(one.rows,)), {one.rows.id: answers[one.rows.id]}, ctx.zone)
        lines[one.rows.id] = list(values[one.rows.id] or ())
        errors |= wrong
    return lines, errors


def bound(ctx: Context, one: Entering, lines: Lines, errors: Mapping[str, Any]) -> BoundField:
    """The rows as a page shows them."""
    names = Names(ctx, one.target)
    for line in lines:
        names.note(one.rows.fields, line)
    binder = Binder(ctx, one.target, names.reader())
    blank = _defaults(ctx, one)

    def row(number: object, values: Values) -> BoundRow:
        cells = (
            binder.bind(c, values.get(c.id), raw=values.get(f"raw:{c.id}"), errors=errors.get(one.name(number, c.id), ()))
            for c in one.rows.fields
        )
        return BoundRow([replace(cell, name=one.name(number, cell.field.id), depends=()) for cell in cells])

    return BoundField(
        field=one.rows, name=one.rows.id, value=lines, columns=one.rows.fields, errors=errors.get(one.rows.id, ()),
        rows=[row(n, line) for n, line in enumerate(lines)], blank_row=row("new", blank),
    )  # fmt: skip


def _defaults(ctx: Context, one: Entering) -> Values:
    made = filling.defaults(one.target.analysis, one.target.table, None, {}, answering(ctx, one.target))
    return {c.id: made[c.id] for c in one.rows.fields if c.id in made}


# -- kept ------------------------------------------------------------------------------------------


def keep(ctx: Context, live: LiveTable, form: Form, record: UUID, answers: Mapping[str, Any]) -> None:
    """Make the records that were entered with a new one. Raises InvalidInput with the problems of all of them."""
    some = of_form(ctx, live, form)
    lines, errors = read(ctx, some, answers)
    if errors:
        raise InvalidInput(errors)
    values = child_values(ctx, live, [record])[record] if lines else {}
    for one in some:
        blank = _defaults(ctx, one)
        for number, line in enumerate(lines.get(one.rows.id, ())):
            if any(value not in (None, "", []) and value != blank.get(id) for id, value in line.items()):
                errors |= _make(ctx, live, one, record, number, line, values)
    if errors:
        raise InvalidInput(errors)


def _make(ctx: Context, live: LiveTable, one: Entering, record: UUID, number: int, line: Values, values: Values) -> Errors:
    """One record; gives what is wrong with it, by the cells of the form."""
    given = {id: value for id, value in line.items() if one.rows.column(id)} | dict(_fixed(live, one, record, values))
    try:
        with ctx.conn.begin_nested():
            id = records.create(ctx, one.target, given)
            files.attach(ctx, one.target, id, given)
            flows.record_saved(ctx, one.target, id, "created", None)
    except InvalidInput as err:
        return dict(_told(one, number, err))
    return {}


def _fixed(live: LiveTable, one: Entering, record: UUID, values: Values) -> Iterator[tuple[str, Any]]:
    """What the query's condition asks of its records: that they belong to this one, and the like."""
    for match in prefills(live.analysis, live.table, one.target.table, one.query.where):
        value = record if match.own == "id" else values.get(match.own)
        if value is not None and not isinstance(value, ErrorValue):
            yield match.theirs, value


def _told(one: Entering, number: int, err: InvalidInput) -> Iterator[tuple[str, Any]]:
    for path, messages in err.errors.items():
        if one.rows.column(path):
            yield one.name(number, path), messages
        else:
            field = one.target.table.field(path)
            label = field.label if field is not None and field.label else path
            told = [say("{label}: {problem}", label=label, problem=m) if path else m for m in messages]
            yield one.name(number, one.rows.fields[0].id), told
