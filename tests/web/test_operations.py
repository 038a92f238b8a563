"""Administrators see what runs: flows and why they stopped, jobs that were given up, schedules, and what is slow."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from runtime import flows, jobs, query, records
from runtime.access import door
from runtime.models_flow import flow_instance

SHOP: dict[str, Any] = {
    "language": 1, "app": "shop", "title": "Shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [{"id": "thing", "title_formula": "name", "fields": [
        {"id": "name", "type": "text"}, {"id": "price", "type": "number"}, {"id": "double", "type": "number"},
        {"id": "owner", "type": "member"}]}],
    "flows": [
        {"id": "priced", "title": "Priced", "trigger": {"created": "thing"}, "steps": [
            {"id": "twice", "type": "update", "title": "Twice as much", "set": {"double": "price * 2"}},
            {"id": "taker", "type": "assign", "title": "Somebody takes it", "field": "owner", "among": [{"role": "manager"}], "most": 1}]},
        {"id": "daily", "title": "Daily", "trigger": {"schedule": {"every": "day", "at": "09:00"}}, "steps": [
            {"id": "all", "type": "find", "table": "thing"}]}],
    "access": [
        {"id": "things", "who": {"role": "clerk"}, "table": "thing", "do": ["read", "create"]},
        {"id": "its", "who": {"flow": "priced"}, "table": "thing", "do": ["read", "update"]},
        {"id": "seen", "who": {"flow": "daily"}, "table": "thing", "do": ["read"]}],
}  # fmt: skip


@pytest.fixture
def shop(make_shop):
    return make_shop(SHOP)


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


def sold(shop: Any, name: str) -> UUID:
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "thing")
        id = records.create(ctx, live, {"name": name, "price": 3})
        flows.record_saved(ctx, live, id, "created", None)
        return id


def states(shop: Any) -> list[str]:
    with shop.opened(shop.boss) as ctx:
        return sorted(ctx.conn.scalars(select(flow_instance.c.state)))


def test_what_could_not_go_on_is_listed_with_its_reason_and_tried_again(shop, boss):
    sold(shop, "Oak")
    sold(shop, "Ash")
    assert states(shop) == ["ended", "failed"]
    page = boss.get("/workspace/flows/").text
    for words in ("Priced", "Oak", "Ash", "Somebody takes it", "There is nobody who can take this now.", "Needs help"):
        assert words in page, words
    assert "Oak" not in boss.get("/workspace/flows/?state=failed").text
    assert "Oak" in boss.get("/workspace/flows/?flow=shop.priced").text
    assert "Oak" not in boss.get("/workspace/flows/?flow=shop.daily").text
    with shop.opened(shop.boss) as ctx:
        live = shop.table(ctx, "thing")
        oak = next(r.id for r in query.page(door(ctx, live), query.Listing()).records if r.title == "Oak")
        records.trash(ctx, live, [oak])
    answer = boss.post("/workspace/flows/retry", {"flow": "shop.priced", "state": "failed"})
    assert "1 runs go on" in boss.client.get(answer.headers["Location"]).text
    assert states(shop) == ["ended", "ended"]


def test_the_log_of_a_run_says_what_each_step_was_given_and_made(shop, boss, sign_in):
    sold(shop, "Oak")
    sold(shop, "Ash")
    page = boss.get("/workspace/flows/?state=failed").text
    run = re.search(r'href="(/tasks/run/[^"]+)"', page)[1]
    shown = boss.get(run).text
    assert "Log of the steps (2)" in shown
    assert re.search(r"<code>price \* 2</code> = 6", shown)
    assert "There is nobody who can take this now." in shown
    assert "Log of the steps" not in sign_in(shop, "clerk").get(run).text
    again = boss.get(f"{run}/reactivate").text
    assert "Twice as much" in again
    assert boss.post(f"{run}/reactivate", {"step": "twice"}).status_code in (204, 303)
    assert "Log of the steps (4)" in boss.get(run).text, "both steps were done again"


@jobs.job("always_fails", queue="default", retry=0)
def always_fails(ctx: Any, word: str) -> None:
    raise RuntimeError(f"the {word} is broken")


def test_a_job_that_was_given_up_is_shown_with_its_reason_tried_again_or_forgotten(shop, boss, database_url, make_shop, sign_in):
    for word in ("press", "saw"):
        with shop.opened(shop.boss) as ctx:
            jobs.enqueue(ctx, "always_fails", {"word": word})
    assert len(jobs.drain_jobs(database_url)) == 2
    page = boss.get("/workspace/flows/?tab=jobs").text
    assert "the press is broken" in page
    assert "always_fails" in page
    first = re.search(r"/workspace/flows/jobs/(\d+)/again", page)[1]
    other = sign_in(make_shop(SHOP), "boss")
    assert "is broken" not in other.get("/workspace/flows/?tab=jobs").text, "another workspace's"
    assert other.post(f"/workspace/flows/jobs/{first}/again").status_code == 404
    assert other.post(f"/workspace/flows/jobs/{first}/forget").status_code == 404
    tried = boss.post(f"/workspace/flows/jobs/{first}/again")
    assert tried.status_code == 303, tried.text
    assert page.count("is broken") - boss.get("/workspace/flows/?tab=jobs").text.count("<span>Forget it") < 3
    assert len(jobs.drain_jobs(database_url)) == 1, "it was tried again"
    for _ in range(2):
        left = re.search(r"/workspace/flows/jobs/(\d+)/forget", boss.get("/workspace/flows/?tab=jobs").text)[1]
        boss.post(f"/workspace/flows/jobs/{left}/forget")
    assert "is broken" not in boss.get("/workspace/flows/?tab=jobs").text
    assert boss.post(f"/workspace/flows/jobs/{first}/again").status_code == 404


def test_schedules_and_figures_are_told(shop, boss):
    sold(shop, "Oak")
    planned = boss.get("/workspace/flows/?tab=planned").text
    assert "Daily" in planned
    assert "09:00" in planned
    figures = boss.get("/workspace/flows/?tab=figures").text
    assert "Priced" in figures
    assert re.search(r"(Twice as much|Somebody takes it) <span class=\"muted small\">\d+ ms", figures)


def test_nobody_else_looks_behind_the_scenes(shop, sign_in):
    clerk = sign_in(shop, "clerk")
    assert clerk.get("/workspace/flows/").status_code == 404
    for path in ("retry", "jobs/1/again", "jobs/1/forget"):
        assert clerk.post(f"/workspace/flows/{path}").status_code == 404
