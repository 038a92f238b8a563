"""The audit trail is only added to, is one chain, and says where it was broken."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from runtime import accounts, audit, audit_trail, people, workspaces
from runtime.audit_trail import Asked
from runtime.settings import Settings
from schemas.errors import InvalidInput
from tests.runtime.conftest import Shop, prepared  # noqa: F401

numbers = count(1)


@pytest.fixture
def open_office(prepared: Engine) -> Callable[[], Shop]:  # noqa: F811
    """A workspace with people and nothing else."""

    def make() -> Shop:
        workspace = workspaces.create(prepared, f"office-{next(numbers)}", "Office", language="en")
        names = ("clerk", "manager", "outsider", "boss")
        with workspaces.opened(prepared, workspace) as ctx:
            ids = [people.add_member(ctx, name.title(), admin=name == "boss") for name in names]
            return Shop(prepared, workspace, *(people.member_by_id(ctx, id) for id in ids))

    return make


@pytest.fixture
def office(open_office: Callable[[], Shop]) -> Shop:
    return open_office()


def noted(shop: Shop, times: int = 3, **options: Any) -> None:
    for n in range(times):
        with shop.opened(shop.boss, **options) as ctx:
            audit.note(ctx, "app.published", about=f"shop{n}", revision=n)


@pytest.fixture
def behind(office: Shop) -> Iterator[Connection]:
    """Somebody at the database who takes the guard away."""
    with office.engine.begin() as conn:
        conn.execute(text(f'SET LOCAL search_path TO "{office.workspace.schema}"'))
        conn.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        yield conn


def chain(shop: Shop, conn: Connection | None = None, **known: Any) -> audit_trail.Chain:
    if conn is not None:
        return audit_trail.verify(conn, shop.workspace.schema, **known)
    with shop.engine.connect() as own:
        return audit_trail.verify(own, shop.workspace.schema, **known)


def test_every_event_says_who_did_what_when_and_from_where(office: Shop) -> None:
    audit.come_from("192.0.2.7", "Firefox")
    with office.opened(office.boss) as ctx:
        audit.note(ctx, "app.published", about="shop", revision=4)
    audit.come_from("", "")
    with office.opened(office.boss) as ctx:
        [event] = audit_trail.listed(ctx, Asked())
    assert str(event.sentence) == "Published revision 4 of shop"
    assert (event.actor_name, event.address, event.agent) == ("Boss", "192.0.2.7", "Firefox")
    assert (event.number, len(event.hash)) == (1, 64)


def test_an_act_that_fails_leaves_no_event(office: Shop) -> None:
    def fail() -> None:
        with office.opened(office.boss) as ctx:
            audit.note(ctx, "app.published", about="shop", revision=4)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert chain(office).events == 0


@pytest.mark.parametrize("attack", [
    "UPDATE audit SET about = 'nothing'", "UPDATE audit SET number = 9", "UPDATE audit SET at = now()",
    "DELETE FROM audit", "TRUNCATE audit",
    "SET LOCAL mortise.audit_retention = 'on'; DELETE FROM audit",
])  # fmt: skip
def test_nobody_changes_or_removes_an_event(office: Shop, attack: str) -> None:
    noted(office, 1)
    with pytest.raises(DBAPIError, match="only added to"), office.opened(office.boss) as ctx:
        ctx.conn.execute(text(attack))
    assert chain(office) == chain(office)
    assert (chain(office).events, chain(office).fault) == (1, "")


def test_many_writers_at_once_make_one_chain(office: Shop) -> None:

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: noted(office, 5), range(8)))
    found = chain(office)
    assert (found.events, found.last, found.fault) == (40, 40, "")


@pytest.mark.parametrize(("attack", "fault", "number"), [
    ("UPDATE audit SET about = 'other' WHERE number = 2", "changed", 2),
    ("UPDATE audit SET at = at + interval '1 hour' WHERE number = 3", "changed", 3),
    ("DELETE FROM audit WHERE number = 2", "missing", 3),
    ("DELETE FROM audit WHERE number = 1", "begun", 2),
    ("UPDATE audit SET hash = sha256('x'), about = 'other' WHERE number = 1", "changed", 1),
])  # fmt: skip
def test_the_first_broken_link_is_named(office: Shop, behind: Connection, attack: str, fault: str, number: int) -> None:
    behind.execute(text("ALTER TABLE audit ENABLE TRIGGER ALL"))
    for n in range(4):
        behind.execute(text(
            "INSERT INTO audit (id, at, kind, actor_kind, actor_name, about, details)"
            f" VALUES (gen_random_uuid(), now(), 'app.published', 'member', 'Boss', 'shop{n}', '{{}}')"
        ))  # fmt: skip
    behind.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert chain(office, behind).fault == ""
    behind.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
    behind.execute(text(attack))
    found = chain(office, behind)
    assert (found.fault, found.number) == (fault, number)


def test_a_trail_cut_short_or_made_anew_is_noticed_by_what_was_written_down(
    office: Shop, behind: Connection, tmp_path: Any
) -> None:
    behind.rollback()
    noted(office)
    settings = Settings.read({"MORTISE_DATA": str(tmp_path)})
    audit_trail.write_anchor(settings, office.workspace.schema, chain(office), office_now(office))
    anchors = audit_trail.anchors_of(settings)[office.workspace.schema]
    assert chain(office, anchors=anchors).fault == ""
    with office.engine.begin() as conn:
        conn.execute(text(f'SET LOCAL search_path TO "{office.workspace.schema}"'))
        conn.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        conn.execute(text("DELETE FROM audit WHERE number = 3"))
        conn.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))
    assert (chain(office).fault, chain(office, anchors=anchors).fault) == ("", "shortened")
    noted(office, 1)
    assert (chain(office).fault, chain(office, anchors=anchors).fault) == ("", "replaced")
    audit_trail.forget_anchors(settings, {office.workspace.schema})
    assert audit_trail.anchors_of(settings) == {}


def office_now(shop: Shop) -> Any:
    with shop.opened() as ctx:
        return ctx.now


def test_what_is_older_than_the_workspace_keeps_it_goes_and_the_rest_still_proves_itself(office: Shop) -> None:
    long_ago = office_now(office) - timedelta(days=400)
    noted(office, 3, now=long_ago)
    noted(office, 2)
    with office.opened(office.boss) as ctx:
        with pytest.raises(InvalidInput):
            audit_trail.set_retention(ctx, 5)
        audit_trail.set_retention(ctx, 365)
    audit_trail.trim_all(office.engine, office_now(office))
    found = chain(office)
    assert (found.events, found.last, found.fault) == (4, 7, "")
    with office.opened(office.boss) as ctx:
        texts = [str(event.sentence) for event in audit_trail.listed(ctx, Asked())]
    assert texts[0] == "3 events older than 365 days were removed, up to number 3"
    assert texts[1] == "Changed how long the audit trail is kept: 365 days"


def test_events_are_searched_by_words_and_kind_in_pages(office: Shop) -> None:
    noted(office, 4)
    with office.opened(office.manager) as ctx:
        audit.note(ctx, "data.exported", about="Books 100%", n=12)
    with office.opened(office.boss) as ctx:
        assert [e.kind for e in audit_trail.listed(ctx, Asked(text="100%"))] == ["data.exported"]
        assert [e.kind for e in audit_trail.listed(ctx, Asked(text="manager"))] == ["data.exported"]
        assert len(audit_trail.listed(ctx, Asked(group="app"))) == 4
        first = audit_trail.listed(ctx, Asked(), limit=2)
        rest = audit_trail.listed(ctx, Asked(before=(first[-1].at, first[-1].id)))
        assert [e.number for e in first + rest] == [5, 4, 3, 2, 1]
        assert len(list(audit_trail.everything(ctx, Asked(until=first[-1].at)))) == 3


def test_an_accounts_events_are_read_in_its_workspaces_only(office: Shop, open_office: Callable[[], Shop]) -> None:
    other = open_office()
    with office.opened() as ctx:
        account = accounts.add_account(
            ctx.conn, f"ada-{office.workspace.slug}@example.com", "Ada", "correct horse battery"
        )
        accounts.join(ctx.conn, account, office.workspace.id)
        people.add_member(ctx, "Ada", account_id=account)
        audit.note_account(ctx.conn, account, "sign_in.succeeded", name="Ada")
    for shop, found in ((office, ["sign_in.succeeded"]), (other, [])):
        with shop.opened() as ctx:
            assert [e.kind for e in audit_trail.listed(ctx, Asked())] == found
    with office.engine.connect() as conn:
        assert audit_trail.verify(conn, "control").fault == ""


def test_every_kind_belongs_to_a_group_and_none_is_declared_twice() -> None:
    assert {kind.group for kind in audit.KINDS.values()} == set(audit.GROUPS)
    with pytest.raises(TypeError):
        audit.kind("app.published", audit.KINDS["app.published"].sentence)
