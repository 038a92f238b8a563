"""What rights cost: the same as an administrator and as a member whose rights name rows."""

from collections.abc import Iterator

from bench.cases.lists import COLUMNS, NEWEST, WON, page_and_total, sums_by_stage
from bench.data import RARE
from bench.measure import Pair
from bench.registry import benchmark
from bench.world import World
from runtime.query import Listing


@benchmark
def rights(world: World) -> Iterator[Pair]:
    """A member with three rules on rows and one that follows a link, beside an administrator: list, search, figures."""
    assert world.filled
    member, administrator = world.site.seller, world.site.administrator
    listings = (
        ("list, filtered and sorted", WON), ("list, the newest", NEWEST),
        ("search, 1 of 1000 found", Listing(COLUMNS, search=RARE, size=50)),
    )  # fmt: skip
    for name, listing in listings:
        yield Pair(
            f"rights: {name}",
            lambda listing=listing: page_and_total(world, member, listing),  # type: ignore[misc]
            lambda listing=listing: page_and_total(world, administrator, listing),  # type: ignore[misc]
            times=10,
            goal=1.5,
        )
    yield Pair(
        "rights: sum by group", lambda: sums_by_stage(world, member), lambda: sums_by_stage(world, administrator),
        times=3, goal=1.5,
    )  # fmt: skip
