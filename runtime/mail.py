"""Mail: written in the record's transaction, sent by a job, kept as a file where no mail server is set."""

import html
import re
import smtplib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from runtime.context import Context
from runtime.jobs import enqueue, job
from runtime.settings import Settings, prepare_data_folder
from schemas.errors import Denied
from schemas.messages import say

TIMEOUT = 30
LONGEST_SUBJECT = 200
ADDRESS = re.compile(r"[^@\s<>,;:\"\\]+@[^@\s<>,;:\"\\]+")
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
LOCAL = {"localhost", "127.0.0.1", "::1"}


def post(ctx: Context, to: str, subject: str, text: str, *, at: datetime | None = None) -> None:
    """Enqueue one mail to one address, with the transaction. Raises ValueError for what is no address.

    `text` is plain; paragraphs are parted by empty lines, and addresses of pages become links.
    """
    letter = {"to": checked_address(to), "subject": subject, "text": text, "id": make_msgid(domain="mortise")}
    enqueue(ctx, "mail.send", letter, at=at)


@job("mail.send", queue="mail", retry=8)
def send_job(ctx: Context, to: str, subject: str, text: str, id: str) -> None:
    settings = Settings.read()
    send(settings, compose(settings.mail_from, to, subject, text, id))


def compose(sender: str, to: str, subject: str, text: str, id: str) -> EmailMessage:
    """A message with a plain and an HTML part. Line breaks in a subject become spaces, never headers.

    `id` is its Message-ID, the same however often it has to be sent.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = checked_address(to)
    message["Subject"] = one_line(subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = one_line(id)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html_of(text), subtype="html")
    return message


def send(settings: Settings, message: EmailMessage) -> None:
    """Deliver through SMTP_URL, or keep as a file. Raises Denied when the server will never take it."""
    if not settings.smtp:
        keep(settings, message)
        return
    try:
        with connected(urlsplit(settings.smtp)) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as err:
        refuse_for_good(message, err.recipients)
        raise


def refuse_for_good(message: EmailMessage, refused: dict[str, tuple[int, bytes]]) -> None:
    """5xx answers are final, 4xx ones are worth another try."""
    if all(code >= 500 for code, _ in refused.values()):
        answer = b"; ".join(text for _, text in refused.values()).decode(errors="replace")
        raise Denied(say("The mail server refused {to}: {answer}", to=message["To"], answer=answer))


def connected(address: SplitResult) -> smtplib.SMTP:
    host = address.hostname or ""
    server: smtplib.SMTP
    if address.scheme == "smtps":
        trust = ssl.create_default_context()
        server = smtplib.SMTP_SSL(host, address.port or 465, timeout=TIMEOUT, context=trust)
    else:
        server = smtplib.SMTP(host, address.port or 587, timeout=TIMEOUT)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        elif address.username and host not in LOCAL:
            server.close()
            raise smtplib.SMTPNotSupportedError("the mail server offers no TLS: the password stays here")
    if address.username:
        server.login(unquote(address.username), unquote(address.password or ""))
    return server


def keep(settings: Settings, message: EmailMessage) -> Path:
    """Write a mail that has no server to go to; sent twice it is still one file."""
    folder = prepare_data_folder(settings) / "mail"
    folder.mkdir(exist_ok=True, mode=0o700)
    name = re.sub(r"[^A-Za-z0-9.-]", "", message["Message-ID"])
    path = folder / f"{name}.eml"
    path.write_bytes(message.as_bytes())
    return path


def kept_mail(settings: Settings) -> Sequence[Path]:
    return sorted((settings.data / "mail").glob("*.eml"))


def checked_address(to: str) -> str:
    address = parseaddr(to)[1]
    if not ADDRESS.fullmatch(address) or to.strip() != address:
        raise ValueError(f"{to!r} is not a mail address")
    return address


def one_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_SUBJECT]


def html_of(text: str) -> str:
    paragraphs = [part for part in re.split(r"\n\s*\n", text.strip()) if part]
    inside = "".join(f"<p>{linked(part)}</p>\n" for part in paragraphs)
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head><body>\n{inside}</body></html>\n'


def linked(paragraph: str) -> str:
    """Escaped text in which addresses of pages are links."""
    pieces, last = [], 0
    for match in LINK.finditer(paragraph):
        address = html.escape(match[0])
        pieces += [html.escape(paragraph[last : match.start()]), f'<a href="{address}">{address}</a>']
        last = match.end()
    pieces.append(html.escape(paragraph[last:]))
    return "".join(pieces).replace("\n", "<br>\n")
