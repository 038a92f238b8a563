"""A claim goes its way: the clerk writes it, the manager and the boss decide."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from runtime import flows, jobs, linking, notices, people, query, records, tasks
from runtime.access import door
from runtime.actors import FlowActor
from runtime.flows import Decision
from runtime.mail import kept_mail
from runtime.models import member
from runtime.models_flow import flow_instance, flow_log, flow_task
from runtime.settings import Settings
from runtime.submit import Sent, submit
from schemas.engine import State, replay
from schemas.errors import Conflict, Denied, InvalidInput, NotFound
from tests.runtime.conftest import Shop

STATUS = [{"id": s} for s in ("draft", "pending", "approved")]
CLAIMS: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "slots": [{"id": "auditor"}],
    "tables": [
        {"id": "budget", "title_formula": "name", "fields": [
            {"id": "name", "type": "text"}, {"id": "spent", "type": "number"},
        ]},
        {"id": "claim", "title_formula": "what", "fields": [
            {"id": "what", "type": "text", "required": True},
            {"id": "amount", "type": "money"},
            {"id": "status", "type": "choice", "options": STATUS, "default": "draft"},
            {"id": "paid_on", "type": "date"},
            {"id": "secret", "type": "text"},
            {"id": "budget", "type": "link", "table": "budget"},
            {"id": "items", "type": "rows", "fields": [
                {"id": "thing", "type": "text"}, {"id": "price", "type": "money"}, {"id": "cost", "type": "money"},
            ]},
            {"id": "approved_at", "type": "datetime"},
        ]},
    ],
    "forms": [{"id": "claim_form", "table": "claim", "layout": [
        {"row": [f]} for f in ("what", "amount", "status", "paid_on", "secret", "budget", "items")
    ]}],
    "flows": [{
        "id": "approval", "title": "Claim approval",
        "trigger": {"submit": "claim_form", "when": "status = \"draft\""},
        "steps": [
            {"id": "begin", "type": "update", "set": {"status": "\"pending\""}},
            {"id": "boss", "type": "approve", "who": {"head_of": "starter"}, "comment": ["reject"],
             "fields": {"secret": "hidden", "items.price": "write", "items.cost": "hidden"}},
            {"id": "size", "type": "choose", "branches": [
                {"id": "large", "when": "amount >= 1000", "steps": [
                    {"id": "audit", "type": "approve", "who": {"slot": "auditor"}, "return_to": ["boss", "start"]}]},
                {"id": "small", "steps": []}]},
            {"id": "pay", "type": "handle", "who": {"role": "manager"}, "fields": {"*": "read", "paid_on": "write"},
             "require": ["paid_on"]},
            {"id": "book", "type": "update", "record": "budget", "set": {"spent": "amount"}},
            {"id": "tell", "type": "notify", "to": ["starter"], "text": {"en": "{what}: {amount} paid on {paid_on}"}},
        ],
        "after": {
            "approved": [{"id": "done", "type": "update", "set": {"status": "\"approved\"", "approved_at": "NOW()"}}],
            "rejected": [{"id": "undo", "type": "update", "set": {"status": "\"draft\""}}],
            "withdrawn": [{"id": "unsent", "type": "update", "set": {"status": "\"draft\""}}],
            "returned": [{"id": "redraft", "type": "update", "set": {"status": "\"draft\""}}],
        },
    }],
    "access": [
        {"id": "own", "who": {"role": "clerk"}, "table": "claim", "do": ["read", "create", "update", "delete"],
         "rows": "created_by = ME()"},
        {"id": "budgets", "who": {"everyone": True}, "table": "budget", "do": ["read"]},
        {"id": "flow_claims", "who": {"flow": "approval"}, "table": "claim", "do": ["read", "update"]},
        {"id": "flow_budgets", "who": {"flow": "approval"}, "table": "budget", "do": ["read", "update"]},
    ],
}  # fmt: skip


@pytest.fixture
def claims(make_shop: Callable[..., Shop]) -> Shop:
    return fill_slots(make_shop(CLAIMS))


def fill_slots(shop: Shop) -> Shop:
    with shop.opened() as ctx:
        people.assign_slot(ctx, shop.table(ctx, "claim").inst.id, "auditor", id_of(shop.boss))
    return shop


def id_of(actor: Any) -> UUID:
    assert actor.id is not None
    return UUID(str(actor.id))


def send(shop: Shop, record: UUID | None = None, **answers: Any) -> UUID:
    """The clerk fills in the form and sends it."""
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "claim")
        return submit(ctx, live, Sent(live.inst.app.all_forms["claim_form"], {"what": "Paper", **answers}, record))


def task_of(shop: Shop, actor: Any) -> UUID:
    with shop.opened(actor) as ctx:
        lines, _ = tasks.listed(ctx, tasks.Asked())
        assert lines, "nothing to do"
        return lines[0].id


def do(shop: Shop, actor: Any, action: str, **more: Any) -> None:
    task = task_of(shop, actor)
    with shop.opened(actor) as ctx:
        flows.decide(ctx, Decision(task, action, **more))


def claim(shop: Shop, record: UUID) -> dict[str, Any]:
    with shop.opened() as ctx:
        found = query.fetch(door(ctx, shop.table(ctx, "claim")), record)
        return {**found.values, **found.system}


def run_of(shop: Shop, record: UUID) -> Any:
    with shop.opened() as ctx:
        return ctx.conn.execute(select(flow_instance).where(flow_instance.c.record_id == record)).all()[-1]


def test_a_small_claim_goes_through(claims: Shop) -> None:
    record = send(claims, amount="20")
    assert claim(claims, record)["status"] == "pending"
    assert claim(claims, record)["flow.state"] == "running"
    do(claims, claims.manager, "approve", comment="Fine")
    do(claims, claims.manager, "submit", values={"paid_on": "2026-03-04"})
    done = claim(claims, record)
    assert (done["status"], done["flow.state"], str(done["paid_on"])) == ("approved", "approved", "2026-03-04")
    assert done["approved_at"] is not None
    with claims.opened(claims.clerk) as ctx:
        said = [str(n.sentence) for n in notices.listed(ctx)]
    assert "Paper: ¥20.00 paid on 2026-03-04" in said
    assert "Claim approval was approved" in said


def test_a_large_claim_asks_the_auditor_and_writes_the_linked_budget(claims: Shop) -> None:
    with claims.opened() as ctx:
        budget = records.create(ctx, claims.table(ctx, "budget"), {"name": "Office"})
    record = send(claims, amount="2000", budget=str(budget))
    do(claims, claims.manager, "approve")
    do(claims, claims.boss, "approve")
    do(claims, claims.manager, "submit", values={"paid_on": "2026-03-04"})
    assert claim(claims, record)["flow.state"] == "approved"
    with claims.opened() as ctx:
        assert query.fetch(door(ctx, claims.table(ctx, "budget")), budget).values["spent"] == 2000


def test_a_rejection_needs_its_comment_and_gives_the_draft_back(claims: Shop) -> None:
    record = send(claims, amount="20")
    with pytest.raises(InvalidInput, match="comment"):
        do(claims, claims.manager, "reject")
    do(claims, claims.manager, "reject", comment="No")
    assert (claim(claims, record)["status"], claim(claims, record)["flow.state"]) == ("draft", "rejected")
    send(claims, record, amount="10")
    assert claim(claims, record)["flow.state"] == "running", "sent again as a draft, it starts anew"


def test_returned_to_the_starter_it_is_resubmitted_by_the_form(claims: Shop) -> None:
    record = send(claims, amount="20")
    do(claims, claims.manager, "return", to="start")
    assert claim(claims, record)["status"] == "draft"
    send(claims, record, amount="30")
    run = run_of(claims, record)
    assert (run.state, State.from_json(run.body).live_tasks()[0].step) == ("running", "boss")


def test_the_starter_may_also_resubmit_on_the_task(claims: Shop) -> None:
    record = send(claims, amount="20")
    do(claims, claims.manager, "return", to="start")
    do(claims, claims.clerk, "submit", values={"amount": "40"})
    assert claim(claims, record)["amount"] == 40
    assert task_of(claims, claims.manager)


def test_the_starter_who_revises_is_held_to_what_the_form_has_read_only(make_shop: Any) -> None:
    package = deepcopy(CLAIMS)
    package["forms"][0]["readonly"] = ["amount"]
    claims = make_shop(package)
    fill_slots(claims)
    record = send(claims, what="Train")
    do(claims, claims.manager, "return", to="start")
    do(claims, claims.clerk, "submit", values={"what": "Bus", "amount": "40"})
    assert (claim(claims, record)["what"], claim(claims, record)["amount"]) == ("Bus", None)


def test_a_flow_gives_no_link_that_may_not_be_chosen(make_shop: Any) -> None:
    package = deepcopy(CLAIMS)
    package["tables"][1]["fields"][5]["pick"] = "spent < 10"
    shop = make_shop(package)
    with shop.opened() as ctx:
        table = shop.table(ctx, "claim")
        spare, gone = (records.create(ctx, shop.table(ctx, "budget"), {"name": "B", "spent": n}) for n in (1, 99))
        acting = ctx.acting_as(FlowActor(flow="approval", app="shop"))
        refused = linking.strangers(acting, table, [({}, {"budget": spare}), ({}, {"budget": gone})])
    assert refused == [{}, {"budget": [linking.UNPICKED]}]


def test_what_a_step_requires_must_be_there(claims: Shop) -> None:
    send(claims, amount="20")
    do(claims, claims.manager, "approve")
    with pytest.raises(InvalidInput, match="fill this in"):
        do(claims, claims.manager, "submit")


def test_a_step_opens_one_column_and_no_more(claims: Shop) -> None:
    record = send(claims, amount="20", items=[{"thing": "Pens", "price": "5", "cost": "3"}])
    row = claim(claims, record)["items"][0]
    changed = [{"_id": str(row["_id"]), "thing": "Gold", "price": "4", "cost": "0"}, {"thing": "More", "price": "1"}]
    do(claims, claims.manager, "approve", values={"items": changed, "amount": "9999"})
    done = claim(claims, record)
    assert [(r["thing"], r["price"], r["cost"]) for r in done["items"]] == [("Pens", 4, 3)]
    assert done["amount"] == 20


def test_a_task_gives_the_right_to_read_and_having_decided_keeps_it(claims: Shop) -> None:
    record = send(claims, amount="20", secret="x")
    with claims.opened(claims.manager) as ctx:
        found = query.fetch(door(ctx, claims.table(ctx, "claim")), record)
        assert found.values["what"] == "Paper"
        assert "secret" not in found.values
        assert set(found.rights.values()) <= {"read", "hidden"}
    with claims.opened(claims.outsider) as ctx, pytest.raises(NotFound):
        query.fetch(door(ctx, claims.table(ctx, "claim")), record)
    do(claims, claims.manager, "reject", comment="No")
    with claims.opened(claims.manager) as ctx:
        assert query.fetch(door(ctx, claims.table(ctx, "claim")), record).title == "Paper"
        assert record in set(ctx.conn.scalars(tasks.took_part(ctx, claims.table(ctx, "claim"))))


def test_what_was_seen_has_changed_since(claims: Shop) -> None:
    record = send(claims, amount="20")
    seen = claim(claims, record)["version"]
    with claims.opened() as ctx:
        records.change(ctx, claims.table(ctx, "claim"), record, {"secret": "new"})
    do(claims, claims.manager, "save", seen=seen)
    with claims.opened() as ctx:
        records.change(ctx, claims.table(ctx, "claim"), record, {"amount": 1})
    with pytest.raises(Conflict) as refused:
        do(claims, claims.manager, "approve", seen=seen)
    assert refused.value.fields == ("amount",), "a change that they cannot see does not matter"
    do(claims, claims.manager, "approve", seen=refused.value.version)


def test_only_the_holder_decides(claims: Shop) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    for stranger in (claims.clerk, claims.outsider, claims.boss):
        with claims.opened(stranger) as ctx, pytest.raises(NotFound):
            flows.decide(ctx, Decision(task, "approve"))
    do(claims, claims.manager, "approve")
    with claims.opened(claims.manager) as ctx, pytest.raises(Denied, match="no longer open"):
        flows.decide(ctx, Decision(task, "approve"))


def test_transfer_to_another_member(claims: Shop) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    with claims.opened(claims.manager) as ctx:
        flows.transfer(ctx, task, id_of(claims.outsider), "Please")
    assert task_of(claims, claims.outsider) == task
    with claims.opened(claims.outsider) as ctx:
        assert tasks.counts(ctx) == {"tasks": 1, "notices": 1}
    with claims.opened(claims.manager) as ctx:
        assert tasks.counts(ctx)["tasks"] == 0
    with claims.opened(claims.boss) as ctx:
        flows.transfer(ctx, task, id_of(claims.manager))
    assert task_of(claims, claims.manager) == task


def test_withdrawn_by_the_starter_only(claims: Shop) -> None:
    record = send(claims, amount="20")
    run = run_of(claims, record).id
    with claims.opened(claims.manager) as ctx, pytest.raises(NotFound):
        flows.withdraw(ctx, run)
    with claims.opened(claims.clerk) as ctx:
        flows.withdraw(ctx, run)
    assert (claim(claims, record)["status"], claim(claims, record)["flow.state"]) == ("draft", "withdrawn")


def test_a_deleted_record_ends_its_flow(claims: Shop) -> None:
    record = send(claims, amount="20")
    with claims.opened(claims.clerk) as ctx:
        live = claims.table(ctx, "claim")
        records.trash(ctx, live, [record])
    with claims.opened(claims.manager) as ctx:
        assert tasks.counts(ctx)["tasks"] == 0


def test_an_update_without_the_right_stops_the_flow_and_an_administrator_helps(make_shop: Callable[..., Shop]) -> None:
    package = deepcopy(CLAIMS)
    package["access"][2]["rows"] = "amount > 100"
    shop = fill_slots(make_shop(package))
    record = send(shop, amount="20")
    assert claim(shop, record)["flow.state"] == "failed"
    with shop.opened(shop.boss) as ctx:
        assert [n.kind for n in notices.listed(ctx)] == ["failed"]
        token = State.from_json(run_of(shop, record).body).live_tokens()[0].id
        flows.help_on(ctx, run_of(shop, record).id, token, "skip")
    assert claim(shop, record)["flow.state"] == "running"
    with shop.opened(shop.manager) as ctx, pytest.raises(NotFound):
        flows.help_on(ctx, run_of(shop, record).id, token, "skip")


def test_the_log_leads_to_the_state(claims: Shop) -> None:
    record = send(claims, amount="20")
    do(claims, claims.manager, "approve")
    do(claims, claims.manager, "submit", values={"paid_on": "2026-03-04"})
    run = run_of(claims, record)
    with claims.opened() as ctx:
        lines = ctx.conn.scalars(
            select(flow_log.c.entry).where(flow_log.c.instance_id == run.id).order_by(flow_log.c.number)
        )
        assert replay(lines).to_json() == run.body
        live = select(func.count()).select_from(flow_task).where(flow_task.c.state.in_(("live", "waiting")))
        assert ctx.conn.scalar(live) == 0


def test_two_flows_that_chase_each_other_are_stopped_visibly(make_shop: Callable[..., Shop]) -> None:
    package = deepcopy(CLAIMS)
    for flow, field, other in (("ping", "what", "secret"), ("pong", "secret", "what")):
        package["flows"].append({
            "id": flow, "trigger": {"changed": {"table": "claim", "fields": [field]}},
            "steps": [{"id": "write", "type": "update", "set": {other: f"{other} & \"!\""}}],
        })  # fmt: skip
        package["access"].append({"id": flow, "who": {"flow": flow}, "table": "claim", "do": ["read", "update"]})
    shop = fill_slots(make_shop(package))
    record = send(shop)
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "claim")
        changes = records.change(ctx, live, record, {"what": "Glue"})
        flows.record_saved(ctx, live, record, "changed", changes)
    with shop.opened() as ctx:
        runs = ctx.conn.execute(select(flow_instance.c.flow, flow_instance.c.state)).all()
    assert ("ping", "ended") in runs or ("ping", "failed") in runs
    assert len(runs) < 20


def test_a_new_task_is_told_by_mail_once_the_sender_has_committed(
    claims: Shop, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("MORTISE_DATA", str(tmp_path))
    monkeypatch.delenv("SMTP_URL", raising=False)
    with claims.opened() as ctx:
        ctx.conn.execute(
            update(member)
            .where(member.c.id == claims.manager.id)
            .values(email=f"manager-{claims.manager.id}@example.com")
        )
    send(claims, amount="20")
    jobs.drain_jobs(claims.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    address = f"manager-{claims.manager.id}@example.com"
    (text,) = [t for t in (m.read_text() for m in kept_mail(Settings.read())) if address in t]
    assert "Subject: Claim approval: a task for you" in text
    assert f"/tasks/{task_of(claims, claims.manager)}" in text


def test_a_row_keeps_the_columns_that_were_not_sent(claims: Shop) -> None:
    record = send(claims, items=[{"thing": "Pens", "price": "5", "cost": "3"}])
    row = claim(claims, record)["items"][0]
    send(claims, record, items=[{"_id": str(row["_id"]), "price": "", "thing": "Ink"}, {"thing": "New"}])
    done = claim(claims, record)["items"]
    assert [(r["thing"], r["price"], r["cost"]) for r in done] == [("Ink", None, 3), ("New", None, None)]
