"""What a form or a record shows of other records: queries, lookups and rollups over what is typed so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import ColumnElement, func, select

from runtime import listing, query
from runtime.access import Door, door, form_for
from runtime.context import Context
from runtime.query import Listing, Record
from runtime.rollups import rollup_sql
from runtime.sources import RecordSource
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import NotFound
from schemas.fields.lookup import Lookup
from schemas.fields.query import Query
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.filling import Values
from schemas.formula import ErrorValue
from schemas.gathering import Match, prefills
from schemas.text import Sentence

COLUMNS = 6


@dataclass(frozen=True)
class Related:
    """The records of a query on a page."""

    heads: Sequence[tuple[str, Sentence, bool]]
    body: Markup
    count: int
    more: bool = False
    takes: bool = False
    new_url: str = ""


# -- queries ---------------------------------------------------------------------------------------


def queries(
    ctx: Context, live: LiveTable, values: Values, record: UUID | None, into: Sequence[str] = ()
) -> dict[str, Related]:
    """What each query of a table shows for these values; `into` are the subforms that may be written."""
    fields = [f for f in live.table.fields if isinstance(f, Query)]
    return {f.id: _shown(ctx, live, f, values, record, into) for f in fields}


def _shown(
    ctx: Context, live: LiveTable, field: Query, values: Values, record: UUID | None, into: Sequence[str]
) -> Related:
    target = live.sibling(field.table)
    gate = door(ctx, target)
    columns = gate.shown(field.columns or listing.default_columns(target)[:COLUMNS])
    heads = [(c, listing.label_of(target, c), _numeric(target, c)) for c in columns]
    takes = field.into in into
    if not gate.may("read"):
        return Related([], Markup(), 0)
    found = query.page(
        gate, Listing(columns, sort=field.sort, size=field.limit), [query.matching(live, field, ctx, values, record)]
    )
    reader = listing.reader_of(ctx, target, found.records, columns)
    body = listing.draw_rows(gate, found.records, columns, reader, take=field.id if takes else "")
    new = _new_url(gate, live, field, values, record) if field.add else ""
    return Related(heads, body, len(found.records), bool(found.after), takes, new)


def _numeric(live: LiveTable, path: str) -> bool:
    field = live.table.by_id.get(path)
    return bool(field and live.analysis.type_of(live.table, field).kind == "number")


def _new_url(gate: Door, live: LiveTable, field: Query, values: Values, record: UUID | None) -> str:
    """The form for a new record that fits, with what the condition asks of it filled in."""
    if not gate.may("create"):
        return ""
    asked = prefills(live.analysis, live.table, gate.live.table, field.where)
    if any(m.own == "id" for m in asked) and record is None:
        return ""
    given = {m.theirs: text for m in asked if (text := _prefill(gate, m, values, record))}
    form = form_for(gate.ctx, gate.live.inst, gate.live.id)
    if form is None:
        return ""
    base = f"/a/{gate.live.inst.slug}/f/{form.id}/new"
    return f"{base}?{urlencode(given)}" if given else base


def _prefill(gate: Door, found: Match, values: Values, record: UUID | None) -> str:
    value = record if found.own == "id" else values.get(found.own)
    return (
        "" if value is None or isinstance(value, ErrorValue) else str(gate.live.table.by_id[found.theirs].dump(value))
    )


def take(ctx: Context, live: LiveTable, field: Query, values: Values, chosen: Sequence[UUID]) -> Values:
    """The values with chosen rows of a query put into its subform: what their chooser may see of them."""
    rows = live.table.by_id.get(field.into or "")
    gate = door(ctx, live.sibling(field.table))
    if not isinstance(rows, Rows) or not gate.may("read"):
        return values
    lines = [line for line in values.get(rows.id) or () if any(v is not None for k, v in line.items() if k != "_id")]
    for id in chosen[: max(0, rows.max - len(lines))]:
        try:
            found = query.fetch(gate, id)
        except NotFound:
            continue
        lines.append(_line(rows, field.take or {}, found))
    return {**values, rows.id: lines or None}


def _line(rows: Rows, taken: Mapping[str, str], found: Record) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for own, theirs in taken.items():
        column = rows.column(own)
        value = found.id if theirs == "id" else found.values.get(theirs)
        if column is not None:
            made[own] = filling.fit(column, value)
    return made


# -- values over what is typed ---------------------------------------------------------------------


def lookups(ctx: Context, live: LiveTable, values: Values, record: UUID | None) -> Values:
    """What the lookups of a form show for the links as they stand in it, as far as its reader may see that."""
    fields = [f for f in live.table.fields if isinstance(f, Lookup)]
    made = (
        _over(ctx, live, values, record, lambda source: {f.id: source.column(f.id) for f in fields}) if fields else {}
    )
    for rows in live.table.subforms:
        columns = [c for c in rows.fields if isinstance(c, Lookup)]
        if columns and values.get(rows.id):
            made[rows.id] = query.rows_with_lookups(ctx, live, rows, values[rows.id])
    return made


def rollups(ctx: Context, live: LiveTable, values: Values, record: UUID | None) -> Values:
    """The rollups that depend on what is typed: over matching records, and over this record's own links."""
    fields = [f for f in live.table.fields if isinstance(f, Rollup) and _follows(live, f)]
    if not fields:
        return {}

    def columns(source: RecordSource) -> dict[str, ColumnElement[Any]]:
        made = {}
        for f in fields:
            value = rollup_sql(ctx, live, f, source.table, f.per_reader)
            number = live.analysis.type_of(live.table, f).kind == "number"
            made[f.id] = func.round(value, f.scale) if number else value
        return made

    return _over(ctx, live, values, record, columns)


def _follows(live: LiveTable, rollup: Rollup) -> bool:
    source = live.analysis.gathered(live.table, rollup)
    return source is not None and source.hop[0] != "<" and "." not in source.hop


def _over(ctx: Context, live: LiveTable, values: Values, record: UUID | None, columns: Any) -> Values:
    """Columns computed over values that are not stored yet."""
    row = query.row_of(live, values, record)
    source = RecordSource(ctx, live, row, eyes=door(ctx, live))
    wanted = columns(source)
    found = ctx.conn.execute(select(*(value.label(id) for id, value in wanted.items())).select_from(row)).one()
    return dict(found._mapping)
