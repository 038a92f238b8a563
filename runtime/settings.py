"""Every setting of an installation, read from the environment in one place."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runtime.outgoing import Allowed, allowed


class BadSetting(Exception):
    """The environment says something we cannot run with; the text says what to change."""


@dataclass(frozen=True)
class Described:
    """How a setting is named in the environment, read from there and explained."""

    name: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    private: bool


def setting(name: str, default: str, meaning: str, parse: Callable[[str], Any] = str, private: bool = False) -> Any:
    return field(metadata={"setting": Described(name, default, meaning, parse, private)})


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text) if text.strip().isdecimal() else low - 1
        if not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return parse


def one_of(*known: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(" or ".join(known))
        return text

    return parse


def web_address(text: str) -> str:
    address = text.rstrip("/")
    parts = urlsplit(address)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("an address such as https://forms.example.org")
    return address


def postgresql_address(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if text and (scheme not in ("postgres", "postgresql", "postgresql+psycopg") or not rest):
        raise ValueError("an address such as postgresql://user:password@host/database")
    return f"postgresql://{rest}" if text else ""


def mail_server(text: str) -> str:
    if text and (urlsplit(text).scheme not in ("smtp", "smtps") or not urlsplit(text).hostname):
        raise ValueError("an address such as smtp://user:password@mail.example.org:587")
    return text


def sender(text: str) -> str:
    if "@" not in parseaddr(text)[1] or "\n" in text or "\r" in text:
        raise ValueError("an address such as Mortise <forms@example.org>")
    return text


def reach(text: str) -> str:
    if text not in ("public", "listed", "off"):
        raise ValueError("public, listed or off")
    return text


def folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


@dataclass(frozen=True)
class Settings:
    """All settings, parsed. `Settings.read()` takes them from the environment."""

    data: Path = setting(
        "MORTISE_DATA", "data", "Folder of the embedded database, uploads, secret and unsent mail.", folder
    )
    database: str = setting(
        "DATABASE_URL",
        "",
        "A PostgreSQL 17 or newer to use instead of the embedded one.",
        postgresql_address,
        private=True,
    )
    host: str = setting("MORTISE_HOST", "127.0.0.1", "Address to listen on.")
    port: int = setting("MORTISE_PORT", "8000", "Port to listen on.", whole(1, 65535))
    url: str = setting(
        "MORTISE_URL", "", "Address people use, for links in mail; host and port when empty.", web_address
    )
    secret: str = setting(
        "MORTISE_SECRET",
        "",
        "Signs cookies and links; made and kept in the data folder when empty.",
        private=True,
    )
    workers: int = setting("MORTISE_WORKERS", "0", "Web processes; 0 means one per core.", whole(0, 256))
    threads: int = setting("MORTISE_THREADS", "4", "Threads of each web process.", whole(1, 256))
    jobs: int = setting("MORTISE_JOBS", "2", "Jobs that one worker does at the same time.", whole(1, 64))
    proxies: int = setting(
        "MORTISE_PROXIES", "0", "Reverse proxies whose X-Forwarded headers are believed.", whole(0, 8)
    )
    max_upload: int = setting("MORTISE_MAX_UPLOAD", "50", "Largest upload in MB.", whole(1, 4096))
    api_rate: int = setting("MORTISE_API_RATE", "600", "Requests of one token in a minute.", whole(1, 1_000_000))
    smtp: str = setting(
        "SMTP_URL",
        "",
        "smtp:// or smtps:// mail server; when empty, mail is kept as files.",
        mail_server,
        private=True,
    )
    outgoing: str = setting(
        "MORTISE_OUTGOING",
        "public",
        "Which servers flows and webhooks may reach: `public` ones and those allowed, only those allowed (`listed`), or none (`off`).",
        reach,
    )
    outgoing_allow: tuple[Allowed, ...] = setting(
        "MORTISE_OUTGOING_ALLOW",
        "",
        "Servers inside the network that they may reach too, such as `10.1.2.0/24:443, erp.example:8080`.",
        allowed,
    )
    sign_up: str = setting(
        "MORTISE_SIGN_UP", "closed", "Who may make a workspace: the operator only (`closed`), or whoever has an e-mail address (`open`).",
        one_of("closed", "open"),
    )  # fmt: skip
    sso_issuer: str = setting(
        "MORTISE_SSO_ISSUER", "", "OpenID Connect provider that people may sign in with, such as https://login.example.org.", web_address
    )  # fmt: skip
    sso_client: str = setting("MORTISE_SSO_CLIENT", "", "Our client id there.")
    sso_secret: str = setting("MORTISE_SSO_SECRET", "", "Our client secret there.", private=True)
    sso_title: str = setting("MORTISE_SSO_TITLE", "SSO", "What the button to sign in with it says.")
    mail_from: str = setting("MAIL_FROM", "Mortise <mortise@localhost>", "Sender of mail.", sender)

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Raise BadSetting naming every variable that makes no sense."""
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for f in fields(cls):
            described: Described = f.metadata["setting"]
            text = environment.get(described.name) or described.default
            try:
                values[f.name] = described.parse(text)
            except ValueError as err:
                wrong.append(f"{described.name} is {text!r}; it must be {err}.")
        if wrong:
            raise BadSetting("\n".join(wrong))
        return cls(**values)

    def with_data(self, data: str | Path) -> "Settings":
        return replace(self, data=folder(str(data)))

    @property
    def public_url(self) -> str:
        return self.url or f"http://{self.host}:{self.port}"

    @property
    def processes(self) -> int:
        return self.workers or os.cpu_count() or 1


def described_settings() -> list[Described]:
    return [f.metadata["setting"] for f in fields(Settings)]


def settings_table() -> str:
    """Name, default and meaning of every setting, as a Markdown table."""
    rows = [f"| `{s.name}` | {s.default and f'`{s.default}`'} | {s.meaning} |" for s in described_settings()]
    return "\n".join(["| Setting | Default | Meaning |", "|---|---|---|", *rows])


def prepare_data_folder(settings: Settings) -> Path:
    """The data folder, made when absent. As root others may pass through it, but not look into it:
    the database's files in it belong to another system user."""
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return settings.data


def secret_key(settings: Settings) -> str:
    """The given secret, or one made once and kept in the data folder."""
    if settings.secret:
        return settings.secret
    path = prepare_data_folder(settings) / "secret"
    return kept(path, lambda: secrets.token_urlsafe(48))


def kept(path: Path, make: Callable[[], str]) -> str:
    """The text of a private file, written first when absent; when two write at once one wins for both."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(draft, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
