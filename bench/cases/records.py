"""One record: adding it, reading it, changing it. Ours with rights, checks, history, search and flows looked for."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import count, cycle
from typing import Any

from bench.floor import Floor
from bench.measure import Pair
from bench.page import floor_app
from bench.registry import benchmark
from bench.world import World, numbered_id
from runtime import query
from runtime.access import door
from runtime.submit import Sent, submit
from schemas.errors import NotFound


@benchmark
def create(world: World) -> Iterator[Pair]:
    """Add a record: from the texts of a form to the committed row."""
    floor, site = world.filled, world.site
    sent = cycle(world.some_parcels(200))

    def ours() -> None:
        with site.opened(site.manager) as ctx:
            parcel = world.table(ctx, "parcel")
            submit(ctx, parcel, Sent(parcel.inst.app.form_of("parcel"), next(sent)))

    yield Pair("create", ours, lambda: floor.create(next(sent)), times=60, goal=3)


@benchmark
def read(world: World) -> Iterator[Pair]:
    """Read one record, as one who may see it all and as one whose rights name rows and hide a field."""
    floor, site = world.filled, world.site
    numbers = count(1)

    def ours(actor: Any) -> None:
        with site.opened(actor) as ctx, suppress(NotFound):  # a few are not the rep's to see
            query.fetch(door(ctx, world.table(ctx, "parcel")), numbered_id(next(numbers) % world.records))

    def by_hand() -> None:
        floor.read_one(numbered_id(next(numbers) % world.records))

    yield Pair("read one", lambda: ours(site.manager), by_hand, times=100)
    yield Pair("read one, rows and fields restricted", lambda: ours(site.rep), by_hand, times=100)


@benchmark
def update(world: World) -> Iterator[Pair]:
    """Change three fields of a record."""
    floor, site = world.filled, world.site
    numbers, amounts = cycle(range(0, world.records, 37)), count(1)

    def sent() -> dict[str, Any]:
        return {
            "amount": f"{next(amounts)}.50",
            "stage": ("offered", "testing")[next(amounts) % 2],
            "note": f"改过 {next(amounts)}",
        }

    versions: dict[Any, int] = {}

    def ours() -> None:
        with site.opened(site.manager) as ctx:
            parcel = world.table(ctx, "parcel")
            submit(ctx, parcel, Sent(parcel.inst.app.form_of("parcel"), sent(), record=numbered_id(next(numbers))))

    def by_hand() -> None:
        id = numbered_id(next(numbers))
        version = versions.get(id, 1)
        assert floor.update(id, version, sent())
        versions[id] = version + 1

    yield Pair("update", ours, by_hand, times=60, goal=3)


@benchmark
def post(world: World) -> Iterator[Pair]:
    """The same addition through the web: a form posted by a signed-in member."""
    floor, site = world.filled, world.site
    sent = cycle(world.some_parcels(200))
    other = _by_hand(floor, site.manager.id)
    browser = world.browser

    def ours() -> None:
        assert browser.post("/a/desk/f/parcel/new", next(sent)).status_code == 303

    def by_hand() -> None:
        assert other.post("/parcels", data=next(sent)).status_code == 303

    yield Pair("create by a posted form", ours, by_hand, times=40, goal=3)


def _by_hand(floor: Floor, member: Any) -> Any:
    client = floor_app(floor, member).test_client()
    client.get("/enter")
    return client
