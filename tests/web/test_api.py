"""The API: the clerk's own token, the boss's, and a program's of its own; the same doors as the browser's."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from runtime import accounts, models, records, tokens
from runtime.models_api import token as token_table
from tests.runtime.conftest import SHOP, Shop

ALL = {"data": [{"app": "*", "do": ["read", "create", "update", "delete", "history"]}],
       "also": ["tasks", "decide", "people"]}  # fmt: skip
BOOKS = "/api/v1/apps/shop/tables/book"


class Program:
    """A client with a token."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client, self.token = app.test_client(), token

    def ask(self, method: str, url: str, json: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            url,
            method=method,
            json=json,
            headers={"Authorization": f"Bearer {self.token}", "Accept-Language": "en", **named},
        )

    def get(self, url: str, **headers: str) -> Any:
        return self.ask("GET", url, **headers)

    def post(self, url: str, json: Any, **headers: str) -> Any:
        return self.ask("POST", url, json, **headers)

    def patch(self, url: str, json: Any, **headers: str) -> Any:
        return self.ask("PATCH", url, json, **headers)


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    made = make_shop(SHOP)
    with made.opened() as ctx:
        for name in ("clerk", "manager", "outsider", "boss"):
            actor = getattr(made, name)
            account = accounts.add_account(ctx.conn, f"{actor.id}@example.com", actor.name, "correct horse", "en")
            accounts.join(ctx.conn, account, made.workspace.id)
            ctx.conn.execute(update(models.member).where(models.member.c.id == actor.id).values(account_id=account))
        author = records.create(ctx, made.table(ctx, "author"), {"name": "Jane"})
        for number in range(5):
            records.create(ctx, made.table(ctx, "book"), {
                "title": f"Emma {number}", "owner": made.clerk.id, "author": author, "price": Decimal("12.50") + number,
                "cost": Decimal("7.77"), "copies": [{"place": "A", "count": Decimal(2)}],
            })  # fmt: skip
        records.create(ctx, made.table(ctx, "book"), {"title": "Secret", "kind": "essay", "owner": made.manager.id})
    return made


@pytest.fixture(scope="module")
def program(app: Flask, shop: Shop) -> Callable[..., Program]:
    def make(name: str, scope: Any = ALL, **options: Any) -> Program:
        with shop.opened(getattr(shop, name)) as ctx:
            return Program(app, tokens.make(ctx, "Test", scope, **{"personal": True, **options}))

    return make


@pytest.fixture(scope="module")
def clerk(program: Callable[..., Program]) -> Program:
    return program("clerk")


@pytest.fixture(scope="module")
def manager(program: Callable[..., Program]) -> Program:
    return program("manager")


def listed(person: Program, query: str = "") -> Any:
    answer = person.get(f"{BOOKS}/records{query}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()["records"]


# -- tokens ----------------------------------------------------------------------------------------


def test_nothing_opens_without_a_good_token(app: Flask, program: Callable[..., Program], shop: Shop) -> None:
    for token in ("", "nonsense", "mrt_" + "a" * 43, program("clerk").token[:-1] + "!"):
        answer = Program(app, token).get("/api/v1/apps")
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
        assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert app.test_client().get("/api/v1/apps").status_code == 401
    mine = program("clerk")
    assert mine.get("/api/v1/me").get_json()["name"] == "Clerk"
    with shop.opened(shop.clerk) as ctx:
        newest = tokens.listed(ctx)[0]
        assert newest.prefix == mine.token[:10]
        assert newest.used_at is not None
        assert mine.token not in repr(ctx.conn.execute(select(token_table)).all())
        tokens.revoke(ctx, newest.id)
    assert mine.get("/api/v1/me").status_code == 401


def test_a_token_ends_with_its_time_and_with_its_member(
    app: Flask, program: Callable[..., Program], shop: Shop
) -> None:
    short, other = program("outsider", days=1), program("outsider")
    assert short.get("/api/v1/me").status_code == 200
    with shop.opened() as ctx:
        digest = tokens.digest(short.token)
        ctx.conn.execute(update(token_table).where(token_table.c.digest == digest).values(ends_at=ctx.now))
    assert short.get("/api/v1/me").status_code == 401
    a = models.account
    with shop.opened() as ctx:
        ctx.conn.execute(update(a).where(a.c.email == f"{shop.outsider.id}@example.com").values(disabled_at=ctx.now))
    assert other.get("/api/v1/me").status_code == 404


def test_a_scope_narrows_what_its_member_may(program: Callable[..., Program]) -> None:
    reading = program("manager", {"data": [{"app": "shop", "tables": ["book"], "do": ["read"]}]})
    assert [a["id"] for a in reading.get("/api/v1/apps").get_json()["apps"]] == ["shop"]
    assert len(listed(reading)) == 6
    assert reading.post(f"{BOOKS}/records", {"fields": {"title": "New"}}).status_code == 403
    assert reading.get("/api/v1/apps/shop/tables/author/records").status_code == 404
    assert reading.get("/api/v1/tasks").status_code == 403
    assert reading.get("/api/v1/members").status_code == 403
    boss = program("boss", {"data": [{"app": "other", "do": ["read"]}]})
    assert boss.get(f"{BOOKS}/records").status_code == 404
    named = reading.get(f'{BOOKS}/records?filter=author.name %3D "Jane"')
    assert named.status_code == 422  # authors are beyond the scope, for filters too


def test_a_program_has_its_roles_and_grants_and_no_more(program: Callable[..., Program], make_shop: Callable[..., Shop],
                                                        app: Flask, shop: Shop) -> None:  # fmt: skip
    as_clerk = program("boss", personal=False, word="clerks_robot", roles=["shop.clerk"])
    assert {r["fields"].get("title") for r in listed(as_clerk)} == {f"Emma {n}" for n in range(5)}
    assert "cost" not in listed(as_clerk)[0]["fields"]
    assert program("boss", personal=False, word="nobody").get(f"{BOOKS}/records").status_code == 404
    granted = {**SHOP, "access": [*SHOP["access"], {
        "id": "erp", "who": {"token": "erp"}, "table": "book", "do": ["read", "create"], "fields": {"title": "write"}}]}  # fmt: skip
    other = make_shop(granted)
    with other.opened(other.boss) as ctx:
        erp = Program(app, tokens.make(ctx, "ERP", ALL, personal=False, word="erp"))
    made = erp.post(f"{BOOKS}/records", {"fields": {"title": "Dune"}})
    assert made.status_code == 201
    assert made.get_json()["fields"] == {"title": "Dune"}
    assert made.get_json()["created_by"] is None
    assert erp.post(f"{BOOKS}/records", {"fields": {"title": "Dune", "price": 3}}).status_code == 422
    with other.opened() as ctx:
        kind = ctx.conn.scalar(select(models.history.c.actor_kind).where(models.history.c.table_id == "book"))
    assert kind == "token"


def test_only_administrators_give_rights_to_definitions(program: Callable[..., Program], shop: Shop) -> None:
    from schemas.errors import InvalidInput, NotFound

    with shop.opened(shop.clerk) as ctx, pytest.raises(InvalidInput):
        tokens.make(ctx, "Test", {"also": ["publish"]}, personal=True)
    with shop.opened(shop.clerk) as ctx, pytest.raises(NotFound):
        tokens.make(ctx, "Test", ALL, personal=False, word="robot")
    with shop.opened(shop.boss) as ctx, pytest.raises(InvalidInput):
        tokens.make(ctx, "", {"data": [{"app": "shop", "do": ["fly"]}]}, personal=False, word="Not a word", days=0)


def test_requests_are_counted_for_all_processes(app: Flask, program: Callable[..., Program]) -> None:
    person = program("clerk")
    settings = app.config["SETTINGS"]
    limited = type(settings)(**{**settings.__dict__, "api_rate": 3})
    app.config["SETTINGS"] = limited
    try:
        answers = [person.get("/api/v1/me") for _ in range(4)]
    finally:
        app.config["SETTINGS"] = settings
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["X-RateLimit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert 0 < int(answers[3].headers["Retry-After"]) <= 60
    assert program("clerk").get("/api/v1/me").status_code == 200


# -- reading ---------------------------------------------------------------------------------------


def test_the_clerk_reads_what_the_clerk_sees(clerk: Program, manager: Program) -> None:
    books = listed(clerk)
    assert {b["fields"]["title"] for b in books} == {f"Emma {n}" for n in range(5)}
    assert all("cost" not in b["fields"] for b in books)
    assert {b["fields"]["title"] for b in listed(manager)} >= {"Secret", *(f"Emma {n}" for n in range(5))}
    one = listed(manager, "?filter=title%3D%22Emma 1%22&fields=title,price,copies,total")[0]
    assert one["fields"]["price"] == "13.50"
    assert one["fields"]["total"] == "27"
    row = one["fields"]["copies"][0]
    assert (row["place"], row["count"], row["value"]) == ("A", "2", "27")
    assert UUID(row["_id"])
    secret = next(b["id"] for b in listed(manager) if b["fields"]["title"] == "Secret")
    for url in (f"{BOOKS}/records/{secret}", f"{BOOKS}/records/{UUID(int=7)}", f"{BOOKS}/records/nonsense"):
        assert clerk.get(url).status_code == 404


def test_pages_follow_one_another_without_gaps(manager: Program) -> None:
    titles, url = [], f"{BOOKS}/records?limit=2&sort=-title&fields=title&total=true"
    for _ in range(5):
        page = manager.get(url).get_json()
        titles += [r["fields"]["title"] for r in page["records"]]
        assert page["total"] == 6
        if page["next"] is None:
            break
        url = f"{BOOKS}/records?limit=2&sort=-title&fields=title&total=true&after={page['next']}"
    assert titles == ["Secret", *(f"Emma {n}" for n in range(4, -1, -1))]
    assert 'rel="next"' in manager.get(f"{BOOKS}/records?limit=2").headers["Link"]


@pytest.mark.parametrize(
    ("query", "path"),
    [("filter=price >>> 3", "filter"), ("filter=nothing = 1", "filter"), ("filter=title", "filter"), ("sort=nothing", "sort"),
     ("fields=title,nothing", "fields"), ("limit=0", "limit"), ("limit=1001", "limit"), ("after=nonsense", "page"),
     ("color=red", "color"), ("total=yes", "total"), ("expand=all", "expand")],
)  # fmt: skip
def test_what_makes_no_sense_is_told_with_its_place(manager: Program, query: str, path: str) -> None:
    answer = manager.get(f"{BOOKS}/records?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    found = answer.get_json()
    assert found["status"] == 422
    assert [e["path"] for e in found["errors"]] == [path]
    assert path != "filter" or found["character"] >= 1


def test_hidden_fields_serve_neither_filters_nor_orders(clerk: Program) -> None:
    assert clerk.get(f"{BOOKS}/records?filter=cost > 1").status_code == 422
    assert clerk.get(f"{BOOKS}/records?sort=cost").status_code == 422
    assert clerk.get(f"{BOOKS}/records?fields=cost").status_code == 422
    fields = [f["id"] for f in clerk.get(BOOKS).get_json()["fields"]]
    assert "title" in fields
    assert "cost" not in fields


def test_problems_are_told_in_the_caller_s_language(manager: Program) -> None:
    answer = manager.ask("POST", f"{BOOKS}/records", {"fields": {}}, Accept_Language="zh-CN,zh;q=0.9")
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"path": "title", "message": "请填写此项。"}]


def test_names_may_be_asked_for(manager: Program, shop: Shop) -> None:
    found = manager.get(f"{BOOKS}/records?expand=names&fields=author,owner").get_json()
    assert {"Jane", "Clerk"} <= set(found["names"].values())


# -- writing ---------------------------------------------------------------------------------------


def test_a_record_is_made_changed_trashed_and_restored(manager: Program) -> None:
    made = manager.post(
        f"{BOOKS}/records", {"fields": {"title": "Dune", "price": 9.5, "copies": [{"place": "B", "count": 1}]}}
    )
    assert made.status_code == 201
    book = made.get_json()
    url = f"{BOOKS}/records/{book['id']}"
    assert made.headers["Location"] == url
    assert (book["version"], book["fields"]["price"], book["fields"]["kind"]) == (1, "9.50", "novel")
    assert made.headers["ETag"] == '"1"'
    changed = manager.patch(url, {"fields": {"price": "10.25"}}, If_Match='"1"')
    assert (changed.status_code, changed.get_json()["version"]) == (200, 2)
    stale = manager.patch(url, {"fields": {"title": "Dune 2"}}, If_Match='"1"')
    assert (stale.status_code, stale.get_json()["version"]) == (412, 2)
    conflict = manager.patch(url, {"fields": {"price": 1}, "version": 1})
    assert (conflict.status_code, conflict.get_json()["errors"][0]["path"]) == (409, "price")
    assert manager.patch(url, {"fields": {"title": "Dune 2"}, "version": 1}).status_code == 200
    assert manager.get(url, If_None_Match='"3"').status_code == 304
    assert manager.ask("DELETE", url).status_code == 200
    assert manager.get(url).status_code == 404
    assert [r["fields"]["title"] for r in listed(manager, "?trash=true")] == ["Dune 2"]
    assert manager.post(f"{url}/restore", None).get_json()["fields"]["title"] == "Dune 2"
    entries = manager.get(f"{url}/history").get_json()["entries"]
    assert [e["action"] for e in entries] == ["restore", "delete", "update", "update", "create"]
    assert entries[3]["changes"][:1] == [{"field": "price", "before": "9.50", "after": "10.25"}]
    assert {(e["actor_name"], e["origin"]) for e in entries} == {("Manager", "api:Test")}
    manager.ask("DELETE", url)


@pytest.mark.parametrize(
    ("fields", "path"),
    [({"title": "x", "price": 1, "cost": 2}, ""), ({"title": "x", "nothing": 1}, "nothing"), ({"title": "x", "no": "B-9"}, "no"),
     ({"title": "x", "created_by": "y"}, "created_by"), ({"title": "x", "_deleted_at": "y"}, "_deleted_at"),
     ({"title": "x", "total": 1}, "total"),
     ({"title": "x", "due": "soon"}, "due"), ({"title": {"$ne": 1}}, "title"), ({"title": "x", "price": 10**30}, "price"),
     ({"title": "x", "author": str(UUID(int=3))}, "author"), ({"title": "x", "copies": [{"count": "many"}]}, "copies[0].count"),
     ({"title": "x", "kind": "poem"}, "kind")],
)  # fmt: skip
def test_rules_hold_as_in_the_browser(manager: Program, fields: dict[str, Any], path: str) -> None:
    answer = manager.post(f"{BOOKS}/records", {"fields": fields})
    assert answer.status_code == 422, answer.text
    assert path in [e["path"] for e in answer.get_json()["errors"]]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"fields": NaN}', b'{"fields": {"title": 1e999999999}}', b"null",
                                  b'{"fields": {}, "fields": {}}', b'{"a":' * 100 + b"1" + b"}" * 100])  # fmt: skip
def test_a_body_that_is_none_is_refused(manager: Program, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {manager.token}", "Content-Type": "application/json"}
    answer = manager.client.post(f"{BOOKS}/records", data=body, headers=headers)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    plain = manager.client.post(f"{BOOKS}/records", data=b"title=x", headers={**headers, "Content-Type": "text/plain"})
    assert plain.status_code == 415


def test_the_clerk_writes_no_further_than_in_the_browser(clerk: Program, manager: Program) -> None:
    mine = listed(clerk, '?filter=title%3D"Emma 1"')[0]
    url = f"{BOOKS}/records/{mine['id']}"
    assert clerk.patch(url, {"fields": {"cost": 1}}).status_code == 422
    assert clerk.patch(url, {"fields": {"due": "2026-01-01"}}).status_code == 422
    assert clerk.patch(url, {"fields": {"owner": None}}).status_code == 403
    secret = next(b["id"] for b in listed(manager) if b["fields"]["title"] == "Secret")
    for method in ("PATCH", "DELETE"):
        assert clerk.ask(method, f"{BOOKS}/records/{secret}", {"fields": {"title": "x"}}).status_code == 404
    assert clerk.get(f"{url}/history").status_code == 403


def test_the_same_request_is_done_once(manager: Program) -> None:
    body = {"fields": {"title": "Once"}}
    first = manager.post(f"{BOOKS}/records", body, Idempotency_Key="k-1")
    again = manager.post(f"{BOOKS}/records", body, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    other = manager.post(f"{BOOKS}/records", {"fields": {"title": "Twice"}}, Idempotency_Key="k-1")
    assert (other.status_code, other.get_json()["type"]) == (422, "/problems/key-reused")
    refused = manager.post(f"{BOOKS}/records", {"fields": {}}, Idempotency_Key="k-2")
    assert refused.status_code == 422
    assert manager.post(f"{BOOKS}/records", body, Idempotency_Key="k-2").status_code == 201
    with ThreadPoolExecutor(8) as pool:
        several = list(
            pool.map(lambda _: manager.post(f"{BOOKS}/records", body, Idempotency_Key="k-3").get_json()["id"], range(8))
        )
    assert len(set(several)) == 1


def test_a_batch_tells_of_each(manager: Program) -> None:
    sent = [{"op": "create", "fields": {"title": f"Batch {n}", "price": n}} for n in range(20)]
    sent[7]["fields"] = {"price": "many"}
    sent[8]["fields"] = {"title": "x", "nothing": 1}
    answer = manager.post(f"{BOOKS}/batch", {"operations": sent}).get_json()
    assert (answer["done"], answer["failed"]) == (18, 2)
    assert [r["status"] for r in answer["results"]] == [201] * 7 + [422, 422] + [201] * 11
    assert {e["path"] for e in answer["results"][7]["problem"]["errors"]} == {"price"}
    ids = [r["id"] for r in answer["results"] if "id" in r]
    mixed = [
        {"op": "update", "id": ids[0], "fields": {"title": "Changed"}}, {"op": "update", "id": ids[1], "fields": {"title": ""}},
        {"op": "update", "id": str(UUID(int=1)), "fields": {"title": "x"}}, {"op": "delete", "id": ids[2]},
        {"op": "restore", "id": ids[2]}, {"op": "update", "id": ids[3], "fields": {"title": "y"}, "version": 1},
    ]  # fmt: skip
    answer = manager.post(f"{BOOKS}/batch", {"operations": mixed}).get_json()
    assert [r["status"] for r in answer["results"]] == [200, 422, 404, 200, 200, 200]
    assert answer["results"][0]["version"] == 2
    assert manager.get(f"{BOOKS}/records/{ids[0]}").get_json()["fields"]["title"] == "Changed"
    assert manager.get(f"{BOOKS}/records/{ids[1]}").get_json()["fields"]["title"] == "Batch 1"
    whole = manager.post(f"{BOOKS}/batch", {"operations": [{"op": "delete", "id": ids[4]}, *mixed], "atomic": True})
    assert whole.status_code == 422
    assert manager.get(f"{BOOKS}/records/{ids[4]}").status_code == 200
    assert (
        manager.post(f"{BOOKS}/batch", {"operations": [{"op": "delete", "id": i} for i in ids]}).get_json()["done"]
        == 18
    )
    assert manager.post(f"{BOOKS}/batch", {"operations": [{"op": "delete", "id": "x"}] * 1001}).status_code == 422
    wrong = manager.post(f"{BOOKS}/batch", {"operations": [{"op": "update"}, {"op": "fly"}]}).get_json()
    assert [e["path"] for e in wrong["errors"]] == ["operations[0].id", "operations[0].fields", "operations[1].op"]


def test_upsert_changes_what_its_key_finds(manager: Program) -> None:
    authors = "/api/v1/apps/shop/tables/author"
    first = manager.post(f"{authors}/upsert", {"key": ["name"], "fields": {"name": "Frank"}})
    again = manager.post(f"{authors}/upsert", {"key": ["name"], "fields": {"name": "FRANK"}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["id"] == again.get_json()["id"]
    for body in ({"key": ["name"], "fields": {}}, {"key": ["nothing"], "fields": {"name": "x"}}, {"key": [], "fields": {}},
                 {"key": ["famous"], "fields": {"name": "x"}}):  # fmt: skip
        assert manager.post(f"{authors}/upsert", body).status_code == 422, body
    one = {"key": ["title"], "fields": {"title": "One", "price": 1}}
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: manager.post(f"{BOOKS}/upsert", one), range(6)))
    assert sorted(a.status_code for a in made) == [200] * 5 + [201]
    results = manager.post(f"{authors}/batch", {"operations": [
        {"op": "upsert", "key": ["name"], "fields": {"name": n}} for n in ("Frank", "Brian", "Brian")]}).get_json()["results"]  # fmt: skip
    assert [r["status"] for r in results] == [200, 201, 200]


# -- doors -----------------------------------------------------------------------------------------


def test_no_other_site_s_pages_get_in(manager: Program) -> None:
    for method in ("GET", "OPTIONS"):
        answer = manager.ask(
            method, f"{BOOKS}/records", Origin="https://evil.example", Access_Control_Request_Method="POST"
        )
        assert not any(name.startswith("Access-Control") for name in answer.headers.keys())  # noqa: SIM118


def test_a_session_opens_no_door_of_the_api_and_a_token_none_of_the_browser(
    app: Flask, manager: Program, shop: Shop
) -> None:
    assert manager.get("/a/shop/v/book/").status_code in (302, 401)
    assert manager.get("/api/v1/nothing").status_code == 404
    assert manager.get("/api/v1/nothing").mimetype == "application/problem+json"
    assert manager.ask("PUT", f"{BOOKS}/records").status_code == 405
    assert manager.ask("PUT", f"{BOOKS}/records").headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert app.test_client().post("/build/?x=/api/v1/apps", data={"title": "x"}).status_code in (401, 403)


def test_cursors_hold_nothing_hidden(clerk: Program) -> None:
    page = clerk.get(f"{BOOKS}/records?limit=1&sort=title").get_json()
    text = base64.urlsafe_b64decode(page["next"] + "==").decode()
    assert "7.77" not in text
