"""Mail on its way: to a catcher, into files, past hostile subjects and addresses."""

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from sqlalchemy import Engine

from runtime import workspaces
from runtime.jobs import drain_jobs, install_jobs
from runtime.mail import compose, kept_mail, post, send
from runtime.settings import Settings
from schemas.errors import Denied


class Catcher(Message):
    """A mail server that keeps what it is sent and refuses those who have left."""

    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.caught: list[EmailMessage] = []

    def prepare_message(self, session, envelope):  # type: ignore[no-untyped-def]
        return email.message_from_bytes(envelope.content, policy=email.policy.default)

    def handle_message(self, message) -> None:  # type: ignore[no-untyped-def]
        self.caught.append(message)

    async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]
        if address.startswith("gone"):
            return "550 no such person"
        if address.startswith("full"):
            return "452 mailbox full, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def catcher() -> Iterator[tuple[Catcher, str]]:
    handler = Catcher()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield handler, f"smtp://127.0.0.1:{port}"
    server.stop()


def letter(to: str = "ada@example.org", subject: str = "Approved", text: str = "Done.") -> EmailMessage:
    return compose("Mortise <forms@example.org>", to, subject, text, "<1@mortise>")


def test_arrives_in_plain_text_and_html(catcher: tuple[Catcher, str]) -> None:
    handler, url = catcher
    text = "报销单 <EXP-1> & more\nsecond line\n\nSee https://forms.example.org/a?b=1&c=2."
    send(Settings.read({"SMTP_URL": url}), letter(subject="已批准 ✓", text=text))
    (message,) = handler.caught
    assert message["Subject"] == "已批准 ✓"
    assert message["From"] == "Mortise <forms@example.org>"
    assert message.get_body(["plain"]).get_content().replace("\r\n", "\n") == f"{text}\n"
    page = message.get_body(["html"]).get_content()
    assert "&lt;EXP-1&gt; &amp; more<br>" in page
    assert '<a href="https://forms.example.org/a?b=1&amp;c=2">' in page


def test_a_subject_cannot_add_headers() -> None:
    message = letter(subject="Hello\r\nBcc: spy@example.org\n\nboo")
    assert message["Subject"] == "Hello Bcc: spy@example.org boo"
    assert message["Bcc"] is None


@pytest.mark.parametrize("to", ["a@b\nBcc: c@d", "a@b, c@d", "nobody", "", "Ada <a@b>", "a@b;c@d", "a b@c"])
def test_what_is_no_single_address_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        letter(to=to)


def test_is_kept_as_a_file_without_a_server(tmp_path: Path) -> None:
    settings = Settings.read({"MORTISE_DATA": str(tmp_path)})
    send(settings, letter())
    send(settings, letter())
    (path,) = kept_mail(settings)
    assert email.message_from_bytes(path.read_bytes())["To"] == "ada@example.org"


def test_a_final_refusal_is_told_from_a_passing_one(catcher: tuple[Catcher, str]) -> None:
    settings = Settings.read({"SMTP_URL": catcher[1]})
    with pytest.raises(Denied, match="no such person"):
        send(settings, letter(to="gone@example.org"))
    with pytest.raises(OSError, match="come back later"):
        send(settings, letter(to="full@example.org"))


def test_a_password_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch, catcher: tuple[Catcher, str]) -> None:
    monkeypatch.setattr("runtime.mail.LOCAL", set())
    address = catcher[1].replace("//", "//me:secret@")
    with pytest.raises(OSError, match="no TLS"):
        send(Settings.read({"SMTP_URL": address}), letter())


def test_travels_with_the_transaction(
    engine: Engine, database_url: str, catcher: tuple[Catcher, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, url = catcher
    monkeypatch.setenv("SMTP_URL", url)
    workspaces.prepare(engine)
    with engine.begin() as conn:
        install_jobs(conn)
    workspace = workspaces.create(engine, f"mail-{uuid4().hex[:8]}", "Mail")
    with workspaces.opened(engine, workspace) as ctx:
        post(ctx, "ada@example.org", "Approved", "Done.")
        ctx.conn.rollback()
    with workspaces.opened(engine, workspace) as ctx:
        post(ctx, "grace@example.org", "Approved", "Done.")
    assert drain_jobs(database_url) == []
    assert [message["To"] for message in handler.caught] == ["grace@example.org"]
