"""Browsers without a screen: a Flask client for each person of the shop."""

import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from werkzeug.serving import make_server

from runtime import accounts, models, passwords, people, tokens, workspaces
from runtime.context import Context
from runtime.settings import Settings
from runtime.web.edge import COOKIE
from schemas import scope
from tests.runtime.conftest import Shop, make_shop, prepared, shop  # noqa: F401
from wsgi import create_app

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run --disable-quic"
)


@pytest.fixture(scope="session")
def app(prepared: Engine, database_url: str, tmp_path_factory: Any) -> Iterator[Flask]:  # noqa: F811
    settings = Settings.read({"DATABASE_URL": database_url, "MORTISE_DATA": str(tmp_path_factory.mktemp("data"))})
    # Hundreds of sign-ins: the work of guessing is tested by itself.
    passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords.NOBODY = passwords.HASHER.hash("nobody")
    app = create_app(settings)
    yield app
    app.extensions["engine"].dispose()


class Person:
    """A member with a browser. `post` carries the token as our pages do."""

    def __init__(self, client: FlaskClient, bearer: str = "") -> None:
        self.client = client
        self.token = ""
        self.bearer = bearer
        """A token of their own for the API, which sessions do not open."""

    def get(self, url: str, **options: Any) -> Any:
        return self.client.get(url, headers={**self.named(url), **options.pop("headers", {})}, **options)

    def named(self, url: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"} if url.startswith("/api/") else {}

    def fragment(self, url: str, **options: Any) -> Any:
        headers = {"HX-Request": "true", **self.named(url), **options.pop("headers", {})}
        return self.client.get(url, headers=headers, **options)

    def post(self, url: str, data: Any = None, headers: dict[str, str] | None = None, **options: Any) -> Any:
        with self.client.session_transaction() as session:
            token = session.setdefault("csrf", "token-of-the-test")
        return self.client.post(
            url, data=data, headers={"X-CSRF-Token": token, "HX-Request": "true", **(headers or {})}, **options
        )

    def send(self, method: str, url: str, data: Any = None, **options: Any) -> Any:
        """Any unsafe method, by a session that has its token."""
        headers = {"X-CSRF-Token": self.token_now(), **self.named(url)}
        return self.client.open(url, method=method, data=data, headers=headers, **options)

    def token_now(self) -> str:
        if not self.token:
            with self.client.session_transaction() as session:
                self.token = session.setdefault("csrf", "token-of-the-test")
        return self.token


def everything(ctx: Context) -> dict[str, Any]:
    """The scope that leaves nothing out which its member may do."""
    also = [word for word in scope.BESIDES if ctx.actor.admin or word not in scope.BUILDING]  # type: ignore[attr-defined]
    return {"data": [{"app": scope.EVERY, "do": list(scope.ACTIONS)}], "also": also}


@pytest.fixture(scope="session")
def sign_in(app: Flask) -> Callable[..., Person]:
    def enter(shop: Shop, name: str) -> Person:  # noqa: F811
        actor = getattr(shop, name)
        with workspaces.opened(shop.engine, shop.workspace) as ctx:
            account = accounts.add_account(
                ctx.conn, f"{name}-{actor.id}@example.com", actor.name, "correct horse", "en"
            )
            accounts.join(ctx.conn, account, shop.workspace.id)
            ctx.conn.execute(update(models.member).where(models.member.c.id == actor.id).values(account_id=account))
            as_them = ctx.acting_as(people.member_by_id(ctx, actor.id))
            bearer = tokens.make(as_them, "Test", everything(as_them), personal=True)
        client = app.test_client()
        person = Person(client, bearer)
        answer = person.post("/sign-in", {"email": f"{name}-{actor.id}@example.com", "password": "correct horse"})
        assert answer.status_code == 303, answer.text
        return person

    return enter


# -- a real browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = shutil.which("chromium")
    if not found:
        pytest.skip("no Chromium on this machine")
    return {**browser_type_launch_args, "executable_path": found, "args": FLAGS.split()}


@pytest.fixture(scope="session")
def address(app: Flask) -> Iterator[str]:
    """The application served on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open the browser of somebody who has signed in. A script error or a refusal of the policy fails the test."""
    contexts, wrong = [], []

    def enter(person: Person, **options: Any) -> Any:
        context = browser.new_context(**{"base_url": address, "viewport": {"width": 1440, "height": 900}, **options})
        context.set_default_timeout(10_000)
        for name in (COOKIE, person.client.application.config["SESSION_COOKIE_NAME"]):
            if (cookie := person.client.get_cookie(name)) is not None:
                context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
        contexts.append(context)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert wrong == []
