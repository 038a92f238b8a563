"""Values that one record takes from many."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from bench.data import Values, batches
from bench.floor import Floor
from bench.loading import fill
from bench.measure import Pair
from bench.registry import benchmark
from bench.world import World
from runtime import records
from runtime.ids import new_id

CHILDREN = 100_000
"""The most; fewer in a smaller world."""


def _children(buyer: UUID, count: int) -> Iterator[Values]:
    for n in range(count):
        amount = Decimal(n % 900 + 1)
        yield {
            "id": new_id(), "number": f"R-{n}", "buyer": buyer, "quantity": Decimal(1), "price": amount, "rebate": Decimal(0),
            "day": date(2026, 1, 1), "goods": amount, "off": Decimal(0), "tax": Decimal(0), "total": amount, "size": "small",
        }  # fmt: skip


@benchmark
def rollup(world: World) -> Iterator[Pair]:
    """A record is added under a parent that has 100,000 already, and the parent's sum follows."""
    floor, site = world.floor, world.site
    parent, count = next(iter(world.buyers.values())), min(CHILDREN, world.records)
    with site.opened() as ctx:
        fill(ctx, world.table(ctx, "booking"), _children(parent, count))
    with floor.engine.begin() as conn:
        for batch in batches(_children(parent, count), 5_000):
            conn.execute(insert(floor.booking), batch)
    with site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")
    values = {"number": "R-new", "buyer": parent, "quantity": Decimal(2), "price": Decimal(10), "rebate": Decimal(0)}

    def ours() -> None:
        with site.opened(site.manager) as ctx:
            records.create(ctx, world.table(ctx, "booking"), values)

    yield Pair(f"one more below a parent of {count:,}", ours, lambda: _add_by_hand(floor, parent, values), times=5)


def _add_by_hand(floor: Floor, parent: UUID, values: dict[str, Any]) -> None:
    """Inserted, then summed up anew: adding up alone would drift with the first mistake."""
    o, c = floor.booking, floor.buyer
    with floor.engine.begin() as conn:
        conn.execute(
            insert(o).values(
                id=new_id(), **values, goods=20, off=0, tax=Decimal("2.6"), total=Decimal("22.6"), size="small"
            )
        )
        conn.execute(select(c.c.id).where(c.c.id == parent).with_for_update())
        total = select(func.sum(o.c.total)).where(o.c.buyer == parent).scalar_subquery()
        conn.execute(update(c).where(c.c.id == parent).values(booked=total))
