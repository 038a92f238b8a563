"""Several people decide at the same moment: nobody is lost, nothing happens twice. FLOW_RACES makes it long."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from runtime import flows, people, retry, running, tasks, timers
from runtime.actors import Actor
from runtime.context import Context
from runtime.flows import Decision
from runtime.models_flow import flow_instance, flow_log, flow_task
from schemas.engine import State, replay
from schemas.errors import Denied, NotFound
from tests.runtime.conftest import Shop
from tests.runtime.test_flows import CLAIMS, send

RACES = int(os.environ.get("FLOW_RACES", "12"))


def racing(make_shop: Callable[..., Shop], step: dict[str, Any]) -> Shop:
    """A shop in which manager and boss are both asked, and then a booking is written."""
    package = deepcopy(CLAIMS)
    package["flows"][0]["steps"] = [
        {"id": "both", "type": "approve", "who": {"role": "manager"}, **step},
        {"id": "book", "type": "update", "set": {"secret": 'secret & "+"'}},
    ]
    shop = make_shop(package)
    with shop.opened() as ctx:
        people.give_role(ctx, shop.table(ctx, "claim").inst.id, "manager", UUID(str(shop.boss.id)))
    return shop


def open_tasks(shop: Shop, actor: Actor) -> dict[UUID, UUID]:
    with shop.opened() as ctx:
        t = flow_task
        rows = ctx.conn.execute(select(t.c.record_id, t.c.id).where(t.c.member_id == actor.id, t.c.state == "live"))
        return {row.record_id: row.id for row in rows}


Act = Callable[[Context, UUID], Any]


def approve(ctx: Context, task: UUID) -> None:
    flows.decide(ctx, Decision(task, "approve"))


def at_once(shop: Shop, pairs: list[tuple[UUID, UUID]], first: Act = approve, second: Act = approve) -> Counter[str]:
    """Manager and boss do something with each pair of tasks at the same moment. Gives how often what came of it."""
    gate = Barrier(2)

    def each(actor: Actor, act: Act, mine: list[UUID]) -> list[str]:
        return [one(actor, act, task) for task in mine]

    def one(actor: Actor, act: Act, task: UUID) -> str:
        gate.wait(60)

        def story() -> str:
            with shop.opened(actor) as ctx:
                act(ctx, task)
            return "done"

        try:
            return retry.attempt(story)
        except (Denied, NotFound):
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(each, shop.manager, first, [a for a, _ in pairs]),
            pool.submit(each, shop.boss, second, [b for _, b in pairs]),
        ]
        return Counter(outcome for future in both for outcome in future.result())


def soundness(shop: Shop, records: list[UUID]) -> None:
    """Every run has ended once, was booked once, and its log leads to its state."""
    with shop.opened() as ctx:
        for record in records:
            run = ctx.conn.execute(select(flow_instance).where(flow_instance.c.record_id == record)).one()
            lines = list(ctx.conn.scalars(
                select(flow_log.c.entry).where(flow_log.c.instance_id == run.id).order_by(flow_log.c.number)
            ))  # fmt: skip
            whats = Counter(line["what"] for line in lines)
            assert (run.state, whats["outcome"], whats["performed"]) == ("approved", 1, 2), whats
            assert replay(lines) == State.from_json(run.body)
            assert not State.from_json(run.body).live_tasks()
        live = shop.table(ctx, "claim").sql
        assert set(ctx.conn.scalars(select(live.c.secret).where(live.c.id.in_(records)))) == {"+"}
        for actor in (shop.manager, shop.boss):
            assert tasks.counts(ctx.acting_as(actor))["tasks"] == 0


@pytest.mark.parametrize("quorum", ["all", "any", {"percent": 60}, {"count": 1}], ids=str)
def test_the_last_two_decide_at_the_same_moment(make_shop: Callable[..., Shop], quorum: Any) -> None:
    shop = racing(make_shop, {"quorum": quorum})
    both = quorum in ("all", {"percent": 60})
    records = [send(shop) for _ in range(RACES)]
    first, second = open_tasks(shop, shop.manager), open_tasks(shop, shop.boss)
    came = at_once(shop, [(first[r], second[r]) for r in records])
    soundness(shop, records)
    assert came["done"] == (2 * RACES if both else RACES)
    assert came["refused"] == (0 if both else RACES)


def test_parallel_branches_join_at_the_same_moment(make_shop: Callable[..., Shop]) -> None:
    package = deepcopy(CLAIMS)
    package["flows"][0]["steps"] = [
        {"id": "fork", "type": "parallel", "branches": [
            {"id": "a", "steps": [{"id": "one", "type": "approve", "who": {"role": "manager"}}]},
            {"id": "b", "steps": [{"id": "two", "type": "approve", "who": {"slot": "auditor"}}]},
        ]},
        {"id": "book", "type": "update", "set": {"secret": "secret & \"+\""}},
    ]  # fmt: skip
    shop = make_shop(package)
    with shop.opened() as ctx:
        people.assign_slot(ctx, shop.table(ctx, "claim").inst.id, "auditor", UUID(str(shop.boss.id)))
    records = [send(shop) for _ in range(RACES)]
    first, second = open_tasks(shop, shop.manager), open_tasks(shop, shop.boss)
    assert at_once(shop, [(first[r], second[r]) for r in records]) == {"done": 2 * RACES}
    soundness(shop, records)


def test_one_person_decides_twice_at_the_same_moment(make_shop: Callable[..., Shop]) -> None:
    shop = racing(make_shop, {"quorum": "any"})
    records = [send(shop) for _ in range(RACES)]
    mine = open_tasks(shop, shop.manager)
    twice = Shop(shop.engine, shop.workspace, shop.clerk, shop.manager, shop.outsider, shop.manager)
    assert at_once(twice, [(mine[r], mine[r]) for r in records]) == {"done": RACES, "refused": RACES}
    soundness(shop, records)


def test_one_takes_back_while_the_next_decides(make_shop: Callable[..., Shop]) -> None:
    """Either the decision is taken back and asked for again, or the next one's holds: never both."""
    package = deepcopy(CLAIMS)
    package["flows"][0]["steps"] = [
        {"id": "one", "type": "approve", "who": {"role": "manager"}},
        {"id": "two", "type": "approve", "who": {"slot": "auditor"}},
        {"id": "book", "type": "update", "set": {"secret": 'secret & "+"'}},
    ]
    shop = make_shop(package)
    with shop.opened() as ctx:
        people.assign_slot(ctx, shop.table(ctx, "claim").inst.id, "auditor", UUID(str(shop.boss.id)))
    records = [send(shop) for _ in range(RACES)]
    first = open_tasks(shop, shop.manager)
    for task in first.values():
        with shop.opened(shop.manager) as ctx:
            approve(ctx, task)
    second = open_tasks(shop, shop.boss)
    came = at_once(shop, [(first[r], second[r]) for r in records], lambda ctx, task: flows.take_back(ctx, task))
    assert came == {"done": RACES, "refused": RACES}
    for task in open_tasks(shop, shop.manager).values():
        with shop.opened(shop.manager) as ctx:
            approve(ctx, task)
    for task in open_tasks(shop, shop.boss).values():
        with shop.opened(shop.boss) as ctx:
            approve(ctx, task)
    soundness(shop, records)


def test_a_signer_is_added_while_the_other_decides(make_shop: Callable[..., Shop]) -> None:
    """The added signer counts, or came too late: no run is stuck and none is approved twice."""
    shop = racing(make_shop, {"quorum": "any"})
    records = [send(shop) for _ in range(RACES)]
    mine, theirs = open_tasks(shop, shop.manager), open_tasks(shop, shop.boss)
    outsider = UUID(str(shop.outsider.id))
    came = at_once(
        shop,
        [(mine[r], theirs[r]) for r in records],
        lambda ctx, task: flows.add_signers(ctx, task, [outsider], "parallel"),
    )
    assert came["done"] >= RACES
    soundness(shop, records)
    assert open_tasks(shop, shop.outsider) == {}


def test_a_timer_strikes_while_somebody_decides(make_shop: Callable[..., Shop]) -> None:
    """What runs out and is approved by hand at the same moment is approved once."""
    shop = racing(make_shop, {"due": {"in": "1 minute", "then": ["approve"]}})
    records = [send(shop) for _ in range(RACES)]
    mine = open_tasks(shop, shop.manager)

    def strike(ctx: Context, task: UUID) -> None:
        instance = ctx.conn.scalar(select(flow_task.c.instance_id).where(flow_task.c.id == task))
        token = next(iter(running.load(ctx, instance, lock=False).state.live_tokens()), None)
        if token is not None:
            at = (ctx.now + timedelta(hours=1)).isoformat()
            timers.due(ctx, str(instance), token.id, token.round, token.alarm, at)

    came = at_once(shop, [(mine[r], mine[r]) for r in records], second=strike)
    assert came["done"] + came["refused"] == 2 * RACES
    soundness(shop, records)
