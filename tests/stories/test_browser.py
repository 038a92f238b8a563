"""The browser itself: that stories have one, wide and narrow, that reads Chinese."""

from typing import Any

PAGE = '<!doctype html><meta name="viewport" content="width=device-width"><p>榫卯</p>'


def test_a_desktop(page: Any) -> None:
    page.set_content(PAGE)
    assert page.locator("p").inner_text() == "榫卯"
    assert page.evaluate("[innerWidth, navigator.language]") == [1440, "zh-CN"]


def test_a_phone(phone_page: Any) -> None:
    phone_page.set_content(PAGE)
    assert phone_page.evaluate("innerWidth") == 390
