"""The API's further doors: files, tasks, definitions, members; each for those who may, and as their token's scope says."""

import io
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from runtime import accounts, flows, models, people, records, tokens
from runtime.submit import Sent, submit
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import everything
from tests.web.test_api import Program

BOOKS = "/api/v1/apps/shop/tables/book"
CHECK = {
    "id": "checking", "title": "Checking", "trigger": {"button": {"table": "book", "label": "Check"}},
    "steps": [{"id": "look", "type": "approve", "title": "Look", "who": {"role": "clerk"}, "fields": {"price": "write", "cost": "hidden"}},
              {"id": "again", "type": "approve", "who": {"role": "manager"}}],
}  # fmt: skip


def package() -> dict[str, Any]:
    made = deepcopy(SHOP)
    made["tables"][1]["fields"].append({"id": "papers", "type": "file"})
    made["forms"] = [{"id": "book", "table": "book"}, {"id": "author", "table": "author"}]
    made["flows"] = [deepcopy(CHECK)]
    return made


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    made = make_shop(package())
    with made.opened() as ctx:
        for name in ("clerk", "manager", "boss"):
            account = accounts.add_account(
                ctx.conn, f"{getattr(made, name).id}@example.com", name, "correct horse", "en"
            )
            accounts.join(ctx.conn, account, made.workspace.id)
            m = models.member
            ctx.conn.execute(update(m).where(m.c.id == getattr(made, name).id).values(account_id=account))
    return made


@pytest.fixture(scope="module")
def program(app: Flask, shop: Shop) -> Callable[..., Program]:
    def make(name: str, scope: Any = None) -> Program:
        with shop.opened(people_of(shop, name)) as ctx:
            return Program(app, tokens.make(ctx, "Test", scope or everything(ctx), personal=True))

    return make


def people_of(shop: Shop, name: str) -> Any:
    with shop.opened() as ctx:
        return people.member_by_id(ctx, getattr(shop, name).id)


def test_files_go_up_and_come_down(program: Callable[..., Program], shop: Shop) -> None:
    manager, clerk = program("manager"), program("clerk")
    headers = {"Authorization": f"Bearer {manager.token}"}
    sent = {"file": (io.BytesIO("照片".encode()), "照片单.txt")}
    kept = manager.client.post(f"{BOOKS}/files/papers", data=sent, headers=headers)
    assert kept.status_code == 201, kept.text
    assert (kept.get_json()["name"], kept.get_json()["size"]) == ("照片单.txt", 6)
    raw = manager.client.post(f"{BOOKS}/files/papers?name=b.txt", data=b"plain", headers=headers)
    assert raw.status_code == 201
    ids = [kept.get_json()["id"], raw.get_json()["id"]]
    book = manager.post(f"{BOOKS}/records", {"fields": {"title": "Dune", "papers": ids}}).get_json()
    assert book["fields"]["papers"] == ids
    url = f"{BOOKS}/records/{book['id']}/files/papers/{ids[0]}"
    down = manager.get(url)
    assert down.data.decode() == "照片"
    down.close()
    assert "attachment" in down.headers["Content-Disposition"]
    assert clerk.get(url).status_code == 404
    assert manager.get(f"{BOOKS}/records/{book['id']}?expand=names").get_json()["names"][ids[0]] == "照片单.txt"
    assert manager.client.post(f"{BOOKS}/files/papers", headers=headers).status_code == 422
    assert manager.client.post(f"{BOOKS}/files/title?name=x.txt", data=b"x", headers=headers).status_code == 404
    stolen = clerk.post(f"{BOOKS}/records", {"fields": {"title": "Mine", "papers": ids}})
    assert stolen.status_code == 422


def test_a_task_is_read_and_decided_by_its_holder(program: Callable[..., Program], shop: Shop) -> None:
    with shop.opened(people_of(shop, "manager")) as ctx:
        live = shop.table(ctx, "book")
        form = live.inst.app.form_of("book")
        book = submit(ctx, live, Sent(form, {"title": "Emma", "price": "9", "cost": "3"}))
        flows.press(ctx, live, live.inst.app.flow("checking"), book)
    clerk, manager = program("clerk"), program("manager")
    tasks = clerk.get("/api/v1/tasks").get_json()["tasks"]
    assert [(t["title"], t["step_title"], t["record"]) for t in tasks] == [("Emma", "Look", str(book))]
    url = f"/api/v1/tasks/{tasks[0]['id']}"
    task = clerk.get(url).get_json()
    assert (task["writable"], task["fields"]["price"]) == (["price"], "9.00")
    assert "cost" not in task["fields"]
    assert {"approve", "reject"} <= set(task["actions"])
    assert manager.get(url).status_code == 404
    assert manager.post(f"{url}/decision", {"action": "approve"}).status_code == 404
    reading = program("clerk", {"also": ["tasks"]})
    assert reading.get(url).status_code == 200
    assert reading.post(f"{url}/decision", {"action": "approve"}).status_code == 403
    assert program("clerk", {"data": [{"app": "other", "do": ["read"]}], "also": ["tasks"]}).get(url).status_code == 404
    assert clerk.post(f"{url}/decision", {"action": "fly"}).status_code == 422
    stale = clerk.post(f"{url}/decision", {"action": "approve", "fields": {"price": "1"}, "version": task["version"]})
    assert stale.status_code == 422  # too cheap: the table's check holds here too
    done = clerk.post(
        f"{url}/decision", {"action": "approve", "comment": "ok", "fields": {"price": "8"}, "version": task["version"]}
    )
    assert (done.status_code, done.get_json()["state"]) == (200, "running")
    assert clerk.post(f"{url}/decision", {"action": "approve"}).status_code == 403
    assert clerk.get("/api/v1/tasks").get_json()["tasks"] == []
    assert [t["id"] for t in clerk.get("/api/v1/tasks?state=decided").get_json()["tasks"]] == [tasks[0]["id"]]
    assert clerk.get("/api/v1/tasks?state=lost").status_code == 422
    assert manager.get(f"{BOOKS}/records/{book}").get_json()["fields"]["price"] == "8.00"


def test_a_definition_is_changed_by_a_draft_and_published(program: Callable[..., Program], shop: Shop) -> None:
    boss, clerk = program("boss"), program("clerk")
    app = "/api/v1/apps/shop"
    assert clerk.get(f"{app}/definition").status_code == 403
    before = boss.get(f"{app}/definition").get_json()
    assert before["package"]["app"] == "shop"
    draft = boss.get(f"{app}/draft").get_json()
    book = next(t for t in draft["package"]["tables"] if t["id"] == "book")
    book = {**book, "fields": [*book["fields"], {"id": "isbn", "type": "text"}]}
    changed = boss.patch(f"{app}/draft", {"parts": {"tables/book": book}, "counter": draft["counter"]})
    assert changed.status_code == 200, changed.text
    assert any("isbn" in line for line in changed.get_json()["changes"])
    assert "isbn" not in [f["id"] for f in boss.get(BOOKS).get_json()["fields"]]
    broken = {**book, "fields": [*book["fields"], {"id": "sum", "type": "formula", "formula": "nothing + 1"}]}
    wrong = boss.patch(f"{app}/draft", {"parts": {"tables/book": broken}}).get_json()
    assert wrong["problems"][0]["path"].startswith("tables[1].fields")
    refused = boss.post(f"{app}/publish", {})
    assert (refused.status_code, refused.get_json()["type"]) == (422, "/problems/definition")
    boss.patch(f"{app}/draft", {"parts": {"tables/book": book}})
    only_drafts = program("boss", {"data": [{"app": "shop", "do": ["read"]}], "also": ["change"]})
    assert only_drafts.post(f"{app}/publish", {}).status_code == 403
    assert only_drafts.patch(f"{app}/draft", {"package": changed.get_json()["package"]}).status_code == 200
    published = boss.post(f"{app}/publish", {"note": "ISBN"})
    assert published.get_json()["revision"] == before["revision"] + 1
    assert "isbn" in [f["id"] for f in boss.get(BOOKS).get_json()["fields"]]


@pytest.mark.parametrize(
    "body",
    [{}, {"package": {}, "parts": {}}, {"package": {"tables": {"a": 1}}}, {"package": {"tables": [1]}},
     {"package": {"tables": [{"id": "a"}, {"id": "a"}]}}, {"parts": {"tables/book": {"id": "other"}}}, {"parts": {"nothing": {}}},
     {"parts": {"tables/book": 3}}, {"parts": {"manifest": None}}, {"parts": {"tables/../x": {}}}],
)  # fmt: skip
def test_what_is_no_definition_is_refused_with_its_place(program: Callable[..., Program], body: dict[str, Any]) -> None:
    answer = program("boss").patch("/api/v1/apps/shop/draft", body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_members_and_departments_are_listed(program: Callable[..., Program], shop: Shop) -> None:
    clerk = program("clerk")
    found = clerk.get("/api/v1/members?limit=2").get_json()
    assert [m["name"] for m in found["members"]] == ["Boss", "Clerk"]
    more = clerk.get(f"/api/v1/members?limit=2&after={found['next']}").get_json()
    assert [m["name"] for m in more["members"]] == ["Manager", "Outsider"]
    assert more["next"] is None
    units = clerk.get("/api/v1/departments").get_json()["departments"]
    assert [u["name"] for u in units] == ["Sales"]
    assert units[0]["head"] == str(shop.manager.id)
    assert clerk.get("/api/v1/members?limit=0").status_code == 422


def test_what_the_flow_of_a_program_s_record_does_is_done(program: Callable[..., Program], shop: Shop) -> None:
    """A record made through the API is one like any other: it is numbered, calculated and told of in history."""
    manager = program("manager")
    made = manager.post(
        f"{BOOKS}/records", {"fields": {"title": "Sums", "price": "2.5", "copies": [{"count": 4}]}}
    ).get_json()
    assert made["fields"]["total"] == "10"
    assert made["fields"]["no"].startswith("B-")
    with shop.opened() as ctx:
        assert records.trash(ctx, shop.table(ctx, "book"), []) == []
