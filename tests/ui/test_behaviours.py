"""What the scripts of the interface do, in a browser under our own policy."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe.min.js"
PASTE = """(text) => {
  const data = new DataTransfer(); data.setData("text/plain", text);
  const options = {clipboardData: data, bubbles: true, cancelable: true};
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
}"""
SENT = """() => {
  const data = new FormData(document.querySelector("form.form"));
  return Object.fromEntries([...new Set(data.keys())].map((key) => [key, data.getAll(key)]));
}"""


RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]


def found_by_axe(page: Page, only: list[str]) -> list[tuple[str, str]]:
    found = page.evaluate("only => axe.run(document, {runOnly: only})", only)
    return [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]]


def sent(page: Page) -> dict[str, list[str]]:
    answers: dict[str, list[str]] = page.evaluate(SENT)
    return answers


def rows(page: Page) -> list[dict[str, Any]]:
    return list(json.loads(sent(page)["items"][0]))


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for path in ("/", "/list", "/form", "/sign-in", "/missing"):
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(path)
        page.wait_for_timeout(500)
        page.evaluate(AXE.read_text("utf-8"))
        assert (path, found_by_axe(page, RULES)) == (path, [])
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.reload()
        page.wait_for_timeout(300)
        page.evaluate(AXE.read_text("utf-8"))
        assert (path, found_by_axe(page, ["color-contrast"])) == (path, [])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_form_sends_something_for_every_field(page: Page) -> None:
    page.goto("/form?still=1")
    page.uncheck("#f-urgent")
    page.uncheck("[name=boxes][value=office]")
    page.wait_for_timeout(600)
    answers = sent(page)
    assert answers["urgent"] == ["false"]
    assert answers["boxes"] == [""]
    assert answers["tags"] == ["meal", "gift"]
    assert not [name for name in answers if name.startswith("items[")]
    assert rows(page)[0]["what"] == "Train to Shanghai"
    assert rows(page)[1]["receipt"] == "false"
    assert rows(page)[0]["_id"]


def test_a_block_from_a_spreadsheet_fills_cells_and_adds_rows(page: Page) -> None:
    page.goto("/form?still=1")
    page.wait_for_timeout(500)
    page.focus('[name="items[1].what"]')
    page.evaluate(PASTE, 'Taxi\tTravel\t3\t¥1,200.50\t2026/11/4\tgrace hopper\t是\n"Two\nlines"\t餐饮\t1\t9\nThird')
    expect(page.locator("tr[data-row]")).to_have_count(4)
    page.wait_for_timeout(500)
    filled = rows(page)
    assert filled[1] | {"_id": ""} == {
        "_id": "",
        "what": "Taxi",
        "kind": "travel",
        "count": "3",
        "price": "1200.50",
        "day": "2026-11-04",
        "with": filled[1]["with"],
        "receipt": "true",
    }
    assert filled[1]["with"].endswith("4")
    assert filled[2]["what"] == "Two lines"
    assert filled[3]["what"] == "Third"


def test_rows_are_added_copied_removed_and_brought_back(page: Page) -> None:
    page.goto("/form?still=1")
    page.wait_for_timeout(500)
    page.focus('[name="items[1].count"]')
    page.keyboard.press("Enter")
    expect(page.locator('[name="items[2].count"]')).to_be_focused()
    page.keyboard.type("7")
    page.keyboard.press("Alt+ArrowUp")
    assert [row["count"] for row in rows(page)] == ["2", "7", "6"]
    page.click("tr[data-row] >> nth=0 >> [data-row-copy]")
    page.wait_for_timeout(300)
    copied = rows(page)[1]
    assert "_id" not in copied
    assert copied["what"] == "Train to Shanghai"
    assert copied["with"].endswith("1")
    page.click("tr[data-row] >> nth=0 >> [data-row-remove]")
    assert len(rows(page)) == 3
    page.click(".toast button:has-text('Undo')")
    assert rows(page)[0]["what"] == "Train to Shanghai"
    assert page.locator("tr[data-row] >> nth=3 >> input >> nth=0").get_attribute("id") == "f-items-3--what"


def test_live_values_arrive_without_disturbing_what_is_typed(page: Page) -> None:
    page.goto("/form")
    page.wait_for_timeout(500)
    drawn = page.locator(".ts-wrapper").count()
    page.locator("#f-phone").fill("")
    page.fill('[name="items[0].count"]', "10")
    page.focus("#f-title")
    page.keyboard.press("End")
    page.keyboard.type(" in Suzhou")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#f-total")).to_have_text("6,063")
    assert page.input_value("#f-title") == "Visit to a supplier in Suzhou"
    assert page.evaluate("document.activeElement.selectionStart") == len("Visit to a supplier in Suzho")
    assert drawn
    expect(page.locator(".ts-wrapper")).to_have_count(drawn)


def test_refused_forms_keep_everything_and_lead_to_the_problem(page: Page) -> None:
    page.goto("/form")
    page.wait_for_timeout(400)
    page.fill("#f-reason", "A long story")
    page.click("button:has-text('Submit')")
    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.locator("#f-title")).to_be_focused()
    page.focus("#f-reason")
    page.click(".error-summary a")
    expect(page.locator("#f-title")).to_be_focused()


def test_what_was_typed_is_offered_again(page: Page) -> None:
    page.goto("/form")
    page.wait_for_timeout(400)
    page.fill("#f-reason", "A long story")
    page.wait_for_timeout(900)
    page.goto("/list")
    page.goto("/form")
    expect(page.locator(".draft-note")).to_be_visible()
    page.click(".draft-note button:has-text('Discard')")
    expect(page.locator(".draft-note")).to_have_count(0)


def test_a_picker_searches_and_is_cleared(page: Page) -> None:
    page.goto("/form?still=1")
    page.wait_for_timeout(500)
    page.click("#f-owner-field .ts-control")
    page.keyboard.type("grace")
    page.click(".option:has-text('Grace Hopper')")
    assert sent(page)["owner"][0].endswith("4")
    expect(page.locator("#f-owner-field .ts-control .item")).to_be_visible()
    page.hover("#f-owner-field .ts-control")
    page.click("#f-owner-field .clear-button")
    assert sent(page)["owner"] == [""]


def test_a_file_is_uploaded_and_removed(page: Page) -> None:
    page.goto("/form?still=1")
    page.set_input_files("#f-papers", {"name": "ticket.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    expect(page.locator(".file a:has-text('ticket.pdf')")).to_be_visible()
    assert len(sent(page)["papers"]) == 2
    page.click(".file:has-text('ticket.pdf') [data-file-remove]")
    assert len(sent(page)["papers"]) == 1


def test_the_drawer_has_an_address_and_steps(page: Page) -> None:
    page.goto("/list")
    page.click("text=Office chairs >> nth=0")
    expect(page.locator("#drawer")).to_be_visible()
    assert page.url.endswith("/record/2")
    page.click("[data-drawer-step='1']")
    expect(page.locator("#drawer .record-head h2")).to_have_text("EX-2026-0003")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    assert page.url.endswith("/list")
    page.click("text=EX-2026-0005")
    expect(page.locator("#drawer")).to_be_visible()
    page.go_back()
    expect(page.locator("#drawer")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#drawer .record-head h2")).to_have_text("EX-2026-0005")


def test_tabs_menus_and_the_palette_answer_to_keys(page: Page) -> None:
    page.goto("/")
    page.click("#menu-1-button")
    expect(page.locator("#menu-1 [role=menuitem] >> nth=0")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#menu-1 [role=menuitem] >> nth=1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#menu-1-button")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette input")).to_be_focused()
    page.keyboard.type("boo")
    expect(page.locator("#palette [role=option]")).to_have_text(re.compile("Books"))
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_have_count(0)


def test_a_dialog_asks_before_it_loses_what_was_typed(page: Page) -> None:
    page.goto("/")
    page.click("[data-dialog]")
    page.locator("#with").press_sequentially("Ada")
    page.keyboard.press("Escape")
    page.click("dialog button:has-text('Cancel') >> nth=-1")
    assert page.input_value("#with") == "Ada"
    page.keyboard.press("Escape")
    page.click("dialog button:has-text('Discard it')")
    expect(page.locator("#dialog")).to_be_hidden()


def test_rows_of_a_list_are_chosen_in_stretches(page: Page) -> None:
    page.goto("/list")
    page.click("[name=ids] >> nth=1")
    page.click("[name=ids] >> nth=4", modifiers=["Shift"])
    expect(page.locator("[data-batch]")).to_contain_text("4 chosen")
    page.check("[data-select-all]")
    assert page.locator("tr.selected").count() == 30
    page.click("[data-select-none]")
    expect(page.locator("[data-batch]")).to_be_hidden()


def test_columns_are_hidden_and_widened(page: Page) -> None:
    page.goto("/list")
    page.click("#columns-button")
    with page.expect_request("**/columns") as asked:
        page.uncheck("#columns li[data-column=owner] input")
    assert json.loads(asked.value.post_data or "{}")["hidden"] == ["owner"]
    assert not page.is_visible("th[data-column=owner]")
    page.keyboard.press("Escape")
    wide = page.locator("th[data-column=title]").bounding_box()
    page.focus("th[data-column=title] a")
    with page.expect_request("**/columns") as asked:
        page.keyboard.press("Alt+ArrowRight")
    assert wide
    assert json.loads(asked.value.post_data or "{}")["widths"]["title"] == round(wide["width"]) + 16


def test_cards_are_moved_by_keys(page: Page) -> None:
    page.goto("/")
    page.wait_for_timeout(400)
    page.focus("[data-list=Draft] [data-key='1']")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowRight")
    assert page.locator("[data-list=Waiting] .board-card").count() == 3
    assert page.locator("[data-list=Draft] .board-card").count() == 1


def test_charts_are_drawn_as_svg_and_drill_through(page: Page) -> None:
    page.goto("/")
    expect(page.locator("[data-chart] svg")).to_have_count(5)
    assert page.locator("[data-chart] [style*=position]").count() > 0


def test_the_theme_is_kept(page: Page, visit: BrowserContext) -> None:
    page.goto("/")
    page.click("#account-button")
    page.click("[data-theme-choice=dark]")
    page.goto("/list")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 26)"


def test_a_list_on_a_phone_is_cards_with_named_values_and_a_table_at_a_touch(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/list")
    row, shape = page.locator("table.grid tbody tr").first, page.locator("[data-lists-shape]")
    values = row.locator("td:not(.check, .first)")
    expect(values.first).to_have_attribute("data-label", re.compile(r"\w"))
    assert row.evaluate("(row) => getComputedStyle(row).display") == "grid"
    shape.click()
    assert row.evaluate("(row) => getComputedStyle(row).display") == "table-row"
    page.reload()
    expect(shape).to_have_attribute("aria-pressed", "true")
    assert row.evaluate("(row) => getComputedStyle(row).display") == "table-row"
    shape.click()
    assert row.evaluate("(row) => getComputedStyle(row).display") == "grid"
