"""Forms in a real browser: tabs, rules, rows filled from a record, options that depend, drafts without a connection."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import func, select

from runtime import ai, definitions, records
from runtime.actors import System
from runtime.tables import live
from tests.forms_world import SCHOOL
from tests.runtime.test_requests_of_flows import Program
from tests.stories.conftest import Place, Site

NEW = "/a/school/f/enrol/new"


@pytest.fixture(scope="module")
def school(site: Site) -> Place:
    place = site.workspace()
    with place.opened() as ctx:
        inst = definitions.publish(ctx, "school", SCHOOL)
        lines = [{"what": "Greek", "cost": Decimal(60)}, {"what": "Maths", "cost": Decimal(50)}]
        records.create(ctx, live(ctx, inst, "offer"), {"name": "Summer", "fee": Decimal(900), "lines": lines})
    return place


@pytest.fixture
def form(school: Place, page: Page) -> Page:
    """The form of a signed-in person; a script error fails the test."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    school.sign_in(page)
    page.goto(school.site.base + NEW)
    page.evaluate("localStorage.clear()")
    expect(page.locator("#f-offer-ts-control")).to_be_attached()
    yield page
    assert wrong == []


def tab(page: Page, name: str) -> Any:
    return page.get_by_role("tab", name=re.compile(name))


def pupils(school: Place, name: str) -> int:
    with school.opened() as ctx:
        table = live(ctx, definitions.installed(ctx, "school"), "pupil").sql
        return ctx.conn.scalar(select(func.count()).where(table.c["name"] == name)) or 0


def answer_is_lost(route: Route) -> None:
    """What is sent arrives; its answer does not."""
    if route.request.method == "POST":
        route.fetch(max_redirects=0)
        route.abort()
    else:
        route.continue_()


def test_a_problem_in_another_tab_and_a_folded_section_is_brought_into_sight(form: Page) -> None:
    expect(tab(form, "Living")).to_have_attribute("aria-selected", "true")
    expect(form.locator("#f-phone")).to_be_hidden()
    form.fill("#f-name", "Ada")
    form.click("button.primary[type=submit]")
    expect(form.locator("#f-phone")).to_be_focused()
    expect(tab(form, "Contact")).to_have_attribute("aria-selected", "true")
    expect(tab(form, "Contact")).to_have_class(re.compile("wrong"))
    tab(form, "Living").click()
    form.click(".error-summary a")
    expect(form.locator("#f-phone")).to_be_focused()


def test_enter_goes_on_to_the_next_field_and_sends_nothing(form: Page) -> None:
    form.fill("#f-name", "Ada")
    form.press("#f-name", "Enter")
    expect(form.locator("#f-kind")).to_be_focused()
    expect(form.locator(".error-summary")).to_have_count(0)


def test_the_chosen_tab_stays_while_live_values_arrive(form: Page) -> None:
    tab(form, "Classes").click()
    form.fill('[name="courses[0].what"]', "Art")
    with form.expect_response(re.compile("/live")):
        form.locator('[name="courses[0].paid"]').check()
    expect(form.locator('input[type=text][name="courses[0].price"]')).to_be_visible()
    expect(tab(form, "Classes")).to_have_attribute("aria-selected", "true")
    form.fill('[name="courses[0].price"]', "101")
    expect(form.locator("#f-sum")).to_have_text("101")
    expect(form.locator("#f-bill")).to_be_visible()


def test_what_is_hidden_comes_back_with_what_was_typed(form: Page) -> None:
    form.select_option("#f-kind", "boarder")
    form.fill("#f-room", "12b")
    form.select_option("#f-kind", "day")
    expect(form.locator("#f-room")).to_have_count(0)
    expect(form.locator("#f-meals option")).to_have_count(3)
    form.select_option("#f-kind", "boarder")
    expect(form.locator("#f-room")).to_have_value("12b")
    expect(form.locator("#f-meals option")).to_have_count(4)


def test_a_chosen_offer_brings_its_lines_and_leaves_what_is_changed_afterwards(form: Page) -> None:
    form.select_option("#f-kind", "boarder")
    form.fill("#f-room", "1")
    form.click("#f-offer-ts-control")
    form.locator(".ts-dropdown .option", has_text="Summer").click()
    expect(form.locator("#f-fee")).to_have_value("900")
    tab(form, "Classes").click()
    expect(form.locator('[name="courses[1].what"]')).to_have_value("Maths")
    tab(form, "Living").click()
    form.fill("#f-fee", "850")
    with form.expect_response(re.compile("/live")):
        form.locator("#f-fee").blur()
    form.fill("#f-name", "Eve")
    form.wait_for_timeout(800)
    expect(form.locator("#f-fee")).to_have_value("850")


def test_cities_follow_the_province(form: Page, school: Place) -> None:
    form.goto(f"{school.site.base}/a/school/f/visit/new")
    form.select_option("#f-province", "zj")
    form.select_option("#f-city", "hz")
    form.select_option("#f-province", "js")
    expect(form.locator("#f-city option", has_text="Nanjing")).to_have_count(1)
    expect(form.locator("#f-city option", has_text="Hangzhou")).to_have_count(0)
    expect(form.locator("#f-city")).to_have_value("")


def test_a_form_sent_without_a_connection_is_sent_once_there_is_one(form: Page, school: Place) -> None:
    form.fill("#f-name", "Offline Olga")
    tab(form, "Contact").click()
    form.click("#section-1-contact-1 summary")
    form.fill("#f-phone", "77")
    form.context.set_offline(True)
    form.click("button.primary[type=submit]")
    expect(form.locator(".draft-note")).to_be_visible()
    expect(form.locator("#f-phone")).to_have_value("77")
    assert pupils(school, "Offline Olga") == 0
    form.context.set_offline(False)
    form.wait_for_url(re.compile("/t/pupil/"))
    assert pupils(school, "Offline Olga") == 1


def test_a_form_left_without_a_connection_is_offered_again_and_counts_once(form: Page, school: Place) -> None:
    form.fill("#f-name", "Patient Paul")
    tab(form, "Contact").click()
    form.click("#section-1-contact-1 summary")
    form.fill("#f-phone", "78")
    form.route(re.compile("/enrol/new$"), answer_is_lost)
    form.click("button.primary[type=submit]")
    expect(form.locator(".draft-note")).to_be_visible()
    assert pupils(school, "Patient Paul") == 1
    form.unroute_all()
    form.goto(school.site.base + NEW)
    form.click(".draft-note .primary")
    expect(form.locator("#f-name")).to_have_value("Patient Paul")
    form.click("button.primary[type=submit]")
    form.wait_for_url(re.compile("/t/pupil/"))
    assert pupils(school, "Patient Paul") == 1


def test_a_draft_is_found_on_another_device(form: Page, school: Place, browser: Any) -> None:
    form.fill("#f-name", "Draft Dora")
    with form.expect_response(lambda r: r.request.method == "PUT" and r.ok):
        form.click("[data-draft-save]")
    other = browser.new_context()
    page = other.new_page()
    school.sign_in(page)
    page.goto(school.site.base + NEW)
    page.click(".draft-note .primary")
    expect(page.locator("#f-name")).to_have_value("Draft Dora")
    page.goto(school.site.base + NEW)
    with page.expect_response(lambda r: r.request.method == "DELETE"):
        page.click(".draft-note button:not(.primary)")
    other.close()


def test_a_link_with_fixed_values_opens_with_them(form: Page, school: Place) -> None:
    form.context.grant_permissions(["clipboard-read", "clipboard-write"])
    form.fill("#f-name", "Fixed Fay")
    form.click("#form-more-button")
    with form.expect_response(re.compile("/link$")) as answer:
        form.locator("[data-lock]").click()
    form.goto(answer.value.json()["url"])
    expect(form.locator("div#f-name")).to_have_text("Fixed Fay")


def test_many_rows_are_pasted_as_far_as_they_fit(form: Page) -> None:
    tab(form, "Classes").click()
    form.focus('[name="courses[0].what"]')
    form.evaluate("""() => {
      const data = new DataTransfer(); data.setData("text/plain", Array.from({length: 10000}, (_, n) => `Row ${n}\\t是`).join("\\n"));
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
    }""")
    expect(form.locator("tr[data-row]")).to_have_count(500)
    expect(form.locator(".toast", has_text="10000")).to_be_visible()


def bill(place: str) -> dict[str, Any]:
    """A form that asks a program for the name and lines of a number, and a language model to read a text."""
    request = {"address": f"http://{place}/bills/{{no}}", "sample": json.dumps({"name": "x", "lines": [{"what": "a", "cost": 1}]})}
    fill = {"name": "answer.body.name", "lines.what": "answer.body.lines.what", "lines.cost": "answer.body.lines.cost"}
    return {
        "language": 1, "app": "bills", "tables": [{"id": "bill", "fields": [
            {"id": "no", "type": "text", "label": "No"}, {"id": "name", "type": "text", "label": "Name"},
            {"id": "note", "type": "rich_text", "label": "Note"},
            {"id": "lines", "type": "rows", "label": "Lines", "fields": [
                {"id": "what", "type": "text"}, {"id": "cost", "type": "number", "default": "=1"}]},
            {"id": "total", "type": "formula", "formula": "SUM(lines.cost)"}]}],
        "forms": [{"id": "bill", "table": "bill", "quick_fill": True,
                   "layout": [{"row": [id]} for id in ("no", "name", "note", "lines", "total")],
                   "events": [{"id": "known", "title": "Known bill", "on": "edit", "fields": ["no"], "request": request, "fill": fill}]}],
    }  # fmt: skip


@pytest.fixture
def bills(school: Place, page: Page, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program that is asked, and a form of a signed-in person that asks it."""
    monkeypatch.setenv("MORTISE_OUTGOING_ALLOW", "127.0.0.1")
    program, wrong = Program(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with school.opened() as ctx:
        definitions.publish(ctx, "bills", bill(program.place))
        ai.set_up(ctx.acting_as(System()), f"http://{program.place}/v1", "small", "")
    school.sign_in(page)
    page.goto(f"{school.site.base}/a/bills/f/bill/new")
    yield program, page
    program.server.shutdown()
    program.server.server_close()
    assert wrong == []


def test_what_is_typed_is_looked_up_elsewhere_and_fills_fields_and_rows(bills: Any) -> None:
    program, page = bills
    lines = [{"what": "Plane", "cost": 30}, {"what": "Saw", "cost": 12}]
    program.answers = [(200, {"name": "Oak & Co", "lines": lines}), (503, "later"), (503, "")]
    page.fill("#f-no", "B 7")
    page.locator("#f-no").blur()
    expect(page.locator("#f-name")).to_have_value("Oak & Co")
    expect(page.locator('[name="lines[1].what"]')).to_have_value("Saw")
    expect(page.locator("#f-total")).to_have_text("42")
    assert program.asked[0][1] == "/bills/B%207"
    page.fill("#f-no", "B 8")
    page.locator("#f-no").blur()
    expect(page.locator("#f-no-notes .error")).to_contain_text("Known bill")
    expect(page.locator("#f-name")).to_have_value("Oak & Co")


def test_a_pasted_mail_fills_what_nobody_has_typed(bills: Any) -> None:
    program, page = bills
    said = {"no": "B 9", "name": "From the mail", "note": "Deliver by noon", "lines": [{"what": "Chisel", "cost": 8}, {"what": "Glue"}]}
    program.answers = [(200, {"choices": [{"message": {"content": json.dumps(said)}}]})]
    expect(page.locator(".ql-editor")).to_be_visible()
    page.fill("#f-name", "My own")
    page.locator("[data-quick] summary").click()
    page.fill("[data-quick-text]", "Dear Sir, ...")
    page.click("[data-quick-go]")
    expect(page.locator("#f-no")).to_have_value("B 9")
    expect(page.locator("#f-name")).to_have_value("My own")
    expect(page.locator(".ql-editor")).to_have_text("Deliver by noon")
    expect(page.locator("#f-total")).to_have_text("9")
    expect(page.locator("[data-quick] .note")).to_be_visible()
    page.locator("#f-no").press("Control+Enter")
    page.wait_for_url(lambda url: not url.endswith("/new"))


ODD = (
    "children", "remove", "attributes", "matches", "closest", "contains", "dataset", "method", "action", "submit", "elements", "style",
    "title", "name", "hidden", "target", "append", "before", "normalize", "reset", "length", "template", "form", "type", "files",
)  # fmt: skip


def test_fields_may_have_the_names_of_what_a_browser_calls_things(school: Place, page: Page) -> None:
    fields = [{"id": id, "type": "text"} for id in ODD]
    twice = {"id": "twice", "type": "formula", "formula": "children & matches & remove"}
    with school.opened() as ctx:
        definitions.publish(ctx, "nursery", {
            "language": 1, "app": "nursery", "tables": [{"id": "visit", "fields": [*fields, twice]}],
            "forms": [{"id": "visit", "table": "visit", "layout": [{"row": [id]} for id in (*ODD, "twice")],
                       "rules": [{"when": "children = \"2\"", "hide": ["title"]}]}],
        })  # fmt: skip
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    school.sign_in(page)
    page.goto(f"{school.site.base}/a/nursery/f/visit/new")
    for id in ODD:
        page.fill(f"#f-{id}", "2")
    page.locator(f"#f-{ODD[-1]}").blur()
    expect(page.locator("#f-twice")).to_have_text("222")
    expect(page.locator("#f-title")).to_have_count(0)
    page.click("button.primary[type=submit]")
    page.wait_for_url(lambda url: not url.endswith("/new"))
    with school.opened() as ctx:
        kept = ctx.conn.execute(select(live(ctx, definitions.installed(ctx, "nursery"), "visit").sql)).mappings().one()
        assert [kept[id] for id in ODD] == ["2"] * len(ODD)
    assert wrong == []
