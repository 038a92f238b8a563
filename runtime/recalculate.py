"""Keeps computed fields right when what they read has changed, in the writer's own transaction.

A queue holds (table, field) -> records to work out again. It is emptied in the order of the analysis' ranks,
so that each value is worked out once, after everything it reads. Parents of a rollup are locked first and
aggregated in a later statement, so that two children written at once are both counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB

from runtime import answers, models
from runtime.actors import System
from runtime.context import Context
from runtime.ids import new_id
from runtime.rows import child_values, replace_rows, search_words
from runtime.sources import rollup_sql
from runtime.tables import LiveTable
from schemas import filling
from schemas.analysis import Dependent
from schemas.fields.rollup import Rollup
from schemas.fields.serial import Serial
from schemas.formula import ErrorValue

IN_TRANSACTION = 5_000
"""Records worked out inside the writer's transaction; what is beyond is left to a job and shown as such."""
BATCH = 1_000

Written = tuple[UUID, Mapping[str, Any], Mapping[str, Any]]
"""A record's id, its values before and after a write."""


class Queue:
    """What is still to be worked out in this transaction."""

    def __init__(self, ctx: Context, live: LiveTable) -> None:
        self.ctx, self.live, self.analysis = ctx, live, live.analysis
        self.waiting: dict[tuple[str, str], set[UUID]] = {}

    def changed(
        self, live: LiveTable, fields: Iterable[str] | None, ids: set[UUID], moved: Mapping[str, set[UUID]]
    ) -> None:
        """Note that these fields (None: every one) of these records have changed.

        `moved` holds, for link fields, all targets before and after: the parents on both sides.
        """
        names = [f.id for f in live.table.fields] if fields is None else list(fields)
        for name in names:
            for dependent in self.analysis.dependents.get((live.id, name), ()):
                self._add(dependent, live, ids, moved)

    def _add(self, dependent: Dependent, live: LiveTable, ids: set[UUID], moved: Mapping[str, set[UUID]]) -> None:
        if not dependent.route and dependent.table == live.id:
            affected = set(ids)
        elif dependent.route == ("<",):
            affected = self._parents(dependent, live, ids, moved)
        else:
            affected = self._readers(dependent, ids)
        if affected:
            self.waiting.setdefault((dependent.table, dependent.field), set()).update(affected)

    def _parents(
        self, dependent: Dependent, live: LiveTable, ids: set[UUID], moved: Mapping[str, set[UUID]]
    ) -> set[UUID]:
        link = _rollup(self.live.sibling(dependent.table), dependent.field).over.rpartition(".")[2]
        if link in moved:
            return {id for id in moved[link] if id}
        column = live.sql.c[link]
        return set(self.ctx.conn.scalars(select(column).where(live.sql.c.id.in_(ids), column.is_not(None)).distinct()))

    def _readers(self, dependent: Dependent, ids: set[UUID]) -> set[UUID]:
        """The records whose formula reaches these ones by its links, walked back from the last."""
        tables = [self.live.sibling(dependent.table)]
        for hop in dependent.route[:-1]:
            field = tables[-1].table.field(hop)
            tables.append(tables[-1].sibling(field.table))  # type: ignore[union-attr]
        for live, hop in reversed(list(zip(tables, dependent.route, strict=True))):
            ids = set(self.ctx.conn.scalars(_pointing(live, hop, ids)))
            if not ids:
                break
        return ids

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
            changed = work_out(self.ctx, live, key[1], ids)
            if changed:
                self.changed(live, [key[1]], changed, {})


def _pointing(live: LiveTable, hop: str, ids: set[UUID]) -> Any:
    rows, _, column = hop.partition(".")
    if column:
        child = live.children[rows]
        return select(child.c._record_id).where(child.c[column].in_(ids)).distinct()
    return select(live.sql.c.id).where(live.sql.c[hop].in_(ids))


def _rollup(live: LiveTable, field: str) -> Rollup:
    found = live.table.by_id[field]
    assert isinstance(found, Rollup)
    return found


# -- after a write ---------------------------------------------------------------------------------


def after_create(ctx: Context, live: LiveTable, made: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
    after_change(ctx, live, [(id, {}, values) for id, values in made], None)


def after_change(ctx: Context, live: LiveTable, written: Sequence[Written], fields: set[str] | None) -> None:
    """Bring everything that reads these records up to date. `fields` None: all of them may have changed."""
    queue = Queue(ctx, live)
    links = [f.id for f in live.table.fields if f.type == "link"]
    moved = {
        link: {v for _, before, after in written for v in (before.get(link), after.get(link)) if v} for link in links
    }
    own = {d.field for found in live.analysis.dependents.values() for d in found if d.table == live.id and not d.route}
    queue.changed(live, fields, {id for id, _, _ in written}, moved)
    for field in own:  # worked out by the writer already
        if not isinstance(live.table.by_id[field], Rollup):
            queue.waiting.pop((live.id, field), None)
    queue.drain()


# -- working out -----------------------------------------------------------------------------------


def work_out(ctx: Context, live: LiveTable, field: str, ids: set[UUID]) -> set[UUID]:
    """Work out one field of these records again; gives those whose value is another now."""
    ordered = sorted(ids)
    changed: set[UUID] = set()
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        found = live.table.by_id[field]
        changed |= (
            _aggregate(ctx, live, found, batch) if isinstance(found, Rollup) else _formula(ctx, live, field, batch)
        )
    if changed:
        answers.forget(ctx, live)
    return changed


def _aggregate(ctx: Context, live: LiveTable, rollup: Rollup, ids: Sequence[UUID]) -> set[UUID]:
    t = live.sql
    ctx.conn.execute(select(t.c.id).where(t.c.id.in_(ids)).order_by(t.c.id).with_for_update(key_share=True))
    fresh = (
        select(t.c.id, rollup_sql(ctx, live, rollup, t).label("value"))
        .where(t.c.id.in_(ids))
        .cte("fresh")
        .prefix_with("MATERIALIZED")
    )
    change = (
        update(t)
        .where(
            t.c.id == fresh.c.id,
            t.c[rollup.id].is_distinct_from(
                func.round(fresh.c.value, rollup.scale) if _numeric(live, rollup) else fresh.c.value
            ),
        )
        .values({rollup.id: fresh.c.value})
        .returning(t.c.id)
    )
    return set(ctx.conn.scalars(change))


def _numeric(live: LiveTable, rollup: Rollup) -> bool:
    return live.analysis.type_of(live.table, rollup).kind == "number"


def _formula(ctx: Context, live: LiveTable, field: str, ids: Sequence[UUID]) -> set[UUID]:
    """Evaluate in Python, as the writer does, and store where it differs; the rows of subforms too."""
    whole = child_values(ctx, live, ids)
    answers.preload(ctx, live, list(whole.values()), live.analysis.needs(live.table))
    changed: list[dict[str, Any]] = []
    for id, before in whole.items():
        after = filling.calculate(live.analysis, live.table, before, answers.answering(ctx, live, id))
        _store_rows(ctx, live, id, before, after)
        if after.get(field) != before.get(field):
            changed.append({"_id": id, **_stored(live, field, after)})
    if changed:
        t = live.sql
        values = {t.c[field]: bindparam("_value", type_=t.c[field].type), t.c._errors: bindparam("_codes", type_=JSONB(none_as_null=True)),
                  t.c._bigrams: bindparam("_words", type_=t.c._bigrams.type)}  # fmt: skip
        ctx.conn.execute(update(t).where(t.c.id == bindparam("_id")).values(values), changed)
    return {row["_id"] for row in changed}


def _stored(live: LiveTable, field: str, after: Mapping[str, Any]) -> dict[str, Any]:
    value = after.get(field)
    errors = {f.id: v.code for f in live.columns if isinstance(v := after.get(f.id), ErrorValue)}
    kept = None if isinstance(value, ErrorValue) else value
    return {"_value": kept, "_codes": errors or None, "_words": search_words(live, after)}


def _store_rows(ctx: Context, live: LiveTable, id: UUID, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for rows in live.table.subforms:
        if before.get(rows.id) != after.get(rows.id):
            replace_rows(ctx, live, rows, {id: after.get(rows.id) or []})


# -- all records -----------------------------------------------------------------------------------


def outdated(live: LiveTable, columns: set[str]) -> list[str]:
    """The computed fields whose columns are new."""
    names = [f.id for f in live.analysis.computed(live.table)]
    fresh = {path.partition(".")[2].partition(".")[0] for path in columns if path.startswith(f"{live.id}.")}
    serials = [f.id for f in live.table.fields if isinstance(f, Serial) and f.id in fresh]
    return [n for n in names if n in fresh] + serials


def everything(ctx: Context, live: LiveTable, fields: Sequence[str], limit: int) -> None:
    """Work out fields of all records: now where there are few, by a job where there are many."""
    ranks = live.analysis.ranks
    count = ctx.conn.scalar(select(func.count()).select_from(live.sql)) or 0
    if count > limit:
        postpone(ctx, live, fields, None)
        return
    ids = set(ctx.conn.scalars(select(live.sql.c.id)))
    queue = Queue(ctx, live)
    for field in sorted(fields, key=lambda f: ranks.get((live.id, f), 0)):
        if isinstance(live.table.by_id[field], Serial):
            _number_all(ctx, live, field)
        else:
            queue.waiting[(live.id, field)] = set(ids)
    queue.drain()


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
    """Whether a job still has to bring this table up to date."""
    r = models.recalculation
    return bool(ctx.conn.scalar(select(exists().where(r.c.installation_id == live.inst.id, r.c.table_id == live.id))))


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
    queue = Queue(ctx, live)
    for field in row.fields:
        if field in live.table.by_id:
            queue.waiting[(live.id, field)] = set(now)
    queue.drain()
    ctx.conn.execute(delete(r).where(r.c.id == id))
    if later:
        postpone(ctx, live, row.fields, later)
