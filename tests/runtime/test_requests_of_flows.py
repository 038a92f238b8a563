"""A flow asks another program: with what it was told to, with a secret only its own server hears, once, and reads the answer."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select

from runtime import definitions, flows, jobs, keyring, records
from runtime.access import door
from runtime.models_flow import flow_instance, flow_log
from runtime.models_secrets import secret
from runtime.people import assign_slot
from runtime.query import fetch
from schemas.errors import DefinitionError, InvalidInput, NotFound
from tests.runtime.conftest import Shop


class Program:
    """Another program that answers as it is told and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        program = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                program.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, answer = program.answers.pop(0) if program.answers else (200, {"price": 12.5, "names": ["a"]})
                said = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *given: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Program]:
    jobs.drain_jobs(database_url)  # what other tests have left, of workspaces that are gone
    monkeypatch.setenv("MORTISE_OUTGOING_ALLOW", "127.0.0.1")
    made = Program()
    yield made
    made.server.shutdown()
    made.server.server_close()


def shop_with(place: str, **options: Any) -> dict[str, Any]:
    step = {"id": "quote", "type": "request", "method": "POST", "address": f"http://{place}/prices/{{name}}", "send": "json",
            "values": [{"name": "item.name", "value": "name"}, {"name": "item.count", "value": "count"},
                       {"name": "big", "value": "12345678901234567.5"}],
            "headers": [{"name": "X-Trace", "value": "\"t-\" & count"}], "secret": "key",
            "sample": "{\"price\": 1, \"names\": [\"x\"]}", **options}  # fmt: skip
    return {
        "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
        "slots": [{"id": "key", "type": "secret", "title": "Price key"}],
        "tables": [{"id": "thing", "fields": [
            {"id": "name", "type": "text"}, {"id": "count", "type": "number"}, {"id": "price", "type": "number"},
            {"id": "first", "type": "text"}]}],
        "flows": [{"id": "priced", "title": "Priced", "trigger": {"created": "thing"}, "steps": [
            step, {"id": "keep", "type": "update", "set": {"price": "quote.body.price", "first": "INDEX(quote.body.names, 1)"}}]}],
        "access": [
            {"id": "things", "who": {"role": "clerk"}, "table": "thing", "do": ["read", "create"]},
            {"id": "its_own", "who": {"flow": "priced"}, "table": "thing", "do": ["read", "update"]}],
    }  # fmt: skip


def kept_secret(shop: Shop, place: str, value: str = "well-hidden") -> UUID:
    with shop.opened(shop.boss) as ctx:
        id = keyring.add(ctx, "Prices", place, value)
        assign_slot(ctx, definitions.installed(ctx, "shop").id, "key", id)
    return id


def new_thing(shop: Shop, name: str = "a/b?c") -> UUID:
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "thing")
        id = records.create(ctx, live, {"name": name, "count": 3})
        flows.record_saved(ctx, live, id, "created", None)
        return id


def values_of(shop: Shop, id: UUID) -> dict[str, Any]:
    with shop.opened(shop.clerk) as ctx:
        return dict(fetch(door(ctx, shop.table(ctx, "thing")), id).values)


def states(shop: Shop) -> list[str]:
    with shop.opened() as ctx:
        return list(ctx.conn.scalars(select(flow_instance.c.state)))


def log(shop: Shop, what: str) -> list[Any]:
    with shop.opened() as ctx:
        return [e for e in ctx.conn.scalars(select(flow_log.c.entry).order_by(flow_log.c.number)) if e["what"] == what]


def test_the_answer_is_written_into_the_record(make_shop: Callable[..., Shop], program: Program, database_url: str) -> None:
    shop = make_shop(shop_with(program.place))
    kept_secret(shop, program.place)
    thing = new_thing(shop)
    assert program.asked == [], "nothing goes out before the transaction is kept"
    assert not jobs.drain_jobs(database_url)
    ((method, path, headers, body),) = program.asked
    assert (method, path) == ("POST", "/prices/a%2Fb%3Fc"), "a value stays one piece of the address"
    assert json.loads(body) == {"item": {"name": "a/b?c", "count": 3}, "big": "12345678901234567.5"}
    assert headers["authorization"] == "Bearer well-hidden"
    assert headers["x-trace"] == "t-3"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"]
    found = values_of(shop, thing)
    assert (found["price"], found["first"]) == (12.5, "a")
    assert states(shop) == ["ended"]
    (entry,) = [e for e in log(shop, "performed") if e["step"] == "quote"]
    assert entry["status"] == 200
    assert entry["sent"].startswith("POST http://127.0.0.1")
    assert "well-hidden" not in json.dumps(log(shop, "performed"))


def test_a_refusal_stops_the_flow_and_a_retry_asks_again(
    make_shop: Callable[..., Shop], program: Program, database_url: str
) -> None:
    shop = make_shop(shop_with(program.place))
    kept_secret(shop, program.place)
    program.answers = [(422, {"why": "no such thing"})]
    thing = new_thing(shop)
    jobs.drain_jobs(database_url)
    (failed,) = log(shop, "failed")
    assert failed["values"] == {"status": "422", "text": "{\"why\": \"no such thing\"}"}
    with shop.opened(shop.boss) as ctx:
        run = ctx.conn.execute(select(flow_instance.c.id)).scalar_one()
        flows.help_on(ctx, run, failed["token"], "retry")
    jobs.drain_jobs(database_url)
    assert values_of(shop, thing)["price"] == 12.5
    keys = [asked[2]["idempotency-key"] for asked in program.asked]
    assert len(set(keys)) == 2, "a new try by a person is a new question"


def test_a_refusal_is_an_answer_where_the_step_says_so(
    make_shop: Callable[..., Shop], program: Program, database_url: str
) -> None:
    package = shop_with(program.place, refusals=True)
    package["flows"][0]["steps"][1]["set"] = {"count": "quote.status"}
    shop = make_shop(package)
    kept_secret(shop, program.place)
    program.answers = [(503, "not now")]
    thing = new_thing(shop)
    assert not jobs.drain_jobs(database_url)
    assert values_of(shop, thing)["count"] == 503
    assert len(program.asked) == 1


def test_a_busy_server_is_asked_again_under_the_same_key(
    make_shop: Callable[..., Shop], program: Program, database_url: str
) -> None:
    shop = make_shop(shop_with(program.place))
    kept_secret(shop, program.place)
    program.answers = [(503, "busy")]
    new_thing(shop)
    assert jobs.drain_jobs(database_url), "the first try failed"
    with shop.opened() as ctx:
        ctx.conn.exec_driver_sql("UPDATE procrastinate.procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
    assert not jobs.drain_jobs(database_url)
    assert len(program.asked) == 2
    assert len({asked[2]["idempotency-key"] for asked in program.asked}) == 1
    assert states(shop) == ["ended"]


def test_a_secret_goes_to_its_own_server_only(make_shop: Callable[..., Shop], program: Program, database_url: str) -> None:
    shop = make_shop(shop_with(program.place))
    kept_secret(shop, "api.example.com")
    new_thing(shop)
    jobs.drain_jobs(database_url)
    assert program.asked == []
    (failed,) = log(shop, "failed")
    assert "may not be told" in failed["problem"]


def test_without_a_secret_in_its_post_nothing_is_asked(
    make_shop: Callable[..., Shop], program: Program, database_url: str
) -> None:
    shop = make_shop(shop_with(program.place))
    id = kept_secret(shop, program.place)
    with shop.opened(shop.boss) as ctx:
        keyring.remove(ctx, id)
    new_thing(shop)
    jobs.drain_jobs(database_url)
    assert program.asked == []
    assert "No secret is set" in log(shop, "failed")[0]["problem"]


def test_a_run_that_was_ended_meanwhile_asks_nothing(make_shop: Callable[..., Shop], program: Program, database_url: str) -> None:
    shop = make_shop(shop_with(program.place))
    kept_secret(shop, program.place)
    new_thing(shop)
    with shop.opened(shop.boss) as ctx:
        flows.end(ctx, ctx.conn.execute(select(flow_instance.c.id)).scalar_one())
    assert not jobs.drain_jobs(database_url)
    assert program.asked == []


def test_values_go_into_the_address_of_a_question(make_shop: Callable[..., Shop], program: Program, database_url: str) -> None:
    values = [{"name": "q", "value": "name"}, {"name": "none", "value": "price"}, {"name": "on", "value": "TRUE"}]
    shop = make_shop(shop_with(program.place, method="GET", send="query", values=values, secret=None))
    new_thing(shop, "榫 & 卯")
    jobs.drain_jobs(database_url)
    ((method, path, headers, body),) = program.asked
    assert method == "GET"
    assert parse_qs(urlsplit(path).query) == {"q": ["榫 & 卯"], "on": ["true"]}
    assert (body, "authorization" in headers) == ("", False)


def test_a_secret_is_kept_sealed_and_well_formed(shop: Shop) -> None:
    with shop.opened(shop.boss) as ctx:
        keyring.add(ctx, "Prices", "api.example.com, https://b.example.com:8443/x", "well-hidden")
        row = ctx.conn.execute(select(secret)).one()
        assert row.servers == "api.example.com b.example.com:8443"
        assert "well-hidden" not in row.sealed
        for name, servers, value, wrong in (
            ("Prices", "a.example", "x", "name"), ("", "a.example", "x", "name"), ("Q", "", "x", "servers"),
            ("Q", "a b:xyz", "x", "servers"), ("Q", "a.example", "", "value"), ("Q", "a.example", "a\nb", "value"),
            ("Q", "a.example", "密", "value"),
        ):  # fmt: skip
            with pytest.raises(InvalidInput) as refused:
                keyring.add(ctx, name, servers, value)
            assert set(refused.value.errors) == {wrong}
        with pytest.raises(NotFound):
            keyring.renew(ctx, UUID(int=1), "x")


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"address": "http://{name}/x"}, "address"),
        ({"address": "https://a.example{name}"}, "address"),
        ({"address": "ftp://a.example/"}, "address"),
        ({"address": "https://me@a.example/"}, "address"),
        ({"method": "GET"}, "send"),
        ({"send": "text", "values": []}, "body"),
        ({"body": "name"}, "body"),
        ({"headers": [{"name": "a b", "value": "1"}]}, "headers[0].name"),
        ({"secret": "gone"}, "secret"),
        ({"values": [{"name": "x", "value": "nothing_here"}]}, "values[0].value"),
        ({"sample": "{not json"}, "sample"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(make_shop: Callable[..., Shop], options: dict[str, Any], path: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        make_shop(shop_with("a.example:8080", **options))
    assert any(p.path.endswith(path) for p in refused.value.problems), refused.value.problems


def test_a_secret_is_no_person(make_shop: Callable[..., Shop]) -> None:
    package = shop_with("a.example:8080")
    package["flows"][0]["steps"].append({"id": "ask", "type": "approve", "who": [{"slot": "key"}]})
    with pytest.raises(DefinitionError) as refused:
        make_shop(package)
    assert any(p.path.endswith("slot") for p in refused.value.problems)
