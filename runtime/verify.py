"""Whether the stored results of calculations are what a calculation from scratch gives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from runtime import definitions, groups, recalculate
from runtime.context import Context
from runtime.tables import LiveTable, family
from schemas.fields.formula import FormulaField
from schemas.fields.rollup import Rollup
from schemas.formula import ErrorValue

BATCH = 1_000


@dataclass(frozen=True)
class Difference:
    """A stored value that is not what its definition gives."""

    app: str
    table: str
    field: str
    record: UUID
    stored: Any
    fresh: Any


def differences(ctx: Context, live: LiveTable, most: int | None = None) -> Iterator[Difference]:
    """Every stored result of a table that differs, in the trash too; of `most` records drawn at random if given."""
    t = live.sql
    fields = list(live.analysis.dependencies.stored(live.table))
    filed = groups.of_table(live)
    if not fields and not filed:
        return
    query = select(t.c.id).order_by(t.c.id) if most is None else select(t.c.id).order_by(func.random()).limit(most)
    ids = list(ctx.conn.scalars(query))
    for start in range(0, len(ids), BATCH):
        for path, found, row in fields:
            for record, stored, fresh in _differing(
                ctx, live, path, found, row is not None, ids[start : start + BATCH]
            ):
                yield Difference(live.inst.slug, live.id, path, record, stored, fresh)
        for one in filed:
            for record, held, now in groups.found_anew(ctx, live, one.path, ids[start : start + BATCH], make=False):
                yield Difference(live.inst.slug, live.id, one.path, record, held, now)


def _differing(
    ctx: Context, live: LiveTable, path: str, found: Any, in_rows: bool, ids: Sequence[UUID]
) -> Iterator[tuple[UUID, Any, Any]]:
    if isinstance(found, Rollup):
        yield from _rollups(ctx, live, found, ids)
    elif in_rows:
        column = path.partition(".")[2]
        for record, before, after in recalculate.evaluated_rows(ctx, live, path, ids):
            for old, new in zip(before, after, strict=True):
                if _differ(old.get(column), new.get(column)):
                    yield record, old.get(column), new.get(column)
    elif isinstance(found, FormulaField):
        for record, values, fresh in recalculate.evaluated(ctx, live, found, ids):
            if _differ(values.get(found.id), fresh):
                yield record, values.get(found.id), fresh


def _rollups(ctx: Context, live: LiveTable, found: Rollup, ids: Sequence[UUID]) -> Iterator[tuple[UUID, Any, Any]]:
    t = live.sql
    fresh = select(t.c.id, t.c[found.id].label("stored"), recalculate.fresh_rollup(ctx, live, found).label("fresh"))
    rows = fresh.where(t.c.id.in_(ids)).subquery()
    for row in ctx.conn.execute(select(rows).where(rows.c.stored.is_distinct_from(rows.c.fresh))):
        yield row.id, row.stored, row.fresh


def _differ(stored: Any, fresh: Any) -> bool:
    one, other = (v.code if isinstance(v, ErrorValue) else v for v in (stored, fresh))
    return bool(one != other)


def everywhere(ctx: Context, most: int | None = None) -> Iterator[Difference]:
    """The differences in all apps of a workspace; tables for which a job still waits are passed over."""
    for inst in definitions.all_installed(ctx):
        for live in family(ctx, inst).values():
            if not recalculate.pending(ctx, live):
                yield from differences(ctx, live, most)
