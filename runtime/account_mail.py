"""What is written to the owners of accounts: by jobs, so that no answer's time tells whether there is such an account."""

from datetime import UTC, datetime
from email.utils import make_msgid
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from runtime import accounts, audit, limits, mail, models, tickets
from runtime.jobs import enqueue_apart, job_apart
from runtime.notices import spoken
from runtime.settings import Settings
from schemas.errors import Denied, InvalidInput
from schemas.formats import FORMATS
from schemas.messages import Message, say

SIGNATURE = say("If this was not you, you need do nothing: without this link nothing changes.")


def post(conn: Connection, to: str, language: str, subject: Message, *paragraphs: Message | str) -> None:
    """Enqueue one mail, with the transaction."""
    told = [text if isinstance(text, str) else spoken(text, language) for text in paragraphs]
    letter = {
        "to": to,
        "subject": spoken(subject, language),
        "text": "\n\n".join(told),
        "id": make_msgid(domain="mortise"),
    }
    enqueue_apart(conn, "account.mail", letter)


@job_apart("account.mail", queue="mail", retry=8)
def send(conn: Connection, to: str, subject: str, text: str, id: str) -> None:
    settings = Settings.read()
    mail.send(settings, mail.compose(settings.mail_from, to, subject, text, id))


def address_of(path: str) -> str:
    """Only the configured address: what a request says of its host is not believed."""
    return Settings.read().public_url.rstrip("/") + path


def ask(conn: Connection, kind: str, email: str, language: str, address: str, **more: Any) -> str:
    """Have a mail of a kind written to whoever has this address, or to nobody. The answer is the same in all cases.

    Raises InvalidInput for what is no address, and when too many are asked for.
    """
    email = accounts.canonical(email)
    if wrong := FORMATS["email"].problem(email):
        raise InvalidInput({"email": [wrong]})
    try:
        limits.count(conn.engine, f"mail from:{limits.network(address)}", limits.MOST_MAILS_FROM_ADDRESS)
        limits.count(conn.engine, f"mail to:{email}", limits.MOST_MAILS)
    except Denied as err:
        raise InvalidInput({"email": [err.reason]}) from err
    enqueue_apart(conn, f"account.{kind}", {"email": email, "language": language, **more})
    return email


# -- a new password --------------------------------------------------------------------------------


@job_apart("account.reset")
def reset(conn: Connection, email: str, language: str) -> None:
    """The link by which the owner of an address sets a new password."""
    id = accounts.find_account(conn, email)
    if id is None:
        return
    token = tickets.give(conn, "reset", id, alone=True)
    audit.note_account(conn, id, "account.reset_asked", email, name=accounts.account(conn, id).name)
    post(
        conn, email, language, say("Set a new password"), say("Somebody asked for a new password for your account."),
        say("Set it here within an hour:"), address_of(f"/reset/{token}"), SIGNATURE,
    )  # fmt: skip


# -- another address -------------------------------------------------------------------------------


@job_apart("account.email")
def confirm_email(conn: Connection, email: str, language: str, account: str) -> None:
    """The link by which an owner proves that a new address is theirs; none where it is somebody's already."""
    if accounts.find_account(conn, email) is not None:
        post(conn, email, language, say("This address has an account"), say(
            "Somebody wanted to use this address for another account. It stays with yours; nothing has changed."
        ))  # fmt: skip
        return
    token = tickets.give(conn, "email", UUID(account), alone=True, email=email)
    post(
        conn, email, language, say("Confirm your new e-mail address"), say("Confirm here that this address is yours:"),
        address_of(f"/email/{token}"), SIGNATURE,
    )  # fmt: skip


def change_email(conn: Connection, token: str, language: str) -> str:
    """The new address, after its mail was followed. The old one is told. Raises NotFound, InvalidInput."""
    found = tickets.use(conn, "email", token)
    a, new = models.account, found.data["email"]
    before = conn.execute(select(a).where(a.c.id == found.account_id).with_for_update()).one()
    try:
        with conn.begin_nested():
            conn.execute(update(a).where(a.c.id == before.id).values(email=new, verified_at=datetime.now(UTC)))
    except IntegrityError as err:
        raise InvalidInput({"": [say("There is an account with this e-mail address already.")]}) from err
    _tell_workspaces(conn, before.id, before.email, new)
    tickets.withdraw(conn, before.id)
    audit.note_account(conn, before.id, "account.email_changed", new, name=before.name, before=before.email)
    post(
        conn, before.email, before.language or language, say("Your e-mail address was changed"),
        say("You now sign in as {email}.", email=new),
        say("If this was not you, speak to the administrator of your workspace at once."),
    )  # fmt: skip
    return str(new)


def _tell_workspaces(conn: Connection, account: UUID, old: str, new: str) -> None:
    """Where the member is known by the old address, by the new one from now on."""
    w, j, m = models.workspace, models.membership, models.member
    here = select(w.c.schema).join(j, j.c.workspace_id == w.c.id).where(j.c.account_id == account)
    for schema in conn.scalars(here).all():
        known = update(m).where(m.c.account_id == account, m.c.email == old).values(email=new)
        conn.execute(known, execution_options={"schema_translate_map": {None: schema}})
