"""A real browser for stories: the system's Chromium, driven by Playwright, and a running Mortise to look at."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from runtime import accounts, people, workspaces
from runtime.context import Context, Workspace
from runtime.settings import Settings
from tests.conftest import empty_database

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000
"""Milliseconds: a story may share its machine with much else."""
PASSWORD = "correct horse battery"

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine; as root `make chromium` installs it")
    return {**browser_type_launch_args, "executable_path": chromium, "args": QUIET}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": DESKTOP, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}


@pytest.fixture
def phone_page(browser: Any, browser_context_args: dict[str, Any]) -> Any:
    """A page as wide as a phone, with touch."""
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    context = browser.new_context(**{**browser_context_args, **phone})
    yield context.new_page()
    context.close()


class Site:
    """A running Mortise: web server and worker as `mortise serve` starts them, on a database of its own."""

    def __init__(self, base: str, engine: Engine) -> None:
        self.base, self.engine, self._places = base, engine, count(1)

    def workspace(self, zone: str = "Asia/Shanghai") -> "Place":
        """A new, empty workspace with one administrator."""
        slug = f"story-{next(self._places)}"
        place = workspaces.create(self.engine, slug, "Story", zone=zone)
        email = f"admin@{slug}.example"
        with workspaces.opened(self.engine, place) as ctx:
            account = accounts.add_account(ctx.conn, email, "Ada", PASSWORD, "zh")
            accounts.join(ctx.conn, account, place.id)
            people.add_member(ctx, "Ada", email=email, account_id=account, admin=True)
        return Place(self, place, email)


@dataclass
class Place:
    """A workspace of the site, and how its people come in."""

    site: Site
    workspace: Workspace
    admin: str

    def sign_in(self, page: Any, email: str = "", password: str = PASSWORD) -> None:
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=30_000)
        page.goto(f"{self.site.base}/sign-in")
        page.fill("#email", email or self.admin)
        page.fill("#password", password)
        page.click("form .primary")
        page.wait_for_url(f"{self.site.base}/")

    def opened(self) -> AbstractContextManager[Context]:
        return workspaces.opened(self.site.engine, self.workspace)


@pytest.fixture(scope="session")
def site(embedded_server: Settings, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = empty_database(embedded_server, f"stories_{worker_id}")
    engine = workspaces.connect(url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": url, "MORTISE_DATA": str(tmp_path_factory.mktemp("stories")),
                   "MORTISE_OUTGOING_ALLOW": "127.0.0.1"}  # fmt: skip
    command = [sys.executable, "-m", "cli", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            yield Site(f"http://127.0.0.1:{port}", engine)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
            engine.dispose()


def wait_for(url: str, patience: float = 120) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with suppress(OSError), urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError(url)
