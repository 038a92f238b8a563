"""The first day: an empty installation gets an app, people and records, and only an empty one."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, func, select

from builder import bundle, trial
from runtime import accounts, definitions, jobs, models, people, server, workspaces
from runtime.settings import Settings
from schemas.errors import DefinitionError

APP = "expense"


@pytest.fixture
def fresh(embedded_server: Settings, worker_id: str) -> Iterator[Engine]:
    """A database that nobody has used."""
    name = f"trial_{worker_id}"
    with psycopg.connect(server.admin_url(embedded_server), autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        conn.execute(f"CREATE DATABASE {name} OWNER {server.ROLE}")
    url = server.database_url(embedded_server).replace(f"/{server.DATABASE}?", f"/{name}?")
    engine = workspaces.connect(url)
    workspaces.prepare(engine)
    with engine.begin() as conn:
        jobs.install_jobs(conn)
    yield engine
    engine.dispose()


def members(engine: Engine) -> int:
    with engine.connect() as conn:
        [place] = workspaces.all_workspaces(conn)
    with workspaces.opened(engine, place) as ctx:
        return ctx.conn.scalar(select(func.count()).select_from(models.member)) or 0


def test_an_empty_installation_gets_an_app_and_people_who_can_sign_in(fresh: Engine) -> None:
    found = trial.begin(fresh, APP)
    assert len(found) > 3
    with fresh.begin() as conn:
        for login in found:
            assert accounts.sign_in(conn, login.email, login.password, "127.0.0.1", "a test")
        [place] = workspaces.all_workspaces(conn)
    with workspaces.opened(fresh, place) as ctx:
        assert [inst.slug for inst in definitions.all_installed(ctx)] == [APP]
    assert all(login.email in trial.told(found) for login in found)


def test_the_second_day_changes_nothing(fresh: Engine) -> None:
    first = trial.begin(fresh, APP)
    before = members(fresh)
    assert trial.begin(fresh, APP) == first
    assert members(fresh) == before


def test_goes_on_where_a_broken_start_ended(fresh: Engine) -> None:
    workspaces.create(fresh, trial.SLUG, trial.TITLE)
    assert trial.begin(fresh, APP)


def test_a_workspace_with_people_is_left_alone(fresh: Engine) -> None:
    place = workspaces.create(fresh, "acme", "Acme")
    with workspaces.opened(fresh, place) as ctx:
        people.add_member(ctx, "Ada", admin=True)
    assert trial.begin(fresh, APP) == []
    assert members(fresh) == 1
    assert trial.told([]) == ""


def test_an_unknown_app_is_refused_before_anything_is_made(fresh: Engine) -> None:
    with pytest.raises(DefinitionError, match=APP):
        trial.begin(fresh, "no such app")
    with fresh.connect() as conn:
        assert workspaces.all_workspaces(conn) == []


def test_every_bundled_app_could_begin() -> None:
    assert all((folder / "sample").is_dir() for folder in bundle.bundled().values())
