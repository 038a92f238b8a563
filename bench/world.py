"""Where the measuring happens: a database of its own, the app installed in it, its people, the same records twice."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask
from sqlalchemy import insert, text, update

from bench import data
from bench.definition import BUYER, PACKAGE
from bench.floor import Floor
from bench.loading import fill
from bench.measure import Clock
from runtime import accounts, definitions, jobs, models, people, server, workspaces
from runtime.actors import Member
from runtime.context import Context
from runtime.ids import new_id
from runtime.settings import Settings
from runtime.tables import LiveTable, live
from wsgi import create_app

BUYERS = 1_000
PEOPLE = 20
PASSWORD = "correct horse battery"


class Site:
    """An embedded server in a folder that goes when it is closed, with a workspace and the app."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(tempfile.mkdtemp(prefix="mortise-bench-"))
        folder.chmod(0o711)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self.settings = Settings.read({"MORTISE_DATA": str(folder)})
        self.url = stack.enter_context(server.running(self.settings))
        self.postmaster = int(server.pid_file_lines(server.home_of(folder))[0])
        _leave_tables_alone(self.settings)
        self.engine = workspaces.connect(self.url)
        stack.callback(self.engine.dispose)
        workspaces.prepare(self.engine)
        with self.engine.begin() as conn:
            jobs.install_jobs(conn)
        self.workspace = workspaces.create(self.engine, "bench", "Bench", language="en")
        self._settle()

    def _settle(self) -> None:
        with workspaces.opened(self.engine, self.workspace) as ctx:
            inst = definitions.publish(ctx, "desk", PACKAGE)
            self.departments = [people.add_department(ctx, name) for name in ("Sales", "Export", "Service")]
            ids = [people.add_member(ctx, f"Rep {n:02}", department_id=self.departments[n % 3]) for n in range(PEOPLE)]
            for id, role in ((ids[0], "manager"), *((id, "rep") for id in ids[1:-1]), (ids[-1], "seller")):
                people.give_role(ctx, inst.id, role, id)
            boss = people.add_member(ctx, "Boss", admin=True)
            self.people = ids
            self.manager, self.rep, self.seller, self.administrator = (
                people.member_by_id(ctx, id) for id in (*ids[:2], ids[-1], boss)
            )

    def opened(self, actor: Member | None = None) -> AbstractContextManager[Context]:
        return workspaces.opened(self.engine, self.workspace, actor)


def _leave_tables_alone(settings: Settings) -> None:
    """No vacuum of its own in the middle of a measurement; the bench asks for it when tables are filled."""
    with psycopg.connect(server.admin_url(settings), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET autovacuum = off")
        conn.execute("SELECT pg_reload_conf()")


class World:
    """Everything that benchmarks may ask for, made when first asked."""

    def __init__(self, records: int) -> None:
        self.records = records
        self.stack = ExitStack()

    def __enter__(self) -> "World":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    @property
    def clock(self) -> Clock:
        return Clock(self.site.postmaster if "site" in self.__dict__ else None)

    @cached_property
    def site(self) -> Site:
        """The empty app."""
        return Site(self.stack)

    @cached_property
    def buyers(self) -> dict[str, UUID]:
        """Buyers by name."""
        made = {f"Buyer {n:04}": new_id() for n in range(BUYERS)}
        with self.site.opened() as ctx:
            keepers = cycle(self.site.people)
            rows = [{"id": id, "name": name, "keeper": next(keepers)} for name, id in made.items()]
            fill(ctx, self.table(ctx, BUYER["id"]), rows)
        return made

    @cached_property
    def floor(self) -> Floor:
        """The table by hand, empty."""
        made = Floor(self.site.url)
        self.stack.callback(made.close)
        with made.engine.begin() as conn:
            conn.execute(insert(made.buyer), [{"id": id, "name": name} for name, id in self.buyers.items()])
            conn.execute(
                insert(made.person), [{"id": p, "name": f"Rep {n:02}"} for n, p in enumerate(self.site.people)]
            )
            units = [{"id": d, "name": f"Department {n}"} for n, d in enumerate(self.site.departments)]
            conn.execute(insert(made.department), units)
        return made

    @cached_property
    def filled(self) -> Floor:
        """The records in both tables; gives the one by hand."""
        floor = self.floor
        with self.site.opened() as ctx:
            fill(ctx, self.table(ctx, "parcel"), self._parcels(self.records))
        floor.fill(self._parcels(self.records))
        with self.site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
        return floor

    def _parcels(self, count: int) -> Iterator[data.Values]:
        """The made-up parcels with the ids that they have in both tables."""
        made = data.parcels(count, self.site.people, self.site.departments, list(self.buyers.values()))
        for number, values in enumerate(made):
            yield {"id": numbered_id(number), **values}

    def some_parcels(self, count: int) -> list[dict[str, Any]]:
        """Further parcels as a browser sends them."""
        made = data.parcels(count, self.site.people, self.site.departments, list(self.buyers.values()))
        return [data.as_text(values) for values in made]

    def table(self, ctx: Context, id: str) -> LiveTable:
        return live(ctx, definitions.installed(ctx, "desk"), id)

    @cached_property
    def app(self) -> Flask:
        """The web application on the site's database."""
        made = create_app(self.site.settings)
        self.stack.callback(made.extensions["engine"].dispose)
        return made

    @cached_property
    def browser(self) -> "Browser":
        """The manager's, signed in."""
        return self._browser_of(self.site.manager)

    @cached_property
    def designer(self) -> "Browser":
        """The administrator's, signed in."""
        return self._browser_of(self.site.administrator)

    def _browser_of(self, member: Member) -> "Browser":
        address = f"{member.id}@example.com"
        with self.site.opened() as ctx:
            account = accounts.add_account(ctx.conn, address, member.name, PASSWORD, "en")
            accounts.join(ctx.conn, account, self.site.workspace.id)
            ctx.conn.execute(update(models.member).where(models.member.c.id == member.id).values(account_id=account))
        browser = Browser(self.app)
        browser.post("/sign-in", {"email": address, "password": PASSWORD})
        return browser


class Browser:
    """One without a screen; what it sends carries the token of its session, as our pages do."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    @property
    def token(self) -> str:
        with self.client.session_transaction() as session:
            return str(session.setdefault("csrf", "bench"))

    def get(self, url: str, **headers: str) -> Any:
        answer = self.client.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    def post(self, url: str, sent: Mapping[str, Any], **headers: str) -> Any:
        answer = self.client.post(url, data=sent, headers={"X-CSRF-Token": self.token, **headers})
        assert answer.status_code < 400, answer.text
        return answer


def numbered_id(number: int) -> UUID:
    """The id of the n-th record: they sort as they were made."""
    return UUID(int=(0x01950000_0000 + number) << 80 | 0x7 << 76 | 0b10 << 62 | number)
