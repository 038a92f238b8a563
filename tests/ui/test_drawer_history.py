"""The drawer gives the list its address back, however it was opened."""

from playwright.sync_api import Page, expect


def test_a_drawer_opened_by_going_forward_closes_to_its_list(page: Page) -> None:
    page.goto("/list")
    page.click("text=EX-2026-0005")
    expect(page.locator("#drawer")).to_be_visible()
    page.go_back()
    expect(page.locator("#drawer")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#drawer .record-head h2")).to_have_text("EX-2026-0005")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    assert page.url.endswith("/list")
