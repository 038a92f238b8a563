"""The main pages of an installation with sample data: nothing serious for those who cannot see or point, at both
widths and in both themes; nothing wider than the screen; and light enough for a slow line."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from builder import bundle
from runtime import workspaces
from runtime.sample import install_sample
from tests.stories.conftest import PHONE, Place, Site

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
SAMPLE_PASSWORD = "mortise-demo"
ADMIN, BOSS = "admin@yunshan.example", "zhou.ming@yunshan.example"
KIB = 1024
PAGES = {
    "workbench": "/", "list": "/a/crm/v/all_opportunities/", "board": "/a/crm/v/pipeline/", "cockpit": "/a/crm/d/cockpit/",
    "funnel": "/a/crm/d/funnel/", "form": "/a/crm/f/quote_form/new", "import": "/a/crm/import/opportunity/", "tasks": "/tasks/",
    "notices": "/notices/", "apps": "/build/", "app": "/build/crm/", "designer": "/build/crm/form/quote_form/?field=items",
    "publish": "/build/crm/publish", "members": "/members/", "member": "/members/new", "members import": "/members/import/",
    "who is who": "/build/crm/people", "password": "/password", "not found": "/nowhere/",
}  # fmt: skip
OPENED = {
    "record in the drawer": ("/a/crm/v/all_opportunities/", "tbody tr td:nth-child(2)", "#drawer[open]"),
    "filter": ("/a/crm/v/all_opportunities/", "#filter-menu-button", "#filter-menu"),
    "account menu": ("/", "#account-button", "#account-menu"),
}


@pytest.fixture(scope="session")
def sample(site: Site) -> Place:
    """A workspace with the bundled app and its sample data, as `mortise serve --first` makes it."""
    place = workspaces.create(site.engine, "sample", "Sample")
    with workspaces.opened(site.engine, place) as ctx:
        folder = bundle.bundled()["crm"]
        bundle.install(ctx, bundle.read(folder))
        install_sample(ctx, "crm", folder / "sample")
    return Place(site, place, ADMIN)


@pytest.fixture(scope="session")
def state(sample: Place, browser: Any, browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Cookies of the administrator, signed in once."""
    context = browser.new_context(**browser_context_args)
    sample.sign_in(context.new_page(), ADMIN, SAMPLE_PASSWORD)
    kept: dict[str, Any] = context.storage_state()
    context.close()
    return kept


def serious(page: Page, only: list[str] = RULES) -> list[str]:
    """What axe finds serious or critical, with the first places; `only` names groups of rules, or rules."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("only => axe.run(document, {resultTypes: ['violations'], runOnly: only})", only)
    return [
        f"{v['id']}: {[node['html'][:160] for node in v['nodes'][:3]]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


FINISHED = """Promise.race([
    Promise.all(document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity)
        .map((one) => one.finished.catch(() => null))),
    new Promise((done) => setTimeout(done, 2000)),
])"""


def settled(page: Page) -> None:
    """Everything has arrived, and what moved has come to rest."""
    page.wait_for_load_state("networkidle")
    page.evaluate(FINISHED)


UNSTUCK = (
    """() => document.querySelectorAll('.form-actions, .sticky').forEach((one) => { one.style.position = 'static'; })"""
)


def examined(page: Page, name: str) -> list[str]:
    settled(page)
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name.replace(' ', '-')}-{page.viewport_size['width']}.png")  # type: ignore[index]
    page.evaluate(UNSTUCK)
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*([f"{wider} px wider than the screen"] if wider > 0 else []), *serious(page), *in_the_dark(page)]


def in_the_dark(page: Page) -> list[str]:
    """What a dark theme can spoil on the page that is open: its contrasts."""
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    _wait_for_colours(page)
    if found := serious(page, ["color-contrast"]):
        page.wait_for_timeout(1_500)  # on a busy machine the new colours may not have come all the way yet
        found = serious(page, ["color-contrast"])
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return [f"in the dark {problem}" for problem in found]


COLOURS = "() => [...document.querySelectorAll('body, body *')].map(e => getComputedStyle(e).color).join()"


def _wait_for_colours(page: Page) -> None:
    """A change of theme goes down the tree for some frames where colours have transitions."""
    before = ""
    for _ in range(20):
        page.wait_for_timeout(250)
        now = page.evaluate(COLOURS)
        if before == now:
            return
        before = now
    raise AssertionError("the colours never come to rest")


def walk(page: Page, base: str) -> dict[str, list[str]]:
    found = {}
    for name, path in PAGES.items():
        page.goto(base + path)
        found[name] = examined(page, name)
    for name, (path, click, shown) in OPENED.items():
        page.goto(base + path)
        page.wait_for_load_state("networkidle")
        page.locator(click).first.click()
        page.locator(shown).wait_for()
        found[name] = examined(page, name)
    return {name: problems for name, problems in found.items() if problems}


@pytest.mark.parametrize("look", ["desk", "phone"])
def test_the_main_pages_are_open_to_everybody(
    sample: Place, browser: Any, browser_context_args: dict[str, Any], state: dict[str, Any], look: str
) -> None:
    differs = {
        "desk": {},
        "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    }[look]
    context = browser.new_context(**{**browser_context_args, **differs}, storage_state=state, reduced_motion="reduce")
    found = walk(context.new_page(), sample.site.base)
    context.close()
    assert not found, "\n".join(f"{name}: {problem}" for name, problems in found.items() for problem in problems)


def test_signing_in_is_open_to_everybody(site: Site, page: Page) -> None:
    page.goto(f"{site.base}/sign-in")
    assert examined(page, "sign in") == []


@pytest.mark.parametrize(("path", "most"), [("/a/crm/v/all_opportunities/", 150), ("/a/crm/d/cockpit/", 250)])
def test_a_first_page_is_light(
    sample: Place, browser: Any, browser_context_args: dict[str, Any], state: dict[str, Any], path: str, most: int
) -> None:
    """Everything that a browser with an empty cache fetches, as it comes over the line."""
    context = browser.new_context(**browser_context_args, storage_state=state)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    sizes: dict[str, float] = {}
    line.on("Network.loadingFinished", lambda e: sizes.__setitem__(e["requestId"], e["encodedDataLength"]))
    page.goto(sample.site.base + path)
    settled(page)
    assert len(sizes) > 5
    assert sum(sizes.values()) <= most * KIB
    context.close()
