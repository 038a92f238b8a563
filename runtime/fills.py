"""What a form takes from records that are there: those chosen in its links, one that is copied, the one sent last."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from runtime import query
from runtime.access import door
from runtime.context import Context
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import NotFound
from schemas.fields import Field
from schemas.fields.link import Link
from schemas.fields.rows import Rows
from schemas.filling import Values


def by_links(ctx: Context, live: LiveTable, values: Values, chosen: Iterable[str]) -> Values:
    """What these links, as they are chosen, fill into other fields of the record; a link that is filled so is a choice
    too, and fills what is still open."""
    made: Values = {}
    first = [*chosen]
    turns = [*first]
    for id in turns:
        found = live.table.by_id.get(id)
        if isinstance(found, Link) and found.fill:
            taken = from_target(ctx, live, found, {**values, **made}.get(id), live.table.by_id)
            made |= taken if id in first else {own: v for own, v in taken.items() if own not in made}
            turns += [own for own in taken if own not in turns]
    return made


def filled_fields(live: LiveTable, values: Mapping[str, Any]) -> set[str]:
    """The fields that chosen links have filled."""
    links = [f for f in live.table.fields if isinstance(f, Link) and f.fill and values.get(f.id) is not None]
    return {own.partition(".")[0] for link in links for own in link.fill}


def filling_links(rows: Field, row: Mapping[str, Any]) -> list[Link]:
    """The links of a subform's row that are chosen and fill other columns of it."""
    columns = rows.fields if isinstance(rows, Rows) else ()
    return [c for c in columns if isinstance(c, Link) and c.fill and row.get(c.id) is not None]


def into_rows(
    ctx: Context, live: LiveTable, values: Values, before: Mapping[str, Any], just: Collection[str]
) -> Values:
    """Fill the columns beside a link that was just chosen in a row; where the rows came at once, those still blank."""
    for rows in live.table.subforms:
        links = [c for c in rows.fields if isinstance(c, Link) and c.fill]
        known = {row.get("_id"): row for row in before.get(rows.id) or () if row.get("_id")}
        for number, row in enumerate(values.get(rows.id) or ()) if links else ():
            place = f"{rows.id}[{number}]."
            for link in links:
                fresh = rows.id in just and not any(row.get(own) for own in link.fill)
                new = row.get(link.id) and row.get(link.id) != known.get(row.get("_id"), {}).get(link.id)
                if new and (fresh or f"{place}{link.id}" in just):
                    wanted = from_target(ctx, live, link, row[link.id], {c.id: c for c in rows.fields})
                    row |= {own: v for own, v in wanted.items() if fresh or f"{place}{own}" not in just}
    return values


def from_target(ctx: Context, live: LiveTable, link: Link, target: Any, fields: Mapping[str, Field]) -> Values:
    """The target's values as this person may see them, read as the filling fields' own."""
    there = live.sibling(link.table)
    gate = door(ctx, there)
    if not isinstance(target, UUID) or not gate.may("read"):
        return {}
    try:
        chosen = query.fetch(gate, target)
    except NotFound:
        return {}
    made: Values = {}
    for own, theirs in (link.fill or {}).items():
        if theirs in chosen.values and own in fields:
            found, value = fields[own], chosen.values[theirs]
            if isinstance(found, Rows) and not value:
                continue  # a record without rows takes none away
            made[own] = (
                _rows(found, value, _columns(link, own)) if isinstance(found, Rows) else filling.fit(found, value)
            )
    return made


def _columns(link: Link, rows: str) -> dict[str, str]:
    """For a subform filled from another one: this one's column, and the other's where it has another name."""
    pairs = ((own.partition("."), theirs.partition(".")[2]) for own, theirs in link.fill.items() if "." in own)
    return {column: theirs for (first, _, column), theirs in pairs if first == rows}


def _rows(rows: Rows, given: Any, columns: Mapping[str, str]) -> list[Values] | None:
    """Rows of another subform as new ones of this."""
    own = [c for c in rows.fields if not c.computed]
    lines = [{c.id: filling.fit(c, row.get(columns.get(c.id, c.id))) for c in own} for row in given or ()]
    return [{id: value for id, value in line.items() if value is not None} for line in lines] or None


def copied(ctx: Context, live: LiveTable, record: UUID | None, only: Collection[str] | None = None) -> Values:
    """What a new record takes over from another one: not what is computed, drawn, unique, or a file."""
    gate = door(ctx, live)
    if record is None or not gate.may("read"):
        return {}
    try:
        found = query.fetch(gate, record)
    except NotFound:
        return {}
    made: Values = {}
    for field in live.table.fields:
        value = found.values.get(field.id)
        if value is None or not _may_be_copied(live, field) or (only is not None and field.id not in only):
            continue
        if gate.best(field.id, "create") == "write":
            made[field.id] = _rows(field, value, {}) if isinstance(field, Rows) else value
    return made


def _may_be_copied(live: LiveTable, field: Field) -> bool:
    kind = live.analysis.type_of(live.table, field)
    is_file = "file" in (kind.kind, kind.of.kind if kind.of else "")
    return not (field.computed or field.unique or is_file)
