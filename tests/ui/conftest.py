"""The gallery served on a port of its own, looked at in Debian's Chromium."""

import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from tests.ui.gallery import create_app

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run --disable-quic"
)


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = shutil.which("chromium")
    if not found:
        pytest.skip("no Chromium on this machine")
    return {**browser_type_launch_args, "executable_path": found, "args": FLAGS.split()}


@pytest.fixture
def visit(browser: Browser, gallery: str) -> Iterator[BrowserContext]:
    visit = browser.new_context(base_url=gallery, viewport={"width": 1440, "height": 900})
    visit.grant_permissions(["clipboard-read", "clipboard-write"])
    yield visit
    visit.close()


@pytest.fixture
def page(visit: BrowserContext) -> Iterator[Page]:
    """A page on which any script error or refusal of the policy fails the test."""
    page = visit.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
    yield page
    assert wrong == []
