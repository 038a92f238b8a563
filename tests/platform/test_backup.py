"""Backup and restore: everything or one workspace goes round, and nothing is lost on the way."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, insert, text

from runtime import jobs, models, people, server, workspaces
from runtime.backup import BackupError, backup, restore
from runtime.context import Context, Workspace
from runtime.ids import new_id
from runtime.jobs import backlog, drain_jobs, enqueue, install_jobs
from runtime.settings import Settings, secret_key
from runtime.storage import file_key, storage_of


@dataclass
class Place:
    """A Mortise: a data folder, a database, an engine on it."""

    settings: Settings
    url: str
    engine: Engine

    def found(self, slug: str) -> Workspace:
        with self.engine.connect() as conn:
            return workspaces.find(conn, slug)

    def books(self, slug: str) -> list[str]:
        with workspaces.opened(self.engine, self.found(slug)) as ctx:
            return list(ctx.conn.scalars(text("SELECT title FROM book ORDER BY title")))

    def accounts(self) -> list[str]:
        with self.engine.connect() as conn:
            return list(conn.scalars(text("SELECT email FROM control.account ORDER BY email")))

    def files(self) -> dict[str, bytes]:
        storage = storage_of(self.settings)
        found = {}
        for key in storage.all_keys():
            with storage.open(key) as file:
                found[key] = file.read()
        return found


@pytest.fixture
def places(embedded_server: Settings, worker_id: str, tmp_path: Path) -> Iterator[dict[str, Place]]:
    admin = server.admin_url(embedded_server)
    made = {}
    for name in ("here", "there"):
        database = f"backup_{name}_{worker_id}"
        with psycopg.connect(admin, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            conn.execute(f"CREATE DATABASE {database} OWNER {server.ROLE}")
        url = server.database_url(embedded_server).replace(f"/{server.DATABASE}?", f"/{database}?")
        engine = workspaces.connect(url)
        workspaces.prepare(engine)
        with engine.begin() as conn:
            install_jobs(conn)
        settings = Settings.read({"MORTISE_DATA": str(tmp_path / name)})
        made[name] = Place(settings, url, engine)
    yield made
    for place in made.values():
        place.engine.dispose()


@pytest.fixture
def here(places: dict[str, Place], monkeypatch: pytest.MonkeyPatch) -> Place:
    """Two libraries; Ada reads in both."""
    monkeypatch.setattr(jobs, "JOBS", {})
    jobs.job("shelve")(shelve)
    here = places["here"]
    ada = account(here, "ada@example.org")
    for slug in ("north", "south"):
        library(here, slug, ada)
    here.engine.dispose()
    return here


@pytest.fixture
def there(places: dict[str, Place]) -> Place:
    places["there"].engine.dispose()
    return places["there"]


def shelve(ctx: Context, title: str) -> None:
    ctx.conn.execute(text("INSERT INTO book VALUES (:title)"), {"title": title})


def account(place: Place, email: str) -> UUID:
    id = new_id()
    with place.engine.begin() as conn:
        conn.execute(insert(models.account).values(id=id, email=email, name=email.split("@")[0]))
    return id


def library(place: Place, slug: str, reader: UUID) -> None:
    made = workspaces.create(place.engine, slug, slug.title())
    with workspaces.opened(place.engine, made) as ctx:
        ctx.conn.execute(text("CREATE TABLE book (title text)"))
        shelve(ctx, f"{slug} 📚")
        people.add_member(ctx, "Ada", account_id=reader)
        ctx.conn.execute(insert(models.membership).values(account_id=reader, workspace_id=made.id))
        enqueue(ctx, "shelve", {"title": "waited"})
    storage_of(place.settings).put(file_key(made.id, new_id()), io.BytesIO(slug.encode()))


def test_everything_goes_round(here: Place, there: Place, tmp_path: Path) -> None:
    secret = secret_key(here.settings)
    made = backup(here.settings, here.url, tmp_path / "all.zip")
    assert (made.slugs, made.files) == (["north", "south"], 2)
    assert restore(there.settings, there.url, tmp_path / "all.zip") == made
    assert there.books("north") == ["north 📚"]
    assert there.books("south") == ["south 📚"]
    assert there.accounts() == ["ada@example.org"]
    assert there.files() == here.files()
    assert secret_key(there.settings) == secret
    assert drain_jobs(there.url) == []
    assert there.books("north") == ["north 📚", "waited"]


def test_an_archive_is_private(here: Place, tmp_path: Path) -> None:
    backup(here.settings, here.url, tmp_path / "all.zip")
    assert (tmp_path / "all.zip").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_nothing_is_overwritten_unasked(here: Place, tmp_path: Path) -> None:
    backup(here.settings, here.url, tmp_path / "all.zip")
    with pytest.raises(BackupError, match="--force"):
        backup(here.settings, here.url, tmp_path / "all.zip")
    with pytest.raises(BackupError, match="--force"):
        restore(here.settings, here.url, tmp_path / "all.zip")
    assert here.books("north") == ["north 📚"]


def test_forced_it_takes_the_place_of_all_there_is(here: Place, there: Place, tmp_path: Path) -> None:
    backup(here.settings, here.url, tmp_path / "all.zip")
    library(there, "west", account(there, "grace@example.org"))
    there.engine.dispose()
    restore(there.settings, there.url, tmp_path / "all.zip", force=True)
    assert there.accounts() == ["ada@example.org"]
    assert there.files() == here.files()
    with there.engine.connect() as conn:
        assert [w.slug for w in workspaces.all_workspaces(conn)] == ["north", "south"]
        schemas = conn.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'w\\_%'")).all()
    assert len(schemas) == 2


def test_waits_until_the_servers_have_stopped(here: Place, there: Place, tmp_path: Path) -> None:
    backup(here.settings, here.url, tmp_path / "all.zip")
    with psycopg.connect(there.url), pytest.raises(BackupError, match="mortise serve"):
        restore(there.settings, there.url, tmp_path / "all.zip")


def test_one_workspace_goes_elsewhere(here: Place, there: Place, tmp_path: Path) -> None:
    west = account(there, "grace@example.org")
    library(there, "west", west)
    made = backup(here.settings, here.url, tmp_path / "north.zip", workspace="north")
    assert (made.slugs, made.files) == (["north"], 1)
    restore(there.settings, there.url, tmp_path / "north.zip")
    assert there.books("north") == ["north 📚"]
    assert there.books("west") == ["west 📚"]
    assert there.accounts() == ["ada@example.org", "grace@example.org"]
    assert len(there.files()) == 2
    assert drain_jobs(there.url) == []
    assert there.books("north") == ["north 📚", "waited"]


def test_a_person_keeps_the_account_they_have_there(here: Place, there: Place, tmp_path: Path) -> None:
    known = account(there, "ada@example.org")
    backup(here.settings, here.url, tmp_path / "north.zip", workspace="north")
    restore(there.settings, there.url, tmp_path / "north.zip")
    assert there.accounts() == ["ada@example.org"]
    with workspaces.opened(there.engine, there.found("north")) as ctx:
        assert people.member_of(ctx, known).name == "Ada"
        assert ctx.conn.scalars(text("SELECT account_id FROM control.membership")).all() == [known]


def test_one_workspace_goes_back_in_time_and_others_do_not(here: Place, tmp_path: Path) -> None:
    backup(here.settings, here.url, tmp_path / "north.zip", workspace="north")
    assert drain_jobs(here.url) == []
    late = file_key(here.found("north").id, new_id())
    storage_of(here.settings).put(late, io.BytesIO(b"late"))
    with pytest.raises(BackupError, match="--force"):
        restore(here.settings, here.url, tmp_path / "north.zip")
    restore(here.settings, here.url, tmp_path / "north.zip", force=True)
    assert here.books("north") == ["north 📚"]
    assert here.books("south") == ["south 📚", "waited"]
    assert late not in here.files()
    with here.engine.connect() as conn:
        assert backlog(conn).waiting == 1


def test_a_workspace_never_takes_the_name_of_another(here: Place, there: Place, tmp_path: Path) -> None:
    library(there, "north", account(there, "grace@example.org"))
    backup(here.settings, here.url, tmp_path / "north.zip", workspace="north")
    with pytest.raises(BackupError, match="Another workspace"):
        restore(there.settings, there.url, tmp_path / "north.zip", force=True)
    assert there.accounts() == ["grace@example.org"]


def test_an_unknown_workspace_leaves_no_file(here: Place, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no workspace 'east'"):
        backup(here.settings, here.url, tmp_path / "east.zip", workspace="east")
    assert list(tmp_path.glob("east*")) == []


def test_a_damaged_archive_changes_nothing(here: Place, tmp_path: Path) -> None:
    backup(here.settings, here.url, tmp_path / "all.zip")
    here.engine.dispose()
    broken = rewritten(tmp_path / "all.zip", tmp_path / "broken.zip", {"database.dump": b"PGDMP, not really"})
    with pytest.raises(BackupError):
        restore(here.settings, here.url, broken, force=True)
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(BackupError, match="cannot be read"):
        restore(here.settings, here.url, tmp_path / "text.zip", force=True)
    assert here.books("north") == ["north 📚"]


def test_a_newer_archive_is_refused(here: Place, tmp_path: Path) -> None:
    made = backup(here.settings, here.url, tmp_path / "all.zip")
    newer = json.dumps({**vars(made), "layout": models.LAYOUT + 1}).encode()
    archive = rewritten(tmp_path / "all.zip", tmp_path / "newer.zip", {"manifest.json": newer})
    with pytest.raises(BackupError, match="newer Mortise"):
        restore(here.settings, here.url, archive, force=True)


def test_an_archive_cannot_write_outside_the_files(here: Place, there: Place, tmp_path: Path) -> None:
    backup(here.settings, here.url, tmp_path / "all.zip")
    evil = rewritten(tmp_path / "all.zip", tmp_path / "evil.zip", {"files/../../outside": b"boo"})
    with pytest.raises(BackupError, match="not the key of a file"):
        restore(there.settings, there.url, evil)
    assert not (tmp_path / "outside").exists()


def rewritten(source: Path, target: Path, entries: dict[str, bytes]) -> Path:
    """A copy of an archive with other or further entries."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name not in entries:
                new.writestr(name, old.read(name))
        for name, content in entries.items():
            new.writestr(name, content)
    return target
