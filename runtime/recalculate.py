"""Keeps computed fields right when what they read has changed, in the writer's own transaction.

A queue holds (table, field) -> records to work out again. It is emptied in the order of the analysis' ranks,
so that each value is worked out once, after everything it reads. Parents of a rollup are locked first and
aggregated in a later statement, so that two children written at once are both counted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, cast, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from runtime import answers, groups, guards, models
from runtime.actors import System
from runtime.context import Context
from runtime.ids import new_id
from runtime.rollups import rollup_sql
from runtime.rows import change_words, child_values, search_words
from runtime.sources import folded_column
from runtime.tables import LiveTable
from schemas import filling
from schemas.dependencies import THERE, Dependent
from schemas.fields.formula import FormulaField
from schemas.fields.group import Group
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.fields.serial import Serial
from schemas.formula import ErrorValue
from schemas.formula.values import fold
from schemas.gathering import match
from schemas.table import SYSTEM_FIELDS

IN_TRANSACTION = 5_000
"""Records worked out inside the writer's transaction; what is beyond is left to a job and shown as such."""
BATCH = 1_000
CODES = JSONB(none_as_null=True)

Written = tuple[UUID, Mapping[str, Any], Mapping[str, Any]]
"""A record's id, its values before and after a write. Values that the write left alone may be missing."""


class Queue:
    """What is still to be worked out in this transaction."""

    def __init__(self, ctx: Context, live: LiveTable, guarded: bool = True) -> None:
        self.ctx, self.live, self.analysis = ctx, live, live.analysis
        self.waiting: dict[tuple[str, str], set[UUID]] = {}
        self.guards = guards.Watch(ctx) if guarded else None

    def changed(
        self, live: LiveTable, paths: Iterable[str], written: Sequence[Written], worked_out: bool = False
    ) -> None:
        """Note that these fields of these records have changed.

        `worked_out`: what the records' own formulas read of themselves is in their values already.
        """
        ids = {id for id, _, _ in written}
        for path in paths:
            for dependent in self.analysis.dependents.get((live.id, path), ()):
                if worked_out and not dependent.route and not isinstance(live.table.field(dependent.field), Rollup):
                    continue
                affected = self._readers(dependent, live, ids, written)
                if affected:
                    self.waiting.setdefault((dependent.table, dependent.field), set()).update(affected)

    def _readers(self, dependent: Dependent, live: LiveTable, ids: set[UUID], written: Sequence[Written]) -> set[UUID]:
        """The records whose value reaches these ones by its route, walked back from the last hop."""
        places = [self.live.sibling(dependent.table)]
        for hop in dependent.route[:-1]:
            places.append(_beyond(places[-1], hop))
        for number, place in reversed(list(enumerate(places[: len(dependent.route)]))):
            last = number == len(dependent.route) - 1
            ids = self._back(place, dependent, dependent.route[number], ids, written if last else ())
            if not ids:
                break
        return set(ids)

    def _back(
        self, place: LiveTable, dependent: Dependent, hop: str, ids: set[UUID], written: Sequence[Written]
    ) -> set[UUID]:
        """The records of a place from which one hop leads to these."""
        if hop[0] == "<":
            table, _, path = hop[1:].partition(".")
            return {t for t in _held(self.ctx, self.live.sibling(table), path, ids, written) if isinstance(t, UUID)}
        if hop[0] == "~":
            return self._matching(place, dependent.field, ids, written)
        return set(self.ctx.conn.scalars(_pointing(place, hop, ids)))

    def _matching(self, place: LiveTable, field: str, ids: set[UUID], written: Sequence[Written]) -> set[UUID]:
        """The records whose matching rollup these ones may concern: by its equality where it has one, else all."""
        lock_matches(self.ctx, place)
        rollup = place.table.by_id[field]
        assert isinstance(rollup, Rollup)
        t, found = place.sql, match(self.analysis, place.table, rollup)
        if found is None:
            return set(self.ctx.conn.scalars(select(t.c.id)))
        values = _held(self.ctx, place.sibling(rollup.table), found.theirs, ids, written)
        column = folded_column(t.c[found.own])
        wanted = {fold(v) if isinstance(v, str) else v for v in values if v is not None}
        same = column.in_(wanted) if None not in values else or_(column.in_(wanted), column.is_(None))
        return set(self.ctx.conn.scalars(select(t.c.id).where(same)))

    def drain(self) -> None:
        ranks = self.analysis.ranks
        done = 0
        while self.waiting:
            key = min(self.waiting, key=lambda k: (ranks[k], k))
            ids = self.waiting.pop(key)
            live = self.live.sibling(key[0])
            done += len(ids)
            if done > IN_TRANSACTION:
                postpone(self.ctx, live, [key[1]], ids)
                continue
            if self.guards is not None:
                self.guards.before(live, ids)
            changed = work_out(self.ctx, live, key[1], ids)
            if changed:
                self.changed(live, [key[1]], changed)
        if self.guards is not None:
            self.guards.refuse()


def _beyond(live: LiveTable, hop: str) -> LiveTable:
    """The table to which a hop leads."""
    if hop[0] in "<~":
        return live.sibling(hop[1:].partition(".")[0])
    rows, _, column = hop.partition(".")
    subform = live.table.by_id[rows] if column else None
    found = live.table.field(hop)
    assert found is not None
    kind = live.analysis.type_of(live.table, found, subform if isinstance(subform, Rows) else None)
    return live.sibling((kind.of.target if kind.of else kind.target) or "")


def _pointing(live: LiveTable, hop: str, ids: set[UUID]) -> Any:
    """The records of a table whose link (or links, or those of their rows) is among these."""
    rows, _, column = hop.partition(".")
    t = live.children[rows] if column else live.sql
    link = t.c[column or hop]
    several = isinstance(link.type, ARRAY)
    hit = link.overlap(cast(sorted(ids), ARRAY(Uuid()))) if several else link.in_(ids)
    return select(t.c._record_id if column else t.c.id).where(hit).distinct()


def _held(ctx: Context, live: LiveTable, path: str, ids: set[UUID], written: Sequence[Written]) -> set[Any]:
    """What these records hold in a field, before and after the write; lists and rows give each of theirs."""
    first, _, column = path.partition(".")
    found: set[Any] = set()
    missing = set(ids)
    for id, before, after in written:
        if first in after:
            missing.discard(id)
            found |= _each(before.get(first), column) if before else set()
            found |= _each(after.get(first), column)
    if missing:
        t = live.children[first] if column else live.sql
        own = t.c._record_id if column else t.c.id
        for value in ctx.conn.scalars(select(t.c[column or path]).where(own.in_(missing))):
            found |= _each(value, "")
    return found


def _each(value: Any, column: str) -> set[Any]:
    if column:
        return {v for row in value or () for v in _each(row.get(column), "")}
    return set(value) if isinstance(value, list) else {value}


# -- locks -----------------------------------------------------------------------------------------


def lock_targets(ctx: Context, live: LiveTable, many: Sequence[Mapping[str, Any]]) -> None:
    """Lock what stored formulas of these records read across links, before it is read.

    So nobody changes it unseen in between. Those that the write will change too are locked for that at once,
    in the order of their ids, since two who share a lock cannot both turn it into one of their own.
    """
    reached: dict[tuple[str, ...], set[UUID]] = {}
    for route, changes in live.analysis.locked[live.id]:
        place = live
        for hop in route[:-1]:
            place = _beyond(place, hop)
        reached[route] = ids = _ends(ctx, place, route, many, reached)
        if ids:
            t = _beyond(place, route[-1]).sql
            rows = select(t.c.id).where(t.c.id.in_(ids)).order_by(t.c.id)
            ctx.conn.execute(rows.with_for_update(key_share=True) if changes else rows.with_for_update(read=True))


def _ends(
    ctx: Context, place: LiveTable, route: tuple[str, ...], many: Sequence[Mapping[str, Any]],
    reached: Mapping[tuple[str, ...], set[UUID]],
) -> set[UUID]:  # fmt: skip
    """The records to which the last hop of a route leads."""
    if len(route) > 1:
        before = reached.get(route[:-1], set())
        values = _held(ctx, place, route[-1], before, ()) if before else set()
    else:
        first, _, column = route[0].partition(".")
        values = {v for given in many for v in _each(given.get(first), column)}
    return {v for v in values if isinstance(v, UUID)}


def lock_matches(ctx: Context, live: LiveTable, exclusively: bool = False) -> None:
    """Keep writers of records that match apart from writers of those that gather them.

    Those who write what is gathered share the lock: they meet at the rows of the rollups anyway.
    """
    kind = "" if exclusively else "_shared"
    statement = text(f"SELECT pg_advisory_xact_lock{kind}(hashtextextended(:key, 11))")
    ctx.conn.execute(statement, {"key": f"{live.inst.id}.{live.id}"})


# -- after a write ---------------------------------------------------------------------------------


def after_create(ctx: Context, live: LiveTable, made: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
    after_change(ctx, live, [(id, {}, values) for id, values in made], None)


def after_change(ctx: Context, live: LiveTable, written: Sequence[Written], fields: set[str] | None) -> None:
    """Bring everything that reads these records up to date. `fields` None: all of them may have changed."""
    analysis = live.analysis
    if live.id not in analysis.dependencies.read:
        return
    if any(isinstance(f, Rollup) and f.table for f in live.table.fields):
        lock_matches(ctx, live, exclusively=True)
    queue = Queue(ctx, live)
    paths = everything_of(live) if fields is None else [*_paths(live, fields), "updated_at", "updated_by", "version"]
    queue.changed(live, paths, written, worked_out=True)
    queue.drain()


def after_flow(ctx: Context, live: LiveTable, id: UUID) -> None:
    """The same when a record's flow stands otherwise, which is no write of the record."""
    if (live.id, "flow.state") not in live.analysis.dependents:
        return
    queue = Queue(ctx, live, guarded=False)
    queue.changed(live, ["flow.state"], [(id, {}, {})])
    queue.drain()


def everything_of(live: LiveTable) -> list[str]:
    """Every path of a table that something may depend on."""
    return [*live.table.paths, *SYSTEM_FIELDS, "flow.state", THERE]


def _paths(live: LiveTable, fields: Iterable[str]) -> Iterator[str]:
    """These fields, and of a subform every column."""
    for id in fields:
        yield id
        found = live.table.by_id.get(id)
        if isinstance(found, Rows):
            yield from (f"{id}.{c.id}" for c in found.fields)


# -- working out -----------------------------------------------------------------------------------


def work_out(ctx: Context, live: LiveTable, path: str, ids: set[UUID]) -> list[Written]:
    """Work out one field of these records again; gives those whose value is another now, with both values."""
    ordered = sorted(ids)
    changed: list[Written] = []
    found = live.table.field(path)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        if isinstance(found, Rollup):
            changed += _aggregate(ctx, live, found, batch)
        elif "." in path:
            changed += _row_formula(ctx, live, path, batch)
        elif isinstance(found, FormulaField):
            changed += _formula(ctx, live, found, batch)
    if changed:
        answers.forget(ctx, live)
    return changed


def _lock(ctx: Context, live: LiveTable, ids: Sequence[UUID]) -> None:
    t = live.sql
    ctx.conn.execute(select(t.c.id).where(t.c.id.in_(ids)).order_by(t.c.id).with_for_update(key_share=True))


def fresh_rollup(ctx: Context, live: LiveTable, rollup: Rollup) -> Any:
    """A rollup as it would be stored now, over `live.sql`."""
    value = rollup_sql(ctx, live, rollup, live.sql)
    return func.round(value, rollup.scale) if live.analysis.type_of(live.table, rollup).kind == "number" else value


def _aggregate(ctx: Context, live: LiveTable, rollup: Rollup, ids: Sequence[UUID]) -> list[Written]:
    t = live.sql
    _lock(ctx, live, ids)
    value = fresh_rollup(ctx, live, rollup).label("value")
    query = select(t.c.id, t.c[rollup.id].label("old"), value).where(t.c.id.in_(ids))
    fresh = query.cte("fresh").prefix_with("MATERIALIZED")
    change = (
        update(t)
        .where(t.c.id == fresh.c.id, t.c[rollup.id].is_distinct_from(fresh.c.value))
        .values({rollup.id: fresh.c.value})
        .returning(t.c.id, fresh.c.old, t.c[rollup.id])
    )
    return [(row[0], {rollup.id: row[1]}, {rollup.id: row[2]}) for row in ctx.conn.execute(change)]


def _formula(ctx: Context, live: LiveTable, found: FormulaField, ids: Sequence[UUID]) -> list[Written]:
    """Evaluate in Python, as the writer does, and store where it differs."""
    _lock(ctx, live, ids)
    changed: list[Written] = []
    stored: list[dict[str, Any]] = []
    words: dict[UUID, list[int]] = {}
    for id, before, value in evaluated(ctx, live, found, ids):
        if value != before.get(found.id):
            old, new = _value(before.get(found.id)), _value(value)
            after = {**before, found.id: value}
            changed.append((id, {found.id: old}, {found.id: new}))
            stored.append({"_id": id, **_stored(live, found.id, after)})
            if found.words(old) != found.words(new):
                words[id] = search_words(live, after)
    if stored:
        t, column = live.sql, live.sql.c[found.id]
        values = {column: bindparam("_value", type_=column.type), t.c._errors: bindparam("_codes", type_=CODES)}
        ctx.conn.execute(update(t).where(t.c.id == bindparam("_id")).values(values), stored)
        change_words(ctx, live, words)
    return changed


def evaluated(
    ctx: Context, live: LiveTable, found: FormulaField, ids: Sequence[UUID]
) -> Iterator[tuple[UUID, dict[str, Any], Any]]:
    """Each record with its stored values and what the formula gives for them now."""
    whole = child_values(ctx, live, ids)
    expression = live.analysis.expression(found.formula, live.analysis.scope(live.table))
    answers.preload(ctx, live, list(whole.values()), expression.needs)
    for id, before in whole.items():
        yield id, before, filling.work_out(live.analysis, live.table, found, before, answers.answering(ctx, live, id))


def _row_formula(ctx: Context, live: LiveTable, path: str, ids: Sequence[UUID]) -> list[Written]:
    """The same for a column of a subform: every row of these records."""
    _lock(ctx, live, ids)
    rows_id, _, column = path.partition(".")
    child = live.children[rows_id]
    changed: list[Written] = []
    stored: list[dict[str, Any]] = []
    for id, before, after in evaluated_rows(ctx, live, path, ids):
        lines = [new for old, new in zip(before, after, strict=True) if old.get(column) != new.get(column)]
        stored += [_row_stored(child, column, line) for line in lines]
        if lines:
            changed.append((id, {rows_id: before}, {rows_id: after}))
    if stored:
        kept = child.c[column]
        values = {kept: bindparam("_value", type_=kept.type), child.c._errors: bindparam("_codes", type_=CODES)}
        ctx.conn.execute(update(child).where(child.c._id == bindparam("_row")).values(values), stored)
    return changed


def evaluated_rows(
    ctx: Context, live: LiveTable, path: str, ids: Sequence[UUID]
) -> Iterator[tuple[UUID, list[dict[str, Any]], list[dict[str, Any]]]]:
    """Each record with the rows of a subform as stored, and as the formula of one column gives them now."""
    rows_id, _, column = path.partition(".")
    rows, found = live.table.by_id[rows_id], live.table.field(path)
    assert isinstance(rows, Rows)
    assert isinstance(found, FormulaField)
    for id, whole in child_values(ctx, live, ids).items():
        asked = answers.answering(ctx, live, id)
        before = whole.get(rows_id) or []
        after = []
        for row in before:
            value = filling.work_out(live.analysis, live.table, found, {**whole, **row}, asked, rows)
            after.append({**row, column: value})
        yield id, before, after


def _row_stored(child: Any, column: str, row: Mapping[str, Any]) -> dict[str, Any]:
    codes = {c.key: v.code for c in child.columns if isinstance(v := row.get(c.key), ErrorValue)}
    return {"_row": row["_id"], "_value": _value(row.get(column)), "_codes": codes or None}


def _value(value: Any) -> Any:
    return None if isinstance(value, ErrorValue) else value


def _stored(live: LiveTable, field: str, after: Mapping[str, Any]) -> dict[str, Any]:
    errors = {f.id: v.code for f in live.columns if isinstance(v := after.get(f.id), ErrorValue)}
    return {"_value": _value(after.get(field)), "_codes": errors or None}


# -- all records -----------------------------------------------------------------------------------


def outdated(live: LiveTable, columns: set[str]) -> list[str]:
    """The computed fields whose columns are new."""
    names = [path for path, _, _ in live.analysis.dependencies.stored(live.table)]
    fresh = {path.partition(".")[2] for path in columns if path.startswith(f"{live.id}.")}
    serials = [f.id for f in live.table.fields if isinstance(f, Serial) and f.id in fresh]
    filed = [one.path for one in groups.of_table(live) if one.path in fresh]
    return [n for n in names if n in fresh] + serials + filed


def everything(ctx: Context, live: LiveTable, fields: Sequence[str], limit: int) -> None:
    """Work out fields of all records: now where there are few, by a job where there are many."""
    ranks = live.analysis.ranks
    count = ctx.conn.scalar(select(func.count()).select_from(live.sql)) or 0
    if count > limit:
        postpone(ctx, live, fields, None)
        return
    ids = set(ctx.conn.scalars(select(live.sql.c.id)))
    queue = Queue(ctx, live, guarded=False)
    for field in sorted(fields, key=lambda f: ranks.get((live.id, f), 0)):
        if isinstance(live.table.field(field), Serial):
            _number_all(ctx, live, field)
        elif isinstance(live.table.field(field), Group):
            _regroup(queue, field, sorted(ids))
        else:
            queue.waiting[(live.id, field)] = set(ids)
    queue.drain()


def _regroup(queue: Queue, path: str, ids: Sequence[UUID]) -> None:
    """Find the groups of records that are there, so that what gathers by them is worked out, too."""
    for start in range(0, len(ids), BATCH):
        changed = groups.regroup(queue.ctx, queue.live, path, ids[start : start + BATCH])
        if changed:
            answers.forget(queue.ctx, queue.live)
            queue.changed(queue.live, [path], changed)


def _number_all(ctx: Context, live: LiveTable, field: str) -> None:
    """Give a new serial field's numbers to the records that are there, oldest first."""
    from runtime import serials

    found = live.table.by_id[field]
    assert isinstance(found, Serial)
    t = live.sql
    ids = list(ctx.conn.scalars(select(t.c.id).where(t.c[field].is_(None)).order_by(t.c.created_at, t.c.id)))
    numbers = serials.draw(ctx, live, found, len(ids)) if ids else []
    rows = [{"_id": id, "_value": number} for id, number in zip(ids, numbers, strict=True)]
    if rows:
        ctx.conn.execute(update(t).where(t.c.id == bindparam("_id")).values({t.c[field]: bindparam("_value")}), rows)


def postpone(ctx: Context, live: LiveTable, fields: Sequence[str], ids: Iterable[UUID] | None) -> None:
    """Leave work to a job, in the same transaction; until it is done the table is shown as recalculating."""
    from runtime.jobs import enqueue

    id = new_id()
    record_ids = sorted(ids) if ids is not None else None
    r = models.recalculation
    ctx.conn.execute(
        insert(r).values(
            id=id, installation_id=live.inst.id, table_id=live.id, fields=list(fields), record_ids=record_ids
        )
    )
    enqueue(ctx.acting_as(System()), "recalculate", {"id": str(id)})


def pending(ctx: Context, live: LiveTable) -> bool:
    """Whether a job still has to bring values of this table up to date, or others that they read."""
    r = models.recalculation
    waiting = ctx.conn.execute(select(r.c.table_id, r.c.fields).where(r.c.installation_id == live.inst.id)).all()
    seen: set[tuple[str, str]] = set()
    keys = [(row.table_id, field) for row in waiting for field in row.fields]
    while keys:
        key = keys.pop()
        if key[0] == live.id:
            return True
        if key not in seen:
            seen.add(key)
            keys += [(d.table, d.field) for d in live.analysis.dependents.get(key, ())]
    return False


def resume(ctx: Context, id: UUID) -> None:
    """The job: work out one batch and leave the rest to the next, until nothing waits."""
    from runtime import definitions
    from runtime.tables import live as live_table

    r = models.recalculation
    row = ctx.conn.execute(select(r).where(r.c.id == id).with_for_update()).one_or_none()
    if row is None:
        return
    inst = definitions.by_id(ctx, row.installation_id)
    live = live_table(ctx, inst, row.table_id)
    ids = (
        row.record_ids
        if row.record_ids is not None
        else list(ctx.conn.scalars(select(live.sql.c.id).order_by(live.sql.c.id)))
    )
    now, later = ids[:IN_TRANSACTION], ids[IN_TRANSACTION:]
    queue = Queue(ctx, live, guarded=False)
    for field in row.fields:
        if isinstance(live.table.field(field), Group):
            _regroup(queue, field, now)
        elif (live.id, field) in live.analysis.ranks:
            queue.waiting[(live.id, field)] = set(now)
    queue.drain()
    ctx.conn.execute(delete(r).where(r.c.id == id))
    if later:
        postpone(ctx, live, row.fields, later)
