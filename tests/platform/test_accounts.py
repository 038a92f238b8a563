"""Accounts: making one, signing in with it, belonging to a workspace."""

from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from runtime import accounts, models, people, workspaces
from runtime.context import Workspace
from schemas.errors import InvalidInput, NotFound

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def office(engine: Engine) -> Workspace:
    workspaces.prepare(engine)
    return workspaces.create(engine, "office", "Office")


@pytest.fixture
def ada(engine: Engine, office: Workspace) -> UUID:
    with engine.begin() as conn:
        conn.execute(models.account.delete())
        return accounts.create(conn, "Ada@Example.org", "Ada", PASSWORD)


def test_signs_in_with_the_right_password_only(engine: Engine, ada: UUID) -> None:
    with engine.begin() as conn:
        assert accounts.authenticate(conn, " ada@example.ORG ", PASSWORD) == ada
        assert accounts.authenticate(conn, "ada@example.org", "wrong horse") is None
        assert accounts.authenticate(conn, "grace@example.org", PASSWORD) is None
        assert PASSWORD not in conn.scalar(select(models.account.c.password))


def test_nobody_signs_in_without_a_password(engine: Engine, ada: UUID) -> None:
    with engine.begin() as conn:
        accounts.create(conn, "grace@example.org", "Grace", None)
        assert accounts.authenticate(conn, "grace@example.org", "") is None


def test_all_mistakes_are_told_at_once(engine: Engine, ada: UUID) -> None:
    with engine.begin() as conn, pytest.raises(InvalidInput) as refused:
        accounts.create(conn, "ada@example.org", " ", "short")
    assert set(refused.value.errors) == {"email", "name", "password"}
    with engine.begin() as conn, pytest.raises(InvalidInput):
        accounts.create(conn, "no address", "Grace", PASSWORD)


def test_a_new_password_replaces_the_old_one(engine: Engine, ada: UUID) -> None:
    with engine.begin() as conn:
        accounts.set_password(conn, ada, "battery staple")
        assert accounts.authenticate(conn, "ada@example.org", PASSWORD) is None
        assert accounts.authenticate(conn, "ada@example.org", "battery staple") == ada
    with engine.begin() as conn, pytest.raises(InvalidInput):
        accounts.set_password(conn, ada, "short")


def test_joins_a_workspace_once(engine: Engine, office: Workspace, ada: UUID) -> None:
    with workspaces.opened(engine, office) as ctx:
        member = accounts.join(ctx, ada)
        assert accounts.join(ctx, ada, admin=True) == member
        assert people.member_of(ctx, ada).admin
        assert accounts.workspaces_of(ctx.conn, ada) == [office.id]


def test_is_found_by_address(engine: Engine, ada: UUID) -> None:
    with engine.begin() as conn:
        assert accounts.find(conn, "ADA@example.org") == ada
        with pytest.raises(NotFound):
            accounts.find(conn, "grace@example.org")
