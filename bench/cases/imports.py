"""Files of many records."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from bench import data
from bench.data import Values, batches
from bench.floor import Floor, read
from bench.measure import Pair
from bench.registry import benchmark
from bench.world import World
from runtime import importing
from runtime.ids import new_id
from runtime.sheets import read_sheet
from schemas.importing import Target

BATCH = 500
ROWS = 5_000
NAMED = ("owner", "department")


def as_file(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A CSV file in memory."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def ours(world: World, table: str, content: bytes, mappings: Mapping[str, Target]) -> None:
    """The file imported as the manager; rolled back, so that every call finds the same tables."""
    with world.site.engine.connect() as conn, world.site.opened(world.site.manager) as ctx:
        sheet = read_sheet(content, "rows.csv")
        report = importing.run_now(ctx, world.table(ctx, table), sheet, dict(mappings))
        assert report.sound == report.total, report.sorted()[:3]
        ctx.conn.rollback()
        conn.close()


@benchmark
def imported(world: World) -> Iterator[Pair]:
    """A file of 5,000 rows and 20 columns, links found by name, into the table of 20 fields."""
    floor, site = world.filled, world.site
    names = {id: name for name, id in world.buyers.items()}
    count, rows = min(ROWS, world.records), []
    for values in world.some_parcels(count):
        people = {"owner": f"Rep {site.people.index(UUID(values['owner'])):02}",
                  "department": ("Sales", "Export", "Service")[site.departments.index(UUID(values["department"]))]}  # fmt: skip
        rows.append({**values, **people, "buyer": names[UUID(values["buyer"])], "tags": ",".join(values["tags"])})
    content = as_file(rows)
    mappings = {id: Target(column=id, match="name" if id == "buyer" else None) for id in rows[0]}

    def by_hand() -> None:
        with floor.engine.connect() as conn:
            people = {f"Rep {n:02}": id for n, id in enumerate(site.people)}
            units = dict(zip(("Sales", "Export", "Service"), site.departments, strict=True))
            buyers = {row.name: row.id for row in conn.execute(select(floor.buyer))}
            for batch in batches(csv.DictReader(io.StringIO(content.decode())), BATCH):
                made = [
                    {"id": new_id(), **read({**line, "tags": line["tags"].split(","), "owner": "", "department": "", "buyer": ""}),
                     "owner": people[line["owner"]], "department": units[line["department"]], "buyer": buyers[line["buyer"]]}
                    for line in batch
                ]  # fmt: skip
                conn.execute(insert(floor.parcel), made)
            conn.rollback()

    yield Pair("import, rows", lambda: ours(world, "parcel", content, mappings), by_hand, times=1, size=count, goal=3)


@benchmark
def chained(world: World) -> Iterator[Pair]:
    """10,000 rows into a table with 5 formulas, whose totals are summed up in 1,000 buyers."""
    floor, count = world.floor, min(10_000, world.records)
    content = as_file(list(data.bookings(count, list(world.buyers))))
    columns = ("number", "buyer", "quantity", "price", "rebate", "day")
    mappings = {id: Target(column=id, match="name" if id == "buyer" else None) for id in columns}
    yield Pair(
        "import with 5 formulas and a rollup, rows", lambda: ours(world, "booking", content, mappings),
        lambda: bookings_by_hand(floor, content), times=1, size=count, goal=4,
    )  # fmt: skip


def bookings_by_hand(floor: Floor, content: bytes) -> None:
    """The five values worked out in Python, inserted in batches, the sums brought up to date at the end."""
    o, c = floor.booking, floor.buyer
    with floor.engine.connect() as conn:
        buyers = {row.name: row.id for row in conn.execute(select(c))}
        for batch in batches(csv.DictReader(io.StringIO(content.decode())), BATCH):
            conn.execute(insert(o), [_booking(line, buyers) for line in batch])
        sums = select(o.c.buyer, func.sum(o.c.total).label("total")).group_by(o.c.buyer).subquery()
        conn.execute(update(c).where(c.c.id == sums.c.buyer).values(booked=sums.c.total))
        conn.rollback()


def _booking(line: Mapping[str, str], buyers: Mapping[str, UUID]) -> Values:
    cent = Decimal("0.01")
    quantity, price, rebate = Decimal(line["quantity"]), Decimal(line["price"]), Decimal(line["rebate"])
    goods = (quantity * price).quantize(cent)
    off = (goods * rebate).quantize(cent)
    tax = ((goods - off) * Decimal("0.13")).quantize(cent)
    total = goods - off + tax
    size = "large" if total >= 100_000 else "middle" if total >= 10_000 else "small"
    return {
        "id": new_id(), "number": line["number"], "buyer": buyers[line["buyer"]], "quantity": quantity, "price": price,
        "rebate": rebate, "day": line["day"], "goods": goods, "off": off, "tax": tax, "total": total, "size": size,
    }  # fmt: skip
