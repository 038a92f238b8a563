"""Browsers without a screen: a Flask client for each person of the shop."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from runtime import accounts, models, workspaces
from runtime.settings import Settings
from tests.runtime.conftest import Shop, make_shop, prepared, shop  # noqa: F401
from wsgi import create_app


@pytest.fixture(scope="session")
def app(prepared: Engine, database_url: str, tmp_path_factory: Any) -> Iterator[Flask]:  # noqa: F811
    settings = Settings.read({"DATABASE_URL": database_url, "MORTISE_DATA": str(tmp_path_factory.mktemp("data"))})
    app = create_app(settings)
    yield app
    app.extensions["engine"].dispose()


class Person:
    """A member with a browser. `post` carries the token as our pages do."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, url: str, **options: Any) -> Any:
        return self.client.get(url, **options)

    def fragment(self, url: str, **options: Any) -> Any:
        return self.client.get(url, headers={"HX-Request": "true", **options.pop("headers", {})}, **options)

    def post(self, url: str, data: Any = None, headers: dict[str, str] | None = None, **options: Any) -> Any:
        with self.client.session_transaction() as session:
            token = session.setdefault("csrf", "token-of-the-test")
        return self.client.post(
            url, data=data, headers={"X-CSRF-Token": token, "HX-Request": "true", **(headers or {})}, **options
        )

    def send(self, method: str, url: str, data: Any = None, **options: Any) -> Any:
        """Any unsafe method, by a session that has its token."""
        return self.client.open(url, method=method, data=data, headers={"X-CSRF-Token": self.token_now()}, **options)

    def token_now(self) -> str:
        if not self.token:
            with self.client.session_transaction() as session:
                self.token = session.setdefault("csrf", "token-of-the-test")
        return self.token


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
        client = app.test_client()
        person = Person(client)
        answer = person.post("/sign-in", {"email": f"{name}-{actor.id}@example.com", "password": "correct horse"})
        assert answer.status_code == 303, answer.text
        return person

    return enter
