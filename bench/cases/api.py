"""The API over HTTP: one worker and four, one program at a time and sixteen."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from typing import Any

from sqlalchemy import text

from bench.measure import Pair
from bench.registry import benchmark
from bench.serving import Request, served, together
from bench.world import World
from runtime import tokens

RECORDS = "/api/v1/apps/desk/tables/parcel/records"
MANY = {1: 16, 16: 64}
"""Requests of a call, by how many ask at once."""
FEW = 1_000
"""With fewer records the bench is only tried, not measured."""


@benchmark
def api(world: World) -> Iterator[Pair]:
    """50 records as JSON and a new one, over HTTP, beside a hand-written Flask endpoint on the same table."""
    floor, secret = world.filled, _token(world)
    with floor.engine.begin() as conn:
        conn.execute(text("CREATE TABLE IF NOT EXISTS floor.token (digest bytea PRIMARY KEY, member text)"))
        values = {"digest": hashlib.sha256(secret.encode()).digest()}
        conn.execute(text("INSERT INTO floor.token VALUES (:digest, 'rep') ON CONFLICT DO NOTHING"), values)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    bodies = cycle([json.dumps({"fields": sent}).encode() for sent in world.some_parcels(200)])
    for workers in (1, 4) if world.records >= FEW else (1,):
        with ExitStack() as stack:
            ours = stack.enter_context(served("wsgi:create_app()", workers, _environment(world)))
            hand = stack.enter_context(served("bench.api_by_hand:create_app()", workers, {"FLOOR_URL": world.site.url}))
            yield from _pairs(workers, ours, hand, bodies, headers)


def _pairs(workers: int, ours: int, hand: int, bodies: Iterator[bytes], headers: dict[str, str]) -> Iterator[Pair]:
    def adding(path: str) -> Request:
        return "POST", path, next(bodies)

    for at_once, count in MANY.items():
        where = f"{workers} worker{'s' if workers > 1 else ''}, {at_once} at once"
        for name, mine, theirs in (
            ("list of 50", partial(_reading, f"{RECORDS}?limit=50"), partial(_reading, "/parcels")),
            ("create", partial(adding, RECORDS), partial(adding, "/parcels")),
        ):
            yield Pair(
                f"API {name}, {where}", partial(together, ours, at_once, count, mine, headers),
                partial(together, hand, at_once, count, theirs, headers), times=3, size=count, served=True,
            )  # fmt: skip


def _reading(path: str) -> Request:
    return "GET", path, None


def _token(world: World) -> str:
    """Of the manager, who has signed in before."""
    assert world.browser
    scope: Any = {"data": [{"app": "desk", "do": ["read", "create"]}]}
    with world.site.opened(world.site.manager) as ctx:
        return tokens.make(ctx, "Bench", scope, personal=True)


def _environment(world: World) -> dict[str, str]:
    return {
        "DATABASE_URL": world.site.url,
        "MORTISE_DATA": str(world.site.settings.data),
        "MORTISE_API_RATE": "1000000",
    }
