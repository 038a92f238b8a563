"""Many records: pages of lists, search, figures."""

import json
from collections.abc import Iterator
from typing import Any

from bench.data import RARE
from bench.definition import LIST
from bench.measure import Pair
from bench.page import floor_app
from bench.registry import benchmark
from bench.world import World
from runtime import definitions, ordering, query, reports
from runtime.access import door
from runtime.query import Listing
from schemas.formula import Formula

COLUMNS = LIST["columns"]
WON = Listing(COLUMNS, [Formula.of(LIST["filter"])], LIST["sort"], size=50)
NEWEST = Listing(COLUMNS, size=50)


def page_and_total(world: World, actor: Any, listing: Listing) -> int:
    with world.site.opened(actor) as ctx:
        gate = door(ctx, world.table(ctx, "parcel"))
        found = query.page(gate, listing).records
        query.summary(gate, listing, COLUMNS)
        return len(found)


def sums_by_stage(world: World, actor: Any) -> None:
    with world.site.opened(actor) as ctx:
        inst = definitions.installed(ctx, "desk")
        board = inst.app.dashboard("figures")
        assert board is not None
        assert len(reports.figures(ctx, inst, board.widgets[0]).categories) == 6


@benchmark
def listed(world: World) -> Iterator[Pair]:
    """50 records, filtered and sorted, with their number: for one who sees all, and for one whose rights name rows."""
    floor, site = world.filled, world.site
    yield Pair("list of 50, filtered and sorted", lambda: page_and_total(world, site.manager, WON), floor.won, goal=2)
    yield Pair(
        "the same, rows and fields restricted",
        lambda: page_and_total(world, site.rep, WON),
        lambda: floor.won(site.rep.id),
    )


@benchmark
def page(world: World) -> Iterator[Pair]:
    """The page of that list as HTML, 50 x 20 cells, through the web."""
    floor, site = world.filled, world.site
    other = floor_app(floor, site.manager.id).test_client()
    other.get("/enter")
    browser = world.browser

    def ours(**headers: str) -> None:
        assert browser.get("/a/desk/v/won/", **headers).data.count(b"data-key=") >= 50

    def by_hand() -> None:
        assert other.get("/parcels").data.count(b"data-key=") == 50

    yield Pair("list page, whole", ours, by_hand, goal=2)
    fragment = {"HX-Request": "true", "HX-Target": "records"}
    yield Pair("list page, the part that htmx asks for", lambda: ours(**fragment), by_hand, goal=2)


@benchmark
def deep(world: World) -> Iterator[Pair]:
    """The page after half of all records, the newest first: by a key and, by hand, by an offset too."""
    floor, site = world.filled, world.site
    skipped = world.records // 2
    edge = floor.deep_by_offset(skipped)[0]
    cursor = ordering.write_cursor([edge.created_at, edge.id])
    listing = Listing(COLUMNS, size=50, after=cursor)

    def ours() -> None:
        with site.opened(site.manager) as ctx:
            assert len(query.page(door(ctx, world.table(ctx, "parcel")), listing).records) == 50

    yield Pair("deep page", ours, lambda: floor.deep_by_key(edge.created_at, edge.id), goal=2)
    yield Pair("deep page, by hand with OFFSET", ours, lambda: floor.deep_by_offset(skipped), times=5)


@benchmark
def search(world: World) -> Iterator[Pair]:
    """Records that hold two characters of Chinese somewhere, with their number."""
    floor, site = world.filled, world.site
    for name, word in (
        ("search, 1 of 1000 found", RARE),
        ("search, every tenth found", "轴承"),
        ("search, none found", "龘靐"),
    ):
        listing = Listing(COLUMNS, search=word, size=50)

        def ours(listing: Listing = listing) -> None:
            page_and_total(world, site.manager, listing)

        yield Pair(name, ours, lambda word=word: floor.search(word), times=5)  # type: ignore[misc]


@benchmark
def group(world: World) -> Iterator[Pair]:
    """The sum of amounts by stage, as a dashboard asks for it."""
    floor, site = world.filled, world.site

    yield Pair("sum by group", lambda: sums_by_stage(world, site.manager), floor.by_stage, times=5, goal=2)


@benchmark
def live(world: World) -> Iterator[Pair]:
    """A form of 60 fields with 50 rows, recalculated as somebody types."""
    rows = [{"goods": f"货 {n}", "count": str(n), "price": "12.50"} for n in range(50)]
    sent = {f"number_{n}": str(n * 7) for n in range(20)} | {f"text_{n}": f"文字 {n}" for n in range(20)}
    sent |= {"lines": json.dumps(rows), "_touched": '["number_3"]'}
    browser = world.browser

    def ours() -> None:
        browser.post("/a/desk/f/filled/live", sent, **{"HX-Request": "true"})

    yield Pair("live recalculation, 60 fields and 50 rows", ours, times=10, limit=30)
