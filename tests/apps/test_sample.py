"""Sample data is written through every rule, once, and can be taken away again."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, select

from builder import bundle
from runtime import accounts, models, sample, tables, workspaces
from runtime.context import Context, Workspace

APPS = sorted(bundle.bundled())
Installed = dict[str, Workspace]


@pytest.fixture(scope="module")
def installed(prepared: Engine, make_workspace: Callable[[], Workspace]) -> Installed:
    """Each app in a workspace of its own, with its sample."""
    found = {app: make_workspace() for app in APPS}
    for app, workspace in found.items():
        folder = bundle.bundled()[app]
        with workspaces.opened(prepared, workspace) as ctx:
            bundle.install(ctx, bundle.read(folder), sample=folder / "sample")
    return found


def count(ctx: Context, app: str) -> dict[str, int]:
    """Live records by table."""
    from runtime import definitions

    family = tables.family(ctx, definitions.installed(ctx, app))
    alive = {
        id: select(func.count()).select_from(live.sql).where(live.sql.c._deleted_at.is_(None))
        for id, live in family.items()
    }
    return {id: number for id, query in alive.items() if (number := ctx.conn.scalar(query) or 0)}


@pytest.mark.parametrize("app", APPS)
def test_an_installed_app_exports_as_it_came(app: str, prepared: Engine, installed: Installed) -> None:
    with workspaces.opened(prepared, installed[app]) as ctx:
        assert bundle.export(ctx, app) == bundle.read(bundle.bundled()[app])


@pytest.mark.parametrize("app", APPS)
def test_every_table_has_records(app: str, prepared: Engine, installed: Installed) -> None:
    with workspaces.opened(prepared, installed[app]) as ctx:
        assert set(count(ctx, app)) == {table["id"] for table in bundle.export(ctx, app)["tables"]}


@pytest.mark.parametrize("app", APPS)
def test_a_second_time_nothing_is_added(app: str, prepared: Engine, installed: Installed) -> None:
    with workspaces.opened(prepared, installed[app]) as ctx:
        before = count(ctx, app)
        assert sample.install_sample(ctx, app, bundle.bundled()[app] / "sample") == {}
        assert count(ctx, app) == before


@pytest.mark.parametrize("app", APPS)
def test_those_with_a_password_can_sign_in(app: str, prepared: Engine, installed: Installed) -> None:
    logins = sample.logins(bundle.bundled()[app] / "sample")
    assert logins
    with workspaces.opened(prepared, installed[app]) as ctx:
        for login in logins[:2]:
            assert accounts.sign_in(ctx.conn, login.email, login.password, "127.0.0.1", "test")


@pytest.mark.parametrize("app", APPS)
def test_it_can_be_taken_away_and_put_back(app: str, prepared: Engine, installed: Installed) -> None:
    m = models.member
    with workspaces.opened(prepared, installed[app]) as ctx:
        before = count(ctx, app)
        removed = sample.remove_sample(ctx, app)
        assert removed == before
        assert count(ctx, app) == {}
        staying = select(m.c.admin).where(m.c.left_at.is_(None))
        assert set(ctx.conn.scalars(staying)) == {True}
        sample.install_sample(ctx, app, bundle.bundled()[app] / "sample")
        assert count(ctx, app) == before


def test_a_slug_is_taken_only_once(prepared: Engine, make_workspace: Callable[[], Workspace]) -> None:
    package = bundle.read(bundle.bundled()["expense"])
    with workspaces.opened(prepared, make_workspace()) as ctx:
        bundle.install(ctx, package)
        bundle.install(ctx, package, "travel")
        with pytest.raises(Exception, match="short name"):
            bundle.install(ctx, package)
