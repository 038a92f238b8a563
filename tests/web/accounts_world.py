"""Accounts, browsers and mail for the stories about signing in."""

import re
from email.message import EmailMessage
from itertools import count
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine

from runtime import account_mail, accounts, people, workspaces
from runtime.context import Workspace
from runtime.jobs import drain_jobs
from tests.runtime.conftest import prepared  # noqa: F401
from tests.web.conftest import Person, app  # noqa: F401

PASSWORD = "correct horse battery"
numbers = count(1)


def address_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False).replace("+psycopg", "")


class Post:
    """The mails that accounts are sent, after the jobs have run."""

    def __init__(self, engine: Engine, sent: list[EmailMessage]) -> None:
        self.engine, self.sent = engine, sent

    def delivered(self) -> list[EmailMessage]:
        assert drain_jobs(address_of(self.engine)) == []
        mails, self.sent[:] = list(self.sent), []
        return mails

    def link(self, to: str) -> str:
        """The path of the link in the one mail to this address."""
        [mail] = [m for m in self.delivered() if m["To"] == to]
        found = re.search(r"https?://[^/\s]+(/\S+)", mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
        assert found
        return found[1]


@pytest.fixture
def post(prepared: Engine, monkeypatch: pytest.MonkeyPatch) -> Post:  # noqa: F811
    drain_jobs(address_of(prepared))  # what other tests of the same database left to be sent
    sent: list[EmailMessage] = []
    monkeypatch.setattr(account_mail.mail, "send", lambda settings, message: sent.append(message))
    return Post(prepared, sent)


class Town:
    """Workspaces and people who sign in to them."""

    def __init__(self, app: Flask, engine: Engine) -> None:  # noqa: F811
        self.app, self.engine = app, engine

    def workspace(self, title: str = "Office") -> Workspace:
        return workspaces.create(self.engine, f"town-{next(numbers)}", title, language="en")

    def account(self, name: str, *places: Workspace, admin: bool = False) -> tuple[UUID, str]:
        email = f"{name.lower()}-{next(numbers)}@example.com"
        with self.engine.begin() as conn:
            id = accounts.add_account(conn, email, name, PASSWORD, "en", verified=True)
        for place in places:
            with workspaces.opened(self.engine, place) as ctx:
                accounts.join(ctx.conn, id, place.id)
                people.add_member(ctx, name, email=email, account_id=id, admin=admin)
        return id, email

    def browser(self, address: str = "127.0.0.1") -> Person:
        client = self.app.test_client()
        client.set_cookie("language", "en")
        client.environ_base["REMOTE_ADDR"] = address
        return Person(client)

    def signed_in(self, email: str, password: str = PASSWORD) -> Person:
        person = self.browser()
        assert person.post("/sign-in", {"email": email, "password": password}).status_code == 303
        return person


@pytest.fixture
def town(app: Flask, prepared: Engine) -> Town:  # noqa: F811
    return Town(app, prepared)
