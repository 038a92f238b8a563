"""Sample data is written through every rule, once, and can be taken away again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from builder import bundle
from runtime import accounts, definitions, models, people, sample, tables, workspaces
from runtime.context import Context, Workspace
from schemas.errors import DefinitionError

APPS = sorted(bundle.bundled())
Trial = Callable[[str], AbstractContextManager[Context]]


def count(ctx: Context, app: str) -> dict[str, int]:
    """Live records by table."""
    family = tables.family(ctx, definitions.installed(ctx, app))
    alive = {
        id: select(func.count()).select_from(live.sql).where(live.sql.c._deleted_at.is_(None))
        for id, live in family.items()
    }
    return {id: number for id, query in alive.items() if (number := ctx.conn.scalar(query) or 0)}


@pytest.mark.parametrize("app", APPS)
def test_an_installed_app_exports_as_it_came(app: str, trial: Trial) -> None:
    with trial(app) as ctx:
        assert bundle.export(ctx, app) == bundle.read(bundle.bundled()[app])


@pytest.mark.parametrize("app", APPS)
def test_every_table_has_records(app: str, trial: Trial) -> None:
    with trial(app) as ctx:
        assert set(count(ctx, app)) == {table["id"] for table in bundle.export(ctx, app)["tables"]}


@pytest.mark.parametrize("app", APPS)
def test_a_second_time_nothing_is_added(app: str, trial: Trial) -> None:
    with trial(app) as ctx:
        before = count(ctx, app)
        assert sample.install_sample(ctx, app, bundle.bundled()[app] / "sample") is None
        assert count(ctx, app) == before


@pytest.mark.parametrize("app", APPS)
def test_those_with_a_password_can_sign_in(app: str, trial: Trial) -> None:
    logins = sample.logins(bundle.bundled()[app] / "sample")
    assert logins
    with trial(app) as ctx:
        for login in logins[:2]:
            assert accounts.sign_in(ctx.conn, login.email, login.password, "127.0.0.1", "test")


@pytest.mark.parametrize("app", APPS)
def test_it_can_be_taken_away_and_put_back(app: str, trial: Trial) -> None:
    m = models.member
    with trial(app) as ctx:
        before = count(ctx, app)
        assert sample.remove_sample(ctx, app) == before
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
        with pytest.raises(DefinitionError, match="short name"):
            bundle.install(ctx, package)


def test_slots_are_filled_on_installing(prepared: Engine, make_workspace: Callable[[], Workspace]) -> None:
    package = bundle.read(bundle.bundled()["expense"]) | {"slots": [{"id": "boss", "type": "member"}]}
    with workspaces.opened(prepared, make_workspace()) as ctx:
        anna = people.add_member(ctx, "Anna")
        with pytest.raises(DefinitionError, match="no slot 'bos'"):
            bundle.install(ctx, package, slots={"bos": anna})
        inst = bundle.install(ctx, package, slots={"boss": anna})
        assert definitions.slots(ctx, inst) == {"boss": anna}


def test_bad_sample_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="sample.json: the file is missing"):
        sample.logins(tmp_path)
    anna = '{"key": "anna", "name": "Anna", "email": "anna@example.com", "rank": 1}'
    (tmp_path / "sample.json").write_text(f'{{"members": [{anna}]}}')
    with pytest.raises(DefinitionError, match=r"sample.json.members\[0\]: unknown option 'rank'"):
        sample.logins(tmp_path)
