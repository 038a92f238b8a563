"""Takes the pictures of the README from a running installation with the sample data.

python docs/screenshots.py http://127.0.0.1:8000
"""

import io
import json
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
SETTLING = 2_500
"""Milliseconds until charts are drawn; a page keeps a line to the server open, so that the network is never idle."""
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
)


def sign_in(page: Page, base: str, email: str, password: str) -> None:
    page.goto(f"{base}/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("form .primary")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def keep_small(picture: bytes, target: Path) -> None:
    """With 256 colours an interface looks the same and takes a third."""
    small = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(target, optimize=True)


def take(base: str) -> None:
    plan = json.loads((FOLDER / "plan.json").read_text("utf-8"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS.split())
        for size, (width, height) in SIZES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, locale=plan["locale"])
            page = context.new_page()
            sign_in(page, base, plan["email"], plan["password"])
            for name, path in plan["pages"].items():
                if size == "phone" and name not in plan["phone"]:
                    continue
                page.goto(base + path)
                page.wait_for_timeout(SETTLING)
                keep_small(page.screenshot(), FOLDER / f"{name}-{size}.png")
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1].rstrip("/"))
