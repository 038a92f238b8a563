"""The form designer in a real browser: by mouse, by keyboard, on a phone."""

import re
from typing import Any

import pytest


@pytest.fixture
def boss(shop: Any, sign_in: Any) -> Any:
    return sign_in(shop, "boss")


@pytest.fixture
def page(boss: Any, opened: Any) -> Any:
    return opened(boss)


def until(page: Any, true: str) -> None:
    """Wait until an expression is true. Playwright's own way needs `eval`, which our policy forbids."""
    for _ in range(200):
        if page.evaluate(true):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {true}")


def settled(page: Any) -> None:
    """Wait until nothing is being asked any more."""
    until(
        page, "!document.querySelector('#loading-bar.on') && !document.querySelector('.htmx-request, .htmx-swapping')"
    )


def ready(page: Any) -> None:
    """Wait until the scripts have taken the page over."""
    until(page, "!!document.querySelector('#studio .panel[data-htmx-powered], #studio form[data-htmx-powered]')")


def turn_to(page: Any, tab: str) -> None:
    page.get_by_role("link", name=tab, exact=True).click()
    until(page, f"!!document.querySelector('#panel-{tab.lower()}-, [id^=panel-{tab.lower()}-][data-htmx-powered]')")
    settled(page)


def made(page: Any, *types: str, title: str = "Trip") -> str:
    """A new app with one form and these fields; gives the app's slug."""
    page.goto("/build/")
    page.get_by_label("Name of the app").fill(title)
    page.get_by_role("button", name="Create").click()
    page.get_by_label("Name of the form").fill("Request")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_selector("#studio")
    ready(page)
    for type in types:
        add(page, type)
    return re.search(r"/build/([^/]+)/", page.url)[1]  # type: ignore[index]


def add(page: Any, type: str) -> None:
    before = page.locator("[data-canvas] [data-drag]").count()
    page.locator(f"[data-drag='new:{type}']").click()
    until(page, f"document.querySelectorAll('[data-canvas] [data-drag]').length > {before}")
    settled(page)


def lines(page: Any) -> list[list[str]]:
    """The fields of the canvas, line by line."""
    return page.evaluate(
        """[...document.querySelectorAll('[data-canvas] .canvas-row')].map((row) =>
           [...row.querySelectorAll('[data-drag]')].map((one) => one.dataset.drag.replace('field:', '')))"""
    )


def in_section(page: Any) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('.canvas-section .canvas-field')].map((one) => one.dataset.drag.replace('field:', ''))"
    )


def drag(page: Any, what: str, target: str, across: float = 0.5, down: float = 0.5) -> None:
    """Drag something onto a place of something else, as a hand would."""
    source = page.locator(what).first
    source.scroll_into_view_if_needed()
    box, other = source.bounding_box(), page.locator(target).first.bounding_box()
    page.mouse.move(box["x"] + min(30, box["width"] / 2), box["y"] + min(12, box["height"] / 2))
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 30, steps=3)
    page.mouse.move(other["x"] + other["width"] * across, other["y"] + other["height"] * down, steps=6)
    assert page.locator(".drop-line").is_visible()
    page.mouse.up()
    settled(page)


def field(name: str) -> str:
    return f"[data-drag='field:{name}']"


def test_fields_are_dragged_from_the_palette_between_and_beside_others(page: Any) -> None:
    made(page, "number")
    drag(page, "[data-drag='new:date']", field("field_1"), down=0.9)
    page.wait_for_selector(field("field_3"))
    assert lines(page) == [["field_1"], ["field_3"], ["field_2"]]
    drag(page, "[data-drag='new:text']", field("field_1"), across=0.05)
    page.wait_for_selector(field("field_4"))
    assert lines(page) == [["field_4", "field_1"], ["field_3"], ["field_2"]]
    drag(page, field("field_2"), field("field_1"), across=0.95)
    until(page, "document.querySelectorAll('.canvas-row').length === 2")
    assert lines(page) == [["field_4", "field_1", "field_2"], ["field_3"]]
    page.reload()
    ready(page)
    assert lines(page) == [["field_4", "field_1", "field_2"], ["field_3"]]


def test_fields_are_dragged_into_a_section_within_it_and_out(page: Any) -> None:
    made(page, "number", "date", "section")
    drag(page, field("field_2"), "[data-drop-into]")
    page.wait_for_selector(f".canvas-section {field('field_2')}")
    drag(page, field("field_3"), f".canvas-section {field('field_2')}", down=0.1)
    until(page, "document.querySelectorAll('.canvas-section .canvas-field').length === 2")
    assert in_section(page) == ["field_3", "field_2"]
    drag(page, field("field_3"), field("field_1"), down=0.1)
    until(page, "document.querySelectorAll('.canvas-section .canvas-field').length === 1")
    assert lines(page) == [["field_3"], ["field_1"], ["field_2"]]
    drag(page, "[data-drag='block:2'] .canvas-block-head", field("field_3"), down=0.1)
    page.wait_for_selector("[data-canvas] .canvas-rows > :first-child.canvas-section")
    assert lines(page) == [["field_2"], ["field_3"], ["field_1"]]


def test_a_drag_that_is_given_up_changes_nothing(page: Any) -> None:
    made(page, "number")
    box = page.locator(field("field_2")).bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] - 60, steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert page.locator(".drop-line").count() == 0
    assert lines(page) == [["field_1"], ["field_2"]]


def test_everything_on_the_canvas_goes_by_keyboard(page: Any) -> None:
    made(page, "section")
    page.locator("[data-drag='new:number']").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(field("field_2"))
    page.locator("#choose-field_1").focus()
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_selector(f".canvas-section {field('field_1')}")
    assert page.evaluate("document.activeElement.id") == "choose-field_1"
    page.keyboard.press("Control+d")
    page.wait_for_selector(field("field_3"))
    page.locator("#choose-field_3").focus()
    page.keyboard.press("Delete")
    page.wait_for_selector(field("field_3"), state="detached")
    page.keyboard.press("Control+z")
    page.wait_for_selector(field("field_3"))
    page.keyboard.press("Control+y")
    page.wait_for_selector(field("field_3"), state="detached")
    page.get_by_role("button", name="Restore").click()
    page.wait_for_selector(field("field_3"))


def test_the_canvas_follows_the_panel_and_undo_brings_the_text_back(page: Any) -> None:
    made(page, "number")
    label = page.get_by_label("Label (English)")
    label.fill("Days away")
    label.press("Tab")
    page.wait_for_selector("#canvas-field_2 >> text=Days away")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector("#canvas-field_2 >> text=Number")
    assert page.get_by_label("Label (English)").input_value() == "Number"
    page.locator("#choose-field_1").click()
    until(page, "document.querySelector('[name=path]').value === 'field_1'")
    assert page.get_by_label("Label (English)").input_value() == "Title"


def test_options_of_a_choice_are_pasted_as_lines_coloured_and_sorted(page: Any) -> None:
    made(page, "choice")
    page.get_by_text("Paste many lines").click()
    page.get_by_label("One option on each line").fill("Beijing\nShanghai\n\nShanghai\nShenzhen")
    page.get_by_label("One option on each line").press("Tab")
    names = "[...document.querySelectorAll('.option-list [name=\"options.zh\"]')].map((one) => one.value)"
    until(page, f"{names}.length === 5")
    assert page.evaluate(names)[2:] == ["Beijing", "Shanghai", "Shenzhen"]
    handle = page.locator(".option-list .option-row").nth(4).locator(".handle")
    handle.focus()
    handle.press("Alt+ArrowUp")
    until(page, f"{names}[3] === 'Shenzhen'")
    settled(page)
    page.locator(".option-list .option-row").nth(0).get_by_label("Colour").select_option("red")
    settled(page)
    page.locator(".option-list .option-row").nth(1).get_by_role("button", name="Remove").click()
    until(page, f"{names}.length === 4")
    settled(page)
    page.reload()
    ready(page)
    assert page.evaluate(names)[1:] == ["Beijing", "Shenzhen", "Shanghai"]
    assert page.locator(".option-list .option-row").nth(0).get_by_label("Colour").input_value() == "red"


def test_a_rule_is_made_of_conditions_and_works_in_the_form(page: Any, boss: Any) -> None:
    slug = made(page, "switch", "number")
    turn_to(page, "Form")
    rules = page.locator("[data-items='rules']")
    rules.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_selector("[data-option='rules.0']")
    settled(page)
    rule = page.locator("[data-option='rules.0']")
    rule.get_by_role("button", name="Add a condition").click()
    rule.get_by_label("Field").select_option("field_2")
    rule.get_by_label("Comparison").select_option("true")
    settled(page)
    page.wait_for_selector("[data-option='rules.0'] [name='rules.0.when.operator']")
    rule.locator("[data-option='rules.0.show'] .ts-control").click()
    page.locator(".ts-dropdown .option", has_text="Number").click()
    settled(page)
    until(page, "document.querySelector('select[name=\"rules.0.show\"]')?.value === 'field_3'")
    page.wait_for_timeout(200)
    settled(page)
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    page.goto(f"/a/{slug}/f/request/new")
    assert page.locator("#f-field_3").count() == 0
    page.locator("#f-field_2").check()
    page.wait_for_selector("#f-field_3")


def test_a_formula_is_completed_by_labels_and_kept_by_ids(page: Any, boss: Any) -> None:
    slug = made(page, "number", "formula")
    area = page.locator(".formula-text")
    area.fill("")
    area.press_sequentially("num")
    page.wait_for_selector(".suggestions [role=option] >> text=Number")
    area.press("Enter")
    assert area.input_value() == "[Number]"
    area.press_sequentially(" * rou")
    page.wait_for_selector(".suggestions [role=option] >> text=ROUND")
    area.press("Tab")
    area.press_sequentially("2.5, 0")
    page.wait_for_selector(".formula-said >> text=a number")
    assert area.input_value().startswith("[Number] * ROUND")
    area.blur()
    settled(page)
    page.goto(page.url.split("?")[0] + "?field=field_2")
    ready(page)
    label = page.get_by_label("Label (English)")
    label.fill("Days")
    label.press("Tab")
    page.wait_for_selector("#canvas-field_2 >> text=Days")
    page.locator("#choose-field_3").click()
    until(page, "document.querySelector('.formula-text')?.value.startsWith('[Days] * ROUND')")
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204


def test_a_fault_in_a_formula_is_marked_at_its_character(page: Any) -> None:
    made(page, "number", "formula")
    area = page.locator(".formula-text")
    area.fill("[Number] * [Nothing]")
    page.wait_for_selector(".formula-error")
    assert "There is no field called “Nothing” here." in page.locator(".formula-error").inner_text()
    assert page.locator(".f-wrong").inner_text() == "[Nothing]"
    page.locator(".formula-error").click()
    assert page.evaluate("document.querySelector('.formula-text').selectionStart") == 11
    area.blur()
    page.wait_for_selector("[data-option='formula'].wrong")
    assert area.input_value() == "[Number] * [Nothing]"


def test_the_large_editor_shows_fields_functions_and_the_result_for_a_record(page: Any, boss: Any) -> None:
    slug = made(page, "number", "formula")
    boss.post(f"/build/{slug}/publish", {})
    boss.post(f"/a/{slug}/f/request/new", {"field_1": "Lisbon", "field_2": "21"})
    page.get_by_role("button", name="Open the formula editor").click()
    editor = page.locator("[data-formula-editor]")
    area = editor.locator(".formula-text")
    area.fill("")
    editor.get_by_label("Search fields").fill("numb")
    editor.locator("[data-formula-fields] [data-insert='[Number]']").click()
    area.press("End")
    area.press_sequentially(" * 2")
    editor.get_by_label("Search functions").fill("sumif")
    editor.locator("[data-call='SUMIF']").hover()
    assert "SUMIF(" in editor.locator("[data-formula-about]").inner_text()
    page.wait_for_selector("[data-formula-editor] .formula-result >> text=42")
    assert "Number" in editor.locator(".formula-facts").inner_text()
    page.get_by_role("button", name="Use the formula").click()
    until(page, "document.querySelector('#studio .formula-text').value === '[Number] * 2'")
    settled(page)
    page.reload()
    ready(page)
    assert page.locator(".formula-text").input_value() == "[Number] * 2"


def test_problems_lead_to_where_they_are_mended(page: Any) -> None:
    made(page, "number", "formula")
    area = page.locator(".formula-text")
    area.fill("field_2 & 1 + DAYS(1)")
    area.blur()
    page.wait_for_selector("#canvas-field_3.has-problem")
    page.locator("#choose-field_1").click()
    page.get_by_role("button", name="1 problems").click()
    page.locator(".problem-list a").click()
    page.wait_for_selector("[data-option='formula'].wrong")
    until(page, "document.activeElement.className === 'formula-text'")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_selector("#dialog .problem-list li")
    assert page.locator("#dialog button[type=submit]").is_disabled()


def test_checks_keys_defaults_and_the_note_after_sending(page: Any, boss: Any) -> None:
    slug = made(page, "number", "date")
    turn_to(page, "Table")
    page.locator("[data-items='checks']").get_by_role("button", name="Add", exact=True).click()
    page.wait_for_selector("[data-option='checks.0']")
    settled(page)
    check = page.locator("[data-option='checks.0']")
    check.locator(".faces label", has_text="Formula").click()
    area = check.locator(".formula-text")
    area.fill("[Number] < 10")
    check.get_by_label("Message otherwise (English)").fill("Too long a trip")
    check.get_by_label("Message otherwise (English)").press("Tab")
    settled(page)
    turn_to(page, "Form")
    defaults = page.locator("[data-items='defaults']")
    defaults.get_by_role("button", name="Add a default value").click()
    defaults.get_by_label("Field").select_option("field_3")
    page.wait_for_selector("[name='defaults.0.value.mode']")
    settled(page)
    page.locator("[name='defaults.0.value.mode']").select_option("=TODAY()")
    settled(page)
    page.get_by_label("Message (English)").fill("Have a good trip")
    page.get_by_label("Message (English)").press("Tab")
    settled(page)
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    fresh = boss.get(f"/a/{slug}/f/request/new").text
    assert re.search(r'name="field_3"[^>]*value="20\d\d-', fresh) or re.search(
        r'value="20\d\d-[^"]*"[^>]*name="field_3"', fresh
    )
    assert "Too long a trip" in boss.post(f"/a/{slug}/f/request/new", {"field_1": "A", "field_2": "12"}).text


def test_on_a_phone_everything_is_there_and_nothing_overflows(boss: Any, opened: Any) -> None:
    page = opened(boss, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    made(page, "number", "formula", "section")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#choose-field_3").tap()
    page.get_by_role("button", name="Open the formula editor").click()
    page.wait_for_selector("[data-formula-fields] button")
    assert page.locator("#formula-functions").is_hidden()
    page.get_by_role("tab", name="Functions").tap()
    page.wait_for_selector("[data-call='SUM']", state="visible")
    assert page.evaluate("document.getElementById('dialog').scrollWidth") <= 390


def test_axe_finds_nothing_serious(page: Any) -> None:
    made(page, "choice", "formula", "section")
    from pathlib import Path

    for tab in ("field&field=field_2", "field&field=field_3", "form", "table"):
        page.goto(page.url.split("?")[0] + f"?tab={tab}")
        page.evaluate(Path("tests/vendor/axe.min.js").read_text("utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (v["id"], v["nodes"][0]["html"][:200])
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
        ]
        assert serious == []


def test_formatted_text_on_the_canvas_disturbs_nothing_of_the_formula_editor(page: Any) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    made(page, "rich_text", "formula")
    page.locator("[data-canvas] .ql-editor").wait_for()
    assert page.locator(".pane.right .formula-text").count()
    assert faults == []


def test_two_tabs_on_the_canvas_stand_below_their_head_and_fill_its_width(page: Any) -> None:
    made(page, "tabs")
    box = page.locator("[data-canvas] .canvas-section[data-part='tabs']").bounding_box()
    for tab in page.locator("[data-canvas] .canvas-section[data-part='tab']").all():
        assert tab.bounding_box()["width"] > box["width"] * 0.9
