"""Reading records: filter, sort, search, page, group. Everything starts from a door."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy import Text as SqlText

from runtime import plans
from runtime.access import Door, door
from runtime.bigrams import like
from runtime.context import Context
from runtime.expressions import NoSqlForm
from runtime.ordering import beyond_bounds, read_cursor, sort_keys, write_cursor
from runtime.searching import LONGEST_SEARCH, found_by
from runtime.sources import RecordSource, expression_of, folded_column, points_at
from runtime.tables import COLLATION, LiveTable
from schemas.access import SEES
from schemas.errors import InvalidInput, NotFound
from schemas.fields import Field
from schemas.fields.lookup import Lookup
from schemas.fields.query import Query as QueryField
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue, Expression, Formula, FormulaError
from schemas.formula.types import BOOLEAN
from schemas.masking import mask_of
from schemas.messages import say
from schemas.table import SYSTEM_FIELDS

COUNTED = 10_000


@dataclass(frozen=True)
class Record:
    """One record as the actor sees it: values by field id; hidden ones are not in it.

    `rights` (one of `schemas.access.RIGHTS` by path) is there only for a record fetched alone.
    """

    id: UUID
    version: int
    values: Mapping[str, Any]
    system: Mapping[str, Any]
    rights: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    masked: Mapping[str, str] = field(default_factory=dict)
    """What is shown of fields of which the actor may see no more than a mask; their values are not in `values`."""

    def __getitem__(self, path: str) -> Any:
        return self.values.get(path, self.system.get(path))


@dataclass(frozen=True)
class Listing:
    """What to list: columns, a condition, an order, a search, a place to go on from.

    `where` are formulas, `sort` ids with a leading `-` for descending. `after` and `before` are cursors.
    """

    columns: Sequence[str] = ()
    where: Sequence[Formula] = ()
    sort: Sequence[str] = ()
    search: str = ""
    after: str = ""
    before: str = ""
    size: int = 50
    trash: bool = False


@dataclass(frozen=True)
class Page:
    """Records in order, with cursors to the neighbouring pages (empty when there is none)."""

    records: list[Record]
    after: str = ""
    before: str = ""


def page(gate: Door, listing: Listing, also: Sequence[ColumnElement[bool]] = ()) -> Page:
    """One page of what satisfies the listing and `also`.

    Raises InvalidInput for a condition or an order that makes no sense, NotFound without the right.
    """
    gate.require("read")
    backwards = bool(listing.before)
    bounds = _bounds(gate, listing)
    edge = None if bounds is None else (backwards, *(b is None for b in bounds))
    shape = None if also else _shape("page", listing, edge)
    planned = plans.plan(gate, shape, lambda g: _page_query(g, listing, bounds, backwards, also))
    query, read, keys = planned.made
    given = {f"_bound_{n}": bound for n, bound in enumerate(bounds or ()) if bound is not None}
    rows = list(planned.ask(gate.ctx, query, given))
    more, rows = len(rows) > listing.size, rows[: listing.size]
    if backwards:
        rows.reverse()
    cursors = [write_cursor(row[-keys:]) for row in (rows[:1] + rows[-1:])]
    return Page(
        [read(row) for row in rows],
        after=cursors[-1] if rows and (more or backwards) else "",
        before=cursors[0] if rows and (listing.after or (backwards and more)) else "",
    )


def _page_query(
    gate: Door, listing: Listing, bounds: Sequence[Any] | None, backwards: bool, also: Sequence[ColumnElement[bool]]
) -> tuple[Select[Any], "Reading", int]:
    """The statement, what makes a record of one of its rows, and how many terms of the order stand at its end."""
    keys = sort_keys(gate, listing.sort)
    query = _chosen(gate, listing).where(*also)
    read = reading(query, listing.columns, gate.live.table.fields)
    if bounds is not None:
        named: list[Any] = [None if b is None else bindparam(f"_bound_{n}") for n, b in enumerate(bounds)]
        query = query.where(beyond_bounds(keys, named, backwards))
    order = [key.order(backwards) for key in keys]
    query = query.add_columns(*(key.value.label(f"_key_{n}") for n, key in enumerate(keys))).order_by(*order)
    return query.limit(listing.size + 1), read, len(keys)


def _bounds(gate: Door, listing: Listing) -> list[Any] | None:
    """Where the page begins or ends, for one that is not the first."""
    if not (cursor := listing.before or listing.after):
        return None
    sort = tuple(listing.sort)
    return read_cursor(cursor, plans.plan(gate, ("keys", sort), lambda g: sort_keys(g, sort)).made)


def _shape(name: str, listing: Listing, *more: Hashable) -> Hashable | None:
    """What decides how the statement for a listing is written; None for a search, whose words are part of it."""
    if listing.search.strip():
        return None
    where = tuple(formula.source for formula in listing.where)
    return name, tuple(listing.columns), where, tuple(listing.sort), listing.size, listing.trash, *more


def total(gate: Door, listing: Listing, exact: bool = False) -> tuple[int, bool]:
    """How many records there are, and whether that is exact: beyond 10,000 only on request."""
    counted = _counted(gate, listing, (), exact)[0]
    return (counted, True) if exact else (min(counted, COUNTED), counted <= COUNTED)


def _counted(gate: Door, listing: Listing, paths: Sequence[str], exact: bool) -> Sequence[Any]:
    """The number of records and the sums of these fields, of no more than are counted unless exactly."""
    shape = _shape("count", listing, tuple(paths), exact)
    planned = plans.plan(gate, shape, lambda g: _count_query(g, listing, paths, exact))
    return planned.ask(gate.ctx, planned.made).one()


def _count_query(gate: Door, listing: Listing, paths: Sequence[str], exact: bool) -> Any:
    source = gate.source()
    values = [source.column(p).label(f"_sum_{n}") for n, p in enumerate(paths)]
    found = select(literal(1).label("_one"), *values).where(*_conditions(gate, listing))
    counted = (found if exact else found.limit(COUNTED + 1)).subquery()
    return select(func.count(), *(func.sum(counted.c[f"_sum_{n}"]) for n in range(len(values)))).select_from(counted)


@dataclass(frozen=True)
class Summary:
    """How many records a listing selects, and the sums of its numbers, which are there only with an exact number."""

    total: int
    exact: bool
    sums: Mapping[str, Decimal] = field(default_factory=dict)


def summary(gate: Door, listing: Listing, paths: Iterable[str], exact: bool = False) -> Summary:
    """The number of records and the sums of the numeric ones among these fields.

    Beyond 10,000 records neither is worked out unless the exact number is asked for.
    """
    numeric = [p for p in paths if (f := gate.live.table.by_id.get(p)) and _adds_up(gate.live, f) and gate.readable(p)]
    counted, *sums = _counted(gate, listing, numeric, exact)
    if not exact and counted > COUNTED:
        return Summary(COUNTED, False)
    return Summary(counted, True, {p: s for p, s in zip(numeric, sums, strict=True) if s is not None})


def _adds_up(live: LiveTable, found: Field) -> bool:
    return live.analysis.type_of(live.table, found).kind == "number" and found.adds_up


@dataclass(frozen=True)
class Counted:
    """How many records there are of one value, and the sums of their numbers by field."""

    count: int = 0
    sums: Mapping[str, Decimal] = field(default_factory=dict)


def groups(gate: Door, listing: Listing, by: str, summed: Sequence[str] = ()) -> dict[Any, Counted]:
    """How many records there are for each value of a field, and the sums of the readable ones of `summed`."""
    source, paths = gate.source(), [p for p in summed if gate.readable(p)]
    value, sums = source.column(by), [func.sum(source.column(p)) for p in paths]
    query = select(value, func.count(), *sums).where(*_conditions(gate, listing)).group_by(value)
    return {
        row[0]: Counted(row[1], {p: s for p, s in zip(paths, row[2:], strict=True) if s is not None})
        for row in gate.ctx.conn.execute(query)
    }


def ids(gate: Door, listing: Listing, action: str = "read", limit: int | None = None) -> list[UUID]:
    """The ids of everything that the listing selects and the actor may act on."""
    query = select(gate.live.sql.c.id).where(*_conditions(gate, listing))
    if action != "read":
        query = query.where(gate.permitted(action, gate.live.sql))
    return list(gate.ctx.conn.scalars(query.order_by(gate.live.sql.c.id).limit(limit)))


def known(gate: Door, ids: Iterable[UUID], where: Sequence[ColumnElement[bool]] = ()) -> set[UUID]:
    """Those of these records that the actor may see and that satisfy a condition."""
    planned = plans.plan(gate, None if where else "known", lambda g: _known_query(g).where(*where))
    return set(planned.ask(gate.ctx, planned.made, {"_ids": list(ids)}).scalars())


def _known_query(gate: Door) -> Select[tuple[UUID]]:
    t = gate.live.sql
    return select(t.c.id).where(t.c.id == any_(bindparam("_ids", type_=ARRAY(Uuid()))), gate.rows())


def allowed(gate: Door, id: UUID, action: str) -> bool:
    """Whether the actor may do this with this one record."""
    t = gate.live.sql
    return gate.may(action) and gate.ctx.conn.scalar(select(t.c.id).where(t.c.id == id, gate.rows(action))) is not None


def allowed_among(gate: Door, ids: Iterable[UUID], actions: Iterable[str]) -> set[UUID]:
    """Those of these records with which the actor may do all of this."""
    t = gate.live.sql
    asked = select(t.c.id).where(t.c.id.in_(list(ids)), *(gate.rows(action) for action in actions))
    return set(gate.ctx.conn.scalars(asked))


def count_linked(gate: Door, link: str, target: UUID) -> int:
    """How many records that the actor may see point at a record by this link."""
    query = select(func.count()).select_from(gate.live.sql).where(gate.rows(), _points_at(gate, link, target))
    return gate.ctx.conn.scalar(query) or 0


def linked(gate: Door, listing: Listing, link: str, target: UUID) -> list[Record]:
    """The records that point at another one by this link, in the listing's order, else the newest first."""
    if listing.sort:
        return list(page(gate, listing, [_points_at(gate, link, target)]).records)
    query = _chosen(gate, listing).where(_points_at(gate, link, target))
    rows = gate.ctx.conn.execute(query.order_by(gate.live.sql.c.created_at.desc()).limit(listing.size))
    return [*map(reading(query, listing.columns, gate.live.table.fields), rows)]


def some(gate: Door, ids: Sequence[UUID], columns: Sequence[str]) -> list[Record]:
    """Those of these records that the actor may see."""
    query = _chosen(gate, Listing(columns)).where(gate.live.sql.c.id.in_(ids))
    return [*map(reading(query, columns, gate.live.table.fields), gate.ctx.conn.execute(query))] if ids else []


def _points_at(gate: Door, link: str, target: UUID) -> ColumnElement[bool]:
    """Whether a link or a list of links, where the actor may see it, holds a record."""
    t = gate.live.sql
    return points_at(gate.mask(link, t.c[link], t), target)


def fetch(gate: Door, id: UUID, action: str = "read", trash: bool = False, lock: bool = False) -> Record:
    """One record with every field that the actor may see of it, subforms included. Raises NotFound."""
    planned = plans.plan(gate, ("fetch", action, trash, lock), lambda g: _fetch_query(g, action, trash, lock))
    query, read = planned.made
    row = planned.ask(gate.ctx, query, {"_id": id}).one_or_none()
    if row is None:
        raise NotFound
    return _fetched(gate, id, row, read)


def fetch_to_change(gate: Door, id: UUID, action: str) -> tuple[Record, Sequence[Any]]:
    """One record, locked: as the actor sees it, and what `live.whole` asks of it. Raises NotFound."""
    planned = plans.plan(gate, ("fetch to change", action), lambda g: _fetch_query(g, action, False, True, whole=True))
    query, read = planned.made
    row = planned.ask(gate.ctx, query, {"_id": id}).one_or_none()
    if row is None:
        raise NotFound
    own = len(gate.live.whole.selected_columns)
    return _fetched(gate, id, row[own:], read), row[:own]


def _fetched(gate: Door, id: UUID, row: Sequence[Any], read: "Reading") -> Record:
    """What `_fetch_query` has found, with the subforms that the actor may see."""
    flags = [bool(flag) for flag in row[len(row) - len(gate.rights) :]]
    rights = gate.rights_of_row(flags, "update")
    record = read(row, rights)
    for rows in gate.live.table.subforms:
        if rights[rows.id] in ("read", "write"):
            record.values[rows.id] = child_rows(gate.ctx, gate.live, rows, [id], rights).get(id)  # type: ignore[index]
    return record


def fetch_many(gate: Door, ids: Sequence[UUID], action: str = "read", lock: bool = False) -> dict[UUID, Record]:
    """Those of these records with which the actor may do this, each as `fetch` gives it; locked in the order of ids."""
    planned = plans.plan(gate, ("fetch many", action, lock), lambda g: _fetch_query(g, action, False, lock, True))
    query, read = planned.made
    found: dict[UUID, Record] = {}
    for row in planned.ask(gate.ctx, query, {"_ids": list(ids)}) if ids else ():
        flags = [bool(flag) for flag in row[len(row) - len(gate.rights) :]]
        record = read(row, gate.rights_of_row(flags, "update"))
        found[record.id] = record
    for rows in gate.live.table.subforms:
        _give_rows(gate, rows, found.values())
    return found


def _give_rows(gate: Door, rows: Rows, records: Iterable[Record]) -> None:
    """The rows of a subform, read at once for records with the same rights to its columns."""
    alike: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        if record.rights[rows.id] in ("read", "write"):
            shown = tuple(record.rights[f"{rows.id}.{c.id}"] for c in rows.fields)
            alike.setdefault(shown, []).append(record)
    for some in alike.values():
        lines = child_rows(gate.ctx, gate.live, rows, [r.id for r in some], some[0].rights)
        for record in some:
            record.values[rows.id] = lines.get(record.id)  # type: ignore[index]


def _fetch_query(
    gate: Door, action: str, trash: bool, lock: bool, several: bool = False, whole: bool = False
) -> tuple[Select[Any], "Reading"]:
    """The statement, whose last columns are the rights that hold for the row, and what makes a record of it.

    With `whole`, everything that the row holds stands before that.
    """
    t = gate.live.sql
    columns = [f.id for f in gate.live.table.fields]
    wanted = t.c.id.in_(bindparam("_ids", expanding=True)) if several else t.c.id == bindparam("_id")
    query = select(*_columns(gate, columns)).where(wanted, gate.rows(action, deleted=trash))
    read = reading(query, columns, gate.live.table.fields)
    query = query.add_columns(*gate.flags(t))
    if whole:
        stored = [c.label(f"_stored_{n}") for n, c in enumerate(gate.live.whole.selected_columns)]
        query = query.with_only_columns(*stored, *query.selected_columns, maintain_column_froms=True)
    query = query.order_by(t.c.id) if several else query
    return query.with_for_update(of=t) if lock else query, read


def child_rows(
    ctx: Context, live: LiveTable, rows: Rows, ids: Sequence[UUID], rights: Mapping[str, str] | None = None
) -> dict[UUID, list[dict[str, Any]]]:
    """The rows of a subform by record, without the columns that `rights` hides. `_id` is the row's own id."""
    child = live.children[rows.id]
    plain = expression_of(ctx, live, child, rows, None)
    source = plain if rights is None else expression_of(ctx, live, child, rows, door(ctx, live))
    sight = {c.id: 2 if rights is None else SEES[rights.get(f"{rows.id}.{c.id}", "hidden")] for c in rows.fields}
    shown, masked = ([c for c in rows.fields if sight[c.id] == seen] for seen in (2, 1))
    values = [source.column(c.id).label(c.id) for c in shown]
    values += [plain.column(c.id).label(f"_mask_{c.id}") for c in masked]
    query = select(child.c._record_id, child.c._id, child.c._errors, *values).where(child.c._record_id.in_(ids))
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in ctx.conn.execute(query.order_by(child.c._record_id, child.c._position)):
        line = {"_id": row._id, **{c.id: _with_error(row._mapping[c.id], c.id, row._errors) for c in shown}}
        line |= {f"mask:{c.id}": mask_of(c, row._mapping[f"_mask_{c.id}"]) for c in masked}
        found.setdefault(row._record_id, []).append(line)
    return found


def rows_of_many(gate: Door, rows: Rows, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The rows of a subform in several records, each with the columns that the actor may see there."""
    t = gate.live.sql
    flagged = gate.ctx.conn.execute(select(t.c.id, *gate.flags(t)).where(t.c.id.in_(ids))) if ids else ()
    alike: dict[tuple[bool, ...], list[UUID]] = {}
    for id, *flags in flagged:
        alike.setdefault(tuple(map(bool, flags)), []).append(id)
    found: dict[UUID, list[dict[str, Any]]] = {}
    for holding, some in alike.items():
        rights = gate.rights_of_row(holding, "update")
        if rights[rows.id] != "hidden":
            found |= child_rows(gate.ctx, gate.live, rows, some, rights)
    return found


def versions(gate: Door, ids: Sequence[UUID]) -> dict[str, int]:
    """The versions of those records that the actor may read, by id as text."""
    t = gate.live.sql
    if not gate.may("read"):
        return {}
    return {
        str(row.id): row.version
        for row in gate.ctx.conn.execute(select(t.c.id, t.c.version).where(t.c.id.in_(ids), gate.rows()))
    }


def rows_with_lookups(
    ctx: Context, live: LiveTable, rows: Rows, lines: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows that are not stored yet with their lookups, as the actor may see what they show."""
    child = live.children[rows.id]
    kept = [c.id for c in rows.fields if c.id in child.c]
    numbers = [
        select(literal(n).label("_position"), *(_given(line.get(c), child.c[c]).label(c) for c in kept))
        for n, line in enumerate(lines)
    ]
    typed = union_all(*numbers).subquery()
    source = expression_of(ctx, live, typed, rows, door(ctx, live))
    shown = [c.id for c in rows.fields if isinstance(c, Lookup)]
    query = select(typed.c._position, *(source.column(c).label(c) for c in shown))
    found = {row._position: {c: row._mapping[c] for c in shown} for row in ctx.conn.execute(query)}
    return [{**line, **found[n]} for n, line in enumerate(lines)]


# -- titles ----------------------------------------------------------------------------------------


def titles(ctx: Context, live: LiveTable, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The titles of those records that the actor may see."""
    wanted = set(ids)
    gate = door(ctx, live)
    if not wanted or not gate.may("read"):
        return {}
    planned = plans.plan(gate, "titles", _titles_query)
    return {row[0]: row[1] or "" for row in planned.ask(ctx, planned.made, {"_ids": list(wanted)})}


def _titles_query(gate: Door) -> Select[Any]:
    id = gate.live.sql.c.id
    return select(id, title_sql(gate)).where(id.in_(bindparam("_ids", expanding=True)), gate.rows())


def titled(gate: Door, text: str) -> Select[Any]:
    """The ids of the records that the actor may see whose title has this text in it."""
    return select(gate.live.sql.c.id).where(gate.rows(), title_sql(gate).ilike(like(text)))


def title_sql(gate: Door) -> ColumnElement[str]:
    """The title of a record as text; its hidden parts are left out."""
    try:
        return func.coalesce(cast(_title(gate), SqlText), "")
    except NotFound:
        return literal("")


def _title(gate: Door) -> ColumnElement[Any]:
    source = gate.source()
    table = gate.live.table
    if table.title_formula is not None:
        return source.sql(gate.live.analysis.expression(table.title_formula, gate.live.analysis.scope(table)))
    first = next((f.id for f in table.fields if f.type in ("text", "serial") and gate.readable(f.id)), None)
    return source.column(first) if first else literal("")


def suggest(
    gate: Door, text: str, where: Sequence[ColumnElement[bool]] = (), limit: int = 20
) -> list[tuple[UUID, str]]:
    """Records for a picker, by title or by what search finds, the newest first."""
    title = title_sql(gate).label("title")
    query = select(gate.live.sql.c.id, title).where(gate.rows(), *where)
    if text := text.strip()[:LONGEST_SEARCH]:
        query = query.where(or_(title.ilike(like(text)), found_by(gate, text)))
    query = query.order_by(gate.live.sql.c.created_at.desc()).limit(limit)
    return [(row[0], row[1]) for row in gate.ctx.conn.execute(query)]


def values_of(
    gate: Door, path: str, where: Sequence[ColumnElement[bool]] = (), text: str = "", among: Sequence[str] | None = None,
    limit: int | None = 50,
) -> list[str]:  # fmt: skip
    """The values that a text field has in records which the actor may read, each once, in order; `among` these."""
    value = gate.source().column(path)
    query = select(value).where(gate.rows(), value.is_not(None), *where)
    if text := text.strip()[:LONGEST_SEARCH]:
        query = query.where(value.ilike(like(text)))
    if among is not None:
        query = query.where(value.in_(among))
    found = query.distinct().subquery()
    return list(gate.ctx.conn.scalars(select(found.c[0]).order_by(found.c[0].collate(COLLATION)).limit(limit)))


def by_key(gate: Door, fields: Sequence[str], keys: set[tuple[Any, ...]]) -> dict[tuple[Any, ...], list[UUID]]:
    """The records that the actor may see with each of these keys; texts compare as where they must be unique.

    Raises NotFound for a field that the actor may not see anywhere.
    """
    source = gate.source()
    columns = [folded_column(source.column(f)) for f in fields]
    same = tuple_(*columns).in_(list(keys)) if len(columns) > 1 else columns[0].in_({key[0] for key in keys})
    query = select(gate.live.sql.c.id, *columns).where(gate.rows(), same).order_by(gate.live.sql.c.id)
    found: dict[tuple[Any, ...], list[UUID]] = {}
    for row in gate.ctx.conn.execute(query) if keys else ():
        found.setdefault(tuple(row[1:]), []).append(row[0])
    return found


def pickable(
    source: LiveTable, target: LiveTable, expression: Expression, ctx: Context, values: Mapping[str, Any],
    rows: Rows | None = None, row: Mapping[str, Any] | None = None,
) -> ColumnElement[bool]:  # fmt: skip
    """A link's own condition on the records that it may point at; `values` are those of the form, which is `this`.

    In a subform `row` are those of the row.
    """
    line = (rows, line_of(source, rows, row or {})) if rows else None
    return RecordSource(ctx, target, target.sql, this=(source, row_of(source, values)), this_row=line).sql(expression)


def matching(
    live: LiveTable, field: QueryField, ctx: Context, values: Mapping[str, Any], record: UUID | None
) -> ColumnElement[bool]:
    """A query's condition on the records that it shows; `values` are those of the form, which is `this`."""
    target = live.sibling(field.table)
    if field.where is None:
        return true()
    expression = live.analysis.expression(field.where, live.analysis.query_scope(field, live.table), BOOLEAN)
    return RecordSource(ctx, target, target.sql, this=(live, row_of(live, values, record))).sql(expression)


def row_of(live: LiveTable, values: Mapping[str, Any], record: UUID | None = None) -> Any:
    """Values that are not stored yet as a row of their table, so that a condition may speak of them as `this`."""
    t = live.sql
    columns = [_given(values.get(f.id), t.c[f.id]).label(f.id) for f in live.table.fields if f.id in t.c]
    system = [_given(values.get(c), t.c[c]).label(c) for c in SYSTEM_FIELDS]
    state = literal(values.get("flow.state"), t.c._flow_state.type).label("_flow_state")
    return select(literal(record, t.c.id.type).label("id"), state, *system, *columns).subquery()


def line_of(live: LiveTable, rows: Rows, values: Mapping[str, Any]) -> Any:
    """Values of a row of a subform that is not stored yet, as a row of its table."""
    child = live.children[rows.id]
    columns = [_given(values.get(c.id), child.c[c.id]).label(c.id) for c in rows.fields if c.id in child.c]
    return select(literal(None, child.c._id.type).label("_id"), *columns).subquery()


def _given(value: Any, column: Any) -> ColumnElement[Any]:
    return cast(literal(None if isinstance(value, ErrorValue) else value, column.type), column.type)


# -- the pieces of a query -------------------------------------------------------------------------


def _chosen(gate: Door, listing: Listing) -> Select[Any]:
    return select(*_columns(gate, listing.columns)).where(*_conditions(gate, listing))


def _columns(gate: Door, columns: Iterable[str]) -> list[ColumnElement[Any]]:
    t, source = gate.live.sql, gate.source()
    system = [t.c[c] for c in ("id", "version", "created_at", "created_by", "updated_at", "updated_by")]
    asked = [c for c in dict.fromkeys(columns) if _has_value(gate.live, c)]
    wanted = [c for c in asked if gate.readable(c)]
    plain = [c for c in wanted if not isinstance(gate.live.table.by_id[c], Rows)]
    counted = [c for c in wanted if isinstance(gate.live.table.by_id[c], Rows)]
    return [*system, t.c._flow_state, t.c._errors, title_sql(gate).label("_title"),
            *(source.column(c).label(c) for c in plain), *(_row_count(gate, c).label(c) for c in counted),
            *_masked_columns(gate, asked)]  # fmt: skip


def _masked_columns(gate: Door, columns: Iterable[str]) -> Iterator[ColumnElement[Any]]:
    """The values of fields where only their mask may be seen, for `reading`, which lets nothing else of them out."""
    t = gate.live.sql
    plain = RecordSource(gate.ctx, gate.live, t, eyes=gate)
    for c in columns:
        if (rows := gate.only_masked(c, t)) is not None and not isinstance(gate.live.table.by_id[c], Rows):
            yield case((rows, plain.column(c))).label(f"_mask_{c}")


def _has_value(live: LiveTable, id: str) -> bool:
    found = live.table.by_id.get(id)
    return found is not None and not isinstance(found, QueryField)


def _row_count(gate: Door, rows: str) -> ColumnElement[int]:
    child = gate.live.children[rows]
    count = select(func.count()).where(child.c._record_id == gate.live.sql.c.id).scalar_subquery()
    return gate.mask(rows, count, gate.live.sql)


def _conditions(gate: Door, listing: Listing) -> list[ColumnElement[bool]]:
    conditions = [gate.rows(deleted=listing.trash), *(condition(gate, formula) for formula in listing.where)]
    if text := listing.search.strip()[:LONGEST_SEARCH]:
        conditions.append(found_by(gate, text))
    return conditions


def condition(gate: Door, formula: Formula) -> ColumnElement[bool]:
    """A filter in the actor's own name: it sees only what they may. Raises InvalidInput."""
    analysis = gate.live.analysis
    try:
        checked = analysis.expression(formula, analysis.reading_scope(gate.live.table), BOOLEAN)
    except FormulaError as err:
        raise InvalidInput(
            {"filter": [say("at character {n}: {problem}", n=err.position + 1, problem=err.message)]}
        ) from err
    if checked.no_sql:
        raise InvalidInput({"filter": [checked.no_sql]})
    try:
        return gate.source().sql(checked)
    except NoSqlForm as err:
        raise InvalidInput({"filter": [err.message]}) from err
    except NotFound:
        raise InvalidInput({"filter": [say("The filter names a field that does not exist.")]}) from None


# -- rows to records -------------------------------------------------------------------------------


SYSTEM_COLUMNS = ("created_at", "created_by", "updated_at", "updated_by", "version")
Reading = Callable[..., Record]


def reading(query: Select[Any], columns: Iterable[str], fields: Iterable[Field]) -> Reading:
    """What makes a record of a row of `_columns`, given the rights to its fields where they have been decided."""
    place = {name: n for n, name in enumerate(query.selected_columns.keys())}
    values = [(c, place[c]) for c in dict.fromkeys(columns) if c in place]
    masks = [(f, place[f"_mask_{f.id}"]) for f in fields if f"_mask_{f.id}" in place]
    system = [(c, place[c]) for c in SYSTEM_COLUMNS]
    id, version, state, failed, title = (place[c] for c in ("id", "version", "_flow_state", "_errors", "_title"))

    def read(row: Sequence[Any], rights: Mapping[str, str] | None = None) -> Record:
        found = {c: row[n] for c, n in values}
        if errors := row[failed]:
            found = {c: _with_error(value, c, errors) for c, value in found.items()}
        if rights is not None:
            found = {c: value for c, value in found.items() if SEES[rights.get(c, "hidden")] == 2}
        about = {c: row[n] for c, n in system}
        about["flow.state"] = row[state]
        masked = {f.id: mask_of(f, row[n]) for f, n in masks if row[n] is not None} if masks else {}
        return Record(row[id], row[version], found, about, rights or {}, row[title], masked)

    return read


def _with_error(value: Any, path: str, errors: Mapping[str, str] | None) -> Any:
    return ErrorValue(errors[path]) if value is None and errors and path in errors else value
