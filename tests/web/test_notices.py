"""How messages come: live counts, ways and digests, mails that decide, and the calendar of tasks."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from runtime import digests, flows, letters, live, mail, models, ways
from runtime.models import member
from runtime.models_flow import flow_task
from runtime.people import Directory
from tests.runtime.conftest import Shop
from tests.runtime.test_flows import CLAIMS, fill_slots, id_of, send, task_of
from tests.web.conftest import Person

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def claims(make_shop: Callable[..., Shop]) -> Shop:
    package = deepcopy(CLAIMS)
    package["flows"][0]["steps"][1]["due"] = {"in": "2 days"}
    shop = fill_slots(make_shop(package))
    with shop.opened() as ctx:
        ctx.conn.execute(update(member).where(member.c.id == id_of(shop.manager)).values(email="manager@example.org"))
    return shop


def heard(sock: socket.socket, words: bytes) -> bytes:
    sock.settimeout(5)
    read = b""
    while words not in read:
        read += sock.recv(4096)
    return read


def session_of(shop: Shop, member: Any) -> bytes:
    """The digest of the session by which a member is signed in."""
    s, m = models.session, models.member
    with shop.opened() as ctx:
        account = select(m.c.account_id).where(m.c.id == id_of(member)).scalar_subquery()
        return bytes(ctx.conn.scalars(select(s.c.digest).where(s.c.account_id == account)).one())


@pytest.fixture
def hub(claims: Shop) -> Iterator[live.Hub]:
    made = live.Hub(claims.engine)
    yield made
    made.stop()


@pytest.mark.parametrize("end", ["signed out", "closed", "left"])
def test_who_is_signed_in_no_longer_hears_nothing_more(claims: Shop, sign_in: Any, hub: live.Hub, end: str) -> None:
    sign_in(claims, "manager")
    ours, browser = socket.socketpair()
    hub.join(live.taken_over(ours), claims.workspace, id_of(claims.manager), session_of(claims, claims.manager), chunked=False)
    ours.close()
    assert b'"tasks": 0' in heard(browser, b"\n\n")
    with claims.opened() as ctx:
        account = ctx.conn.scalar(select(models.member.c.account_id).where(models.member.c.id == id_of(claims.manager)))
        gone = {
            "signed out": delete(models.session).where(models.session.c.account_id == account),
            "closed": update(models.account).where(models.account.c.id == account).values(disabled_at=ctx.now),
            "left": delete(models.membership).where(models.membership.c.account_id == account),
        }
        ctx.conn.execute(gone[end])
    send(claims, amount="20")
    browser.settimeout(5)
    assert browser.recv(4096) == b"", "the line ends without a word of the new task"
    browser.close()


def test_three_hundred_browsers_hear_of_a_task_and_one_thread_serves_them(claims: Shop, sign_in: Any, hub: live.Hub) -> None:
    sign_in(claims, "manager")
    session = session_of(claims, claims.manager)
    before = threading.active_count()
    browsers = [socket.socketpair() for _ in range(300)]
    for ours, _ in browsers:
        hub.join(live.taken_over(ours), claims.workspace, id_of(claims.manager), session, chunked=True)
    for ours, browser in browsers:
        assert b'"tasks": 0' in heard(browser, b"\n\n\r\n")
        ours.close()
    assert threading.active_count() == before + 1
    send(claims, amount="20")
    for _, browser in browsers:
        assert b'{"tasks": 1, "notices": 1}\n\n\r\n' in heard(browser, b'"tasks": 1, "notices": 1}\n\n\r\n')
    for _, browser in browsers:
        browser.close()
    until = time.monotonic() + 5
    while len(hub) and time.monotonic() < until:
        time.sleep(0.02)
    assert len(hub) == 0, "who has gone is forgotten"


def test_a_server_that_keeps_its_connections_is_asked_again_after_a_while(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    manager = sign_in(claims, "manager")
    assert manager.get("/notices/live").text == 'retry: 30000\ndata: {"tasks": 1, "notices": 1}\n\n'
    assert manager.get("/notices/counts").json == {"tasks": 1, "notices": 1}


def choice(**changed: str) -> dict[str, str]:
    found = {f"mail.{kind}": "at_once" for kind in ways.KINDS} | {f"inbox.{kind}": "1" for kind in ways.KINDS}
    return {**found, "hour": "8", "weekday": "0", "links": "1", **changed}


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    sent: list[tuple[str, str, str]] = []
    monkeypatch.setattr(mail, "post", lambda ctx, to, subject, text, **more: sent.append((to, subject, text)))
    return sent


def test_everybody_says_by_which_way_messages_come(claims: Shop, sign_in: Any, post: list[Any]) -> None:
    manager = sign_in(claims, "manager")
    assert "How messages come to me" in manager.get("/notices/settings").text
    assert manager.post("/notices/settings", choice(hour="99")).status_code == 422
    quiet = choice(**{"mail.task": "daily"})
    del quiet["inbox.task"]
    assert manager.post("/notices/settings", quiet).headers["HX-Redirect"] == "/notices/settings"
    assert re.search(r'value="daily" selected', manager.get("/notices/settings").text)
    send(claims, amount="20")
    assert post == []
    assert manager.get("/notices/counts").json == {"tasks": 1, "notices": 0}
    with claims.opened() as ctx:
        assert digests.send_due(ctx) == 0, "not before its hour"
    with claims.opened(now=datetime.now(UTC) + timedelta(days=1)) as ctx:
        assert digests.send_due(ctx) == 1
        assert digests.send_due(ctx) == 0, "once"
    ((_, subject, text),) = post
    assert "1" in subject
    assert f"/tasks/{task_of(claims, claims.manager)}?w=" in text


@pytest.mark.parametrize(
    ("often", "now", "due"),
    [
        ("daily", "2026-03-04T09:30", "2026-03-04T08:00"),
        ("daily", "2026-03-04T07:59", "2026-03-03T08:00"),
        ("weekly", "2026-03-04T09:30", "2026-03-02T08:00"),
        ("weekly", "2026-03-02T07:00", "2026-02-23T08:00"),
    ],
)
def test_a_digest_is_due_at_the_hour_that_was_chosen(often: str, now: str, due: str) -> None:
    at = digests.last_due(ways.Ways(hour=8, weekday=0), often, datetime.fromisoformat(now))
    assert at == datetime.fromisoformat(due)


def link_of(text: str, act: str) -> str:
    found = re.search(rf"(/reply/\S+)\?do={act}", text)
    assert found
    return found[1]


@pytest.fixture
def stranger(app: Flask) -> Person:
    """Whoever has the link: a browser that has not signed in."""
    return Person(app.test_client())


def test_a_mail_decides_by_a_button_never_by_being_opened(
    claims: Shop, sign_in: Any, stranger: Person, post: list[Any]
) -> None:
    sign_in(claims, "manager")
    record = send(claims, amount="20")
    approve = link_of(post[0][2], "approve")
    for _ in range(2):
        page = stranger.get(f"{approve}?do=approve", headers=ENGLISH)
        assert page.status_code == 200
        assert 'value="reject"' not in page.text
        assert "Decide otherwise" in page.text
    assert decisions(claims, record) == [], "what only opens links decides nothing"
    assert 'value="reject"' in stranger.get(approve).text
    refused = stranger.post(approve, {"_action": "reject"}, ENGLISH)
    assert refused.status_code == 422
    assert "Add a comment." in refused.text
    assert stranger.post(approve, {"_action": "approve"}).status_code == 204
    assert decisions(claims, record) == [("approve", "Manager")]
    assert stranger.post(approve, {"_action": "approve"}).status_code == 403, "once"
    assert "value=" not in stranger.get(approve).text


def decisions(shop: Shop, record: UUID) -> list[tuple[str, str]]:
    with shop.opened() as ctx:
        t = flow_task.c
        rows = ctx.conn.execute(select(t.decision, t.member_id).where(t.record_id == record, t.decision.is_not(None)))
        names = Directory.of(ctx)
        return [(row.decision, names.names([row.member_id])[row.member_id]) for row in rows]


def test_a_link_in_a_mail_ends_with_time_and_when_the_task_goes_elsewhere(
    claims: Shop, sign_in: Any, stranger: Person, post: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(claims, "manager")
    send(claims, amount="20")
    approve = link_of(post[0][2], "approve")
    assert stranger.get(approve[:-8] + "AAAAAAAA").status_code == 404
    task = task_of(claims, claims.manager)
    with claims.opened(claims.manager, now=datetime.now(UTC) - letters.HOLDS) as ctx:
        old = letters.secret_of(ctx, task, str(id_of(claims.manager)))
    assert stranger.get(f"/reply/{claims.workspace.slug}/{old}").status_code == 404
    with claims.opened(claims.manager) as ctx:
        flows.transfer(ctx, task, id_of(claims.outsider), "please")
    assert stranger.get(approve).status_code == 404


def test_a_calendar_of_due_tasks_is_read_by_its_secret_address_until_that_is_taken_back(
    claims: Shop, sign_in: Any, stranger: Person
) -> None:
    send(claims, amount="20")
    manager = sign_in(claims, "manager")
    page = manager.post("/notices/calendar").text
    address = re.search(r"/calendar/\S+\.ics", page)
    assert address
    assert address[0] not in manager.get("/notices/settings").text, "shown once"
    feed = stranger.get(address[0])
    assert feed.mimetype == "text/calendar"
    lines = feed.get_data().split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert all(len(line) <= 75 for line in lines)
    assert lines.count(b"BEGIN:VEVENT") == 1
    assert b"Paper" in feed.data
    assert str(task_of(claims, claims.manager)).encode() in feed.data
    assert stranger.get(address[0].replace(".ics", "x.ics")).status_code == 404
    manager.post("/notices/calendar/revoke")
    assert stranger.get(address[0]).status_code == 404
