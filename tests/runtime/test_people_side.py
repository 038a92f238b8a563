"""The people's side with a database: who may do what to a task, absences, hand-over, subflows, timers, links."""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from runtime import absences, flows, jobs, notices, outside, people, progress, query, records, tasks
from runtime.access import door
from runtime.actors import Link
from runtime.context import Context
from runtime.definitions import publish
from runtime.flows import Decision
from runtime.models_flow import flow_instance, flow_reader, flow_task
from runtime.submit import Sent, submit
from schemas.engine import State, replay
from schemas.errors import Denied, InvalidInput, NotFound
from tests.runtime.conftest import Shop
from tests.runtime.test_flows import CLAIMS, claim, do, fill_slots, id_of, run_of, send, task_of

STEP: dict[str, Any] = {"id": "look", "type": "approve", "who": {"role": "manager"}, "fields": {"secret": "hidden"}}


def shop_with(make_shop: Callable[..., Shop], *steps: dict[str, Any], flow: Any = None, **more: Any) -> Shop:
    package = deepcopy(CLAIMS)
    package["flows"][0] |= {"steps": list(steps), "after": {}, **(flow or {})}
    package.update(more)
    return fill_slots(make_shop(package))


def numbered(shop: Shop, actor: Any) -> tuple[UUID, Any]:
    return task_of(shop, actor), actor


def with_task(shop: Shop, actor: Any, story: Callable[[Context, UUID], Any]) -> Any:
    task = task_of(shop, actor)
    with shop.opened(actor) as ctx:
        return story(ctx, task)


def states(shop: Shop, record: UUID) -> dict[str, str]:
    with shop.opened() as ctx:
        t = flow_task
        rows = ctx.conn.execute(select(t.c.member_id, t.c.state).where(t.c.record_id == record).order_by(t.c.number))
        names = people.Directory.of(ctx)
        return {names.names([row.member_id])[row.member_id]: row.state for row in rows}


def sound(shop: Shop, record: UUID) -> None:
    """The log leads to the kept state."""
    from runtime import running

    run = run_of(shop, record)
    with shop.opened() as ctx:
        assert replay(running.log_of(ctx, run.id)) == State.from_json(run.body)


def test_a_task_is_delegated_comes_back_and_a_signer_is_added(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    record = send(shop)
    with_task(shop, shop.manager, lambda ctx, t: flows.delegate(ctx, t, id_of(shop.outsider), "please look"))
    assert states(shop, record) == {"Manager": "paused", "Outsider": "live"}
    with shop.opened(shop.manager) as ctx:
        assert query.fetch(door(ctx, shop.table(ctx, "claim")), record).id == record, "who delegated still sees it"
    with pytest.raises(Denied, match="does not offer"):
        do(shop, shop.outsider, "approve")
    do(shop, shop.outsider, "answer", comment="looks fine")
    assert states(shop, record) == {"Manager": "live", "Outsider": "decided"}
    with_task(shop, shop.manager, lambda ctx, t: flows.add_signers(ctx, t, [id_of(shop.boss)], "after"))
    do(shop, shop.manager, "approve")
    assert claim(shop, record)["flow.state"] == "running"
    do(shop, shop.boss, "approve")
    assert claim(shop, record)["flow.state"] == "approved"
    sound(shop, record)


def test_nobody_names_people_they_may_not_know_or_acts_for_others(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    send(shop)
    task = task_of(shop, shop.manager)
    strangers: list[Callable[[Context], Any]] = [
        lambda ctx: flows.delegate(ctx, task, id_of(shop.boss)),
        lambda ctx: flows.add_signers(ctx, task, [id_of(shop.boss)], "after"),
        lambda ctx: flows.remark(ctx, task, "hello"),
        lambda ctx: flows.copy(ctx, task, [id_of(shop.boss)]),
        lambda ctx: flows.take_back(ctx, task),
        lambda ctx: flows.hand_over_all(ctx, id_of(shop.manager), id_of(shop.outsider)),
    ]
    for attempt in strangers:
        with pytest.raises(NotFound), shop.opened(shop.outsider) as ctx:
            attempt(ctx)
    with pytest.raises(InvalidInput), shop.opened(shop.manager) as ctx:
        flows.delegate(ctx, task, task)


def test_a_copy_lets_read_what_the_step_shows_and_says_who_has_read_it(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    record = send(shop, secret="hush")
    with_task(shop, shop.manager, lambda ctx, t: flows.copy(ctx, t, [id_of(shop.outsider)], "for you"))
    with shop.opened(shop.outsider) as ctx:
        seen = query.fetch(door(ctx, shop.table(ctx, "claim")), record)
        assert seen.values["what"] == "Paper"
        assert "secret" not in seen.values
        tasks.mark_seen(ctx, run_of(shop, record).id)
    with shop.opened(shop.manager) as ctx:
        run = progress.of_run(ctx, progress.seen_run(ctx, run_of(shop, record).id))
        assert [event.read for event in run.events if event.read] == [[("Outsider", True)]]


def test_a_decision_is_taken_back_until_the_next_one_has_decided(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP, {**STEP, "id": "again", "who": {"slot": "auditor"}})
    record = send(shop)
    first = task_of(shop, shop.manager)
    do(shop, shop.manager, "approve")
    with shop.opened(shop.manager) as ctx:
        assert progress.of_run(ctx, progress.seen_run(ctx, run_of(shop, record).id)).take_back == first
        flows.take_back(ctx, first)
    assert task_of(shop, shop.manager) == first
    assert states(shop, record)["Boss"] == "closed"
    do(shop, shop.manager, "approve")
    do(shop, shop.boss, "approve")
    with pytest.raises(Denied, match="no longer be taken back"), shop.opened(shop.manager) as ctx:
        flows.take_back(ctx, first)
    sound(shop, record)


def test_the_starter_urges_and_a_remark_is_kept(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    record = send(shop)
    run = run_of(shop, record).id
    with shop.opened(shop.clerk) as ctx:
        flows.urge(ctx, run)
    with pytest.raises(Denied, match="a moment ago"), shop.opened(shop.clerk) as ctx:
        flows.urge(ctx, run)
    with pytest.raises(NotFound), shop.opened(shop.outsider) as ctx:
        flows.urge(ctx, run)
    with_task(shop, shop.manager, lambda ctx, t: flows.remark(ctx, t, "wait a little"))
    with shop.opened(shop.clerk) as ctx:
        seen = progress.of_run(ctx, progress.seen_run(ctx, run))
        assert [event.moment.comment for event in seen.events if event.moment.what == "commented"] == ["wait a little"]


def test_somebody_stands_in_for_a_time_and_for_one_flow(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    with shop.opened(shop.manager) as ctx:
        start, end = ctx.now - timedelta(hours=1), ctx.now + timedelta(days=1)
        me = id_of(shop.manager)
        with pytest.raises(InvalidInput) as refused:
            absences.arrange(ctx, me, me, end, start)
        assert set(refused.value.errors) == {"to", "until"}
        absences.arrange(ctx, me, id_of(shop.outsider), start, end)
        absences.arrange(ctx, me, id_of(shop.clerk), start, end, "shop.another")
    send(shop)
    with shop.opened(shop.outsider) as ctx:
        lines, _ = tasks.listed(ctx, tasks.Asked())
        assert [(line.instead_of, line.simple) for line in lines] == [("Manager", True)]
    with shop.opened(shop.manager) as ctx:
        for arranged in absences.of_member(ctx, id_of(shop.manager)):
            absences.cancel(ctx, arranged.id)
    send(shop)
    assert task_of(shop, shop.manager)
    with pytest.raises(NotFound), shop.opened(shop.outsider) as ctx:
        absences.of_member(ctx, id_of(shop.manager))


def test_the_tasks_of_a_leaver_are_handed_over_in_every_state(make_shop: Callable[..., Shop]) -> None:
    both = {**STEP, "who": [{"slot": "auditor"}, {"role": "manager"}], "quorum": "in_order"}
    shop = shop_with(make_shop, both)
    first, second = send(shop), send(shop)
    do(shop, shop.boss, "approve")
    with shop.opened(shop.boss) as ctx:
        assert flows.hand_over_all(ctx, id_of(shop.manager), id_of(shop.outsider)) == 2, (
            "one is live, one waits for its turn"
        )
    assert states(shop, first)["Outsider"] == "live"
    assert states(shop, second)["Outsider"] == "waiting"


def test_a_run_is_taken_up_again_and_moved_to_the_published_version(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP, {**STEP, "id": "second"})
    record = send(shop)
    run = run_of(shop, record).id
    do(shop, shop.manager, "reject")
    with pytest.raises(NotFound), shop.opened(shop.manager) as ctx:
        flows.reactivate(ctx, run, "second")
    with shop.opened(shop.boss) as ctx:
        flows.reactivate(ctx, run, "second")
    assert claim(shop, record)["flow.state"] == "running"
    with shop.opened() as ctx:
        package = deepcopy(CLAIMS)
        package["flows"][0] |= {"steps": [{**STEP, "id": "final"}], "after": {}}
        publish(ctx, "shop", package)
    with shop.opened(shop.boss) as ctx:
        assert flows.migration(ctx, run, {}).plan.problems
    with pytest.raises(InvalidInput), shop.opened(shop.boss) as ctx:
        flows.migrate(ctx, run, {})
    with shop.opened(shop.boss) as ctx:
        flows.migrate(ctx, run, {"second": "final"})
    assert run_of(shop, record).revision == 2
    do(shop, shop.manager, "approve")
    assert claim(shop, record)["flow.state"] == "approved"
    sound(shop, record)


def test_a_timer_reminds_then_approves_and_a_stale_one_does_nothing(
    make_shop: Callable[..., Shop], database_url: str
) -> None:
    late = {"in": "1 hour", "then": ["remind", {"do": "approve", "after": "1 hour"}]}
    shop = shop_with(make_shop, {**STEP, "due": late}, {**STEP, "id": "next"})
    decided, left = send(shop), send(shop)
    do(shop, shop.manager, "approve")
    with shop.opened() as ctx:
        now = ctx.now
        due = ctx.conn.scalars(select(flow_task.c.due_at).where(flow_task.c.step == "look")).all()
        assert due
        assert all(timedelta(minutes=50) < at - now < timedelta(minutes=61) for at in due)
    assert jobs.drain_jobs(database_url, until=now + timedelta(minutes=90)) == []
    assert "task waits for you and is due" in " ".join(said(shop, shop.manager))
    assert len([line for line in said(shop, shop.manager) if "is due" in line]) == 1, "the decided one is stale"
    assert jobs.drain_jobs(database_url, until=now + timedelta(days=1)) == []
    assert [steps(shop, record) for record in (decided, left)] == [["next"], ["next"]]
    sound(shop, left)


def said(shop: Shop, actor: Any) -> list[str]:
    with shop.opened(actor) as ctx:
        return [str(notice.sentence) for notice in notices.listed(ctx)]


def steps(shop: Shop, record: UUID) -> list[str]:
    return [task.step for task in State.from_json(run_of(shop, record).body).live_tasks()]


SUB: dict[str, Any] = {
    "id": "check", "title": "Check", "trigger": {"button": {"table": "budget", "label": "Check"}},
    "steps": [{"id": "see", "type": "approve", "who": {"role": "manager"}, "fields": {"spent": "write"}}],
}  # fmt: skip
GRANTS = [
    {"id": "sub_make", "who": {"flow": "approval"}, "table": "budget", "do": ["read", "create", "update"]},
    {"id": "sub_write", "who": {"flow": "approval"}, "table": "claim", "do": ["read", "update"]},
]


def test_a_subflow_for_each_row_is_waited_for_and_writes_back(make_shop: Callable[..., Shop]) -> None:
    step = {"id": "sub", "type": "subflow", "flow": "check", "of": "items", "set": {"name": "thing & \" of \" & what"},
            "results": {"cost": "spent"}}  # fmt: skip
    package = deepcopy(CLAIMS)
    package["flows"][0] |= {"steps": [step, {**STEP, "id": "last", "who": {"slot": "auditor"}}], "after": {}}
    package["flows"].append(SUB)
    package["access"] += GRANTS
    shop = fill_slots(make_shop(package))
    record = send(shop, items=[{"thing": "Pens", "price": "1"}, {"thing": "Ink", "price": "2"}])
    with shop.opened(shop.manager) as ctx:
        lines, _ = tasks.listed(ctx, tasks.Asked())
        assert sorted(line.title for line in lines) == ["Ink of Paper", "Pens of Paper"]
    for spent in ("7", "8"):
        do(shop, shop.manager, "approve", values={"spent": spent})
    assert sorted(row["cost"] for row in claim(shop, record)["items"]) == [7, 8]
    do(shop, shop.boss, "approve")
    assert claim(shop, record)["flow.state"] == "approved"
    sound(shop, record)


def test_a_subflow_ends_with_the_flow_that_waits_for_it(make_shop: Callable[..., Shop]) -> None:
    package = deepcopy(CLAIMS)
    package["flows"][0] |= {
        "steps": [{"id": "sub", "type": "subflow", "flow": "check"}],
        "after": {},
        "withdraw": "until_end",
    }
    package["flows"].append(SUB)
    package["access"] += GRANTS
    shop = fill_slots(make_shop(package))
    run = run_of(shop, send(shop)).id
    assert task_of(shop, shop.manager)
    with shop.opened(shop.clerk) as ctx:
        flows.withdraw(ctx, run)
    with shop.opened() as ctx:
        assert set(ctx.conn.scalars(select(flow_instance.c.state))) == {"withdrawn", "ended"}
        assert tasks.counts(ctx.acting_as(shop.manager))["tasks"] == 0


def test_somebody_outside_answers_by_a_link_once(
    make_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    letters: list[str] = []
    monkeypatch.setattr("runtime.mail.post", lambda ctx, to, subject, text, **more: letters.append(f"{to} {text}"))
    shop = shop_with(
        make_shop, {**STEP, "who": {"link": '"eva@example.org"'}, "fields": {"secret": "hidden", "amount": "write"}}
    )
    record = send(shop)
    [letter] = [line for line in letters if line.startswith("eva@example.org")]
    secret = re.search(r"/reply/[^/]+/(\S+)", letter)
    assert secret is not None
    with shop.opened() as ctx:
        acting, run, number = outside.as_link(ctx, secret[1])
        assert isinstance(acting.actor, Link)
        with pytest.raises(Denied):
            flows.decide(acting, Decision(run.task_ids[number], "transfer"))
        flows.decide(acting, Decision(run.task_ids[number], "approve", values={"amount": "12", "secret": "mine"}))
    assert (claim(shop, record)["flow.state"], claim(shop, record)["amount"], claim(shop, record)["secret"]) == (
        "approved",
        12,
        None,
    )
    with shop.opened() as ctx, pytest.raises(NotFound):
        outside.as_link(ctx, secret[1] + "x")


def test_the_state_on_the_record_is_written_by_the_engine_only(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    record = send(shop)
    for name in ("flow.state", "flow_state", "_flow_state"):
        with shop.opened(shop.boss) as ctx:
            records.change(ctx, shop.table(ctx, "claim"), record, {"what": "Ink", name: "approved"})
        with shop.opened(shop.clerk) as ctx:
            live = shop.table(ctx, "claim")
            submit(ctx, live, Sent(live.inst.app.all_forms["claim_form"], {"what": "Pens", name: "approved"}, record))
    assert claim(shop, record)["flow.state"] == "running"


def test_tasks_of_one_flow_alone_are_handed_over(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    send(shop)
    with shop.opened(shop.boss) as ctx:
        with pytest.raises(NotFound):
            flows.hand_over_all(ctx, id_of(shop.manager), id_of(shop.outsider), flow="none.approval")
        assert flows.hand_over_all(ctx, id_of(shop.manager), id_of(shop.outsider), flow="shop.other") == 0
        assert flows.hand_over_all(ctx, id_of(shop.manager), id_of(shop.outsider), flow="shop.approval") == 1


def test_readers_and_rights_of_a_copy_stay_with_the_record(make_shop: Callable[..., Shop]) -> None:
    shop = shop_with(make_shop, STEP)
    send(shop)
    with_task(shop, shop.manager, lambda ctx, t: flows.copy(ctx, t, [id_of(shop.outsider)]))
    other = send(shop)
    with shop.opened(shop.outsider) as ctx, pytest.raises(NotFound):
        query.fetch(door(ctx, shop.table(ctx, "claim")), other)
    with shop.opened() as ctx:
        assert len(ctx.conn.execute(select(flow_reader)).all()) == 1
