"""What is vendored is what was pinned, small enough, and holds every icon that is named."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from schemas.fields import field_types
from schemas.steps import step_types
from schemas.widgets import widget_types

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
TABLE = re.findall(
    r"^\| `(\S+)` \| (\S+) \| (\S+) \| (\S+) \| `(\w{64})` \|$",
    (VENDOR / "README.md").read_text("utf-8"),
    re.M,
)
ICONS = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "icons.svg").read_text("utf-8")))
IN_TEMPLATES = re.compile(r'(?:ui|parts)\.icon\("([\w-]+)"|icon_button\(_\("[^"]*"\), "([\w-]+)"')
LIMITS = {
    "htmx.min.js": 15,
    "sortable.min.js": 16,
    "tom-select.min.js": 17,
    "echarts.min.js": 170,
    "quill.min.js": 62,
    "quill.snow.css": 5,
    "../icons.svg": 20,
}


def packed(*files: Path) -> float:
    """Size in KiB as a server would send it."""
    return sum(len(gzip.compress(file.read_bytes())) for file in files) / 1024


@pytest.mark.parametrize(("file", "package", "version", "licence", "digest"), TABLE)
def test_a_vendored_file_is_the_one_that_was_fetched(
    file: str, package: str, version: str, licence: str, digest: str
) -> None:
    assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == digest
    assert f"{package}@{version}" in json.loads((VENDOR / "packages.json").read_text("utf-8"))["packages"]
    assert licence
    assert (VENDOR / "licences" / f"{package.replace('/', '+')}.txt").read_text("utf-8")


def test_every_vendored_script_is_listed() -> None:
    listed = {file for file, *_ in TABLE}
    assert {file.name for file in VENDOR.glob("*.js")} <= listed


@pytest.mark.parametrize(("file", "kib"), LIMITS.items())
def test_a_vendored_file_stays_small(file: str, kib: int) -> None:
    assert packed(VENDOR / file) <= kib


def test_styles_and_scripts_of_a_first_page_stay_small() -> None:
    styles = packed(*(ROOT / "static" / "css" / f"{name}.css" for name in ("app", "data", "forms", "print")))
    scripts = packed(*(ROOT / "static" / "js").glob("*.js"))
    assert styles <= 40
    assert (
        styles + scripts + packed(VENDOR / "htmx.min.js", VENDOR / "tom-select.min.js", ROOT / "static" / "icons.svg")
        <= 120
    )


@pytest.mark.parametrize("kind", [*field_types, *step_types, *widget_types], ids=lambda kind: kind.__name__)
def test_a_type_has_its_icon(kind: type) -> None:
    assert getattr(kind, "icon", "circle") in ICONS


@pytest.mark.parametrize("template", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_a_template_names_icons_that_exist(template: Path) -> None:
    named = {name for pair in IN_TEMPLATES.findall(template.read_text("utf-8")) for name in pair if name}
    begun = {name for name in named if name.endswith("-")}  # the rest of the name is a variable
    assert named - begun <= ICONS
    assert all(any(icon.startswith(name) for icon in ICONS) for name in begun)


@pytest.mark.parametrize("manifest", sorted((ROOT / "apps").rglob("*.json")), ids=lambda path: path.stem)
def test_an_app_names_icons_that_exist(manifest: Path) -> None:
    assert set(re.findall(r'"icon": "([^"]+)"', manifest.read_text("utf-8"))) <= ICONS


def test_no_template_has_inline_script_or_style() -> None:
    inline = re.compile(r"\sstyle=|\son\w+=|\shx-on|<style|<script(?![^>]*(?:src=|application/json))")
    found = [str(file) for file in (ROOT / "templates").rglob("*.html") if inline.search(file.read_text("utf-8"))]
    assert found == []
