"""Webhooks: told of every write by whomever, signed, again when it fails, with no more than their grant may see."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from runtime import definitions, flows, importing, notices, outbox, records, sheets, webhooks
from runtime.jobs import drain_jobs
from runtime.models_api import webhook as w
from runtime.webhooks import Wanted
from schemas.errors import InvalidInput
from tests.runtime.conftest import SHOP, Shop

ALL = outbox.EVENTS


class Receiver:
    """A server that answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], Any]] = []
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *given: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("MORTISE_OUTGOING_ALLOW", "127.0.0.1")
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def listening(shop: Shop, receiver: Receiver) -> Callable[..., UUID]:
    def make(**options: Any) -> UUID:
        with shop.opened(shop.boss) as ctx:
            wanted = Wanted(**{"title": "ERP", "url": receiver.url, "events": ALL, **options})
            return webhooks.save(ctx, definitions.installed(ctx, "shop"), wanted)

    return make


def test_every_writer_is_told_of_and_the_body_is_signed(
    shop: Shop, receiver: Receiver, listening: Callable[..., UUID], database_url: str
) -> None:
    hook = listening(tables=("book",))
    with shop.opened(shop.manager) as ctx:
        book = records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "price": Decimal(5)})
        records.create(ctx, shop.table(ctx, "author"), {"name": "Jane"})
    with shop.opened(shop.manager) as ctx:
        records.change(ctx, shop.table(ctx, "book"), book, {"title": "Emma 2"})
    with shop.opened(shop.manager) as ctx:
        records.trash(ctx, shop.table(ctx, "book"), [book])
        records.restore(ctx, shop.table(ctx, "book"), [book])
    with shop.opened() as ctx:
        source = shop.table(ctx, "book")
        sheet = sheets.read_sheet(b"Title\nImported\n", "a.csv", "", "")
        importing.run_now(ctx, source, sheet, importing.mappings_of({"title": {"column": "Title"}}))
    with pytest.raises(InvalidInput), shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {})
    assert drain_jobs(database_url) == []
    told = receiver.told()
    assert [t["event"] for t in told] == [
        "record.created", "record.changed", "record.deleted", "record.restored", "record.created"
    ]  # fmt: skip
    assert [t["record"]["fields"]["title"] for t in told] == ["Emma 2", "Emma 2", "Emma 2", "Emma 2", "Imported"]
    assert told[1]["changes"] == [{"field": "title", "before": "Emma", "after": "Emma 2"}]
    assert told[0]["actor"] == {"kind": "member", "id": str(shop.manager.id), "name": "Manager"}
    assert told[4]["actor"]["kind"] == "system"
    headers, body = receiver.got[0]
    with shop.opened() as ctx:
        key = base64.b64decode(
            webhooks.one(ctx, definitions.installed(ctx, "shop"), hook).secret.removeprefix("whsec_")
        )
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    assert len({h["webhook-id"] for h, _ in receiver.got}) == 5


def test_a_payload_holds_what_its_grant_may_see(
    shop: Shop, receiver: Receiver, listening: Callable[..., UUID], database_url: str
) -> None:
    listening(roles=("clerk",), tables=("book",), fields=("title", "cost"))
    with shop.opened(shop.manager) as ctx:
        live = shop.table(ctx, "book")
        novel = records.create(ctx, live, {"title": "Emma", "cost": Decimal(7), "price": Decimal(9)})
        records.create(ctx, live, {"title": "Walden", "kind": "essay"})
    with shop.opened(shop.manager) as ctx:
        records.change(ctx, shop.table(ctx, "book"), novel, {"price": Decimal(8)})
        records.change(ctx, shop.table(ctx, "book"), novel, {"cost": Decimal(6), "title": "Emma 2"})
    assert drain_jobs(database_url) == []
    told = receiver.told()
    assert [(t["event"], t["record"]["fields"]) for t in told] == [
        ("record.created", {"title": "Emma 2"}), ("record.changed", {"title": "Emma 2"})
    ]  # fmt: skip
    assert [c["field"] for c in told[1]["changes"]] == ["title"]


def test_what_fails_is_tried_again_in_order_until_it_is_paused(
    shop: Shop, receiver: Receiver, listening: Callable[..., UUID], database_url: str
) -> None:
    hook = listening(tables=("author",))
    receiver.status = 500
    with shop.opened(shop.manager) as ctx:
        for name in ("Jane", "Henry"):
            records.create(ctx, shop.table(ctx, "author"), {"name": name})
    assert drain_jobs(database_url) == []
    assert len(receiver.got) == 1  # the second waits behind the first
    inst, first = look(shop, hook)
    assert (first.state, first.status, first.response, first.attempts) == ("waiting", 500, "ok", 1)
    receiver.status = 200
    bring_forward(shop, hook)
    assert drain_jobs(database_url) == []
    assert [t["record"]["title"] for t in receiver.told()] == ["Jane", "Jane", "Henry"]
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
    receiver.status = 500
    with shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "author"), {"name": "Anne"})
    drain_jobs(database_url)
    with shop.opened() as ctx:
        ctx.conn.execute(update(w).where(w.c.id == hook).values(failing_since=ctx.now - timedelta(days=2)))
    bring_forward(shop, hook)
    drain_jobs(database_url)
    with shop.opened(shop.boss) as ctx:
        assert webhooks.one(ctx, definitions.installed(ctx, "shop"), hook).paused_at is not None
        assert "paused" in str(notices.listed(ctx)[0].sentence)
    with shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "author"), {"name": "While it is paused"})
    receiver.status = 200
    before = len(receiver.got)
    with shop.opened(shop.boss) as ctx:
        webhooks.resume(ctx, definitions.installed(ctx, "shop"), hook)
    assert drain_jobs(database_url) == []
    assert [t["record"]["title"] for t in receiver.told()[before:]] == ["Anne"]


def look(shop: Shop, hook: UUID) -> tuple[Any, Any]:
    with shop.opened(shop.boss) as ctx:
        inst = definitions.installed(ctx, "shop")
        return inst, webhooks.log(ctx, hook)[0][-1]


def bring_forward(shop: Shop, hook: UUID) -> None:
    with shop.opened() as ctx:
        ctx.conn.execute(update(w).where(w.c.id == hook).values(next_at=ctx.now))
        from runtime.jobs import enqueue

        enqueue(ctx, "webhooks.send", {"webhook": str(hook)}, key=str(hook))


def test_a_delivery_is_replayed_by_hand_and_a_gone_server_pauses_at_once(
    shop: Shop, receiver: Receiver, listening: Callable[..., UUID], database_url: str
) -> None:
    hook = listening(tables=("author",))
    with shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "author"), {"name": "Jane"})
    assert drain_jobs(database_url) == []
    inst, delivery = look(shop, hook)
    with shop.opened(shop.boss) as ctx:
        webhooks.replay(ctx, inst, hook, delivery.id)
        webhooks.test(ctx, inst, hook)
    assert drain_jobs(database_url) == []
    assert [t["event"] for t in receiver.told()] == ["record.created", "record.created", "test"]
    receiver.status = 410
    with shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "author"), {"name": "Henry"})
    drain_jobs(database_url)
    with shop.opened() as ctx:
        assert webhooks.one(ctx, inst, hook).paused_at is not None


def test_flows_and_tasks_are_told_of(make_shop: Callable[..., Shop], receiver: Receiver, database_url: str) -> None:
    flow = {"id": "checking", "trigger": {"button": {"table": "book", "label": "Check"}},
            "steps": [{"id": "look", "type": "approve", "who": {"role": "manager"}}]}  # fmt: skip
    shop = make_shop({**SHOP, "forms": [{"id": "book", "table": "book"}], "flows": [flow]})
    with shop.opened(shop.boss) as ctx:
        wanted = Wanted("Flows", receiver.url, events=(outbox.ASKED, outbox.DECIDED, outbox.ENDED))
        webhooks.save(ctx, definitions.installed(ctx, "shop"), wanted)
    with shop.opened(shop.manager) as ctx:
        live = shop.table(ctx, "book")
        book = records.create(ctx, live, {"title": "Emma"})
        flows.press(ctx, live, live.inst.app.flow("checking"), book)
    with shop.opened(shop.manager) as ctx:
        from runtime import tasks

        task = tasks.listed(ctx, tasks.Asked())[0][0].id
        flows.decide(ctx, flows.Decision(task, "approve"))
    assert drain_jobs(database_url) == []
    told = receiver.told()
    assert [(t["event"], t.get("step"), t.get("decision"), t.get("outcome")) for t in told] == [
        ("task.created", "look", None, None), ("task.decided", "look", "approve", None),
        ("flow.ended", None, None, "approved"),
    ]  # fmt: skip
    assert {t["task"] for t in told[:2]} == {str(task)}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"url": "http://10.0.0.1/"}, "url"), ({"url": "ftp://x/"}, "url"), ({"title": " "}, "title"), ({"events": ()}, "events"),
     ({"events": ("record.eaten",)}, "events"), ({"tables": ("none",)}, "tables"), ({"roles": ("none",)}, "roles"),
     ({"fields": ("none",)}, "fields")],
)  # fmt: skip
def test_a_webhook_that_makes_no_sense_is_refused(
    listening: Callable[..., UUID], wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        listening(**wrong)
    assert list(refused.value.errors) == [field]


def test_another_server_gets_another_secret(shop: Shop, receiver: Receiver, listening: Callable[..., UUID]) -> None:
    hook = listening()
    with shop.opened(shop.boss) as ctx:
        inst = definitions.installed(ctx, "shop")
        before = webhooks.one(ctx, inst, hook)
        webhooks.save(ctx, inst, Wanted("ERP", receiver.url + "/other", events=ALL), hook)
        assert webhooks.one(ctx, inst, hook).secret == before.secret
        webhooks.save(ctx, inst, Wanted("ERP", "https://1.1.1.1/", events=ALL), hook)
        assert webhooks.one(ctx, inst, hook).secret != before.secret
        webhooks.remove(ctx, inst, hook)
        assert ctx.conn.execute(select(w).where(w.c.id == hook)).first() is None
